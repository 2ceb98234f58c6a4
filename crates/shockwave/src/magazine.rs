//! Magazines: fixed arrays of idle blocks, each with one word that says how much room is left and
//! how many gets it has served.
//!
//! ```text
//!   Slots, 1,984 bytes  word              capacity   next   limit  slots
//!                     ┌─────────────────┬──────────┬──────┬──────┬────┬────┬─ … ─┬────┬──────┬─
//!                     │ gets << 8 | room│    32    │ link │      │  – │  b │     │  b │ null │ –
//!                     └─────────────────┴──────────┴──────┴──────┴────┴────┴─ … ─┴────┴──────┴─
//!                      0                 8          16     24     32    ▲               ▲
//!                                                            blocks[room]               │
//!                                                                        blocks[capacity]
//! ```
//!
//! Blocks fill the slots from the end. A get takes `blocks[room]` and stores `word + 257`: one get
//! more, one slot of room more. A put fills `blocks[room - 1]` and stores `word - 1`. Either is one
//! store of one word, which is what lets a restartable sequence commit it and what makes the count
//! of gets exact at no cost. Neither needs the capacity: a magazine is full when there is no room,
//! and empty when the next slot is the null behind the last, so each of the two looks at nothing
//! that it has not loaded anyway. That is also why a capacity may be anything up to [`SLOTS`], and
//! change each time the magazine is in no cell. Slots beyond it are never touched.
//!
//! A get by a restartable sequence also compares the word with a limit, and where that is reached
//! leaves the fast path, to be looked at: this is how a pool samples one get in so many and slows
//! no other. A magazine of any other pool has no limit.
//!
//! [`Slots`] is the memory, which a cell shares with whoever enters it. [`Magazine`] is the right
//! to it: a magazine that is in no cell has one holder, who may read and write it as it likes.
#![expect(unsafe_code, reason = "owns blocks and the memory of magazines by address")]

use std::fmt;
use std::ptr::NonNull;

use crate::limits::SLOTS;
use crate::sync::{
    AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, UnsafeCell,
};

/// The memory of one buffer, and the right to it: whoever has the block may write it, and must hand
/// it on. Not `Copy`, so that safe code cannot hand the same memory to two holders.
#[derive(Debug)]
pub(crate) struct Block(NonNull<u8>);

// SAFETY: a block is plain memory with one holder.
unsafe impl Send for Block {}

impl Block {
    /// Takes the right to a block's memory.
    ///
    /// # Safety
    ///
    /// `memory` is the whole of one buffer of the class that the block will be used for, and nobody
    /// else has the right to it.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(memory: NonNull<u8>) -> Self {
        Self(memory)
    }

    /// Gives the right up; the address remains.
    #[inline(always)]
    pub(crate) fn into_raw(self) -> NonNull<u8> {
        self.0
    }

    /// A block at an address where there is nothing, for tests of where blocks go.
    #[cfg(test)]
    pub(crate) fn for_show(address: usize) -> Self {
        let memory = NonNull::new(std::ptr::without_provenance_mut(address));
        Self(memory.expect("not null"))
    }

    /// Where the block lies.
    #[cfg(test)]
    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }
}

/// Blocks that were served, and blocks that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Word {
    /// Gets served since the count was last harvested, `0..2^56`.
    pub(crate) gets: u64,
    /// Blocks in the magazine, `0..=capacity`.
    pub(crate) len: usize,
}

/// What a get adds to the word: one get more, one slot of room more.
pub(crate) const WORD_GET: u64 = (1 << 8) + 1;
/// What a put subtracts from the word: one slot of room.
pub(crate) const WORD_PUT: u64 = 1;

/// The limit of a magazine that has none.
const NO_LIMIT: u64 = u64::MAX;

/// The part of the word that is the room: slots before the first block, and so the next block's
/// slot.
#[expect(clippy::cast_possible_truncation, reason = "eight bits are wanted")]
pub(crate) const fn room(bits: u64) -> usize {
    bits as u8 as usize
}

/// The memory of a magazine. Offsets are known to the assembly in `cells/rseq/sequence.rs`.
#[repr(C)]
#[cfg_attr(not(loom), repr(align(64)))]
pub(crate) struct Slots {
    /// `gets << 8 | room`, with `room <= capacity`.
    pub(crate) word: AtomicU64,
    /// Blocks that fit, `0..=SLOTS`. Written only while no cell points here.
    capacity: AtomicUsize,
    /// The next magazine of a [`Stack`](crate::stack::Stack); meaningless in a cell.
    pub(crate) next: UnsafeCell<Option<Magazine>>,
    /// `gets << 8` for as many gets as the word may say before one leaves the fast path to be
    /// looked at; [`NO_LIMIT`] for none. Written under the same rules as the word.
    limit: AtomicU64,
    /// `blocks[room..capacity]` belong to the magazine, `blocks[capacity]` is null, and
    /// the others are stale.
    pub(crate) blocks: [UnsafeCell<*mut u8>; SLOTS + 1],
}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<Slots>() == 31 * 64);
    assert!(std::mem::offset_of!(Slots, word) == 0);
    assert!(std::mem::offset_of!(Slots, limit) == 24);
    assert!(std::mem::offset_of!(Slots, blocks) == 32);
};

