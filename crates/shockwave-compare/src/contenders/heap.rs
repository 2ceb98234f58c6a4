//! A heap as a contender: malloc is the get, and free is the put.
#![expect(unsafe_code, reason = "owns memory by address")]

use std::alloc::Layout;
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::contender::Contender;

/// A heap that is called directly, and not as the program's global allocator.
///
/// # Safety
///
/// What [`allocate`](Self::allocate) returns is null, or points at `size` bytes that are the
/// caller's alone until they are freed.
pub(crate) unsafe trait Heap: Send + Sync + 'static {
    fn allocate(size: usize) -> *mut u8;

    /// # Safety
    ///
    /// `data` came from [`allocate`](Self::allocate) of `size` bytes, and nobody uses it after
    /// this.
    unsafe fn free(data: NonNull<u8>, size: usize);
}

/// The contender that gets from a heap.
pub(crate) struct FromHeap<H>(PhantomData<H>);

/// A piece of a heap, freed when dropped. Two words, as the handles of the pools.
pub(crate) struct Piece<H: Heap> {
    /// `size` bytes of the heap, this piece's alone.
    data: NonNull<u8>,
    size: usize,
    heap: PhantomData<H>,
}

// SAFETY: a piece is its holder's alone, and heaps free what other threads allocated.
unsafe impl<H: Heap> Send for Piece<H> {}

// SAFETY: a heap promises as many bytes as were asked for, to a piece alone until it is freed.
unsafe impl<H: Heap> Contender for FromHeap<H> {
    type Buffer = Piece<H>;

    fn attach() -> Self {
        Self(PhantomData)
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> Piece<H> {
        let data = NonNull::new(H::allocate(size)).unwrap_or_else(|| refuse(size));
        Piece { data, size, heap: PhantomData }
    }

    #[inline(always)]
    fn address(piece: &mut Piece<H>) -> *mut u8 {
        piece.data.as_ptr()
    }
}

impl<H: Heap> Drop for Piece<H> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: it came from this heap with this size, and a piece that is dropped is used no
        // more.
        unsafe { H::free(self.data, self.size) };
    }
}

#[cold]
fn refuse(size: usize) -> ! {
    let layout = Layout::array::<u8>(size).unwrap_or(Layout::new::<u8>());
    std::alloc::handle_alloc_error(layout)
}
