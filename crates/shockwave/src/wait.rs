//! The queue of those who wait for room in a pool's budget: first come, first served.
//!
//! ```text
//!     put ── notify ──▶ ┌──────┐ ┌──────┐ ┌──────┐ ◀── enter
//!                       │ head │⇄│      │⇄│ tail │
//!                       └──────┘ └──────┘ └──────┘
//!                          │ leave: wakes the next; the last one has the cells open again
//! ```
//!
//! Nobody is handed anything here: the head is woken, tries, and leaves when it was served. A
//! request that is dropped leaves as well, and whatever it was woken for goes on to the next, so
//! nothing is lost with it. The head leaves its waker *before* it tries, and a put looks for a
//! waker *after* it gave its block away, both under this queue's lock; one of the two sees the
//! other.
//!
//! Under the lock nothing is allocated, no waker is called, cloned or dropped, and no source is
//! asked, since a fork holds it. Classes' locks come after it.

use std::task::Waker;

use crate::callback::contained;
use crate::fork::ForkLock;
use crate::reentry::{self, Stay};
use crate::sync::{
    AtomicBool, AtomicU64, AtomicUsize, MutexGuard, Ordering::Relaxed, Ordering::SeqCst, fence,
};

/// Says that there is no neighbor.
const NONE: usize = usize::MAX;

/// One request in line.
#[derive(Debug)]
struct Slot {
    /// Bytes that it would take from the source.
    asked: usize,
    /// How to reach it; none between being woken and its next try.
    waker: Option<Waker>,
    before: usize,
    after: usize,
}

/// What the queue's lock guards: a doubly linked list in a vector, so that leaving from the middle
/// costs the same however many wait.
#[derive(Debug)]
struct Line {
    slots: Vec<Slot>,
    head: usize,
    tail: usize,
    /// First of the slots that are free, linked by `after`.
    free: usize,
    /// Forks since the pool was made. Tickets from before the last one are void in the child.
    epoch: usize,
}

/// A place in line. To be given to [`leave`](Queue::leave).
#[derive(Debug)]
#[must_use = "a place that is not left is kept for ever"]
pub(crate) struct Ticket {
    slot: usize,
    epoch: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Queue {
    line: ForkLock<Line>,
    /// How many wait. Changes under the lock; looked at on slow paths without it.
    waiting: AtomicUsize,
    /// What they ask for, in bytes. As above.
    awaited: AtomicUsize,
    /// How many have ever waited.
    waits: AtomicU64,
    /// Whether a put that could not take the lock has left the head unwoken.
    owed: AtomicBool,
}

impl Queue {
    pub(crate) fn new() -> Self {
        let line = Line { slots: Vec::new(), head: NONE, tail: NONE, free: NONE, epoch: 0 };
        Self {
            line: ForkLock::new(line),
            waiting: AtomicUsize::new(0),
            awaited: AtomicUsize::new(0),
            waits: AtomicU64::new(0),
            owed: AtomicBool::new(false),
        }
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(SeqCst)
    }

    /// Bytes that those who wait ask for.
    pub(crate) fn awaited(&self) -> usize {
        self.awaited.load(SeqCst)
    }

    /// How many have waited since the pool was made.
    pub(crate) fn waits(&self) -> u64 {
        self.waits.load(Relaxed)
    }

    /// Gets in line for `asked` bytes. The first one has `close` called, under the lock.
    pub(crate) fn enter(&self, asked: usize, waker: Waker, close: impl FnOnce()) -> Ticket {
        let _stay = Stay::begin();
        let mut line = self.with_room();
        let ticket = line.push(Slot { asked, waker: Some(waker), before: NONE, after: NONE });
        self.waits.fetch_add(1, Relaxed);
        self.awaited.fetch_add(asked, SeqCst);
        if self.waiting.fetch_add(1, SeqCst) == 0 {
            // Whoever gives a block away after `close` has looked sees from here on that someone
            // waits.
            fence(SeqCst);
            close();
        }
        ticket
    }