// SAFETY: `word` and `capacity` are atomic; `next` and `blocks` are touched by a `Magazine`'s
// holder, or through a cell under that cell's own rules of entry, one at a time in either case.
unsafe impl Sync for Slots {}

impl Slots {
    /// An empty magazine without room.
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
            capacity: AtomicUsize::new(0),
            next: UnsafeCell::new(None),
            limit: AtomicU64::new(NO_LIMIT),
            blocks: std::array::from_fn(|_| UnsafeCell::new(std::ptr::null_mut())),
        }
    }

    /// A number that is the same as long as this magazine stays where it is and nobody takes from
    /// it or puts into it.
    pub(crate) fn mark(&self) -> u64 {
        self.word.load(Acquire) ^ (std::ptr::from_ref(self).addr() as u64).rotate_left(32)
    }

    /// The word, taken apart. May be asked while others enter the cell: the capacity stays.
    pub(crate) fn look(&self) -> Word {
        // Acquire: what was put by whoever had the cell before; pairs with the Release in `set`,
        // and in a locked cell's release of its lock.
        let bits = self.word.load(Acquire);
        let len = self.capacity.load(Relaxed).saturating_sub(room(bits));
        Word { gets: bits >> 8, len }
    }
}

/// The right to one magazine that is in no cell.
pub(crate) struct Magazine(NonNull<Slots>);

// SAFETY: a magazine's memory belongs to its one holder, and blocks may be sent.
unsafe impl Send for Magazine {}

impl Magazine {
    /// Takes the right to a magazine that has left its cell.
    ///
    /// # Safety
    ///
    /// `slots` was given up by [`into_raw`](Self::into_raw), is in no cell any more, and no one who
    /// entered while it was can still commit to it.
    pub(crate) unsafe fn from_raw(slots: NonNull<Slots>) -> Self {
        Self(slots)
    }

    /// Gives the right up, for a cell to take.
    pub(crate) fn into_raw(self) -> NonNull<Slots> {
        self.0
    }

    /// The memory.
    pub(crate) fn slots(&self) -> &Slots {
        // SAFETY: valid: an arena's memory outlives the magazines made from it. Unaliased as far as
        // it matters: only shared references to it are ever made.
        unsafe { self.0.as_ref() }
    }

    /// Blocks here and gets counted.
    pub(crate) fn word(&self) -> Word {
        self.slots().look()
    }

    /// Blocks that fit, `0..=SLOTS`.
    pub(crate) fn capacity(&self) -> usize {
        self.slots().capacity.load(Relaxed)
    }

    fn set(&mut self, word: Word) {
        let room = self.capacity() - word.len;
        // Release: publishes the slots to whoever enters the cell that this magazine goes to.
        self.slots().word.store(word.gets << 8 | room as u64, Release);
    }

    /// Blocks here.
    pub(crate) fn len(&self) -> usize {
        self.word().len
    }

    fn read(&self, slot: usize) -> *mut u8 {
        // SAFETY: this holder alone has the slots.
        self.slots().blocks[slot].with(|slot| unsafe { *slot })
    }

    fn write(&mut self, slot: usize, memory: *mut u8) {
        // SAFETY: this holder alone has the slots.
        self.slots().blocks[slot].with_mut(|slot| unsafe { *slot = memory });
    }

    /// Says how many blocks fit, at most [`SLOTS`], and no fewer than there are. Blocks move to the
    /// new end.
    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        let (old, word) = (self.capacity(), self.word());
        let capacity = capacity.clamp(word.len, SLOTS);
        if capacity == old {
            return;
        }
        // From the end that does not overwrite what is still to be moved.
        let mut move_one = |i: usize| {
            let memory = self.read(old - i);
            self.write(capacity - i, memory);
        };
        if capacity > old {
            (1..=word.len).for_each(&mut move_one);
        } else {
            (1..=word.len).rev().for_each(&mut move_one);
        }
        self.write(capacity, std::ptr::null_mut());
        self.slots().capacity.store(capacity, Relaxed);
        self.set(word);
    }

    /// Has the `gap`th get from here leave the fast path to be looked at, or each with a gap of 0.
    pub(crate) fn sample_after(&mut self, gap: u64) {
        self.slots().limit.store((self.word().gets + gap).saturating_sub(1) << 8, Relaxed);
    }

    /// Takes the count of gets out of the word, leaving zero.
    pub(crate) fn harvest(&mut self) -> u64 {
        let Word { gets, len } = self.word();
        self.set(Word { gets: 0, len });
        gets
    }

    /// Takes the last block out, without counting a get.
    pub(crate) fn pop(&mut self) -> Option<Block> {
        let word = self.word();
        let len = word.len.checked_sub(1)?;
        let memory = self.read(self.capacity() - word.len);
        self.set(Word { len, ..word });
        // SAFETY: the block belonged to the magazine, which has just let go of it.
        NonNull::new(memory).map(|memory| unsafe { Block::from_raw(memory) })
    }

    /// Adds a block, or hands it back if there is no room.
    pub(crate) fn push(&mut self, block: Block) -> Result<(), Block> {
        let word = self.word();
        let Some(slot) = self.capacity().checked_sub(word.len + 1) else { return Err(block) };
        self.write(slot, block.into_raw().as_ptr());
        self.set(Word { len: word.len + 1, ..word });
        Ok(())
    }
}

