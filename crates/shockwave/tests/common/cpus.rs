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

/// Moves the calling thread to one CPU and keeps it there.
pub(crate) fn pin(cpu: usize) {
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the number came from such a set.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the set is readable and of the size that is said.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    assert_eq!(result, 0, "moving to CPU {cpu}");
}

/// Runs on a thread that stays on one CPU, so that what is put is what the next get finds.
pub(crate) fn pinned<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    let cpu = allowed()[0];
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            pin(cpu);
            run()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// How many cells a class may have: as many as there may be CPUs, or the next power of two.
pub(crate) fn possible() -> usize {
    let list = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let highest = list.trim().rsplit([',', '-']).next().and_then(|cpu| cpu.parse::<usize>().ok());
    let known = std::thread::available_parallelism().map_or(1, usize::from);
    highest.map_or(known, |highest| highest + 1).next_power_of_two()
}
