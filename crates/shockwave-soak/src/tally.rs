//! What the soak has done so far, counted over all generations.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One count.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }
}

/// Declares the counts once: the field, and what it is called in the end.
macro_rules! tally {
    ($($name:ident: $shown:literal,)*) => {
        /// Counts of everything that was done.
        #[derive(Debug, Default)]
        pub(crate) struct Tally { $(pub(crate) $name: Count,)* }

        impl Tally {
            fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$(($shown, self.$name.0.load(Relaxed)),)*].into_iter()
            }
        }
    };
}

tally! {
    generations: "pools ended",
    verdicts: "verdicts",
    gets: "buffers taken",
    refused: "gets refused",
    source_refused: "refusals by the source",
    waits: "waits that got a buffer",
    timeouts: "waits that ran out of time",
    cancels: "waits cancelled",
    hand_overs: "buffers handed to another thread",
    frozen: "buffers frozen",
    grown: "buffers grown",
    raw: "raw handles returned",
    faults: "raw handles refused",
    trims: "trims and intervals",
    resets: "resets of the metrics",
    forks: "forks",
    moves: "moves to another CPU",
    threads: "threads started for one step",
    orphans: "buffers that outlived their pool's last handle",
}

impl Tally {
    /// Something that never happened.
    pub(crate) fn unseen(&self) -> Option<&'static str> {
        self.all().find(|(_, count)| *count == 0).map(|(name, _)| name)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in self.all() {
            writeln!(f, "{count:>14}  {name}")?;
        }
        Ok(())
    }
}
