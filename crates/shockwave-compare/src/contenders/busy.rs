//! The floor with as many instructions as the pool has, none of which waits for another.
//!
//! The floor waits for its own last store; a pool also fills the processor with instructions. Where
//! a neighbor has the other half of the core, as it may on a rented machine, there is less room for
//! instructions while waiting takes as long as ever: the floor hardly notices, and a pool does.
//! This is a witness that notices as well, and has no part in where the pool's things lie.
#![expect(unsafe_code, reason = "promises what a buffer's address points at, and does nothing")]

use std::arch::asm;

use super::floor::{Bare, Floor};
use crate::contender::Contender;

pub(crate) struct Busy(Floor);

/// Half of the instructions that a get and a put of the pool have more than the floor.
#[inline(always)]
fn idle_about() {
    // SAFETY: does nothing.
    unsafe { asm!(".rept 20", "nop", ".endr", options(nomem, nostack, preserves_flags)) };
}

// SAFETY: the floor's addresses are good for as many bytes as can be asked for, until they are put.
unsafe impl Contender for Busy {
    type Buffer = Bare;

    fn attach() -> Self {
        Self(Floor::attach())
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> Bare {
        idle_about();
        self.0.get(size)
    }

    #[inline(always)]
    fn put(&mut self, buffer: Bare) {
        idle_about();
        self.0.put(buffer);
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
        idle_about();
        self.0.get_to_send(size)
    }

    #[inline(always)]
    fn put_received(&mut self, buffer: Bare) {
        idle_about();
        self.0.put_received(buffer);
    }
}
