//! A thread that stays on one CPU, and how many cells others may have.

use crate::cpus;

/// Moves the calling thread to one CPU and keeps it there.
pub(crate) fn pin(cpu: usize) {
    assert!(cpus::move_thread(0, cpu), "moving to CPU {cpu}");
}

/// Runs on a thread that stays on one CPU, so that what is put is what the next get finds.
pub(crate) fn pinned<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    let cpu = cpus::allowed()[0];
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            pin(cpu);
            run()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// How many cells a class may have: as many as there may be CPUs, or the next power of two.
pub(crate) fn cells_max() -> usize {
    let list = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let highest = list.trim().rsplit([',', '-']).next().and_then(|cpu| cpu.parse::<usize>().ok());
    let known = std::thread::available_parallelism().map_or(1, usize::from);
    highest.map_or(known, |highest| highest + 1).next_power_of_two()
}
