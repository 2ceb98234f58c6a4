//! What these tests share: both kinds of cells, an independent count of bytes, and identities.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use shockwave::{BufferPool, BufferPoolBuilder, Cells, Heap, Source};

/// Runs a test on each kind of cells that this system has.
pub(crate) fn on_both(test: impl Fn(Cells)) {
    let rseq = BufferPool::builder().cells(Cells::Rseq).build();
    match rseq {
        Ok(_) => test(Cells::Rseq),
        Err(error) => assert!(error.is_rseq_unavailable(), "{error}"),
    }
    test(Cells::Locked);
}

/// A builder for such cells that gives nothing back by itself.
pub(crate) fn builder(cells: Cells) -> BufferPoolBuilder {
    BufferPool::builder().cells(cells).trim_interval(std::time::Duration::ZERO)
}

/// A source that counts what is out by itself, knowing nothing of the pool's own count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counting(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    out: AtomicUsize,
    peak: AtomicUsize,
    /// What it says of itself; it is none, in truth, and these tests have no handlers.
    is_signal_safe: bool,
}

impl Counting {
    /// One that gets and puts may give back to by themselves.
    pub(crate) fn for_handlers() -> Self {
        Self(Arc::new(Counters { is_signal_safe: true, ..Counters::default() }))
    }

    pub(crate) fn out(&self) -> usize {
        self.0.out.load(SeqCst)
    }

    pub(crate) fn peak(&self) -> usize {
        self.0.peak.load(SeqCst)
    }
}

// SAFETY: hands on what `Heap` gives and takes, unchanged.
unsafe impl Source for Counting {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        let memory = Heap.allocate(layout)?;
        let out = self.0.out.fetch_add(layout.size(), SeqCst) + layout.size();
        self.0.peak.fetch_max(out, SeqCst);
        Some(memory)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        self.0.out.fetch_sub(layout.size(), SeqCst);
        // SAFETY: the caller's word.
        unsafe { Heap.deallocate(memory, layout) }
    }

    fn is_signal_safe(&self) -> bool {
        self.0.is_signal_safe
    }
}

/// Checks what must hold of a pool at rest that was never reset.
pub(crate) fn check(pool: &BufferPool) {
    let metrics = pool.metrics();
    for class in &metrics.pools {
        assert_eq!(class.created, class.in_use + class.idle, "{class:?}");
        assert_eq!(class.gets, class.hits + class.misses, "{class:?}");
        assert_eq!(class.puts, class.gets - class.in_use, "{class:?}");
        assert_eq!(class.gets, class.gets_cell + class.gets_depot + class.misses, "{class:?}");
        assert_eq!(class.puts, class.puts_cell + class.puts_depot, "{class:?}");
    }
    let headers = 64 * (metrics.oversize_gets - metrics.oversize_puts);
    assert_eq!(metrics.taken_bytes, metrics.in_use_bytes + metrics.idle_bytes + headers);
    assert!(metrics.budget_bytes == 0 || metrics.taken_bytes <= metrics.budget_bytes);
    assert!(metrics.over_budget <= metrics.refused);
}

/// Numbers that look random and are the same each time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

/// Binds this thread to the `index`th of the CPUs it may run on. Says whether there is one.
pub(crate) fn bind(index: usize) -> bool {
    // SAFETY: a set of CPUs is plain bits.
    let mut all: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let size = size_of_val(&all);
    // SAFETY: writes a set of that size.
    assert_eq!(unsafe { libc::sched_getaffinity(0, size, &raw mut all) }, 0);
    // SAFETY: the number lies within the set.
    let has = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &all) };
    let bits = usize::try_from(libc::CPU_SETSIZE).expect("a size");
    let Some(cpu) = (0..bits).filter(has).nth(index) else { return false };
    // SAFETY: a set of CPUs is plain bits.
    let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the number lies within the set.
    unsafe { libc::CPU_SET(cpu, &mut one) };
    // SAFETY: reads a set of that size.
    assert_eq!(unsafe { libc::sched_setaffinity(0, size, &raw const one) }, 0);
    true
}
