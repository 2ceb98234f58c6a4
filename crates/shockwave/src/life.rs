//! Life: how a buffer finds its engine, who keeps an engine alive, and what a fork does to it.
//!
//! ```text
//!    BufferPool ─────────────────────▶ Engine ◀─── ENGINES[pool] ◀─── Buffer.meta
//!    BufferPool ───┘ handles: 2           │
//!                                         └ keepers: 1 for the handles
//!                                                  + 1 for each oversize buffer out
//!                                                  + 1 for each buffer out, once it has ended
//! ```
//!
//! A buffer names its pool by a number, an index into a static table, so that neither a get nor a
//! put touches a reference count. While a pool has handles, they keep its engine. When the last one
//! goes, all cells close, what is idle is freed, and what is out is counted, exactly, into
//! `keepers`; from then on each put counts itself out, and the last one frees the engine and its
//! place in the table.
#![expect(unsafe_code, reason = "decides when an engine is freed")]

use std::cell::UnsafeCell;
use std::mem::{MaybeUninit, offset_of};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{
    AtomicPtr, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use crate::callback::contained;
use crate::depot::Depot;
use crate::engine::Engine;
use crate::error::BuildError;
use crate::limits::POOLS_MAX;
use crate::reentry::Stay;
use crate::source::Ledger;
use crate::track;

/// Where each pool number's engine is; null where the number is free.
static ENGINES: [AtomicPtr<Engine>; POOLS_MAX] = [const { AtomicPtr::new(null_mut()) }; POOLS_MAX];

/// Held by whoever changes which engines there are, and by a fork for as long as it takes.
static REGISTRY: Mutex<()> = Mutex::new(());

fn registry() -> MutexGuard<'static, ()> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The engine of a pool number that a live buffer names.
///
/// # Safety
///
/// A buffer or a handle of this pool exists for as long as the reference is used.
#[inline(always)]
pub(crate) unsafe fn engine<'a>(pool: usize) -> &'a Engine {
    // Relaxed: whoever got the buffer did so after the table was written, and passed it on by means
    // that order memory; the entry does not change again while the buffer exists.
    let engine = ENGINES[pool & (POOLS_MAX - 1)].load(Relaxed);
    debug_assert!(!engine.is_null(), "a buffer keeps its engine");
    // SAFETY: by the caller's word the pool is alive, and so the entry is its engine.
    unsafe { &*engine }
}

/// A counted handle of an engine: what a `BufferPool` is made of.
#[derive(Debug)]
pub(crate) struct Handle(NonNull<Shared>);

/// An engine with its handles' count.
#[derive(Debug)]
#[repr(C)]
struct Shared {
    /// First, so that a pointer to either is one to both.
    engine: Engine,
    /// Live handles. Once zero it stays zero.
    handles: AtomicUsize,
}

/// Where it lies: within a page, behind what is left out at its start. What a get and a put read of
/// the engine, down to the classes of lengths up to 64 KiB, has so not the low address bits of what
/// is written besides: the first half KiB of a buffer, and a magazine's word and slots. Why that
/// matters is told at [`Arena`](crate::arena::Arena).
#[repr(C, align(4096))]
struct Place {
    left_out: MaybeUninit<[u8; 512]>,
    shared: Shared,
}

const _: () = assert!(size_of::<Place>() == 4096, "an engine lies within one page");

impl Place {
    /// Puts it there, for as long as the pointer is not given to [`free`](Self::free).
    fn keep(shared: Shared) -> NonNull<Shared> {
        let place = Box::new(Self { left_out: MaybeUninit::uninit(), shared });
        let place = NonNull::from(Box::leak(place));
        // SAFETY: within the box; by its address, so that the way back is as good.
        unsafe { place.byte_add(offset_of!(Self, shared)) }.cast()
    }

    /// Has it back.
    ///
    /// # Safety
    ///
    /// The pointer is from [`keep`](Self::keep), and nobody uses it from here on.
    unsafe fn free(shared: NonNull<Shared>) -> Box<Self> {
        // SAFETY: within the box that it came from.
        let place = unsafe { shared.byte_sub(offset_of!(Self, shared)) };
        // SAFETY: by the caller's word.
        unsafe { Box::from_raw(place.cast::<Self>().as_ptr()) }
    }
}

// SAFETY: the last handle to go may drop what is shared on its own thread, and all may use it at
// once; the assertion below says that both are allowed.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Shared>();
};

