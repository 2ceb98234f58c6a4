//! How an engine turns its source's memory into blocks, and blocks back into memory.

use std::alloc::Layout;

use super::Engine;
use crate::asan;
use crate::limits::BUFFER_ALIGN;
use crate::magazine::{Block, Stack};

impl Engine {
    fn layout(&self, class: usize) -> Option<Layout> {
        Layout::from_size_align(self.classes.bytes(class), BUFFER_ALIGN).ok()
    }

    #[expect(unsafe_code, reason = "turns memory of the source into blocks")]
    pub(super) fn make(&self, class: usize) -> Option<Block> {
        let memory = self.source.allocate(self.layout(class)?)?;
        debug_assert!(
            memory.as_ptr().addr().is_multiple_of(BUFFER_ALIGN),
            "a source keeps alignment"
        );
        // SAFETY: new memory of the class's size, and nobody else's.
        Some(unsafe { Block::from_raw(memory) })
    }

    pub(super) fn unmake_all(&self, class: usize, mut magazines: Stack) {
        while let Some(mut magazine) = magazines.pop() {
            while let Some(block) = magazine.pop() {
                self.unmake(class, block);
            }
        }
    }

    #[expect(unsafe_code, reason = "turns blocks back into memory of the source")]
    pub(super) fn unmake(&self, class: usize, block: Block) {
        let memory = block.into_raw();
        asan::unpoison(memory, self.classes.bytes(class));
        let Some(layout) = self.layout(class) else { return };
        // SAFETY: blocks of a class are made by `make` with this layout, and the right to this one
        // has just been given up.
        unsafe { self.source.deallocate(memory, layout) };
    }
}

/// Writes to each page of a block, so that the system has to provide it.
#[expect(unsafe_code, reason = "writes to a block's memory")]
pub(super) fn touch(block: Block, bytes: usize) -> Block {
    let memory = block.into_raw();
    for offset in (0..bytes).step_by(crate::source::pages::PAGE_BYTES) {
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
