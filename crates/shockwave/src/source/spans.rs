//! Spans: 2 MiB of mapped memory each, cut into slots of one size, and small slots into parts.
//!
//! ```text
//!    a span, aligned to its size
//!      ┌────────┬──────────┬──────────┬─ … ─┬──────────┬──────┐
//!      │ header │ slot 0   │ slot 1   │     │ slot n   │ rest │      a slot: 1 to 64 pages
//!      └────────┴──────────┴──────────┴─ … ─┴──────────┴──────┘
//!       a page, or two      ▲
//!       where slots have    └─ ┌──────┬──────┬─ … ─┐                 or a page of 2 to 64 parts
//!       parts                  │ part │ part │     │
//!                              └──────┴──────┴─ … ─┘
//! ```
//!
//! - A span's header is found from any of its blocks by clearing the low bits of the address.
//! - A slot that is free holds no memory: whoever frees it gives its pages back first.
//! - A part that is free is zero. When the last part of a page is freed, the slot stays closed to
//!   all until its page has been given back, too.
//! - Spans with a slot that is not full are on the list of their cut. A span that is all free is on
//!   none, and is to be unmapped.
#![expect(unsafe_code, reason = "keeps headers in mapped memory")]

use std::ptr::NonNull;

use super::pages::{self, PAGE_BYTES};

/// Bytes of a span: what a huge page has on most systems.
pub(super) const SPAN_BYTES: usize = 2 << 20;

/// Pages in a slot, at most: 256 KiB, of which seven fit. Larger blocks are mapped each on its own,
/// since a system call more is little beside the page faults of so many pages.
pub(super) const SLOT_PAGES_MAX: usize = 64;

/// Pages in a span, and so slots, at most, rounded up to whole words of its header.
const SPAN_PAGES: usize = SPAN_BYTES / PAGE_BYTES;

/// Bytes that parts are multiples of: a cache line, so that two never share one.
pub(super) const PART_BYTES_MIN: usize = 64;

/// Parts in a page, at most: one bit each in a word.
const PARTS_MAX: usize = PAGE_BYTES / PART_BYTES_MIN;

/// How a span is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Pages in a slot, `1..=SLOT_PAGES_MAX`.
    pages: usize,
    /// Parts in a slot, `1..=PARTS_MAX`; more than one only in a slot of one page.
    parts: usize,
}

impl Cut {
    /// Slots of so many pages, `1..=SLOT_PAGES_MAX`.
    pub(super) fn pages(pages: usize) -> Self {
        Self { pages, parts: 1 }
    }

    /// Parts of at least so many bytes, at most half a page.
    pub(super) fn parts(bytes: usize) -> Self {
        Self { pages: 1, parts: PAGE_BYTES / bytes.max(1).next_multiple_of(PART_BYTES_MIN) }
    }

    /// The number of the list of spans that are cut like this, below [`LISTS`].
    fn list(self) -> usize {
        if self.parts == 1 { self.pages } else { SLOT_PAGES_MAX + self.parts }
    }

    fn header_pages(self) -> usize {
        if self.parts == 1 { 1 } else { 2 }
    }

    /// Slots in a span.
    fn slots(self) -> usize {
        (SPAN_PAGES - self.header_pages()) / self.pages
    }

    /// Bytes from one part to the next.
    fn stride(self) -> usize {
        PAGE_BYTES / self.parts / PART_BYTES_MIN * PART_BYTES_MIN
    }

    /// A slot's word while all its parts are taken.
    fn all(self) -> u64 {
        u64::MAX >> (PARTS_MAX - self.parts)
    }
}

/// Lists of spans: one for each cut, and one number that no cut has.
const LISTS: usize = SLOT_PAGES_MAX + PARTS_MAX + 1;

/// A span's header, at its start. Where slots have parts, one word for each slot follows in the
/// second page: one bit for each part, whether it is taken.
pub(super) struct Span {
    /// Neighbors on the list of spans with a slot that is not full.
    next: Option<NonNull<Span>>,
    previous: Option<NonNull<Span>>,
    cut: Cut,
    /// Slots that are taken, or have a part that is, `0..=slots`.
    used: usize,
    /// Slots that are not full, `0..=slots`.
    open: usize,
    /// One bit for each slot: whether it is full, or closed until its page has been given back.
    full: [u64; SPAN_PAGES / 64],
}

const _: () = assert!(size_of::<Span>() <= PAGE_BYTES, "a header has its page");
const _: () = assert!(SPAN_PAGES * size_of::<u64>() <= PAGE_BYTES, "and its words another");

impl Span {
    /// The first slot that is not full.
    fn first_open(&self) -> Option<usize> {
        let word = self.full.iter().position(|&bits| bits != u64::MAX)?;
        let slot = word * 64 + self.full[word].trailing_ones() as usize;
        (slot < self.cut.slots()).then_some(slot)
    }

