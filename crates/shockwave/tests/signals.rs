//! A signal handler that gets and puts, in the middle of anything that the thread it interrupts
//! does.
#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "handles signals")]

#[macro_use]
#[path = "common/both_cells.rs"]
mod both_cells;
#[path = "common/cells.rs"]
mod cells;
#[path = "common/child.rs"]
mod child;
#[path = "common/identities.rs"]
mod identities;
#[path = "common/owner.rs"]
mod owner;
#[path = "common/quarantine.rs"]
mod quarantine;

use std::sync::atomic::{
    AtomicPtr, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

use shockwave::{Buffer, BufferPool, BufferPoolBuilder};

both_cells! {
    a_handler_gets_and_puts_in_the_middle_of_gets_and_puts,
    a_handler_gets_and_puts_in_the_middle_of_a_fork,
    a_handler_holds_buffers_from_one_signal_to_the_next,
}

/// Lets one test run at a time: handlers are the whole process's.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The pool that the handler uses.
static POOL: AtomicPtr<BufferPool> = AtomicPtr::new(std::ptr::null_mut());
/// Gets that the handler did.
static GETS: AtomicU64 = AtomicU64::new(0);
/// Signals that were handled.
static SIGNALS: AtomicU64 = AtomicU64::new(0);
/// Buffers that the handler found to be someone else's.
static STOLEN: AtomicU64 = AtomicU64::new(0);
/// A box in which the handler keeps a buffer until it is called again, if there is one.
static KEPT: AtomicPtr<Buffer> = AtomicPtr::new(std::ptr::null_mut());

const HANDLER: u64 = 1 << 32;
const SIZES: [usize; 3] = [2048, 4096, 65_536];
/// Enough to empty any magazine and to overflow it.
const HELD: usize = 70;

/// Gets and puts, a few or many at once. May not allocate, wait or panic.
extern "C" fn handler(_: libc::c_int) {
    // SAFETY: set before the first signal, and alive until after the last.
    let Some(pool) = (unsafe { POOL.load(SeqCst).as_ref() }) else { return };
    let signal = SIGNALS.fetch_add(1, Relaxed);
    let owner = HANDLER + signal;
    let size = SIZES[usize::try_from(signal % 3).unwrap_or(0)];
    let mut held = [const { None::<Buffer> }; HELD];
    let count = if signal.is_multiple_of(2) { 2 } else { HELD };
    for place in held.iter_mut().take(count) {
        let mut buffer = pool.get(size);
        if !owner::claim(&mut buffer, owner) {
            STOLEN.fetch_add(1, Relaxed);
        }
        *place = Some(buffer);
    }
    GETS.fetch_add(count as u64, Relaxed);
    for buffer in held.iter_mut().flatten() {
        if !owner::disclaim(buffer, owner) {
            STOLEN.fetch_add(1, Relaxed);
        }
    }
    // SAFETY: null, or the box of a test that signals one thread only.
    if let (Some(kept), Some(fresh)) = (unsafe { KEPT.load(SeqCst).as_mut() }, held[0].take()) {
        drop(std::mem::replace(kept, fresh));
    }
}

/// Signals for the thread that made it, one after the other until it is dropped.
struct Storm(libc::timer_t);

impl Storm {
    /// Begins to signal this thread, each time that so many microseconds have passed.
    fn on_this_thread(microseconds: libc::c_long) -> Self {
        // SAFETY: all zeros is a valid event.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = libc::SIGUSR1;
        // SAFETY: asks for this thread's number.
        event.sigev_notify_thread_id = unsafe { libc::gettid() };
        let mut timer = std::ptr::null_mut();
        // SAFETY: the event is readable and the timer writable.
        let made =
            unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) };
        assert_eq!(made, 0, "making a timer");
        let period = libc::timespec { tv_sec: 0, tv_nsec: microseconds * 1000 };
        let schedule = libc::itimerspec { it_interval: period, it_value: period };
        // SAFETY: the timer was made, and the schedule is readable.
        let set =
            unsafe { libc::timer_settime(timer, 0, &raw const schedule, std::ptr::null_mut()) };
        assert_eq!(set, 0, "setting a timer");
        Self(timer)
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        // A signal that is under way comes before this returns, since it is for this thread.
        // SAFETY: the timer was made, and is deleted once.
        unsafe { libc::timer_delete(self.0) };
    }
}

