//! opool's shared pool of `Vec<u8>`, one for each class, since it knows no classes itself.
#![expect(unsafe_code, reason = "promises what a buffer's address points at")]

use std::sync::OnceLock;

use opool::{Pool, PoolAllocator, RefGuard};

use super::{CLASSES, class_bytes, class_of};
use crate::contender::Contender;

/// Buffers that a pool keeps, more than any form holds at a time.
const KEPT: usize = 1024;

pub(crate) struct Opool {
    pools: &'static [Pool<Maker, Vec<u8>>; CLASSES],
}

/// Makes the buffers of a class.
pub(crate) struct Maker {
    bytes: usize,
}

impl PoolAllocator<Vec<u8>> for Maker {
    fn allocate(&self) -> Vec<u8> {
        Vec::with_capacity(self.bytes)
    }
}

// SAFETY: a vector's pointer is good for its capacity, which is the class's bytes and no fewer than
// were asked for; the vector is its guard's until that is dropped.
unsafe impl Contender for Opool {
    type Buffer = RefGuard<'static, Maker, Vec<u8>>;

    fn attach() -> Self {
        static POOLS: OnceLock<[Pool<Maker, Vec<u8>>; CLASSES]> = OnceLock::new();
        let new = |class| Pool::new(KEPT, Maker { bytes: class_bytes(class) });
        Self { pools: POOLS.get_or_init(|| std::array::from_fn(new)) }
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> Self::Buffer {
        self.pools[class_of(size)].get()
    }

    #[inline(always)]
    fn address(buffer: &mut Self::Buffer) -> *mut u8 {
        buffer.as_mut_ptr()
    }
}
