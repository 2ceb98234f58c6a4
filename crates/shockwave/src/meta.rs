//! The second word of a handle: everything about a buffer that is not its address.
//!
//! ```text
//!     63     62        52 51      46 45     40 39      32 31                              0
//!   ┌───────┬────────────┬──────────┬─────────┬──────────┬─────────────────────────────────┐
//!   │special│  pool      │  class   │  dirty  │  flags   │  length                         │
//!   └───────┴────────────┴──────────┴─────────┴──────────┴─────────────────────────────────┘
//!            ◀──── place ──────────▶
//! ```
//!
//! Pool and class stand next to each other below the sign bit, so that in a buffer that is not
//! special one shift gives its *place*, the index of its column of cells.

use crate::limits::{COLUMNS, POOLS_MAX};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta(u64);

const FLAGS_SHIFT: u32 = 32;
const DIRTY_SHIFT: u32 = 40;
const DIRTY_MASK: u64 = 0x3f << DIRTY_SHIFT;
const CLASS_SHIFT: u32 = 46;
const POOL_SHIFT: u32 = 52;

/// Something is to be done on return besides to return. Part of every flag, and the sign bit, so
/// that one test on each drop answers for all of them.
const SPECIAL: u64 = 1 << 63;
/// The buffer belongs to no class; its capacity lies before its data.
const OVERSIZE: u64 = 1 << FLAGS_SHIFT | SPECIAL;
/// What was written is cleared before the buffer goes back.
const SCRUB: u64 = 1 << (FLAGS_SHIFT + 1) | SPECIAL;
/// The pool's cells are not entered by restartable sequences.
const LOCKED: u64 = 1 << (FLAGS_SHIFT + 2) | SPECIAL;
/// What the holder cannot have written is zero. Nothing is to be done for it on return.
const ZEROED: u64 = 1 << (FLAGS_SHIFT + 3);
/// The pool's tracker has a record of the buffer.
const TRACKED: u64 = 1 << (FLAGS_SHIFT + 4) | SPECIAL;

const _: () = assert!(COLUMNS == 1 << (POOL_SHIFT - CLASS_SHIFT), "the class fills its field");
const _: () = assert!(POOLS_MAX == 1 << (63 - POOL_SHIFT), "the pool fills its field");

impl Meta {
    /// What all buffers of a pool have in common.
    pub(crate) const fn of_pool(pool: usize) -> Self {
        Self((pool as u64) << POOL_SHIFT)
    }

    /// A fresh buffer of a class.
    #[inline(always)]
    pub(crate) const fn with_class(self, class: usize) -> Self {
        Self(self.0 | (class as u64) << CLASS_SHIFT)
    }

    /// A fresh buffer of no class.
    pub(crate) const fn with_oversize(self) -> Self {
        Self(self.0 | OVERSIZE)
    }

    /// The same, for a pool whose cells are locked.
    pub(crate) const fn with_locked(self) -> Self {
        Self(self.0 | LOCKED)
    }

    /// The same with the flag that asks for a scrub.
    pub(crate) const fn with_scrub(self) -> Self {
        Self(self.0 | SCRUB)
    }

    /// Whether what was written is to be cleared before the buffer goes back.
    pub(crate) const fn scrubs(self) -> bool {
        self.0 & (SCRUB & !SPECIAL) != 0
    }

    /// The same, for memory that was all zero when it was taken.
    pub(crate) const fn with_zeroed(self) -> Self {
        Self(self.0 | ZEROED)
    }

    /// Whether everything beyond [`dirty`](Self::dirty) is zero.
    pub(crate) const fn is_zeroed(self) -> bool {
        self.0 & ZEROED == ZEROED
    }

    /// The same, for a buffer that a record is kept of.
    pub(crate) const fn with_tracked(self) -> Self {
        Self(self.0 | TRACKED)
    }

    /// Whether a record is kept of the buffer.
    pub(crate) const fn is_tracked(self) -> bool {
        self.0 & TRACKED == TRACKED
    }

    /// The word itself, to be kept where there is no handle.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// The word that [`bits`](Self::bits) gave.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Forgets what was written, and that it was: for a holder that has just cleared it.
    pub(crate) const fn forget(&mut self) {
        self.0 &= !(DIRTY_MASK | 0xffff_ffff);
    }

    /// Bytes in the buffer that its holder wrote, from the front.
    #[inline(always)]
    pub(crate) const fn len(self) -> usize {
        (self.0 & 0xffff_ffff) as usize
    }

    /// Sets the length. `len` fits 32 bits, as every capacity does.
    #[inline(always)]
    pub(crate) const fn set_len(&mut self, len: usize) {
        debug_assert!(len <= 0xffff_ffff);
        self.0 = self.0 & !0xffff_ffff | len as u64;
    }

    /// Adds to the length. The sum fits 32 bits, as every capacity does.
    #[inline(always)]
    pub(crate) const fn add_len(&mut self, bytes: usize) {
        debug_assert!(self.len() + bytes <= 0xffff_ffff);
        self.0 += bytes as u64;
    }