    fn close(&mut self, slot: usize) {
        self.full[slot / 64] |= 1 << (slot % 64);
        self.open -= 1;
    }

    fn reopen(&mut self, slot: usize) {
        debug_assert!(self.is_full(slot), "freed twice");
        self.full[slot / 64] &= !(1 << (slot % 64));
        self.open += 1;
    }

    fn is_full(&self, slot: usize) -> bool {
        self.full[slot / 64] & 1 << (slot % 64) != 0
    }

    /// The slot that lies so many bytes behind the header's start.
    fn slot_at(&self, offset: usize) -> usize {
        (offset / PAGE_BYTES - self.cut.header_pages()) / self.cut.pages
    }
}

/// Spans with a slot that is not full, by their cuts.
pub(super) struct Spans {
    lists: [Option<NonNull<Span>>; LISTS],
}

// SAFETY: headers are touched by the holder of the lock alone.
unsafe impl Send for Spans {}

impl Default for Spans {
    fn default() -> Self {
        Self { lists: [None; LISTS] }
    }
}

/// The header of a span, to be changed.
///
/// # Safety
///
/// The span is mapped, the caller holds the lock, and the reference is gone before another to the
/// same span is asked for.
unsafe fn header<'a>(span: NonNull<Span>) -> &'a mut Span {
    // SAFETY: the caller's word.
    unsafe { &mut *span.as_ptr() }
}

/// The word of a slot that has parts.
///
/// # Safety
///
/// As for [`header`], for a span whose slots have parts, and one of its slots.
unsafe fn parts<'a>(span: NonNull<Span>, slot: usize) -> &'a mut u64 {
    // SAFETY: by the caller's word the span has two pages of header, and a word for this slot.
    let word = unsafe { span.cast::<u8>().byte_add(PAGE_BYTES + slot * size_of::<u64>()) };
    // SAFETY: as above, and nobody else looks at it.
    unsafe { word.cast::<u64>().as_mut() }
}

/// The span that a block of a span lies in, and how many bytes behind its start.
///
/// # Safety
///
/// `memory` lies in a span.
unsafe fn span_of(memory: NonNull<u8>) -> (NonNull<Span>, usize) {
    let offset = memory.as_ptr().addr() % SPAN_BYTES;
    // SAFETY: by the caller's word it lies in a span, which is aligned to its size.
    (unsafe { memory.byte_sub(offset) }.cast(), offset)
}

impl Spans {
    /// A free block, if there is one: a slot, or a part of one.
    pub(super) fn take(&mut self, cut: Cut) -> Option<NonNull<u8>> {
        let span = self.lists[cut.list()]?;
        // SAFETY: a span on a list is mapped.
        let found = unsafe { header(span) };
        let slot = found.first_open()?;
        let mut part = 0;
        if cut.parts == 1 {
            found.used += 1;
            found.close(slot);
        } else {
            // SAFETY: as above; its slots have parts.
            let taken = unsafe { parts(span, slot) };
            found.used += usize::from(*taken == 0);
            part = taken.trailing_ones() as usize;
            *taken |= 1 << part;
            if *taken == cut.all() {
                found.close(slot);
            }
        }
        if found.open == 0 {
            self.unlink(span);
        }
        let page = cut.header_pages() + slot * cut.pages;
        // SAFETY: within the span.
        Some(unsafe { span.cast::<u8>().byte_add(page * PAGE_BYTES + part * cut.stride()) })
    }

    /// Takes in a new span, to be cut as said.
    pub(super) fn add(&mut self, memory: NonNull<u8>, cut: Cut) {
        let (span, full) = (memory.cast::<Span>(), [0; SPAN_PAGES / 64]);
        let new = Span { next: None, previous: None, cut, used: 0, open: cut.slots(), full };
        // SAFETY: new, writable and aligned memory, whose first pages are the header's; words in
        // the second are zero, as new memory is.
        unsafe { span.write(new) };
        self.link(span);
    }

    /// Frees a part, which is zero. Returns its page if that was the last one taken in it: to be
    /// given back, and then [freed](Self::give) as a slot.
    ///
    /// # Safety
    ///
    /// `memory` is a part of a slot that was taken from here.
    pub(super) unsafe fn give_part(&mut self, memory: NonNull<u8>) -> Option<NonNull<u8>> {
        // SAFETY: the caller's word.
        let (span, offset) = unsafe { span_of(memory) };
        // SAFETY: a span with a block taken is mapped.
        let found = unsafe { header(span) };
        let slot = found.slot_at(offset);
        // SAFETY: as above; its slots have parts.
        let taken = unsafe { parts(span, slot) };
        let part = offset % PAGE_BYTES / found.cut.stride();
        debug_assert!(*taken & 1 << part != 0, "freed twice");
        *taken &= !(1 << part);
        if *taken == 0 {
            // A slot has two parts at least, so this one was open.
            found.close(slot);
            if found.open == 0 {
                self.unlink(span);
            }
            // SAFETY: the part lies in its page.
            return Some(unsafe { memory.byte_sub(offset % PAGE_BYTES) });
        }
        if found.is_full(slot) {
            found.reopen(slot);
            if found.open == 1 {
                self.link(span);
            }
        }
        None
    }

