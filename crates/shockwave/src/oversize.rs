//! Buffers that belong to no class: made for one holder, exact, and freed when dropped.
//!
//! ```text
//!      ┌──────────────────────────┬──────────────────────────────────────┐
//!      │ capacity, origin         │ data: capacity bytes                 │
//!      └──────────────────────────┴──────────────────────────────────────┘
//!        64 bytes                  ▲ what the handle points at
//! ```
#![expect(unsafe_code, reason = "keeps a header in front of the data")]

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::limits::BUFFER_ALIGN;
use crate::source::{Ledger, pages};

/// What lies before the data.
#[repr(C, align(64))]
struct Header {
    /// Bytes of the data.
    capacity: usize,
    origin: Origin,
}

const _: () = assert!(size_of::<Header>() == BUFFER_ALIGN && align_of::<Header>() == BUFFER_ALIGN);

/// Where an oversize buffer came from, and so where it goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The pool's source.
    Source,
    /// Pages of its own, past every allocator: for a get that was itself interrupted inside of one.
    Pages,
}

/// The right to an oversize buffer's memory.
#[derive(Debug)]
pub(crate) struct Oversize(NonNull<u8>);

impl Oversize {
    /// Bytes that a buffer of `capacity` takes: header and data. `None` for more than there can be.
    pub(crate) fn bytes(capacity: usize) -> Option<usize> {
        layout(capacity).map(|layout| layout.size())
    }

    /// Makes a zeroed buffer of `capacity` bytes, which are charged, or `None` if there is no
    /// memory for it.
    pub(crate) fn make(capacity: usize, origin: Origin, source: &Ledger) -> Option<Self> {
        let layout = layout(capacity)?;
        let header = match origin {
            Origin::Source => source.allocate(layout)?,
            Origin::Pages => pages::map(layout.size())?,
        };
        let at = header.cast::<Header>().as_ptr();
        // Field by field: what lies between them stays zero, and shows nothing of anyone's stack.
        // SAFETY: the layout begins with a header.
        let first = unsafe { &raw mut (*at).capacity };
        // SAFETY: as above.
        let second = unsafe { &raw mut (*at).origin };
        // SAFETY: writable, aligned, and the caller's alone.
        unsafe { first.write(capacity) };
        // SAFETY: as above.
        unsafe { second.write(origin) };
        // SAFETY: the data lies behind the header in the same allocation.
        Some(Self(unsafe { header.byte_add(size_of::<Header>()) }))
    }

    /// Takes the right to a buffer that [`into_raw`](Self::into_raw) gave up.
    ///
    /// # Safety
    ///
    /// `data` came from `into_raw`, and nobody else has the right to it.
    pub(crate) unsafe fn from_raw(data: NonNull<u8>) -> Self {
        Self(data)
    }

    /// Gives the right up; the address of the data remains.
    pub(crate) fn into_raw(self) -> NonNull<u8> {
        self.0
    }

    fn header(&self) -> NonNull<Header> {
        // SAFETY: `make` put a header before the data.
        unsafe { self.0.byte_sub(size_of::<Header>()) }.cast()
    }

    /// Bytes of the data.
    pub(crate) fn capacity(&self) -> usize {
        // SAFETY: `make` wrote the header, and nobody writes to it.
        unsafe { (*self.header().as_ptr()).capacity }
    }

    /// Frees the memory, and gives up its charge. `source` is the one it was made with.
    pub(crate) fn free(self, source: &Ledger) {
        let header = self.header();
        // SAFETY: `make` wrote the header, and nobody writes to it.
        let &Header { capacity, origin } = unsafe { header.as_ref() };
        let Some(layout) = layout(capacity) else { return };
        match origin {
            // SAFETY: allocated by `make` with this layout; `self` is the only right to it.
            Origin::Source => unsafe { source.deallocate(header.cast(), layout) },
            // SAFETY: mapped by `make` with this size; `self` is the only right to it.
            Origin::Pages => unsafe { pages::unmap(header.cast(), layout.size()) },
        }
        source.discharge(layout.size());
    }
}

