//! Where bytes come from, and where they go back to.
//!
//! ```text
//!     engine ──▶ Ledger ── allocate(layout) ──▶ Source ──▶ Heap     the global allocator
//!                                                     Map      spans, given back page by page
//!     magazines, nested gets ──────▶ pages                  whole pages, past every allocator
//! ```

mod heap;
mod ledger;
#[cfg(all(target_os = "linux", not(loom)))]
mod map;
pub(crate) mod pages;
#[cfg(all(target_os = "linux", not(loom)))]
mod spans;

use std::alloc::Layout;
use std::fmt::Debug;
use std::ptr::NonNull;
use std::sync::Arc;

pub use heap::Heap;
pub(crate) use ledger::{Ledger, Moving};
#[cfg(all(target_os = "linux", not(loom)))]
pub use map::Map;

/// The source of a pool whose builder names none: mapped memory on Linux, else the heap. Under
/// `AddressSanitizer` the heap as well, which puts a margin around each buffer.
pub(crate) fn default() -> Arc<dyn Source> {
    #[cfg(all(target_os = "linux", not(loom), not(shockwave_asan)))]
    return Arc::new(Map::new());
    #[cfg(not(all(target_os = "linux", not(loom), not(shockwave_asan))))]
    return Arc::new(Heap);
}

/// A source of memory for a pool's buffers. Implement it to take them from elsewhere: from memory
/// that a device can reach, from one NUMA node, or from a source of your own that counts or
/// refuses.
///
/// A get that interrupts its own thread inside of a pool is served from pages of the system
/// instead, since the source may be what it interrupted. Else a pool asks its source only where
/// nothing is idle, never with a lock of the pool held, and from any thread. What it gives back it
/// does not touch again.
///
/// ```
/// use std::alloc::Layout;
/// use std::ptr::NonNull;
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// use shockwave::{BufferPool, Heap, Source};
///
/// #[derive(Debug, Default)]
/// struct Counted(AtomicUsize);
///
/// // SAFETY: hands on what `Heap` gives and takes, unchanged.
/// unsafe impl Source for Counted {
///     fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
///         self.0.fetch_add(layout.size(), Relaxed);
///         Heap.allocate(layout)
///     }
///
///     unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
///         // SAFETY: the caller's word.
///         unsafe { Heap.deallocate(memory, layout) }
///     }
/// }
///
/// # fn main() -> Result<(), shockwave::BuildError> {
/// let pool = BufferPool::builder().source(Counted::default()).build()?;
/// assert_eq!(pool.get(4096).capacity(), 4096);
/// # Ok(())
/// # }
/// ```
///
/// # Safety
///
/// What `allocate` returns has at least `layout.size()` bytes, is valid for reads and writes of all
/// of these, aligned to `layout.align()`, all **zero**, unaliased, and stays so until it is given
/// to `deallocate`, or to `deallocate_all`, on whatever thread. No method calls into a pool.
///
/// Whatever breaks this is undefined behavior. In debug builds, memory that is shorter than was
/// asked for or misaligned is caught, by a panic of the get that it was for. Nothing else is.
#[expect(unsafe_code, reason = "the contract above is what every buffer's validity rests on")]
pub unsafe trait Source: Send + Sync + Debug {
    /// Zeroed memory for one buffer, of `layout.size()` bytes or more; those beyond are not used.
    /// `None` where there is none to be had, which a get reports as
    /// [`is_out_of_memory`](crate::GetError::is_out_of_memory). Must not panic.
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>>;

    /// Takes back what `allocate` gave. Must not panic.
    ///
    /// # Safety
    ///
    /// `memory` came from `allocate` of this source with the same `layout`, and nobody uses it from
    /// here on.
    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout);

    /// Takes back several at once, all of one layout. Default: [`deallocate`](Self::deallocate) for
    /// each. A source for which neighbors are less work together than apart does better; it may
    /// reorder them. A pool that gives back calls this with up to 1,024.
    /// Must not panic.
    ///
    /// # Safety
    ///
    /// As for `deallocate`, for each of them, and none is there twice.
    unsafe fn deallocate_all(&self, memory: &mut [NonNull<u8>], layout: Layout) {
        for &mut one in memory {
            // SAFETY: the caller's word.
            unsafe { self.deallocate(one, layout) };
        }
    }

    /// Whether `deallocate` and `deallocate_all` may be called from within a signal handler,
    /// whatever that interrupted but a pool: it enters no allocator, and no lock that is taken
    /// outside of this source. Default: no. If so, what a pool does not need goes back also when a
    /// put visits a depot, which handlers may do; else only when a get or put asks the source
    /// anyway, or on [`maintain`](crate::BufferPool::maintain).
    fn is_signal_safe(&self) -> bool {
        false
    }

    /// Called on the thread that forks, before it does, once however many pools have this source. A
    /// source that has a lock of its own takes
    /// it here and keeps it until [`after_fork`](Self::after_fork), or the child inherits it locked
    /// by a thread that is not there. Allocates nothing. Default: nothing, which is right for
    /// whoever has no lock.
    fn before_fork(&self) {}

    /// Called after a fork, in the parent and in the child, on the thread that forked or on its
    /// copy.
    fn after_fork(&self) {}
}