    /// Frees a slot, whose pages were given back. Returns its span, off the list, if that was the
    /// last one taken.
    ///
    /// # Safety
    ///
    /// `memory` is a slot that was taken from here, or was returned by
    /// [`give_part`](Self::give_part).
    pub(super) unsafe fn give(&mut self, memory: NonNull<u8>) -> Option<NonNull<Span>> {
        // SAFETY: the caller's word.
        let (span, offset) = unsafe { span_of(memory) };
        // SAFETY: a span with a block taken is mapped.
        let found = unsafe { header(span) };
        found.reopen(found.slot_at(offset));
        found.used -= 1;
        let (is_free, was_full) = (found.used == 0, found.open == 1);
        match (was_full, is_free) {
            (true, false) => self.link(span),
            (false, true) => self.unlink(span),
            _ => {}
        }
        is_free.then_some(span)
    }

    fn link(&mut self, span: NonNull<Span>) {
        // SAFETY: callers have a span that is mapped.
        let linked = unsafe { header(span) };
        let next = self.lists[linked.cut.list()].replace(span);
        (linked.next, linked.previous) = (next, None);
        if let Some(next) = next {
            // SAFETY: on the list, so mapped; another span than the one above.
            unsafe { header(next) }.previous = Some(span);
        }
    }

    fn unlink(&mut self, span: NonNull<Span>) {
        // SAFETY: on the list, so mapped.
        let linked = unsafe { header(span) };
        let (next, previous, cut) = (linked.next.take(), linked.previous.take(), linked.cut);
        if let Some(next) = next {
            // SAFETY: on the list, so mapped; another span than the one above.
            unsafe { header(next) }.previous = previous;
        }
        match previous {
            // SAFETY: as above.
            Some(previous) => unsafe { header(previous) }.next = next,
            None => self.lists[cut.list()] = next,
        }
    }
}

/// Maps a span at a multiple of its size: twice as much, of which the ends go back.
pub(super) fn map_span() -> Option<NonNull<u8>> {
    let memory = pages::map(2 * SPAN_BYTES)?;
    let before = memory.as_ptr().addr().wrapping_neg() % SPAN_BYTES;
    // SAFETY: `before < SPAN_BYTES`, so a whole span lies between here and the end.
    let span = unsafe { memory.byte_add(before) };
    // SAFETY: the end of the span is within the mapping.
    let behind = unsafe { span.byte_add(SPAN_BYTES) };
    if before > 0 {
        // SAFETY: the first pages of what was mapped, used by nobody. Linux unmaps parts.
        unsafe { pages::unmap(memory, before) };
    }
    // SAFETY: the last pages of what was mapped, used by nobody; not empty, as `before <
    // SPAN_BYTES`.
    unsafe { pages::unmap(behind, SPAN_BYTES - before) };
    Some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_many_as_fit_and_lie_within_their_page() {
        for bytes in 1..=PAGE_BYTES / 2 {
            let cut = Cut::parts(bytes);
            assert!((2..=PARTS_MAX).contains(&cut.parts), "{bytes}");
            assert!(cut.stride() >= bytes && cut.stride() * cut.parts <= PAGE_BYTES, "{bytes}");
            assert!(cut.stride().is_multiple_of(PART_BYTES_MIN), "{bytes}");
            assert_eq!(cut.all().count_ones() as usize, cut.parts, "{bytes}");
        }
        assert_eq!(Cut::parts(2048).parts, 2);
        assert_eq!(Cut::parts(1500).parts, 2);
        assert_eq!(Cut::parts(64).parts, 64);
    }

    #[test]
    fn every_cut_has_a_list_of_its_own() {
        let pages = (1..=SLOT_PAGES_MAX).map(Cut::pages);
        let parts = (2..=PARTS_MAX).map(|parts| Cut { pages: 1, parts });
        let mut lists: Vec<_> = pages.chain(parts).map(Cut::list).collect();
        assert!(lists.iter().all(|&list| list < LISTS));
        lists.sort_unstable();
        lists.dedup();
        assert_eq!(lists.len(), SLOT_PAGES_MAX + PARTS_MAX - 1);
    }
}