impl Handle {
    /// Finds a free number, makes an engine that knows it, and is its first handle.
    pub(crate) fn register(make: impl FnOnce(usize) -> Engine) -> Result<Self, BuildError> {
        watch_forks();
        let _stay = Stay::begin();
        let _registry = registry();
        let pool = ENGINES.iter().position(|entry| entry.load(Relaxed).is_null());
        let pool = pool.ok_or_else(BuildError::too_many_pools)?;
        let shared = Place::keep(Shared { engine: make(pool), handles: AtomicUsize::new(1) });
        // Release: publishes the engine to a fork handler, the only one who looks without a buffer.
        ENGINES[pool].store(shared.cast().as_ptr(), Release);
        Ok(Self(shared))
    }

    /// The engine.
    #[inline(always)]
    pub(crate) fn engine(&self) -> &Engine {
        // SAFETY: a handle keeps its engine.
        unsafe { &(*self.0.as_ptr()).engine }
    }

    fn handles(&self) -> &AtomicUsize {
        // SAFETY: a handle keeps its engine, and the count beside it.
        unsafe { &(*self.0.as_ptr()).handles }
    }

    /// A new handle of the pool that a live buffer names, unless the pool has ended.
    ///
    /// # Safety
    ///
    /// As for [`engine`].
    pub(crate) unsafe fn of(pool: usize) -> Option<Self> {
        let shared = ENGINES[pool & (POOLS_MAX - 1)].load(Relaxed).cast::<Shared>();
        // SAFETY: by the caller's word the pool is alive, so the entry is its engine, which was
        // registered as part of a `Shared`.
        let handles = unsafe { &(*shared).handles };
        let more = |handles: usize| handles.checked_add(1).filter(|_| handles > 0);
        handles.fetch_update(Relaxed, Relaxed, more).ok()?;
        NonNull::new(shared).map(Self)
    }
}

impl Handle {
    /// A new handle of the engine at a number, if it is the one that `is_it` knows and has not
    /// ended.
    pub(crate) fn find(pool: usize, is_it: impl FnOnce(&Engine) -> bool) -> Option<Self> {
        let _stay = Stay::begin();
        let _registry = registry();
        // SAFETY: the registry's lock is held, so engines in the table are not freed meanwhile.
        let engine = unsafe { ENGINES[pool & (POOLS_MAX - 1)].load(Acquire).as_ref() };
        if !is_it(engine?) {
            return None;
        }
        // SAFETY: as above; the engine is there.
        unsafe { Self::of(pool) }
    }
}

/// Wakes whoever waits for what nested puts brought. Not for a nested call.
pub(crate) fn wake_owed() {
    loop {
        // What is owed from within here is settled when this stay ends, with the registry let go.
        let stay = Stay::begin();
        let registry = registry();
        let waker = engines().find_map(|engine| engine.governor.queue.take_owed());
        drop(registry);
        drop(stay);
        match waker {
            Some(waker) => contained(|| waker.wake()),
            None => return,
        }
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        // Relaxed: this handle keeps the engine while the count goes up.
        self.handles().fetch_add(1, Relaxed);
        Self(self.0)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Release: what this handle did is done. Acquire, by the fence: what others did is too.
        if self.handles().fetch_sub(1, Release) == 1 {
            fence(Acquire);
            let count = self.engine().end();
            release(self.0.cast(), count);
        }
    }
}

/// Lets go of an engine `count` times, and frees it if that was the last of its keepers.
///
/// By address, and not by reference: once it has let go, another thread may free the engine.
pub(crate) fn release(engine: NonNull<Engine>, count: usize) {
    if count == 0 {
        return;
    }
    // SAFETY: what is about to be let go keeps the engine until then.
    let pool = unsafe { (*engine.as_ptr()).meta.pool() };
    // SAFETY: as above.
    let last = unsafe { (*engine.as_ptr()).let_go(count) };
    if last {
        free(pool);
    }
}

