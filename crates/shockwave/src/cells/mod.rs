//! Cells: one pointer to a magazine for each (CPU, class), and the two ways to enter one.
//!
//! ```text
//!              class 0  class 1  class 2  …
//!   CPU 0   ┌─────────┬─────────┬─────────┬─ … ─┐   a row: eight cells to a cache line
//!           └────┬────┴────┬────┴─────────┴─ … ─┘
//!   CPU 1   ┌────┼────┬────┼────┬─────────┬─ … ─┐
//!           └────┼────┴────┼────┴─────────┴─ … ─┘
//!                ▼         ▼
//!             magazine   null: closed
//! ```
//!
//! [`rseq`] enters by a restartable sequence: no lock, no locked instruction, nothing to wait for.
//! [`locked`] enters by a try-lock, where there are no restartable sequences. Both offer the same
//! operations, and everything above works with either.
//!
//! The rule that makes cells safe to change: **what a cell points at changes only under its class's
//! lock**, that is, by someone who holds the class's [`Stock`]. Whoever takes a block from a
//! magazine or adds one holds no lock at all, and must have entered the cell.

mod cpus;
pub(crate) mod locked;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu", not(loom)))]
pub(crate) mod rseq;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu", not(loom))))]
#[path = "rseq_absent.rs"]
pub(crate) mod rseq;

use crate::depot::Stock;
use crate::error::BuildError;
use crate::magazine::{Block, Magazine, Slots, Word};
use crate::sampling::Sampling;

use locked::LockedCells;
use rseq::RseqCells;

/// How the cells of a pool are entered. See [`cells`](crate::BufferPoolBuilder::cells).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Cells {
    /// By restartable sequences where the system has them, else by a try-lock. The default.
    #[default]
    Auto,
    /// By restartable sequences: x86-64 Linux with glibc 2.35 and a kernel that has `membarrier`
    /// for them (5.10). A get and a put take no lock and run no locked instruction.
    Rseq,
    /// By a try-lock on one of as many cells as there are CPUs, or fewer where a container limits
    /// CPU time, chosen by thread. Works everywhere; a get and a put cost two locked instructions
    /// more.
    Locked,
}

/// What came of swapping a magazine into a cell.
pub(crate) enum Exchange {
    /// It is in, and this one came out.
    For(Magazine),
    /// It is in a cell that was closed.
    Opened,
    /// There is no cell for this thread now; here it is back.
    NoCell(Magazine),
}

/// What either implementation offers. Takes and puts of locked cells are inlined into the slow
/// paths that they are called from: the stores of each frame on the way would be waited for by the
/// next locked instruction.
pub(crate) trait Enter {
    /// Has one in so many gets from cells, on average, be one that is to be looked at.
    fn sample(&mut self, sampling: Sampling);

    /// Takes a block from this CPU's magazine and counts a get, or does nothing if it is empty.
    /// Says of the get whether it is one that is to be looked at.
    fn take(&self, class: usize) -> Option<(Block, bool)>;

    /// Puts a block into this CPU's magazine, or hands it back if that is full.
    fn put(&self, class: usize, block: Block) -> Result<(), Block>;

    /// Swaps a magazine into this CPU's cell. `stock` is the proof that the class's lock is held.
    fn exchange(&self, class: usize, magazine: Magazine, stock: &mut Stock) -> Exchange;

    /// Closes those cells of a class that `which` picks by row and magazine, on all CPUs, and hands
    /// over what was in them. Says whether it could: if not, nothing has changed. Allocates
    /// nothing. Closed cells open again by [`exchange`](Self::exchange).
    fn close(
        &self,
        class: usize,
        stock: &mut Stock,
        which: impl FnMut(usize, &Slots) -> bool,
        take: impl FnMut(&mut Stock, Magazine),
    ) -> bool;

    /// The sum of the words of a class's magazines in cells. Exact if no get or put is in flight; a
    /// count of gets that was once seen is never undercut.
    fn sum(&self, class: usize, stock: &Stock) -> Word;
}

/// The cells of one pool.
#[derive(Debug)]
pub(crate) enum CellSet {
    Rseq(RseqCells),
    Locked(LockedCells),
}

