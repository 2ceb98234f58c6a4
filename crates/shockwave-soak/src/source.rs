//! The source under a soaked pool: counts what is out by itself, and fails as it is told.
#![expect(unsafe_code, reason = "`Source` is an unsafe trait")]

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};

use shockwave::Source;

/// Counts, and fails one time in so many, or every time while it is told to.
#[derive(Debug, Clone)]
pub(crate) struct Failing {
    inner: Arc<dyn Source>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes out.
    out: AtomicUsize,
    /// The most bytes that were out at once.
    peak: AtomicUsize,
    /// Whether every request fails.
    is_down: AtomicBool,
    /// Requests so far.
    requests: AtomicU32,
    /// Requests refused.
    refused: AtomicUsize,
    /// One request in so many fails; 0 for none.
    one_in: u32,
}

impl Failing {
    pub(crate) fn new(inner: impl Source + 'static, one_in: u32) -> Self {
        let state = State { one_in, ..State::default() };
        Self { inner: Arc::new(inner), state: Arc::new(state) }
    }

    pub(crate) fn out(&self) -> usize {
        self.state.out.load(Relaxed)
    }

    pub(crate) fn peak(&self) -> usize {
        self.state.peak.load(Relaxed)
    }

    pub(crate) fn refused(&self) -> usize {
        self.state.refused.load(Relaxed)
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.state.is_down.store(down, Relaxed);
    }
}

// SAFETY: hands on what the inner source gives and takes, unchanged, or gives nothing.
unsafe impl Source for Failing {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        let state = &*self.state;
        let request = state.requests.fetch_add(1, Relaxed);
        let fails = state.one_in != 0 && request % state.one_in == state.one_in - 1;
        if fails || state.is_down.load(Relaxed) {
            state.refused.fetch_add(1, Relaxed);
            return None;
        }
        let memory = self.inner.allocate(layout)?;
        let out = state.out.fetch_add(layout.size(), Relaxed) + layout.size();
        state.peak.fetch_max(out, Relaxed);
        Some(memory)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        self.state.out.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's word.
        unsafe { self.inner.deallocate(memory, layout) }
    }

    unsafe fn deallocate_all(&self, memory: &mut [NonNull<u8>], layout: Layout) {
        self.state.out.fetch_sub(memory.len() * layout.size(), Relaxed);
        // SAFETY: the caller's word.
        unsafe { self.inner.deallocate_all(memory, layout) }
    }

    fn before_fork(&self) {
        self.inner.before_fork();
    }

    fn after_fork(&self) {
        self.inner.after_fork();
    }
}
