//! Two versions of the pool in one process, by turns: what a get and a put take in each.
//!
//! `cargo xtask versus REVISION` builds this with the crate as it was at the revision, `then`, and
//! as it lies in the working tree, `now`.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// Pools of each version. Where a pool's memory happens to lie makes some percent, so there are
/// several.
const POOLS: usize = 8;
/// Turns that each pool has.
const ROUNDS: usize = 150;
/// Gets of one turn, a multiple of how many are held.
const GETS: usize = 20_480;
/// Bytes asked for.
const BYTES: usize = 4096;

/// What is measured: nanoseconds for each get and put, with one byte written in between.
const FORMS: [&str; 4] = ["at once", "16 held", "256 held", "all cores"];

macro_rules! version {
    ($name:ident) => {
        mod $name {
            use super::*;
            use ::$name::BufferPool;

            #[inline(never)]
            fn at_once(pool: &BufferPool) -> f64 {
                let start = Instant::now();
                for _ in 0..GETS {
                    let mut buffer = pool.get(black_box(BYTES));
                    buffer.push(1);
                    black_box(&buffer);
                }
                nanoseconds(start)
            }

            #[inline(never)]
            fn held(pool: &BufferPool, count: usize) -> f64 {
                let mut buffers = Vec::with_capacity(count);
                let start = Instant::now();
                for _ in 0..GETS / count {
                    for _ in 0..count {
                        let mut buffer = pool.get(black_box(BYTES));
                        buffer.push(1);
                        buffers.push(buffer);
                    }
                    black_box(&mut buffers).clear();
                }
                nanoseconds(start)
            }

            fn all_cores(pool: &BufferPool) -> f64 {
                let cores = thread::available_parallelism().map_or(1, usize::from);
                let barrier = Barrier::new(cores);
                let each = || {
                    barrier.wait();
                    at_once(pool)
                };
                thread::scope(|scope| {
                    let threads: Vec<_> = (0..cores).map(|_| scope.spawn(each)).collect();
                    let times = threads.into_iter().map(|thread| thread.join().expect("ends"));
                    times.sum::<f64>() / cores as f64
                })
            }

            /// A turn of each form, in the order of [`FORMS`].
            fn turn(pool: &BufferPool) -> [f64; 4] {
                [at_once(pool), held(pool, 16), held(pool, 256), all_cores(pool)]
            }

            /// Turns of several pools.
            pub fn turns() -> Vec<Box<dyn FnMut() -> [f64; 4]>> {
                let pools = (0..POOLS).map(|_| BufferPool::new());
                pools.map(|pool| Box::new(move || turn(&pool)) as Box<_>).collect()
            }
        }
    };
}

version!(then);
version!(now);

fn nanoseconds(start: Instant) -> f64 {
    start.elapsed().as_nanos() as f64 / GETS as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let mut turns: Vec<_> = then::turns().into_iter().zip(now::turns()).collect();
    let mut times = vec![[const { Vec::new() }; FORMS.len()]; 2 * POOLS];
    for round in 0..=ROUNDS {
        for (pool, (then, now)) in turns.iter_mut().enumerate() {
            // By turns in this too, who goes first.
            let (first, second) = if round % 2 == 0 {
                let first = then();
                (first, now())
            } else {
                let second = now();
                (then(), second)
            };
            // The first round warms up.
            for form in (0..FORMS.len()).filter(|_| round > 0) {
                times[2 * pool][form].push(first[form]);
                times[2 * pool + 1][form].push(second[form]);
            }
        }
    }
    println!("ns for each get and put of {BYTES} bytes: the median of {POOLS} pools (worst)");
    println!("{:10} {:>14} {:>14} {:>7}", "", "then", "now", "ratio");
    for (form, name) in FORMS.iter().enumerate() {
        let [then, now] = [0, 1].map(|version| {
            let pools = times.iter().skip(version).step_by(2);
            pools.map(|forms| median(forms[form].clone())).collect::<Vec<_>>()
        });
        let worst = |pools: &[f64]| pools.iter().copied().fold(0.0, f64::max);
        let show = |pools: &[f64]| format!("{:.2} ({:.2})", median(pools.to_vec()), worst(pools));
        let ratio = median(now.clone()) / median(then.clone());
        println!("{name:10} {:>14} {:>14} {ratio:>7.2}", show(&then), show(&now));
    }
}
