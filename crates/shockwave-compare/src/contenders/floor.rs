//! The floor: a bare local `Vec` of pointers, popped and pushed. No class, no count, no bound, no
//! other thread; whatever a pool costs beyond this is what its promises cost.
#![expect(unsafe_code, reason = "owns memory by address")]

use std::alloc::Layout;
use std::hint::black_box;
use std::ptr::NonNull;

use super::CLASS_BYTES_MAX;
use crate::contender::Contender;

const LAYOUT: Layout = match Layout::from_size_align(CLASS_BYTES_MAX, 64) {
    Ok(layout) => layout,
    Err(_) => unreachable!(),
};

pub(crate) struct Floor {
    /// Every one of the largest class's bytes, so that any serves any size.
    idle: Vec<Bare>,
}

/// An address and nothing else. Dropping it does nothing.
#[derive(Clone, Copy)]
pub(crate) struct Bare(NonNull<u8>);

// SAFETY: an address may be anywhere; whoever has it is the one to write there, until it is put.
unsafe impl Send for Bare {}

#[cold]
#[inline(never)]
fn make() -> Bare {
    // SAFETY: the layout is not of zero bytes.
    let data = unsafe { std::alloc::alloc(LAYOUT) };
    Bare(NonNull::new(data).unwrap_or_else(|| std::alloc::handle_alloc_error(LAYOUT)))
}

// SAFETY: each address is that of as many bytes as can be asked for, and is out of `idle` until it
// is put.
unsafe impl Contender for Floor {
    type Buffer = Bare;

    fn attach() -> Self {
        Self { idle: Vec::new() }
    }

    #[inline(always)]
    fn get(&mut self, _size: usize) -> Bare {
        let buffer = self.idle.pop().unwrap_or_else(make);
        // The vector may have changed, for all that the optimizer knows. Otherwise it never stores
        // the length of a vector that nobody else can see, and what is measured is no pop and no
        // push.
        black_box(&mut self.idle);
        buffer
    }

    #[inline(always)]
    fn put(&mut self, buffer: Bare) {
        self.idle.push(buffer);
    }

    #[inline(always)]
    fn address(buffer: &mut Bare) -> *mut u8 {
        buffer.0.as_ptr()
    }

    /// An address is shared by who knows it.
    #[inline(always)]
    fn share(&mut self, buffer: Bare) {
        self.put(buffer);
    }

    /// The same address each time, so that what is measured is the channel alone. Only the sender
    /// writes to it.
    #[inline(always)]
    fn get_to_send(&mut self, _size: usize) -> Bare {
        if self.idle.is_empty() {
            self.idle.push(make());
        }
        self.idle[0]
    }

    #[inline(always)]
    fn put_received(&mut self, _buffer: Bare) {}
}

impl Drop for Floor {
    fn drop(&mut self) {
        for Bare(data) in self.idle.drain(..) {
            // SAFETY: `make` allocated it with this layout, and it is in `idle`, so nobody has it.
            unsafe { std::alloc::dealloc(data.as_ptr(), LAYOUT) };
        }
    }
}
