//! A debugger that steps through gets and puts, one instruction at a time.
//!
//! Each step sends a restartable sequence back to its start. One that insisted would never get
//! through; a get or a put must leave by the slow path instead.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(unsafe_code, reason = "is a debugger")]

#[macro_use]
#[path = "common/both_cells.rs"]
mod both_cells;
#[path = "common/cells.rs"]
mod cells;
#[path = "common/child.rs"]
mod child;
#[path = "common/identities.rs"]
mod identities;
#[path = "common/quarantine.rs"]
mod quarantine;

use std::ptr::null_mut;
use std::time::Duration;

use shockwave::BufferPoolBuilder;

both_cells! {
    single_steps_get_through_gets_and_puts,
}

/// Gets and puts that are stepped through.
const ROUNDS: u64 = 4;
/// Instructions that one of them may take, in a build without optimization, on all slow paths.
const STEPS_MAX: u64 = 50_000;

fn single_steps_get_through_gets_and_puts(builder: BufferPoolBuilder) {
    // Steps take so long on some systems that an interval passes; what is done then is not counted
    // on here.
    let pool = builder.trim_interval(Duration::ZERO).build().expect("a pool");
    pool.warmup_class(2048, 40);
    let stepped = child::fork(|| {
        // SAFETY: has the parent trace this process.
        let traced =
            unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, null_mut::<u8>(), null_mut::<u8>()) };
        assert_eq!(traced, 0, "this system has no tracing");
        // SAFETY: stops this process until the parent steps it.
        unsafe { libc::raise(libc::SIGSTOP) };
        for _ in 0..ROUNDS {
            let mut buffer = pool.get(2048);
            buffer.push(1);
            drop(buffer);
        }
        // SAFETY: as above; the parent lets this process go on as it likes.
        unsafe { libc::raise(libc::SIGSTOP) };
        let metrics = pool.metrics();
        identities::check(&metrics);
        assert_eq!(
            (metrics.total_gets, metrics.total_puts, metrics.total_misses),
            (ROUNDS, ROUNDS, 0)
        );
    });
    let stopped_by = |status| libc::WIFSTOPPED(status).then(|| libc::WSTOPSIG(status));
    let go = |request| {
        // SAFETY: the child is stopped, and traced by this thread.
        let result = unsafe { libc::ptrace(request, stepped, null_mut::<u8>(), null_mut::<u8>()) };
        assert_eq!(result, 0, "stepping");
    };
    let status = child::wait(stepped);
    if stopped_by(status) != Some(libc::SIGSTOP) {
        return child::check_end(status);
    }
    let mut steps = 0;
    loop {
        go(libc::PTRACE_SINGLESTEP);
        let status = child::wait(stepped);
        match stopped_by(status) {
            Some(libc::SIGTRAP) => steps += 1,
            Some(libc::SIGSTOP) => break,
            _ => return child::check_end(status),
        }
        if steps > ROUNDS * STEPS_MAX {
            // SAFETY: ends the child, which this process started.
            unsafe { libc::kill(stepped, libc::SIGKILL) };
            child::wait(stepped);
            panic!("no end after {steps} steps");
        }
    }
    assert!(steps > ROUNDS * 10, "{steps} steps cannot have been all");
    go(libc::PTRACE_CONT);
    child::check_end(child::wait(stepped));
}
