//! SIGTERM and Ctrl-C: the first ends the server gracefully, the second at once.

use std::process;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::warn;

use crate::interrupt::KILLED_BY_INTERRUPT;

/// Signals that ask the server to end.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen. From here on neither ends the program by itself.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one and says which it is.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Waits for one more, and ends the process.
    pub(crate) async fn end_at_next(mut self) {
        let name = self.next().await;
        warn!(signal = name, "ending at once");
        process::exit(KILLED_BY_INTERRUPT);
    }
}