/// Frees the engine of a pool number whose last keeper has just gone.
fn free(pool: usize) {
    let _stay = Stay::begin();
    let registry = registry();
    // The table's pointer is the one that it was registered by.
    let shared = ENGINES[pool].swap(null_mut(), Relaxed).cast::<Shared>();
    drop(registry);
    let Some(shared) = NonNull::new(shared) else { return };
    // SAFETY: registered as part of a `Shared`, which begins with the engine. `keepers` came to
    // zero: no handle and no buffer is left, and whoever let go before does not touch the engine
    // again.
    let mut place = unsafe { Place::free(shared) };
    place.shared.engine.free_magazines();
}

/// Has forks hold still: no thread that vanishes in the child may leave a class's lock held there.
#[cfg(unix)]
fn watch_forks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the three handlers are functions of this program with the right signature.
        let result = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
        debug_assert_eq!(result, 0, "registering fork handlers");
    });
}

#[cfg(not(unix))]
fn watch_forks() {}

/// The registry's guard while a fork holds it, from [`before`] to the handler after it, and the
/// mark that makes calls from signal handlers meanwhile nested ones, which wait for nothing.
#[cfg(unix)]
struct Held(UnsafeCell<Option<(Stay, MutexGuard<'static, ()>)>>);

// SAFETY: touched only by the holder of the registry's lock, in a fork's handlers, which all run on
// the forking thread or on its copy in the child.
#[cfg(unix)]
unsafe impl Sync for Held {}

#[cfg(unix)]
static HELD: Held = Held(UnsafeCell::new(None));

/// All engines. For those who hold the registry's lock.
fn engines() -> impl Iterator<Item = &'static Engine> {
    // SAFETY: the registry's lock is held, so engines in the table are not freed meanwhile.
    ENGINES.iter().filter_map(|entry| unsafe { entry.load(Acquire).as_ref() })
}

#[cfg(unix)]
extern "C" fn before() {
    let stay = Stay::begin();
    let guard = registry();
    // SAFETY: the holder of the lock alone touches it. Nothing is allocated here, because another
    // allocator's own fork handler may already have run.
    unsafe { *HELD.0.get() = Some((stay, guard)) };
    for engine in engines() {
        // SAFETY: an engine stays where it is, and is freed by whoever has the registry's lock,
        // which the fork has until it has let go of all others.
        unsafe { engine.governor.queue.hold() };
        hold_depots(engine);
    }
    ledgers().for_each(Ledger::before_fork);
}

/// Holds the locks of all classes.
#[cfg(unix)]
fn hold_depots(engine: &'static Engine) {
    for depot in engine.depots() {
        // SAFETY: as for the queue in `before`.
        unsafe { depot.hold() };
    }
}

/// One ledger for each source: pools may share theirs, and it is to hear of a fork once. Compares
/// each with those before it, since nothing can be noted where nothing may be allocated.
#[cfg(unix)]
fn ledgers() -> impl Iterator<Item = &'static Ledger> {
    let all = || engines().map(Engine::ledger);
    all().enumerate().filter_map(move |(index, ledger)| {
        let is_first = !all().take(index).any(|before| before.shares_source(ledger));
        is_first.then_some(ledger)
    })
}

#[cfg(unix)]
extern "C" fn in_parent() {
    ledgers().for_each(Ledger::after_fork);
    for engine in engines() {
        engine.depots().for_each(Depot::let_go);
        engine.governor.queue.let_go();
    }
    // SAFETY: the lock has been held since `before`, by this thread.
    if let Some((stay, guard)) = unsafe { (*HELD.0.get()).take() } {
        drop(guard);
        // Other allocators' handlers may not have run yet, so what a signal's handler left to this
        // thread meanwhile waits for its next stay.
        stay.end_in_debt();
    }
}

#[cfg(unix)]
extern "C" fn in_child() {
    track::after_fork_in_child();
    for engine in engines() {
        engine.cells.after_fork_in_child();
        engine.ledger().after_fork_in_child();
        engine.governor.after_fork_in_child();
        let waited = engine.governor.queue.after_fork_in_child();
        if waited {
            engine.depots().for_each(Depot::let_go);
            engine.keep_closed(false);
            hold_depots(engine);
        }
    }
    in_parent();
}