    /// The line, locked, with a slot to spare. Room is made without the lock.
    fn with_room(&self) -> MutexGuard<'_, Line> {
        loop {
            let line = self.line.lock();
            if line.free != NONE || line.slots.len() < line.slots.capacity() {
                return line;
            }
            let wanted = (line.slots.len() * 2).max(16);
            drop(line);
            let mut larger = Vec::with_capacity(wanted);
            let mut line = self.line.lock();
            if line.slots.capacity() < larger.capacity() {
                larger.append(&mut line.slots);
                std::mem::swap(&mut line.slots, &mut larger);
            }
            drop(line);
            drop(larger);
        }
    }

    /// Leaves a waker, to be woken when it is worth another try, and says whether it is this one's
    /// turn. `None` if the ticket is of before a fork.
    pub(crate) fn renew(&self, ticket: &Ticket, waker: Waker) -> Option<bool> {
        let stay = Stay::begin();
        let mut line = self.line.lock();
        if line.epoch != ticket.epoch {
            return None;
        }
        let first = line.head == ticket.slot;
        let old = line.slots[ticket.slot].waker.replace(waker);
        drop(line);
        drop(stay);
        drop(old);
        Some(first)
    }

    /// Leaves the line. Whoever is first then is woken; if nobody is, `open` is called, under the
    /// lock.
    pub(crate) fn leave(&self, ticket: Ticket, open: impl FnOnce()) {
        let stay = Stay::begin();
        let mut line = self.line.lock();
        if line.epoch != ticket.epoch {
            return;
        }
        let was_first = line.head == ticket.slot;
        let (asked, old) = line.remove(ticket);
        self.awaited.fetch_sub(asked, SeqCst);
        if self.waiting.fetch_sub(1, SeqCst) == 1 {
            open();
        }
        let next = if was_first { line.head_waker() } else { None };
        drop(line);
        drop(stay);
        drop(old);
        if let Some(waker) = next {
            contained(|| waker.wake());
        }
    }

    /// Wakes the head, if someone waits. Called after memory came back, with no lock held.
    #[inline]
    pub(crate) fn notify(&self) {
        fence(SeqCst);
        if self.waiting.load(SeqCst) != 0 {
            self.wake_head();
        }
    }

    #[cold]
    fn wake_head(&self) {
        let stay = Stay::begin();
        let waker = self.line.lock().head_waker();
        drop(stay);
        if let Some(waker) = waker {
            contained(|| waker.wake());
        }
    }

    /// As [`notify`](Self::notify), for a put that interrupted a slow path of its own thread: takes
    /// no lock and calls no waker, but has that done as soon as the slow path ends.
    pub(crate) fn notify_later(&self) {
        fence(SeqCst);
        if self.waiting.load(SeqCst) != 0 {
            self.owed.store(true, SeqCst);
            reentry::owe();
        }
    }

    /// The waker of the head, if a nested put has left it unwoken. With the registry's lock held,
    /// which keeps the queue.
    pub(crate) fn take_owed(&self) -> Option<Waker> {
        if !self.owed.swap(false, SeqCst) {
            return None;
        }
        let _stay = Stay::begin();
        self.line.lock().head_waker()
    }

    /// Takes the lock and keeps it until [`let_go`](Self::let_go), for a fork.
    ///
    /// # Safety
    ///
    /// As for [`ForkLock::hold`].
    #[cfg(unix)]
    #[expect(unsafe_code, reason = "hands on a lock's contract")]
    pub(crate) unsafe fn hold(&self) {
        // SAFETY: the caller's word.
        unsafe { self.line.hold() };
    }

    /// Lets go of what [`hold`](Self::hold) took.
    #[cfg(unix)]
    pub(crate) fn let_go(&self) {
        self.line.let_go();
    }

    /// Forgets, in the child of a fork that holds the lock, those who wait in the parent. Their
    /// wakers are lost and not dropped: a fork's handler frees nothing. Says whether there were
    /// any.
    #[cfg(unix)]
    pub(crate) fn after_fork_in_child(&self) -> bool {
        self.line.with_held(|line| {
            std::mem::forget(std::mem::take(&mut line.slots));
            (line.head, line.tail, line.free) = (NONE, NONE, NONE);
            line.epoch += 1;
        });
        self.awaited.store(0, SeqCst);
        self.owed.store(false, SeqCst);
        self.waiting.swap(0, SeqCst) != 0
    }
}

