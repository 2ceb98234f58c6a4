//! Processes forked from this one, and how they end.
#![expect(unsafe_code, reason = "forks")]

use std::panic::{AssertUnwindSafe, catch_unwind};

/// How long a child may take before the system ends it. No claim about speed: what takes this long
/// has come to a standstill.
const STANDSTILL_SECONDS: libc::c_uint = 300;

/// What a child that panicked exits with.
const PANICKED: libc::c_int = 101;

/// Runs `child` in a fork of this process, and returns the fork's number. The child ends by
/// `_exit`, with nothing of the parent's run at its end.
pub(crate) fn fork(child: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the child runs on with this thread alone. What it does is what is tested; it ends
    // without returning.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "forking");
    if pid > 0 {
        return pid;
    }
    // SAFETY: asks for a signal that ends this process.
    unsafe { libc::alarm(STANDSTILL_SECONDS) };
    let code = catch_unwind(AssertUnwindSafe(child)).map_or(PANICKED, |()| 0);
    // SAFETY: ends this process and runs nothing.
    unsafe { libc::_exit(code) }
}

/// Waits for a child to change its state, and returns its status.
pub(crate) fn wait(pid: libc::pid_t) -> libc::c_int {
    let mut status = 0;
    // SAFETY: the status is writable.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!(waited, pid, "waiting for a child");
    status
}

/// Checks how a child ended.
#[track_caller]
pub(crate) fn check_end(status: libc::c_int) {
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        let why = if signal == libc::SIGALRM { ": it came to a standstill" } else { "" };
        panic!("the child was ended by signal {signal}{why}");
    }
    assert!(libc::WIFEXITED(status), "the child ended with status {status:#x}");
    assert_eq!(libc::WEXITSTATUS(status), 0, "the child failed");
}