/// Runs with the handler in place; then checks that nothing was lost or handed out twice. `run`
/// returns how many gets it did.
fn with_handler(builder: BufferPoolBuilder, run: impl FnOnce(&BufferPool) -> u64) {
    let pool = builder.build().expect("a pool");
    // So that the handler never finds the pool without a buffer: the system's allocator, which
    // would be asked then, may not be entered from a handler unless the pool knows that it is
    // inside.
    for size in SIZES {
        pool.warmup_class(size, 800);
    }
    GETS.store(0, SeqCst);
    STOLEN.store(0, SeqCst);
    let signals = SIGNALS.load(SeqCst);
    POOL.store((&raw const pool).cast_mut(), SeqCst);
    // SAFETY: all zeros is a valid action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as extern "C" fn(libc::c_int) as usize;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the action is readable; the handler does only what a handler may, if the pool's word
    // is good.
    unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) };
    let gets = run(&pool);
    POOL.store(std::ptr::null_mut(), SeqCst);
    assert!(SIGNALS.load(SeqCst) > signals, "there were signals");
    assert_eq!(STOLEN.load(SeqCst), 0, "buffers had two owners");
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.in_use_bytes, 0, "nothing is lost");
    // A get inside of a slow path may have been served past the classes.
    assert_eq!(metrics.total_gets + metrics.oversize_gets, gets + GETS.load(SeqCst));
    assert_eq!(metrics.total_misses, 0, "there was always an idle buffer to be had");
}

/// Gets and puts in all classes, through cells and depots. Returns its gets.
fn all_paths(pool: &BufferPool, held: &mut Vec<Buffer>, id: u64) -> u64 {
    for size in SIZES {
        held.extend((0..HELD).map(|_| pool.get(size)));
        assert!(held.iter_mut().all(|buffer| owner::claim(buffer, id)), "handed out twice");
        assert!(held.iter_mut().all(|buffer| owner::disclaim(buffer, id)), "owned by two");
        held.clear();
    }
    (HELD * SIZES.len()) as u64
}

/// Rounds of work; at least so many signals arrive meanwhile.
fn until_signals(count: u64, mut round: impl FnMut() -> u64) -> u64 {
    let end = SIGNALS.load(SeqCst) + count;
    let mut gets = 0;
    while SIGNALS.load(SeqCst) < end {
        gets += round();
    }
    gets
}

fn a_handler_gets_and_puts_in_the_middle_of_gets_and_puts(builder: BufferPoolBuilder) {
    let _turn = turn();
    with_handler(builder, |pool| {
        let thread = |id| {
            let mut held = Vec::with_capacity(HELD);
            let _storm = Storm::on_this_thread(300);
            until_signals(3000, || all_paths(pool, &mut held, id))
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (1..=3).map(|id| scope.spawn(move || thread(id))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread")).sum()
        })
    });
}

fn a_handler_holds_buffers_from_one_signal_to_the_next(builder: BufferPoolBuilder) {
    let _turn = turn();
    with_handler(builder, |pool| {
        let kept = Box::into_raw(Box::new(pool.get(2048)));
        let mut held = Vec::with_capacity(HELD);
        KEPT.store(kept, SeqCst);
        let storm = Storm::on_this_thread(300);
        let gets = until_signals(1500, || all_paths(pool, &mut held, 1));
        drop(storm);
        KEPT.store(std::ptr::null_mut(), SeqCst);
        // SAFETY: made above, and no signal comes any more whose handler would see it.
        drop(unsafe { Box::from_raw(kept) });
        gets + 1
    });
}

fn a_handler_gets_and_puts_in_the_middle_of_a_fork(builder: BufferPoolBuilder) {
    let _turn = turn();
    // In a process of its own, which the system ends if it comes to a standstill.
    let process = child::fork(|| {
        with_handler(builder, |pool| {
            let mut held = Vec::with_capacity(HELD);
            // Longer than a fork takes: the system begins a fork anew when a signal comes
            // meanwhile.
            let _storm = Storm::on_this_thread(3000);
            until_signals(300, || {
                child::check_end(child::wait(child::fork(|| ())));
                all_paths(pool, &mut held, 1)
            })
        });
    });
    child::check_end(child::wait(process));
}
