//! The CPUs of this system, and how a thread is kept on one of them.
#![expect(unsafe_code, reason = "asks the system to move threads")]

/// CPUs this process may run on, by number.
pub(crate) fn allowed() -> Vec<usize> {
    let set = affinity();
    let has = |cpu: &usize| {
        // SAFETY: looks a bit up in a set that is large enough for the number.
        unsafe { libc::CPU_ISSET(*cpu, &set) }
    };
    (0..usize::try_from(libc::CPU_SETSIZE).unwrap_or(0)).filter(has).collect()
}

fn affinity() -> libc::cpu_set_t {
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is writable and of the size that is said.
    let result = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    assert_eq!(result, 0, "asking for the CPUs of this thread");
    set
}

/// Moves a thread to one CPU and keeps it there; 0 is the calling thread. Says whether it could.
pub(crate) fn move_thread(thread: libc::pid_t, cpu: usize) -> bool {
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the number came from such a set.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the set is readable and of the size that is said.
    unsafe { libc::sched_setaffinity(thread, size_of_val(&set), &raw const set) == 0 }
}
