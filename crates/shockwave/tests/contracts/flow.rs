//! Flow from one thread to another, and threads that come once and sleep: memory stays bounded.

use std::sync::mpsc::sync_channel;
use std::sync::{Barrier, Condvar, Mutex};

use shockwave::{Buffer, BufferPoolBuilder};

use crate::pinned::pinned;
use crate::{cells_max, identities};

both_cells! {
    from_producer_to_consumer_nothing_is_made_after_warm_up,
    a_thousand_sleeping_threads_keep_no_more_than_the_cpus_may,
    threads_that_come_and_go_strand_nothing,
    a_buffer_that_grows_takes_what_lies_idle_in_a_cell,
}

const SIZE: usize = 4096;
/// Buffers that one CPU may keep to itself in these tests.
const PER_CPU: usize = 8;

fn small(builder: BufferPoolBuilder) -> BufferPoolBuilder {
    builder.classes(&[SIZE]).per_core_bytes(PER_CPU * SIZE)
}

fn from_producer_to_consumer_nothing_is_made_after_warm_up(builder: BufferPoolBuilder) {
    const IN_FLIGHT: usize = 64;
    let pool = small(builder).build().expect("a pool");
    // What is in the channel and in either hand, and what may lie in cells that the producer is not
    // at.
    let enough = IN_FLIGHT + 2 + PER_CPU * cells_max();
    pool.warmup(enough);
    let (sender, receiver) = sync_channel::<Buffer>(IN_FLIGHT);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let sender = sender;
            for number in 0..50_000_u32 {
                let mut buffer = pool.get(SIZE);
                buffer.extend_from_slice(&number.to_le_bytes());
                sender.send(buffer).expect("the consumer listens");
            }
        });
        scope.spawn(|| {
            for (number, buffer) in (0_u32..).zip(receiver) {
                assert_eq!(buffer, number.to_le_bytes());
            }
        });
    });
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!((metrics.total_gets, metrics.total_misses), (50_000, 0));
    assert_eq!(metrics.idle_bytes, (enough * SIZE) as u64);
}

fn a_thousand_sleeping_threads_keep_no_more_than_the_cpus_may(builder: BufferPoolBuilder) {
    const AT_ONCE: usize = 4;
    let pool = small(builder).build().expect("a pool");
    let turns = (Mutex::new(AT_ONCE), Condvar::new());
    let (asleep, awake) = (Barrier::new(1001), Barrier::new(1001));
    std::thread::scope(|scope| {
        let thread = || {
            let mut free = turns.1.wait_while(turns.0.lock().expect("a lock"), |free| *free == 0);
            **free.as_mut().expect("a lock") -= 1;
            drop(free);
            pool.get(SIZE).push(1);
            *turns.0.lock().expect("a lock") += 1;
            turns.1.notify_one();
            asleep.wait();
            awake.wait();
        };
        for _ in 0..1000 {
            let stack = std::thread::Builder::new().stack_size(64 << 10);
            stack.spawn_scoped(scope, thread).expect("a thread");
        }
        asleep.wait();
        let metrics = pool.metrics();
        identities::check(&metrics);
        let idle = metrics.pools[0].idle;
        assert_eq!((metrics.total_gets, metrics.in_use_bytes), (1000, 0));
        // A get makes a buffer only if all that are idle lie in cells, and few can be out at once.
        assert!(idle <= (PER_CPU * cells_max() + AT_ONCE) as u64, "{idle} are idle");
        awake.wait();
    });
}

fn threads_that_come_and_go_strand_nothing(builder: BufferPoolBuilder) {
    let pool = small(builder).build().expect("a pool");
    for _ in 0..200 {
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| drop([pool.get(SIZE), pool.get(SIZE), pool.get(SIZE)]));
            }
        });
    }
    let metrics = pool.metrics();
    identities::check(&metrics);
    let created = metrics.pools[0].created;
    assert_eq!((metrics.total_gets, metrics.in_use_bytes), (1200, 0));
    assert!(created <= (PER_CPU * cells_max() + 6) as u64, "{created} were made");
}

fn a_buffer_that_grows_takes_what_lies_idle_in_a_cell(builder: BufferPoolBuilder) {
    let pool = builder.classes(&[SIZE, 2 * SIZE]).build().expect("a pool");
    // On one CPU, since another one's cell has nothing.
    pinned(|| {
        pool.warmup_class(2 * SIZE, cells_max());
        for _ in 0..1000 {
            let mut buffer = pool.get(SIZE);
            buffer.resize(SIZE + 1, 1);
            assert_eq!(buffer.capacity(), 2 * SIZE);
        }
    });
    let metrics = pool.metrics();
    let larger = metrics.pool(2 * SIZE).expect("the class");
    assert_eq!((larger.gets, larger.misses), (1000, 0));
    // Where a sequence is aborted twice, the depot is asked.
    assert!(larger.gets_cell > 900, "{larger:?}");
}