fn layout(capacity: usize) -> Option<Layout> {
    let bytes = size_of::<Header>().checked_add(capacity)?;
    Layout::from_size_align(bytes, BUFFER_ALIGN).ok()
}

/// Counts of oversize buffers. Atomic, since their gets and puts may be nested in others' slow
/// paths.
#[derive(Debug, Default)]
pub(crate) struct OversizeCounts {
    gets: AtomicU64,
    puts: AtomicU64,
    bytes_allocated: AtomicU64,
    bytes_in_use: AtomicU64,
    refused: AtomicU64,
    discards: AtomicU64,
    /// The same at the last reset; its own `before` stays empty.
    before: Option<Box<OversizeCounts>>,
}

/// What is known of buffers beyond the largest class.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OversizeSnapshot {
    pub(crate) gets: u64,
    pub(crate) puts: u64,
    pub(crate) bytes_allocated: u64,
    pub(crate) bytes_in_use: u64,
    pub(crate) refused: u64,
    pub(crate) discards: u64,
}

impl OversizeCounts {
    /// Counts a get.
    pub(crate) fn got(&self, capacity: usize) {
        self.gets.fetch_add(1, Relaxed);
        self.bytes_allocated.fetch_add(capacity as u64, Relaxed);
        self.bytes_in_use.fetch_add(capacity as u64, Relaxed);
    }

    /// Counts a put.
    pub(crate) fn put(&self, capacity: usize) {
        self.bytes_in_use.fetch_sub(capacity as u64, Relaxed);
        self.puts.fetch_add(1, Release);
    }

    /// Counts a get that got nothing.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Counts a buffer of another pool that is larger than all classes.
    pub(crate) fn discarded(&self) {
        self.discards.fetch_add(1, Relaxed);
    }

    /// Counts that can be reset.
    pub(crate) fn new() -> Self {
        Self { before: Some(Box::default()), ..Self::default() }
    }

    /// All counts, now and at the last reset.
    pub(crate) fn snapshots(&self) -> (OversizeSnapshot, OversizeSnapshot) {
        let before = self.before.as_deref().map(Self::now).unwrap_or_default();
        (self.now(), before)
    }

    /// Notes the counts as they are now. No lock, which a fork could leave held in its child; a
    /// reset that races with another leaves counts of either.
    pub(crate) fn reset(&self) {
        let Some(before) = &self.before else { return };
        let now = self.now();
        before.gets.store(now.gets, Relaxed);
        before.puts.store(now.puts, Relaxed);
        before.bytes_allocated.store(now.bytes_allocated, Relaxed);
        before.refused.store(now.refused, Relaxed);
        before.discards.store(now.discards, Relaxed);
    }

    fn now(&self) -> OversizeSnapshot {
        // `puts` first, with an Acquire for the Release in `put`: a put follows its get, so no more
        // puts than gets are ever seen.
        let puts = self.puts.load(Acquire);
        OversizeSnapshot {
            puts,
            gets: self.gets.load(Relaxed),
            bytes_allocated: self.bytes_allocated.load(Relaxed),
            bytes_in_use: self.bytes_in_use.load(Relaxed),
            refused: self.refused.load(Relaxed),
            discards: self.discards.load(Relaxed),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::source::Heap;

    #[test]
    fn capacity_is_exact_and_data_is_aligned_whatever_the_origin() {
        let ledger = Ledger::new(std::sync::Arc::new(Heap), usize::MAX);
        for origin in [Origin::Source, Origin::Pages] {
            for capacity in [1, 63, 64, 65_537, 1 << 20] {
                assert!(ledger.charge(Oversize::bytes(capacity).unwrap()));
                let oversize = Oversize::make(capacity, origin, &ledger).unwrap();
                assert_eq!(oversize.capacity(), capacity);
                assert_eq!(oversize.0.as_ptr() as usize % BUFFER_ALIGN, 0);
                oversize.free(&ledger);
                assert_eq!(ledger.taken(), 0);
            }
        }
        assert!(Oversize::make(usize::MAX, Origin::Source, &ledger).is_none());
        assert!(Oversize::make(isize::MAX as usize, Origin::Source, &ledger).is_none());
    }
}
