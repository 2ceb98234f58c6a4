//! Marks of pressure while other things go on: who may not be told of what was never so.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use shockwave::{BufferPool, Heap, Source};

use crate::common::{builder, check, on_both};
use crate::pressure::watched;

#[test]
fn what_goes_back_meanwhile_is_never_taken_for_a_fall() {
    on_both(|cells| {
        let builder = builder(cells).classes(&[4096, 65_536]).budget(1 << 20);
        let (pool, told) = watched(builder, 0.4, 0.7);
        let mut held: Vec<_> = (0..12).map(|_| pool.get(65_536)).collect();
        held.truncate(8);
        assert_eq!(told.load(SeqCst), 1, "it was high, and half of it is still in use");
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        drop([pool.try_get(65_536), pool.try_get(65_536)]);
                        pool.trim();
                    }
                });
                scope.spawn(|| (0..20_000).for_each(|_| drop(pool.try_get(4096))));
            }
        });
        assert_eq!(told.load(SeqCst), 1);
        drop(held);
        assert_eq!(told.load(SeqCst), 2);
        check(&pool);
    });
}

/// A source whose next free says so and waits, once it is armed.
#[derive(Debug)]
struct Waiting {
    armed: Arc<AtomicBool>,
    is_here: SyncSender<()>,
    go_on: Mutex<Receiver<()>>,
}

// SAFETY: hands on what `Heap` gives and takes, unchanged.
unsafe impl Source for Waiting {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        Heap.allocate(layout)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        if self.armed.swap(false, SeqCst) {
            self.is_here.send(()).expect("the test waits");
            self.go_on.lock().expect("nobody panicked").recv().expect("the test goes on");
        }
        // SAFETY: the caller's word.
        unsafe { Heap.deallocate(memory, layout) }
    }
}

/// Has one thread free what is idle by `free` and stop half way, and another drop the one buffer in
/// use, of sixteen in the budget. Returns how often that was told of.
fn told_while_idle_ones_are_freed(
    cells: shockwave::Cells,
    free: impl FnOnce(BufferPool) + Send,
) -> usize {
    let ((is_here, here), (go, go_on)) = (sync_channel(1), sync_channel(1));
    let armed = Arc::new(AtomicBool::new(false));
    let source = Waiting { armed: Arc::clone(&armed), is_here, go_on: Mutex::new(go_on) };
    let builder = builder(cells).classes(&[4096]).budget(16 * 4096);
    let (pool, told) = watched(builder.source(source), 0.25, 0.75);
    assert_eq!(pool.warmup_class(4096, 15), 15);
    let held = [pool.get(4096), pool.get(4096)];
    armed.store(true, SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| free(pool));
        here.recv().expect("something is freed");
        drop(held);
        let told = told.load(SeqCst);
        go.send(()).expect("somebody waits");
        told
    })
}

#[test]
fn what_a_pool_frees_at_its_end_is_never_taken_for_a_rise() {
    on_both(|cells| assert_eq!(told_while_idle_ones_are_freed(cells, drop), 0));
}

#[test]
fn what_a_larger_get_has_reclaimed_is_never_taken_for_a_rise() {
    on_both(|cells| {
        let oversize = |pool: BufferPool| drop(pool.try_get(8 * 4096));
        assert_eq!(told_while_idle_ones_are_freed(cells, oversize), 0);
    });
}

#[test]
fn a_callback_may_end_the_pool_that_calls_it() {
    on_both(|cells| {
        let slot: Arc<Mutex<Option<BufferPool>>> = Arc::default();
        let (last, told) = (Arc::clone(&slot), Arc::new(AtomicUsize::new(0)));
        let tell = Arc::clone(&told);
        let pool = builder(cells)
            .budget(16 * 4096)
            .on_pressure(0.25, 0.75, move |_| {
                if tell.fetch_add(1, SeqCst) == 1 {
                    drop(last.lock().expect("nobody panicked").take());
                }
            })
            .build()
            .expect("marks in order");
        let mut held: Vec<_> = (0..12).map(|_| pool.get(4096)).collect();
        *slot.lock().expect("nobody panicked") = Some(pool);
        held.truncate(5);
        drop(held.pop());
        assert_eq!((told.load(SeqCst), held[0].pool()), (2, None), "told of by the put");
        held.drain(..).for_each(drop);
        assert_eq!(Arc::strong_count(&told), 1, "the pool is gone, and all that it had");
    });
}