impl Magazine {
    /// Moves up to `count` of the top blocks onto those of `other`, as many as fit there, in the
    /// order in which they lie; all in one go, since it happens with the class's lock held.
    pub(crate) fn pour(&mut self, count: usize, other: &mut Self) {
        let (word, onto) = (self.word(), other.word());
        let moved = count.min(word.len).min(other.capacity() - onto.len);
        let (from, to) = (self.capacity() - word.len, other.capacity() - onto.len - moved);
        let source = &self.slots().blocks[from..from + moved];
        let target = &other.slots().blocks[to..to + moved];
        for (from, to) in source.iter().zip(target) {
            // SAFETY: this holder alone has the slots of both.
            let memory = from.with(|slot| unsafe { *slot });
            // SAFETY: as above.
            to.with_mut(|slot| unsafe { *slot = memory });
        }
        other.set(Word { len: onto.len + moved, ..onto });
        self.set(Word { len: word.len - moved, ..word });
    }
}

impl fmt::Debug for Magazine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Magazine").field(&self.word()).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::arena::Arena;

    #[test]
    fn a_magazine_is_a_stack_that_counts_nothing_by_itself() {
        let mut arena = Arena::default();
        let mut magazine = arena.spare().unwrap();
        assert!(magazine.pop().is_none());
        for i in 1..=SLOTS {
            magazine.push(Block::for_show(i * 64)).unwrap();
        }
        assert_eq!(
            magazine.push(Block::for_show(64)).unwrap_err().into_raw().as_ptr() as usize,
            64
        );
        for i in (1..=SLOTS).rev() {
            assert_eq!(magazine.pop().unwrap().into_raw().as_ptr() as usize, i * 64);
        }
        assert_eq!(magazine.word(), Word::default());
    }

    #[test]
    fn capacity_changes_around_what_is_there() {
        let mut arena = Arena::default();
        let mut magazine = arena.spare().unwrap();
        for i in 1..=3 {
            magazine.push(Block::for_show(i * 64)).unwrap();
        }
        for capacity in [5, 4, 3, 1, 17, SLOTS, 2, 6] {
            magazine.set_capacity(capacity);
            assert_eq!(magazine.capacity(), capacity.max(3));
            assert_eq!(magazine.len(), 3);
            assert!(magazine.read(magazine.capacity()).is_null());
            let held: Vec<_> =
                (1..=3).map(|i| magazine.read(magazine.capacity() - i) as usize).collect();
            assert_eq!(held, [64, 128, 192]);
        }
        for _ in 0..3 {
            magazine.push(Block::for_show(64)).unwrap();
        }
        assert!(magazine.push(Block::for_show(64)).is_err());
    }

    #[test]
    fn what_is_poured_lies_as_it_lay_and_the_counts_stay() {
        let mut arena = Arena::default();
        let (mut magazine, mut other) = (arena.spare().unwrap(), arena.spare().unwrap());
        other.set_capacity(7);
        other.push(Block::for_show(11 * 64)).unwrap();
        for i in 1..=10 {
            magazine.push(Block::for_show(i * 64)).unwrap();
        }
        magazine.set(Word { gets: 3, len: 10 });
        magazine.pour(4, &mut other);
        assert_eq!(
            (magazine.word(), other.word()),
            (Word { gets: 3, len: 6 }, Word { gets: 0, len: 5 })
        );
        magazine.pour(100, &mut other);
        assert_eq!((magazine.len(), other.len()), (4, 7), "no more than fits");
        other.pour(2, &mut magazine);
        for i in [10, 9, 8, 7, 11] {
            assert_eq!(other.pop().unwrap().into_raw().as_ptr() as usize, i * 64);
        }
        for i in (1..=6).rev() {
            assert_eq!(magazine.pop().unwrap().into_raw().as_ptr() as usize, i * 64);
        }
    }

    #[test]
    fn harvest_leaves_the_blocks() {
        let mut arena = Arena::default();
        let mut magazine = arena.spare().unwrap();
        magazine.push(Block::for_show(64)).unwrap();
        magazine.set(Word { gets: 41, len: 1 });
        assert_eq!(magazine.harvest(), 41);
        assert_eq!(magazine.word(), Word { gets: 0, len: 1 });
    }
}
