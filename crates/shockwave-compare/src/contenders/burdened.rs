//! The floor with a burden: one part of what a pool does for its time, and nothing else of it. What
//! that part costs on this machine, and at this hour, is then measured beside the pool.
#![expect(unsafe_code, reason = "promises what a buffer's address points at, and does nothing")]

use std::arch::asm;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};

use super::floor::{Bare, Floor};
use crate::contender::Contender;

/// What each get and each put of a floor has to do besides.
pub(crate) trait Burden: 'static {
    fn new() -> Self;
    fn begin(&self);
    fn end(&self);
}

/// As many instructions as the pool has, none of which waits for another.
///
/// The floor waits for its own last store; a pool also fills the processor with instructions. Where
/// a neighbor has the other half of the core, as it may on a rented machine, there is less room for
/// instructions while waiting takes as long as ever: the floor hardly notices, and a pool does.
/// This is a witness that notices as well, and has no part in where the pool's things lie.
pub(crate) struct Instructions;

impl Burden for Instructions {
    fn new() -> Self {
        Self
    }

    /// Half of the instructions that a get and a put of the pool have more than the floor.
    #[inline(always)]
    fn begin(&self) {
        // SAFETY: does nothing.
        unsafe { asm!(".rept 20", "nop", ".endr", options(nomem, nostack, preserves_flags)) };
    }

    #[inline(always)]
    fn end(&self) {}
}

/// A try-lock that nobody else wants: what the processor asks of whoever keeps others out by
/// locked instructions, one for each get and one for each put.
pub(crate) struct TryLock(AtomicBool);

impl Burden for TryLock {
    fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    #[inline(always)]
    fn begin(&self) {
        let entered = self.0.compare_exchange(false, true, Acquire, Relaxed);
        assert!(entered.is_ok(), "one thread's alone");
    }

    #[inline(always)]
    fn end(&self) {
        self.0.store(false, Release);
    }
}

/// A floor with a burden.
pub(crate) struct Burdened<B> {
    floor: Floor,
    burden: B,
}

impl<B: Burden> Burdened<B> {
    #[inline(always)]
    fn with<R>(&mut self, act: impl FnOnce(&mut Floor) -> R) -> R {
        self.burden.begin();
        let result = act(&mut self.floor);
        self.burden.end();
        result
    }
}

// SAFETY: the floor's addresses are good for as many bytes as can be asked for, until they are put.
unsafe impl<B: Burden> Contender for Burdened<B> {
    type Buffer = Bare;

    fn attach() -> Self {
        Self { floor: Floor::attach(), burden: B::new() }
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> Bare {
        self.with(|floor| floor.get(size))
    }

    #[inline(always)]
    fn put(&mut self, buffer: Bare) {
        self.with(|floor| floor.put(buffer));
    }

    #[inline(always)]
    fn address(buffer: &mut Bare) -> *mut u8 {
        Floor::address(buffer)
    }

    #[inline(always)]
    fn share(&mut self, buffer: Bare) {
        self.put(buffer);
    }

    #[inline(always)]
    fn get_to_send(&mut self, size: usize) -> Bare {
        self.with(|floor| floor.get_to_send(size))
    }

    #[inline(always)]
    fn put_received(&mut self, buffer: Bare) {
        self.with(|floor| floor.put_received(buffer));
    }
}
