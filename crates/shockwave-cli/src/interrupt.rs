//! Ctrl-C: the first ends a test early, the second ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::Context;
use signal_hook::consts::signal::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a program that SIGINT ended, by custom.
pub(crate) const KILLED_BY_INTERRUPT: i32 = 130;

/// Whether Ctrl-C was pressed, or the process was asked to end.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    pressed: Arc<AtomicBool>,
}

impl Interrupt {
    /// Begins to listen.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let pressed = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag not yet set.
            flag::register_conditional_shutdown(signal, KILLED_BY_INTERRUPT, Arc::clone(&pressed))
                .and_then(|_| flag::register(signal, Arc::clone(&pressed)))
                .context("cannot listen for Ctrl-C")?;
        }
        Ok(Self { pressed })
    }

    pub(crate) fn is_pressed(&self) -> bool {
        self.pressed.load(Relaxed)
    }
}
