//! After a peak, memory is not resident any more: the system's own account of this process says so.
//!
//! One test, so that nothing else in this process changes the account meanwhile.
#![cfg(all(target_os = "linux", not(shockwave_asan)))]

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use shockwave::{Buffer, BufferPool, Cells};

/// What is in use at the peak.
const PEAK_BYTES: usize = 1 << 30;

/// What stays in use after it.
const WORKING_SET_BYTES: usize = 96 << 20;

/// What warm-up asks for in each class.
const FLOOR: usize = 512;

/// Bytes of this process that are resident, by the system's exact account.
fn resident_bytes() -> usize {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").expect("the system's account");
    let line = rollup.lines().find(|line| line.starts_with("Rss:")).expect("a line for it");
    let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok());
    kib.expect("a number") << 10
}

/// Bytes that the system can spare, if it says so.
fn available_bytes() -> Option<usize> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kib| kib << 10)
}

/// Takes so many bytes, in as many buffers of each class, and writes to every page of them.
fn take(pool: &BufferPool, bytes: usize) -> Vec<Buffer> {
    let count = bytes / pool.class_sizes().sum::<usize>();
    let full = |class| {
        let mut buffer = pool.get(class);
        buffer.resize(class, 1);
        buffer
    };
    let mut taken = Vec::with_capacity(count * pool.class_sizes().count());
    for _ in 0..count {
        taken.extend(pool.class_sizes().map(full));
    }
    taken
}

/// A peak of all memory, on two threads, of which every tenth buffer or so stays. None of those of
/// half a page: a page stays as long as either of its halves does.
fn peak(pool: &BufferPool) -> Vec<Buffer> {
    let every = PEAK_BYTES / WORKING_SET_BYTES;
    let both = Barrier::new(2);
    let half = || {
        let mut taken = take(pool, PEAK_BYTES / 2);
        both.wait();
        let mut i = 0;
        taken.retain(|buffer| {
            i += 1;
            i % every == 0 && buffer.capacity() > 2048
        });
        taken.shrink_to_fit();
        taken
    };
    thread::scope(|scope| {
        let halves = [(); 2].map(|()| scope.spawn(half));
        halves.into_iter().flat_map(|half| half.join().expect("half of it")).collect()
    })
}

/// Says by how much of what is expected the resident memory differs from it.
fn excess(before: usize, expected: usize) -> f64 {
    let ratio = |bytes: usize| f64::from(u32::try_from(bytes >> 10).expect("below 4 TiB"));
    ratio(resident_bytes().saturating_sub(before)) / ratio(expected) - 1.0
}

#[test]
fn after_a_peak_of_a_gib_the_working_set_and_the_floor_are_resident() {
    if available_bytes().is_some_and(|bytes| bytes < 2 * PEAK_BYTES) {
        return eprintln!("skipped: this system cannot spare the memory");
    }
    for cells in [Cells::Rseq, Cells::Locked] {
        let before = resident_bytes();
        let Ok(pool) = BufferPool::builder().cells(cells).build() else { continue };
        pool.warmup(FLOOR);
        let floor = FLOOR * pool.class_sizes().sum::<usize>();
        let held = peak(&pool);
        let working_set: usize = held.iter().map(Buffer::capacity).sum();
        let metrics = pool.metrics();
        assert_eq!(metrics.in_use_bytes, working_set as u64);
        assert!(resident_bytes() > before + PEAK_BYTES * 9 / 10, "nothing has gone back yet");

        // No traffic at all from here on: three intervals end.
        for _ in 0..3 {
            pool.maintain();
        }
        let off = excess(before, working_set + floor);
        assert!(off.abs() < 0.05, "{cells:?}: off by {:.1} %", off * 100.0);

        drop(held);
        pool.trim();
        let off = excess(before, floor);
        assert!(off.abs() < 0.25, "{cells:?}: off by {:.1} %, tables included", off * 100.0);
    }

    // A maintainer does the same by itself.
    let before = resident_bytes();
    let pool = BufferPool::new();
    pool.warmup(FLOOR);
    let floor = FLOOR * pool.class_sizes().sum::<usize>();
    let maintainer = pool.start_maintainer(Duration::from_millis(20));
    let held = peak(&pool);
    let working_set: usize = held.iter().map(Buffer::capacity).sum();
    let start = Instant::now();
    while excess(before, working_set + floor).abs() >= 0.05 {
        assert!(start.elapsed() < Duration::from_secs(60), "memory stays resident");
        thread::sleep(Duration::from_millis(5));
    }
    drop((maintainer, held));
}
