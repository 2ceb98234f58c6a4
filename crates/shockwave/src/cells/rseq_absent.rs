//! Stands in for `rseq` where there are no restartable sequences: a type that cannot be made.

use super::{Enter, Exchange};
use crate::depot::Stock;
use crate::magazine::{Block, Magazine, Slots, Word};
use crate::sampling::Sampling;

/// Uninhabited: [`new`](Self::new) always fails.
#[derive(Debug)]
pub(crate) enum RseqCells {}

impl RseqCells {
    pub(crate) fn new() -> Result<Self, &'static str> {
        Err("they need x86-64 Linux with the GNU C library")
    }

    pub(crate) fn rows_count(&self) -> usize {
        match *self {}
    }

    pub(crate) fn column(&self, _class: usize) -> Column {
        match *self {}
    }

    pub(crate) fn publish(&self, _pool: usize) {
        match *self {}
    }
}

/// No area.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area;

impl Area {
    pub(crate) fn known() -> Self {
        Self
    }
}

/// A column without cells: nothing is ever taken from it or put into it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column;

#[expect(unsafe_code, reason = "has the signatures of the columns that do have cells")]
impl Column {
    pub(crate) const NONE: Self = Self;

    /// Whether this is [`NONE`](Self::NONE).
    #[inline(always)]
    pub(crate) fn is_none(self) -> bool {
        true
    }

    pub(crate) fn plus(self, _classes: usize) -> Self {
        self
    }

    pub(crate) fn at(_place: usize) -> Self {
        Self
    }

    pub(crate) unsafe fn take(self, _area: Area) -> Option<Block> {
        None
    }

    pub(crate) unsafe fn put(self, _area: Area, block: Block) -> Result<(), Block> {
        Err(block)
    }
}

impl Enter for RseqCells {
    fn sample(&mut self, _sampling: Sampling) {
        match *self {}
    }

    fn take(&self, _class: usize) -> Option<(Block, bool)> {
        match *self {}
    }

    fn put(&self, _class: usize, _block: Block) -> Result<(), Block> {
        match *self {}
    }

    fn exchange(&self, _class: usize, _magazine: Magazine, _stock: &mut Stock) -> Exchange {
        match *self {}
    }

    fn close(
        &self,
        _: usize,
        _: &mut Stock,
        _: impl FnMut(usize, &Slots) -> bool,
        _: impl FnMut(&mut Stock, Magazine),
    ) -> bool {
        match *self {}
    }

    fn sum(&self, _class: usize, _stock: &Stock) -> Word {
        match *self {}
    }
}
