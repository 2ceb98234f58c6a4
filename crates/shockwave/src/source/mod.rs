//! Where bytes come from, and where they go back to.
//!
//! ```text
//!     engine ── allocate(layout) ──▶ Source ──▶ Heap     the global allocator
//!     magazines, nested gets ──────▶ pages               whole pages, past every allocator
//! ```

mod heap;
pub(crate) mod pages;

use std::alloc::Layout;
use std::ptr::NonNull;

pub(crate) use heap::Heap;

/// A source of memory for buffers.
///
/// # Safety
///
/// What `allocate` returns is valid for reads and writes of `layout.size()` bytes, aligned to
/// `layout.align()`, **initialized**, unaliased, and stays so until it is given to `deallocate`.
#[expect(unsafe_code, reason = "the contract above is what every buffer's validity rests on")]
pub(crate) unsafe trait Source: Send + Sync + std::fmt::Debug {
    /// Memory for one buffer, zeroed; `None` where there is none to be had.
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>>;

    /// Takes back what `allocate` gave.
    ///
    /// # Safety
    ///
    /// `memory` came from `allocate` of this source with the same `layout`, and nobody uses it from
    /// here on.
    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout);
}