impl Line {
    fn push(&mut self, mut slot: Slot) -> Ticket {
        slot.before = self.tail;
        let index = if let Some(free) = self.slots.get_mut(self.free) {
            let index = std::mem::replace(&mut self.free, free.after);
            *free = slot;
            index
        } else {
            self.slots.push(slot);
            self.slots.len() - 1
        };
        match self.slots.get_mut(self.tail) {
            Some(tail) => tail.after = index,
            None => self.head = index,
        }
        self.tail = index;
        Ticket { slot: index, epoch: self.epoch }
    }

    /// Unlinks a slot; what it asked for, and its waker, to be dropped without the lock.
    fn remove(&mut self, Ticket { slot: index, .. }: Ticket) -> (usize, Option<Waker>) {
        let free = std::mem::replace(&mut self.free, index);
        let slot = &mut self.slots[index];
        let (before, after) = (slot.before, std::mem::replace(&mut slot.after, free));
        let left = (slot.asked, slot.waker.take());
        match self.slots.get_mut(before) {
            Some(before) => before.after = after,
            None => self.head = after,
        }
        match self.slots.get_mut(after) {
            Some(after) => after.before = before,
            None => self.tail = before,
        }
        left
    }

    fn head_waker(&mut self) -> Option<Waker> {
        self.slots.get_mut(self.head)?.waker.take()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    #[test]
    fn the_line_keeps_its_order_whoever_leaves() {
        let queue = Queue::new();
        let bells: Vec<_> = (0..40).map(|_| Arc::new(Bell::default())).collect();
        let enter = |bell: &Arc<Bell>| queue.enter(10, Arc::clone(bell).into(), || ());
        let mut tickets: Vec<_> = bells.iter().map(|bell| Some(enter(bell))).collect();
        assert_eq!((queue.waiting(), queue.awaited()), (40, 400));
        // Every third leaves from the middle: nobody is woken for that.
        for ticket in tickets.iter_mut().skip(1).step_by(3) {
            queue.leave(ticket.take().unwrap(), || ());
        }
        assert!(bells.iter().all(|bell| bell.0.load(SeqCst) == 0));
        for i in 0..tickets.len() {
            let Some(ticket) = tickets[i].take() else { continue };
            assert_eq!(queue.renew(&ticket, Arc::clone(&bells[i]).into()), Some(true), "{i}");
            queue.leave(ticket, || ());
            let next = (i + 1..tickets.len()).find(|&next| tickets[next].is_some());
            assert!(next.is_none_or(|next| bells[next].0.load(SeqCst) == 1), "{i} wakes the next");
        }
        assert_eq!((queue.waiting(), queue.awaited(), queue.waits()), (0, 0, 40));
    }

    #[test]
    fn the_first_closes_and_the_last_opens() {
        let queue = Queue::new();
        let bell = || Waker::from(Arc::new(Bell::default()));
        let (mut closed, mut opened) = (0, 0);
        let first = queue.enter(1, bell(), || closed += 1);
        let second = queue.enter(1, bell(), || closed += 1);
        queue.leave(first, || opened += 1);
        assert_eq!((closed, opened), (1, 0));
        queue.leave(second, || opened += 1);
        assert_eq!((closed, opened), (1, 1));
    }

    #[test]
    fn a_head_that_was_woken_is_not_woken_again_before_it_tries() {
        let (queue, bell) = (Queue::new(), Arc::new(Bell::default()));
        let ticket = queue.enter(1, Arc::clone(&bell).into(), || ());
        queue.notify();
        queue.notify();
        assert_eq!(bell.0.load(SeqCst), 1);
        assert_eq!(queue.renew(&ticket, Arc::clone(&bell).into()), Some(true));
        queue.notify();
        assert_eq!(bell.0.load(SeqCst), 2);
        queue.leave(ticket, || ());
    }
}
