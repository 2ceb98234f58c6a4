//! Blocks and oversize buffers, made and freed: where the engine meets its ledger.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

use super::govern::{Room, Turn};
use super::{Engine, Got};
use crate::asan;
use crate::error::GetError;
use crate::limits::{BUFFER_ALIGN, BUFFER_BYTES_MAX, FREE_BLOCKS};
use crate::magazine::Block;
use crate::oversize::{Origin, Oversize};
use crate::reentry::Stay;
use crate::source::Moving;
use crate::source::pages::PAGE_BYTES;
use crate::stack::Stack;

impl Engine {
    /// Makes a block for a get, if the budget has room for it.
    pub(super) fn get_fresh(&self, size: usize, class: usize, turn: Turn) -> Result<Got, GetError> {
        let bytes = self.classes.bytes(class);
        // The source is asked without the lock: it may take its time, and others may put meanwhile.
        let made = match self.room(size, bytes, Some(class), turn) {
            Ok(Room::Idle(block)) => return Ok(Got::Block(class, block)),
            Ok(Room::Charged) => self.make(class),
            Err(refused) => return Err(refused),
        };
        let block = made.ok_or_else(|| {
            self.ledger.discharge(bytes);
            GetError::out_of_memory(size)
        })?;
        let mut stock = self.depots[class].visit();
        stock.made_for_get();
        if stock.has_ended() {
            // A buffer of an ended pool that grows: one more to wait for.
            self.keepers.fetch_add(1, Relaxed);
        }
        Ok(Got::Fresh(class, block))
    }

    /// Makes a buffer that is in no class, if the budget has room for it.
    pub(super) fn make_oversize(
        &self,
        requested: usize,
        capacity: usize,
        turn: Turn,
        nested: bool,
    ) -> Result<Oversize, GetError> {
        let bytes = Oversize::bytes(capacity).filter(|_| capacity <= BUFFER_BYTES_MAX);
        let bytes = bytes.ok_or(GetError::too_large(requested))?;
        let origin = if nested { Origin::Pages } else { Origin::Source };
        if !nested {
            self.room(requested, bytes, None, turn)?;
        } else if !self.ledger.charge(bytes) {
            // Nothing is reclaimed in a nested call, so what is idle is in the way as well.
            let (taken, limit) = (self.ledger.taken(), self.ledger.limit());
            return Err(GetError::over_budget(requested, taken, bytes, limit));
        }
        Oversize::make(capacity, origin, &self.ledger).ok_or_else(|| {
            self.ledger.discharge(bytes);
            GetError::out_of_memory(requested)
        })
    }

    /// Makes blocks until at least `count` of a class are idle, with all their pages resident, and
    /// has as many kept from here on. Returns how many it made: fewer than needed if the source has
    /// no more, or the budget no room.
    pub(crate) fn warm_up(&self, class: usize, count: usize) -> usize {
        let count = if self.modes.passthrough { 0 } else { count };
        let made = self.make_up(class, count);
        self.tell_of_pressure();
        made
    }

    fn make_up(&self, class: usize, count: usize) -> usize {
        let _stay = Stay::begin();
        self.depots[class].visit().raise_floor(count);
        let idle = self.counts(class).0.idle;
        let missing = count.saturating_sub(usize::try_from(idle).unwrap_or(usize::MAX));
        let bytes = self.classes.bytes(class);
        for made in 0..missing {
            // Never in use: whoever is about to refuse a get has to wait until it is idle.
            let moving = self.ledger.reserve(bytes);
            if !moving.is_some_and(|moving| self.make_idle(class, moving)) {
                return made;
            }
        }
        missing
    }

    /// Makes a block, whose bytes are moving, to lie idle. Says whether it does.
    fn make_idle(&self, class: usize, moving: Moving<'_>) -> bool {
        let Some(block) = self.make(class) else {
            moving.release();
            return false;
        };
        let block = touch(block, self.classes.bytes(class));
        let mut stock = self.visit(class);
        let filed = stock.made_idle(block);
        let Err(block) = filed else {
            // Under the lock, so that whoever holds it finds it either moving or idle.
            moving.arrive();
            return true;
        };
        drop(stock);
        self.free(class, &mut [block.into_raw()]);
        moving.release();
        false
    }

