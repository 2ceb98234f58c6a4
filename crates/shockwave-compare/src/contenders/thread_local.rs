//! A thread-local pool, as plain as one can be: a `Vec` of idle buffers for each class, and
//! counters that are simply added to. It is what this pool has to beat without its restartable
//! sequences.
//!
//! A thread's exit frees what is idle in it, so the thread-local has a destructor, and each access
//! checks that it is registered and has not run. Nothing is shared: a buffer that is put by another
//! thread stays with that one, and nothing bounds what a thread keeps.
#![expect(unsafe_code, reason = "owns memory by address")]

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::ptr::NonNull;

use super::{CLASSES, class_bytes, class_of};
use crate::contender::Contender;

/// A thread's share. Holds no state: that lies in the thread-local.
pub(crate) struct ThreadLocal;

/// A buffer of a class, which drops into the pool of whichever thread drops it.
pub(crate) struct Pooled {
    /// `class_bytes(class)` bytes that are this buffer's alone.
    data: NonNull<u8>,
    class: usize,
}

/// One class in one thread.
struct Class {
    /// Buffers that nobody holds; each of this class's bytes and this vector's alone.
    idle: Vec<NonNull<u8>>,
    counts: Counts,
}

/// What one thread did in one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) gets: u64,
    pub(crate) hits: u64,
    pub(crate) puts: u64,
}

struct Local {
    classes: [Class; CLASSES],
}

thread_local! {
    static LOCAL: UnsafeCell<Local> = const {
        UnsafeCell::new(Local {
            classes: [const {
                Class { idle: Vec::new(), counts: Counts { gets: 0, hits: 0, puts: 0 } }
            }; CLASSES],
        })
    };
}

// SAFETY: a buffer is its holder's alone, and may be freed by any thread.
unsafe impl Send for Pooled {}

fn layout(class: usize) -> Layout {
    let Ok(layout) = Layout::from_size_align(class_bytes(class), 64) else {
        unreachable!("classes end at 64 KiB")
    };
    layout
}

#[cold]
#[inline(never)]
fn make(class: usize) -> NonNull<u8> {
    // SAFETY: no class is of zero bytes.
    let data = unsafe { std::alloc::alloc(layout(class)) };
    NonNull::new(data).unwrap_or_else(|| std::alloc::handle_alloc_error(layout(class)))
}

fn free(class: usize, data: NonNull<u8>) {
    // SAFETY: `make` allocated it with this layout, and its owner gives it up.
    unsafe { std::alloc::dealloc(data.as_ptr(), layout(class)) };
}

impl ThreadLocal {
    /// What this thread did in the class of `size`, and how many buffers lie idle there.
    pub(crate) fn here(size: usize) -> (Counts, usize) {
        LOCAL.with(|local| {
            // SAFETY: of this thread, and nothing below enters it again.
            let class = unsafe { &(*local.get()).classes[class_of(size)] };
            (class.counts, class.idle.len())
        })
    }
}

// SAFETY: a buffer of a class has the class's bytes, which are no fewer than were asked for, and is
// out of every `idle` until it is dropped.
unsafe impl Contender for ThreadLocal {
    type Buffer = Pooled;

    fn attach() -> Self {
        Self
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> Pooled {
        let class = class_of(size);
        let found = LOCAL.with(|local| {
            // SAFETY: of this thread, and nothing below enters it again.
            let local = unsafe { &mut (*local.get()).classes[class] };
            local.counts.gets += 1;
            let found = local.idle.pop();
            local.counts.hits += u64::from(found.is_some());
            found
        });
        Pooled { data: found.unwrap_or_else(|| make(class)), class }
    }

    #[inline(always)]
    fn address(buffer: &mut Pooled) -> *mut u8 {
        buffer.data.as_ptr()
    }
}

impl Drop for Pooled {
    #[inline(always)]
    fn drop(&mut self) {
        let kept = LOCAL.try_with(|local| {
            // SAFETY: of this thread, and nothing below enters it again.
            let local = unsafe { &mut (*local.get()).classes[self.class] };
            local.counts.puts += 1;
            local.idle.push(self.data);
        });
        if kept.is_err() {
            free(self.class, self.data); // This thread's pool has ended.
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        for (number, class) in self.classes.iter_mut().enumerate() {
            class.idle.drain(..).for_each(|data| free(number, data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_it_does_and_gives_out_what_came_back() {
        let thread = std::thread::spawn(|| {
            let mut pool = ThreadLocal::attach();
            let mut first = pool.get(4096);
            let address = ThreadLocal::address(&mut first);
            drop(first);
            let mut second = pool.get(3000);
            assert_eq!(ThreadLocal::address(&mut second), address);
            assert_eq!(ThreadLocal::here(4096), (Counts { gets: 2, hits: 1, puts: 1 }, 0));
        });
        thread.join().unwrap();
    }
}
