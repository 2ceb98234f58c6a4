//! Steps that disturb: trims and resets, other CPUs, other threads, other processes.
#![expect(unsafe_code, reason = "forks, and moves between CPUs")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use super::Actor;
use crate::bag::Item;

/// How long a child may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// The CPUs that this thread may run on.
pub(super) fn allowed() -> Vec<usize> {
    // SAFETY: a set of CPUs is plain bits.
    let mut cpus: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: writes a set of that size.
    let result = unsafe { libc::sched_getaffinity(0, size_of_val(&cpus), &raw mut cpus) };
    assert_eq!(result, 0, "a thread knows where it may run");
    // SAFETY: every number lies within the set.
    let has = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &cpus) };
    (0..8 * size_of_val(&cpus)).filter(has).collect()
}

impl Actor<'_> {
    pub(super) fn trim(&mut self) {
        if self.random.bool() {
            self.pool.trim()
        } else {
            self.pool.maintain()
        };
        self.world.tally.trims.one();
    }

    pub(super) fn reset(&mut self) {
        self.world.was_reset.store(true, Relaxed);
        self.pool.reset_metrics();
        self.world.tally.resets.one();
    }

    /// Moves to one CPU, whichever, for good or until the next move.
    pub(super) fn move_elsewhere(&mut self) {
        let cpu = self.cpus[self.random.usize(..self.cpus.len())];
        // SAFETY: a set of CPUs is plain bits.
        let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: the number came out of such a set.
        unsafe { libc::CPU_SET(cpu, &mut one) };
        // SAFETY: reads a set of that size.
        let result = unsafe { libc::sched_setaffinity(0, size_of_val(&one), &raw const one) };
        // A CPU that has gone meanwhile is no place to move to.
        if result != 0 {
            return;
        }
        self.world.tally.moves.one();
    }

    /// Takes and puts on a thread that ends at once.
    pub(super) fn take_on_a_thread(&mut self) -> Result<(), String> {
        let (pool, size) = (self.pool, self.size());
        self.world.tally.threads.one();
        let taken = thread::scope(|scope| {
            let take = move || pool.try_get(size).map(|buffer| Item::new(buffer, 100, 0xAA));
            scope.spawn(take).join()
        });
        match taken {
            Ok(Ok(item)) => {
                let item = item?;
                self.world.count_get(item.capacity());
                item.put(Some(pool), 0)
            }
            Ok(Err(_)) => Ok(()),
            Err(_) => Err("a thread panicked".into()),
        }
    }

    /// Forks a child that uses the pool and exits.
    pub(super) fn fork(&mut self) -> Result<(), String> {
        self.world.tally.forks.one();
        // SAFETY: the child does nothing but use the pool, which is made for that, and exits.
        match unsafe { libc::fork() } {
            0 => self.be_a_child(),
            child if child > 0 => wait_for(child),
            // Too many processes, or no memory for one more.
            _ => Ok(()),
        }
    }

    fn be_a_child(&mut self) -> ! {
        let work = || {
            for _ in 0..64 {
                let Ok(buffer) = self.pool.try_get(self.size()) else { continue };
                Item::new(buffer, 512, 0x55).and_then(|item| item.put(Some(self.pool), 3))?;
            }
            // That it comes back at all: a lock that some other thread held would be held for ever.
            let _ = self.pool.metrics();
            Ok::<_, String>(())
        };
        let status = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(())) => 0,
            _ => 1,
        };
        // SAFETY: ends the process here and now.
        unsafe { libc::_exit(status) }
    }
}

/// Waits until a child has ended, and well, but not for ever.
fn wait_for(child: libc::pid_t) -> Result<(), String> {
    let step = Duration::from_millis(1);
    let mut waited = Duration::ZERO;
    let mut status = 0;
    loop {
        // SAFETY: a child of ours, and a place for its status.
        match unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } {
            0 if waited < PATIENCE => {
                thread::sleep(step);
                waited += step;
            }
            0 => {
                // SAFETY: still ours, not yet waited for.
                unsafe { libc::kill(child, libc::SIGKILL) };
                return Err("a child is stuck".into());
            }
            _ if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 => return Ok(()),
            _ => return Err(format!("a child ended with status {status:#x}")),
        }
    }
}
