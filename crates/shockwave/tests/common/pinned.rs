//! A thread that stays on one CPU.

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
