//! How a buffer is taken: from this CPU's cell, or the slower ways, each out of line.

use std::panic::Location;

use super::grow::refuse;
use super::{Buffer, settle};
use crate::asan;
use crate::engine::{Engine, Got, Turn};
use crate::error::GetError;
use crate::magazine::Block;

impl Buffer {
    /// Takes a fresh buffer from an engine, or panics. Out of line it returns two registers; a
    /// `Result` would be returned in memory, and the fast path would have to go through memory with
    /// it.
    ///
    /// The caller's place in the code is a constant, made where the slow path is called and nowhere
    /// else.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn take(engine: &Engine, size: usize) -> Self {
        #[cold]
        #[inline(never)]
        #[track_caller]
        fn slowly(engine: &Engine, size: usize) -> Buffer {
            match Buffer::take_seen(engine, size, Location::caller()) {
                Ok(buffer) => buffer,
                Err(refused) => refuse(refused),
            }
        }
        match Self::take_fast(engine, size) {
            Some(buffer) => buffer,
            None => slowly(engine, size),
        }
    }

    /// Takes a fresh buffer from an engine, or says why there is none.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn try_take(engine: &Engine, size: usize) -> Result<Self, GetError> {
        #[cold]
        #[inline(never)]
        #[track_caller]
        fn slowly(engine: &Engine, size: usize) -> Result<Buffer, GetError> {
            Buffer::take_seen(engine, size, Location::caller())
        }
        match Self::take_fast(engine, size) {
            Some(buffer) => Ok(buffer),
            None => slowly(engine, size),
        }
    }

    #[inline(always)]
    fn take_fast(engine: &Engine, size: usize) -> Option<Self> {
        let (class, block) = engine.take_fast(size)?;
        Some(Self { data: block.into_raw(), meta: engine.meta.with_class(class) }.awake())
    }

    /// What the fast path could not take: from this CPU's cell at a second try, or the slower ways;
    /// with a record, if it is one that is to be looked at.
    #[inline(always)]
    fn take_seen(
        engine: &Engine,
        size: usize,
        caller: &'static Location<'static>,
    ) -> Result<Self, GetError> {
        match engine.take_again(size) {
            Some((class, block, sampled)) => {
                let buffer = Self::of_block(engine, class, block);
                Ok(if sampled { buffer.recorded(engine, caller) } else { buffer })
            }
            None => Self::take_elsewhere(engine, size, Turn::Last)
                .map(|buffer| buffer.tracked(engine, caller)),
        }
    }

    /// As [`try_take`](Self::try_take), on terms of one's own, and without a record.
    #[inline]
    pub(crate) fn take_slowly(engine: &Engine, size: usize, turn: Turn) -> Result<Self, GetError> {
        Self::take_unseen(engine, size).map_or_else(|| Self::take_elsewhere(engine, size, turn), Ok)
    }

    /// From this CPU's cell, without a record.
    #[inline]
    pub(super) fn take_unseen(engine: &Engine, size: usize) -> Option<Self> {
        let (class, block, _) = engine.take_again(size)?;
        Some(Self::of_block(engine, class, block))
    }

    /// From anywhere but a cell.
    #[inline]
    fn take_elsewhere(engine: &Engine, size: usize, turn: Turn) -> Result<Self, GetError> {
        let mut taken = Self::take_uncounted(engine, size, turn);
        if matches!(&taken, Err(refused) if refused.is_over_budget()) && settle() {
            // What waited to be dropped was counted as in use.
            taken = Self::take_uncounted(engine, size, turn);
        }
        settle();
        taken.inspect_err(|refused| engine.refused(size, turn, refused))
    }

    #[inline]
    fn of_block(engine: &Engine, class: usize, block: Block) -> Self {
        let meta = engine.meta.with_class(class);
        Self { data: block.into_raw(), meta }.awake().verified(engine)
    }

    /// As [`take_elsewhere`](Self::take_elsewhere), but a refusal counts as none.
    #[cold]
    #[inline(never)]
    pub(super) fn take_uncounted(
        engine: &Engine,
        size: usize,
        turn: Turn,
    ) -> Result<Self, GetError> {
        let (data, meta) = match engine.get_slow(size, turn)? {
            Got::Block(class, block) => {
                return Ok(Self::of_block(engine, class, block));
            }
            Got::Fresh(class, block) => (block.into_raw(), engine.meta.with_class(class)),
            Got::Oversize(oversize) => (oversize.into_raw(), engine.meta.with_oversize()),
        };
        Ok(Self { data, meta: meta.with_zeroed() }.awake())
    }

    /// Tells the sanitizer, if there is one, that the memory is in use.
    #[inline(always)]
    pub(super) fn awake(self) -> Self {
        if cfg!(shockwave_asan) {
            asan::unpoison(self.data, self.capacity());
        }
        self
    }
}
