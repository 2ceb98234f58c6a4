//! Stands in for `rseq.rs` where there are no restartable sequences: a type that cannot be made.

use super::{Enter, Exchange};
use crate::depot::Stock;
use crate::magazine::{Block, Magazine, Word};

/// Uninhabited: [`new`](Self::new) always fails.
#[derive(Debug)]
pub(crate) enum RseqCells {}

impl RseqCells {
    pub(crate) fn new(_cpus: usize) -> Result<Self, &'static str> {
        Err("they need x86-64 Linux with the GNU C library")
    }
}

impl Enter for RseqCells {
    fn take(&self, _class: usize) -> Option<Block> {
        match *self {}
    }

    fn put(&self, _class: usize, _block: Block) -> Result<(), Block> {
        match *self {}
    }

    fn exchange(&self, _class: usize, _magazine: Magazine, _stock: &mut Stock) -> Exchange {
        match *self {}
    }

    fn close(&self, _: usize, _: &mut Stock, _: impl FnMut(&mut Stock, Magazine)) -> bool {
        match *self {}
    }

    fn sum(&self, _class: usize, _stock: &Stock) -> Word {
        match *self {}
    }
}