    fn layout(&self, class: usize) -> Option<Layout> {
        Layout::from_size_align(self.classes.bytes(class), BUFFER_ALIGN).ok()
    }

    /// Makes a block, whose bytes are charged, and stay so where the source has none.
    #[expect(unsafe_code, reason = "turns memory of the source into blocks")]
    pub(super) fn make(&self, class: usize) -> Option<Block> {
        let layout = self.layout(class)?;
        let memory = self.ledger.allocate(layout)?;
        // SAFETY: new memory of the class's size, and nobody else's.
        Some(unsafe { Block::from_raw(memory) })
    }

    /// Frees blocks that were taken out and are moving, and gives up their charge.
    pub(super) fn unmake_all(&self, class: usize, magazines: Stack) {
        let (_, count) = self.free_blocks::<FREE_BLOCKS>(class, magazines);
        self.ledger.release(count * self.classes.bytes(class));
    }

    /// Frees blocks that were taken out, and shelves their magazines. Their bytes stay charged.
    pub(super) fn free_all<const BLOCKS: usize>(&self, class: usize, magazines: Stack) {
        let (mut empty, _) = self.free_blocks::<BLOCKS>(class, magazines);
        if empty.top().is_some() {
            self.depots[class].visit().shelve_all(empty);
        }
    }

    /// Frees the blocks of magazines, `BLOCKS` at once, which a source may find to be neighbors.
    /// Returns the magazines, empty, and the number of blocks, whose bytes stay charged.
    fn free_blocks<const BLOCKS: usize>(
        &self,
        class: usize,
        mut magazines: Stack,
    ) -> (Stack, usize) {
        let (mut batch, mut filled) = ([NonNull::dangling(); BLOCKS], 0);
        let (mut empty, mut count) = (Stack::new(), 0);
        while let Some(mut magazine) = magazines.pop() {
            while let Some(block) = magazine.pop() {
                batch[filled] = block.into_raw();
                filled += 1;
                if filled == batch.len() {
                    count += self.free(class, &mut batch);
                    filled = 0;
                }
            }
            empty.push(magazine);
        }
        count += self.free(class, &mut batch[..filled]);
        (empty, count)
    }

    pub(super) fn unmake(&self, class: usize, block: Block) {
        self.free(class, &mut [block.into_raw()]);
        self.ledger.discharge(self.classes.bytes(class));
    }

    /// Gives blocks whose right was given up back to the source. Returns how many.
    #[expect(unsafe_code, reason = "turns blocks back into memory of the source")]
    fn free(&self, class: usize, blocks: &mut [NonNull<u8>]) -> usize {
        for &mut block in &mut *blocks {
            asan::unpoison(block, self.classes.bytes(class));
        }
        let Some(layout) = self.layout(class) else { return 0 };
        match blocks {
            [] => {}
            // SAFETY: blocks of a class are made by `make` with this layout, and the right to this
            // one has just been given up.
            &mut [block] => unsafe { self.ledger.deallocate(block, layout) },
            // SAFETY: as above; each was a block, so none is there twice.
            _ => unsafe { self.ledger.deallocate_all(blocks, layout) },
        }
        blocks.len()
    }
}

/// Writes to each page of a block, so that the system has to provide it.
#[expect(unsafe_code, reason = "writes to a block's memory")]
fn touch(block: Block, bytes: usize) -> Block {
    let memory = block.into_raw();
    for offset in (0..bytes).step_by(PAGE_BYTES) {
        // SAFETY: within the block.
        let page = unsafe { memory.byte_add(offset) };
        // SAFETY: the block is this function's alone; new, so zero already.
        unsafe { page.write_volatile(0) };
    }
    // A block need not begin with a page, so its last one may not have been met.
    // SAFETY: within the block, which has at least `CLASS_BYTES_MIN` bytes.
    let last = unsafe { memory.byte_add(bytes - 1) };
    // SAFETY: as above.
    unsafe { last.write_volatile(0) };
    asan::poison(memory, bytes);
    // SAFETY: the right was given up above.
    unsafe { Block::from_raw(memory) }
}
