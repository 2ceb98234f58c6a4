//! A thread that stays on one CPU, so that what was put last is what the next get finds.
#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "asks the system for a CPU"))]

/// Runs on a thread that stays on one of the CPUs that this one may run on.
pub(crate) fn pinned(run: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            stay();
            run();
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

/// Keeps the calling thread on the CPU that it runs on.
#[cfg(target_os = "linux")]
fn stay() {
    // SAFETY: asks for a number.
    let cpu = unsafe { libc::sched_getcpu() };
    // SAFETY: zero bytes are a set of no CPUs.
    let mut cpus: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let cpu = usize::try_from(cpu).expect("a CPU's number");
    // SAFETY: checks the number against the size of the set.
    unsafe { libc::CPU_SET(cpu, &mut cpus) };
    // SAFETY: the set is as large as is said.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&cpus), &raw const cpus) };
    assert_eq!(result, 0, "staying on CPU {cpu}");
}

/// Elsewhere there are only locked cells, which threads and not CPUs have.
#[cfg(not(target_os = "linux"))]
fn stay() {}
