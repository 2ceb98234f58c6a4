//! zeropool by `alloc_uninit`, which does not clear, with caches large enough that no form
//! overflows them: its defaults keep two buffers of a class for each thread on two cores, and 32
//! beyond.
#![expect(unsafe_code, reason = "promises what a buffer's address points at")]

use std::sync::OnceLock;

use zeropool::{BufUninit, ZeroPool};

use crate::contender::Contender;

pub(crate) struct Zeropool {
    pool: &'static ZeroPool,
}

// SAFETY: the slice has as many bytes as were asked for, and is its holder's until it is dropped.
unsafe impl Contender for Zeropool {
    type Buffer = BufUninit<'static>;

    fn attach() -> Self {
        static POOL: OnceLock<ZeroPool> = OnceLock::new();
        let new = || ZeroPool::new().tls_cache_size(256).max_buffers_per_class(1024);
        Self { pool: POOL.get_or_init(new) }
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> BufUninit<'static> {
        self.pool.alloc_uninit(size)
    }

    #[inline(always)]
    fn address(buffer: &mut BufUninit<'static>) -> *mut u8 {
        buffer.as_uninit_mut().as_mut_ptr().cast()
    }
}
