//! Blocks on their way home without a lock: a list through the blocks' own memory.
//!
//! A put that interrupted this thread's own visit to the depot must neither wait for the lock, which
//! would be for ever, nor lose the block. It pushes it here; whoever next holds the lock takes all.
//! Pushing single links and taking the whole list needs no protection against a link that comes back
//! (the "ABA problem"), since nobody ever takes one link out.
#![expect(unsafe_code, reason = "keeps links in idle blocks")]

use std::ptr::{NonNull, null_mut};

use crate::asan;
use crate::magazine::Block;
use crate::sync::{AtomicPtr, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// The list's head. Each block on it holds the address of the next in its first word.
#[derive(Debug)]
pub(crate) struct Returns(AtomicPtr<u8>);

impl Returns {
    pub(crate) fn new() -> Self {
        Self(AtomicPtr::new(null_mut()))
    }

    /// Adds a block. Never waits, allocates nothing, and may interrupt any other operation.
    pub(crate) fn push(&self, block: Block) {
        let memory = block.into_raw();
        asan::unpoison(memory, size_of::<*mut u8>());
        let mut next = self.0.load(Relaxed);
        loop {
            // SAFETY: the block is at least a word long and aligned to more, and until the exchange
            // succeeds it is this caller's alone.
            unsafe { memory.cast::<*mut u8>().write(next) };
            // Release: publishes the link.
            match self.0.compare_exchange_weak(next, memory.as_ptr(), Release, Relaxed) {
                Ok(_) => return,
                Err(now) => next = now,
            }
        }
    }

    /// Takes all, and gives them to `home` one by one, their links wiped. What is not taken there waits
    /// here again.
    pub(crate) fn take_all(&self, mut home: impl FnMut(Block) -> Result<(), Block>) {
        if self.0.load(Relaxed).is_null() {
            return;
        }
        // Acquire: sees the links that pushes published.
        let mut next = self.0.swap(null_mut(), Acquire);
        while let Some(memory) = NonNull::new(next) {
            let link = memory.cast::<*mut u8>();
            // SAFETY: the block is on the list that was just taken, so its first word is a link, and
            // the block is this caller's alone.
            next = unsafe { link.read() };
            // SAFETY: as above. An idle block that was clean stays clean.
            unsafe { link.write(null_mut()) };
            asan::poison(memory, size_of::<*mut u8>());
            // SAFETY: `push` gave up the right to this block, and the swap gave it to this caller.
            let block = unsafe { Block::from_raw(memory) };
            if let Err(block) = home(block) {
                self.push(block);
            }
        }
    }
}
