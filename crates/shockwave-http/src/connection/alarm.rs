//! One timer for all timeouts of a connection.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

pin_project! {
    /// A timer that is mostly left where it is. Deadlines move on with every request; the timer
    /// does not follow, but goes off at an earlier one, finds that it is not over, and only then is
    /// set to the present one. So a request costs no visit to the runtime's timer wheel, and no
    /// connection more than one for each timeout that it waits out.
    #[derive(Debug)]
    pub(super) struct Alarm {
        #[pin]
        sleep: Option<Sleep>,
        // When the timer goes off. Meaningless without a timer.
        at: Instant,
        // Whether the timer knows whom to wake.
        armed: bool,
    }
}

impl Alarm {
    pub(super) fn new(now: Instant) -> Self {
        Self { sleep: None, at: now, armed: false }
    }

    /// Ready once `deadline` is over. `renewed` says that the task is woken by another waker than
    /// at the last call.
    pub(super) fn poll(
        self: Pin<&mut Self>,
        deadline: Instant,
        renewed: bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut this = self.project();
        if this.sleep.is_none() {
            this.sleep.set(Some(sleep_until(deadline)));
            (*this.at, *this.armed) = (deadline, false);
        }
        let Some(mut sleep) = this.sleep.as_pin_mut() else { return Poll::Pending };
        if deadline < *this.at {
            sleep.as_mut().reset(deadline);
            (*this.at, *this.armed) = (deadline, false);
        }
        if *this.armed && !renewed && !sleep.is_elapsed() {
            return Poll::Pending;
        }
        loop {
            *this.armed = true;
            ready!(sleep.as_mut().poll(cx));
            if *this.at >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
            *this.at = deadline;
        }
    }
}