    /// The class, of a buffer that has one.
    #[inline(always)]
    pub(crate) const fn class(self) -> usize {
        (self.0 >> CLASS_SHIFT) as usize & (COLUMNS - 1)
    }

    /// The number of the pool.
    #[inline(always)]
    pub(crate) const fn pool(self) -> usize {
        (self.0 >> POOL_SHIFT) as usize & (POOLS_MAX - 1)
    }

    /// The index of the column of cells, if the buffer is plain.
    #[inline(always)]
    pub(crate) const fn place(self) -> Option<usize> {
        if self.0 & SPECIAL == 0 { Some((self.0 >> CLASS_SHIFT) as usize) } else { None }
    }

    /// Whether the buffer belongs to no class.
    #[inline(always)]
    pub(crate) const fn is_oversize(self) -> bool {
        self.0 & (OVERSIZE & !SPECIAL) != 0
    }

    /// Bytes from the front that the holder may have written at some time: the length, or the
    /// high-water mark of what was written beyond it, which is kept as a power of two.
    pub(crate) const fn dirty(self) -> usize {
        let mark = (self.0 & DIRTY_MASK) >> DIRTY_SHIFT;
        let marked = if mark == 0 { 0 } else { 1 << (mark - 1) };
        if marked > self.len() { marked } else { self.len() }
    }

    /// Raises the high-water mark to beyond every capacity: for a holder whose writes nobody sees.
    #[inline(always)]
    pub(crate) const fn mark_all(&mut self) {
        self.0 |= DIRTY_MASK;
    }

    /// Raises the high-water mark to `bytes`, rounded up to a power of two. Needed wherever the
    /// length is about to no longer cover what was written.
    #[inline]
    pub(crate) const fn mark_dirty(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let mark = ((usize::BITS - (bytes - 1).leading_zeros() + 1) as u64) << DIRTY_SHIFT;
        if mark > self.0 & DIRTY_MASK {
            self.0 = self.0 & !DIRTY_MASK | mark;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::BUFFER_BYTES_MAX;

    #[test]
    fn fields_do_not_touch_each_other() {
        let mut meta = Meta::of_pool(POOLS_MAX - 1).with_class(COLUMNS - 1);
        meta.set_len(BUFFER_BYTES_MAX);
        meta.mark_dirty(BUFFER_BYTES_MAX);
        assert_eq!(meta.place(), Some(POOLS_MAX * COLUMNS - 1));
        assert!(!meta.is_oversize() && !meta.scrubs());
        for special in [meta.with_oversize(), meta.with_scrub(), meta.with_locked()] {
            assert_eq!(special.place(), None);
            assert_eq!((special.pool(), special.class()), (POOLS_MAX - 1, COLUMNS - 1));
            assert_eq!(special.len(), BUFFER_BYTES_MAX);
        }
        assert!(meta.with_oversize().is_oversize() && !meta.with_scrub().is_oversize());
        assert!(meta.with_scrub().scrubs() && !meta.with_locked().scrubs());
        meta.set_len(BUFFER_BYTES_MAX - 5);
        meta.add_len(5);
        assert_eq!((meta.len(), meta.place()), (BUFFER_BYTES_MAX, Some(POOLS_MAX * COLUMNS - 1)));
        assert!(meta.with_tracked().is_tracked() && !meta.with_scrub().is_tracked());
        assert!(meta.with_zeroed().is_zeroed() && !meta.with_scrub().is_zeroed());
        assert_eq!(meta.with_zeroed().place(), meta.place(), "zeros need no special return");
        meta.set_len(0);
        assert_eq!((meta.len(), meta.dirty()), (0, 1 << 32));
    }

    #[test]
    fn the_mark_is_the_next_power_of_two_and_never_falls() {
        for (bytes, dirty) in [(0, 0), (1, 1), (2, 2), (3, 4), (300, 512), (4096, 4096)] {
            let mut meta = Meta::of_pool(0);
            meta.mark_dirty(bytes);
            assert_eq!(meta.dirty(), dirty);
            meta.mark_dirty(1);
            assert_eq!(meta.dirty(), dirty.max(1));
        }
    }

    #[test]
    fn a_mark_on_all_is_beyond_every_capacity() {
        let mut meta = Meta::of_pool(0);
        meta.mark_all();
        meta.mark_dirty(1);
        assert!(meta.dirty() > BUFFER_BYTES_MAX);
        meta.forget();
        assert_eq!(meta.dirty(), 0);
    }

    #[test]
    fn what_is_forgotten_leaves_the_rest_as_it_was() {
        let fresh = Meta::of_pool(3).with_class(2).with_scrub();
        let mut meta = fresh;
        meta.set_len(300);
        meta.mark_dirty(1000);
        meta.forget();
        assert_eq!(meta, fresh);
    }

    #[test]
    fn what_was_written_is_known_without_a_mark_while_the_length_covers_it() {
        let mut meta = Meta::of_pool(0);
        meta.set_len(300);
        assert_eq!(meta.dirty(), 300);
    }
}
