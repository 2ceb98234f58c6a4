//! The arena: where the memory of one class's magazines comes from.
#![expect(unsafe_code, reason = "owns the memory of magazines by address")]

use std::ptr::NonNull;

use crate::limits::{SLOTS, SLOTS_FIRST};
use crate::magazine::{Magazine, Slots};
use crate::source::pages;

/// Makes magazines, out of a few pages at a time, which the system provides as they are touched and
/// which stay until [`free`](Self::free) is called.
///
/// A processor first matches loads to earlier stores by the low twelve bits of their addresses, and
/// may take one for the other where these agree, and have to begin again. Most writes go to the
/// beginnings of buffers, which lie at the start of a page or of its half. So magazines begin late
/// in each half, and what a magazine of the first capacity uses ends with it; only larger ones go
/// on into the next.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    /// The last pages mapped; their first word points at those before.
    pages: Option<NonNull<u8>>,
    /// Magazines already made from `pages`, `0..=AT_ONCE`.
    used: usize,
}

// SAFETY: the arena alone has its pages.
unsafe impl Send for Arena {}

/// Magazines for which pages are mapped at once, seven in four pages. With one page at a time, each
/// second magazine would be a system call.
const AT_ONCE: usize = 7;

/// Bytes from one magazine to the next, half a page.
const APART: usize = pages::PAGE_BYTES / 2;

/// Bytes before the first magazine, the first word of which links the pages to those mapped before.
/// As many as leave room in the half page for a header, the first capacity and the null behind it.
const BEFORE: usize = 1728;

/// Bytes that are mapped at once.
const MAPPED: usize = (AT_ONCE + 1) * APART;

const _: () = {
    let used_first = std::mem::offset_of!(Slots, blocks) + (SLOTS_FIRST + 1) * size_of::<*mut u8>();
    assert!(cfg!(loom) || BEFORE.is_multiple_of(64) && BEFORE + used_first <= APART);
    assert!(size_of::<Slots>() <= APART);
    assert!(BEFORE + size_of::<Slots>() <= 2 * APART);
};

impl Arena {
    /// A new, empty magazine, or `None` where the system refuses memory.
    pub(crate) fn spare(&mut self) -> Option<Magazine> {
        let pages = match self.pages {
            Some(pages) if self.used < AT_ONCE => pages,
            below => {
                let pages = pages::map(MAPPED)?;
                // SAFETY: the pages are new, writable and aligned.
                unsafe { pages.cast::<Option<NonNull<u8>>>().write(below) };
                self.pages = Some(pages);
                self.used = 0;
                pages
            }
        };
        let offset = BEFORE + self.used * APART;
        self.used += 1;
        // SAFETY: `used <= AT_ONCE`, so the magazine lies within the pages.
        let slots = unsafe { pages.byte_add(offset) }.cast::<Slots>();
        // SAFETY: writable, aligned to a line since a page is, and not handed out before.
        unsafe { slots.write(Slots::new()) };
        // SAFETY: new, and in no cell.
        let mut magazine = unsafe { Magazine::from_raw(slots) };
        magazine.set_capacity(SLOTS);
        Some(magazine)
    }

    /// Unmaps all pages.
    ///
    /// # Safety
    ///
    /// No magazine from here is used any more: no holder has one, and no cell points at one.
    pub(crate) unsafe fn free(&mut self) {
        while let Some(pages) = self.pages {
            // SAFETY: `spare` wrote the link when it mapped the pages.
            self.pages = unsafe { pages.cast::<Option<NonNull<u8>>>().read() };
            // SAFETY: mapped by `spare`, and by the caller's word out of use.
            unsafe { pages::unmap(pages, MAPPED) };
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::magazine::Block;
    use crate::stack::Stack;

    fn address(magazine: &Magazine) -> usize {
        magazine.slots().word.as_ptr().addr()
    }

    #[test]
    fn arenas_make_distinct_magazines_across_pages_and_stacks_keep_order() {
        let mut arena = Arena::default();
        let mut stack = Stack::default();
        for i in 1..=3 * AT_ONCE {
            let mut magazine = arena.spare().unwrap();
            assert_eq!(address(&magazine) % APART, BEFORE);
            magazine.push(Block::for_show(i * 64)).unwrap();
            stack.push(magazine);
        }
        for i in (1..=3 * AT_ONCE).rev() {
            let address = stack.pop().unwrap().pop().unwrap().into_raw().as_ptr() as usize;
            assert_eq!(address, i * 64);
        }
        assert!(stack.pop().is_none());
    }
}
