//! Metrics are exact whenever no get or put is in flight, and sane whenever there is.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;

use shockwave::{Buffer, BufferPool, BufferPoolBuilder};

use crate::identities;
use crate::random::Random;

both_cells! {
    identities_hold_to_the_unit_whatever_threads_did,
    gets_never_go_back_under_concurrent_readers,
    a_reset_under_load_neither_tears_nor_disturbs,
    nothing_done_is_nothing_counted,
    warm_up_under_load_counts_as_nothing,
    each_get_and_put_counts_once_on_whichever_path,
    a_refused_get_is_counted_as_refused_alone,
}

const SIZES: [usize; 4] = [2048, 4096, 16_384, 65_536];

/// Gets, holds, writes, grows and hands over; keeps some to the end. Returns its gets of a class,
/// its gets beyond the classes, and what it still holds.
fn load(pool: &BufferPool, seed: u64, pass: &dyn Fn(Buffer)) -> (u64, u64, Vec<Buffer>) {
    let mut random = Random::new(seed);
    let (mut gets, mut oversize) = (0, 0);
    let mut held: Vec<Buffer> = Vec::new();
    for round in 0..8000 {
        match random.below(100) {
            0 => {
                drop(pool.get(100_000));
                oversize += 1;
            }
            1 => {
                let mut grown = pool.get(2048);
                grown.resize(5000, 1); // one more get, in the class of 8 KiB
                gets += 2;
            }
            2 => held.truncate(random.below(40)),
            3..=10 if !held.is_empty() => drop(held.swap_remove(held.len() / 2)),
            action => {
                let mut buffer = pool.get(SIZES[random.below(SIZES.len())]);
                gets += 1;
                buffer.push(1);
                match action % 3 {
                    0 if held.len() < 200 => held.push(buffer),
                    1 if round % 5 == 0 => pass(buffer),
                    _ => pool.put(buffer),
                }
            }
        }
    }
    held.truncate(3);
    (gets, oversize, held)
}

fn identities_hold_to_the_unit_whatever_threads_did(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let (sender, receiver) = sync_channel::<Buffer>(64);
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|seed| {
                let (pool, sender) = (&pool, sender.clone());
                scope.spawn(move || load(pool, seed, &|buffer| drop(sender.try_send(buffer))))
            })
            .collect();
        drop(sender);
        scope.spawn(move || receiver.into_iter().for_each(drop));
        threads.into_iter().map(|thread| thread.join().expect("a worker")).collect()
    });
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.total_gets, results.iter().map(|(gets, _, _)| gets).sum::<u64>());
    assert_eq!(metrics.oversize_gets, results.iter().map(|(_, gets, _)| gets).sum::<u64>());
    assert_eq!(metrics.oversize_gets, metrics.oversize_puts);
    let held: usize = results.iter().map(|(_, _, held)| held.len()).sum();
    assert_eq!(metrics.pools.iter().map(|class| class.in_use).sum::<u64>(), held as u64);
    drop(results);
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!((metrics.in_use_bytes, metrics.total_puts), (0, metrics.total_gets));
}

fn gets_never_go_back_under_concurrent_readers(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let stop = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut before = pool.metrics();
                while !stop.load(Relaxed) {
                    let least = done.load(Relaxed);
                    let now = pool.metrics();
                    identities::check_at_any_time(&now);
                    for (now, before) in now.pools.iter().zip(&before.pools) {
                        assert!(now.gets >= before.gets, "{now:?} after {before:?}");
                        assert!(now.misses >= before.misses, "{now:?} after {before:?}");
                    }
                    assert!(now.total_gets >= least, "{} of {least}", now.total_gets);
                    before = now;
                }
            });
        }
        let workers: Vec<_> = (0..3)
            .map(|seed| {
                let (pool, done) = (&pool, &done);
                scope.spawn(move || {
                    let (gets, _, held) = load(pool, seed, &drop);
                    done.fetch_add(gets, Relaxed);
                    drop(held);
                })
            })
            .collect();
        let results: Vec<_> =
            workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        stop.store(true, Relaxed);
        assert!(results.iter().all(Result::is_ok));
    });
    identities::check(&pool.metrics());
}

fn a_reset_under_load_neither_tears_nor_disturbs(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    pool.reset_metrics();
                    identities::check_at_any_time(&pool.metrics());
                }
            });
        }
        let worker = scope.spawn(|| drop(load(&pool, 9, &drop)));
        let result = worker.join();
        stop.store(true, Relaxed);
        assert!(result.is_ok());
    });
    pool.reset_metrics();
    let metrics = pool.metrics();
    assert_eq!((metrics.total_gets, metrics.total_puts, metrics.oversize_gets), (0, 0, 0));
    for _ in 0..77 {
        drop(pool.get(2048));
    }
    identities::check(&pool.metrics());
    assert_eq!(pool.metrics().total_gets, 77);
}

fn nothing_done_is_nothing_counted(builder: BufferPoolBuilder) {
    let metrics = builder.build().expect("a pool").metrics();
    identities::check(&metrics);
    assert_eq!(metrics.pools.len(), 6);
    assert_eq!((metrics.total_gets, metrics.total_puts, metrics.refused), (0, 0, 0));
    assert_eq!((metrics.in_use_bytes, metrics.idle_bytes, metrics.memory_allocated), (0, 0, 0));
    assert!(metrics.global_hit_rate < f64::EPSILON && metrics.reuse_efficiency < f64::EPSILON);
    assert_eq!(metrics.pool(2048).map(|class| class.size), Some(2048));
    assert_eq!(metrics.pool(2049), None);
}

fn warm_up_under_load_counts_as_nothing(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let (made, gets) = std::thread::scope(|scope| {
        let worker = scope.spawn(|| load(&pool, 5, &drop).0);
        let made: usize = (1..60).map(|count| pool.warmup(count)).sum();
        (made as u64, worker.join().expect("the worker"))
    });
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.total_gets, gets);
    let created: u64 = metrics.pools.iter().map(|class| class.created).sum();
    assert_eq!(created, made + metrics.total_misses, "made by warm-up, or by a get that missed");
}

fn each_get_and_put_counts_once_on_whichever_path(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for round in 1..=50 {
        let held: Vec<_> = (0..300).map(|_| pool.get(2048)).collect();
        let out = pool.metrics();
        identities::check(&out);
        assert_eq!((out.total_gets, out.pools[0].in_use), (round * 300, 300));
        drop(held);
        let back = pool.metrics();
        identities::check(&back);
        assert_eq!((back.total_puts, back.pools[0].in_use), (round * 300, 0));
    }
    let class = &pool.metrics().pools[0];
    assert!(class.gets_cell > 0 && class.gets_depot > 0 && class.misses >= 300, "{class:?}");
    assert!(class.puts_cell > 0 && class.puts_depot > 0, "{class:?}");
    assert_eq!(class.puts, class.puts_cell + class.puts_depot);
}

fn a_refused_get_is_counted_as_refused_alone(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    assert!(pool.try_get(usize::MAX).is_err());
    assert!(pool.get(10).try_reserve(usize::MAX / 2).is_err());
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!((metrics.refused, metrics.oversize_gets, metrics.total_gets), (1, 0, 1));
}