impl CellSet {
    /// Makes cells, all closed, of the wanted kind; `Auto` asks the environment first.
    pub(crate) fn new(cells: Cells) -> Result<Self, BuildError> {
        let cells = if cells == Cells::Auto { from_environment()? } else { cells };
        match cells {
            Cells::Locked => Ok(Self::Locked(LockedCells::new(cpus::useful_rows()))),
            Cells::Rseq => match RseqCells::new() {
                Ok(cells) => Ok(Self::Rseq(cells)),
                Err(reason) => Err(BuildError::rseq_unavailable(reason)),
            },
            Cells::Auto => Ok(RseqCells::new()
                .map_or_else(|_| Self::Locked(LockedCells::new(cpus::useful_rows())), Self::Rseq)),
        }
    }

    /// The same, if they are entered by restartable sequences.
    pub(crate) fn rseq(&self) -> Option<&RseqCells> {
        match self {
            Self::Rseq(cells) => Some(cells),
            Self::Locked(_) => None,
        }
    }

    /// Rows there are: cells of each class.
    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Rseq(cells) => cells.rows_count(),
            Self::Locked(cells) => cells.rows_count(),
        }
    }

    /// As many of them as there are CPUs that run now. A guess at how many are used at once: CPUs
    /// may come, and locked cells are used by threads.
    pub(crate) fn rows_at_once(&self) -> usize {
        self.rows().min(cpus::online().unwrap_or(usize::MAX))
    }

    /// Which kind these are; never [`Cells::Auto`].
    pub(crate) fn kind(&self) -> Cells {
        match self {
            Self::Rseq(_) => Cells::Rseq,
            Self::Locked(_) => Cells::Locked,
        }
    }

    /// Forgets locks that threads of the parent held when this process was forked from it.
    pub(crate) fn after_fork_in_child(&self) {
        if let Self::Locked(cells) = self {
            cells.after_fork_in_child();
        }
    }
}

impl Enter for CellSet {
    fn sample(&mut self, sampling: Sampling) {
        match self {
            Self::Rseq(cells) => cells.sample(sampling),
            Self::Locked(cells) => cells.sample(sampling),
        }
    }

    #[inline(always)]
    fn take(&self, class: usize) -> Option<(Block, bool)> {
        match self {
            Self::Rseq(cells) => cells.take(class),
            Self::Locked(cells) => cells.take(class),
        }
    }

    #[inline(always)]
    fn put(&self, class: usize, block: Block) -> Result<(), Block> {
        match self {
            Self::Rseq(cells) => cells.put(class, block),
            Self::Locked(cells) => cells.put(class, block),
        }
    }

    fn exchange(&self, class: usize, magazine: Magazine, stock: &mut Stock) -> Exchange {
        match self {
            Self::Rseq(cells) => cells.exchange(class, magazine, stock),
            Self::Locked(cells) => cells.exchange(class, magazine, stock),
        }
    }

    fn close(
        &self,
        class: usize,
        stock: &mut Stock,
        which: impl FnMut(usize, &Slots) -> bool,
        take: impl FnMut(&mut Stock, Magazine),
    ) -> bool {
        match self {
            Self::Rseq(cells) => cells.close(class, stock, which, take),
            Self::Locked(cells) => cells.close(class, stock, which, take),
        }
    }

    fn sum(&self, class: usize, stock: &Stock) -> Word {
        match self {
            Self::Rseq(cells) => cells.sum(class, stock),
            Self::Locked(cells) => cells.sum(class, stock),
        }
    }
}

/// What `SHOCKWAVE_CELLS` says, `Auto` if it is not set.
fn from_environment() -> Result<Cells, BuildError> {
    let Some(value) = std::env::var_os("SHOCKWAVE_CELLS") else { return Ok(Cells::Auto) };
    match value.to_str() {
        Some("auto" | "") => Ok(Cells::Auto),
        Some("rseq") => Ok(Cells::Rseq),
        Some("locked") => Ok(Cells::Locked),
        _ => Err(BuildError::cells_variable(&value)),
    }
}
