//! Backpressure: a server that is offered more than its budget holds, and what each kind of get
//! does then.
//!
//! `cargo run -p shockwave --example backpressure`. Eight workers offer more work than 384 KiB can
//! hold at once. Impatient ones use `try_get` and shed what is refused; patient ones wait their
//! turn. Then the peak is over, and a maintainer gives its memory back.
//!
//! It takes two seconds, or less than one with `SHOCKWAVE_EXAMPLE_BRIEF=1`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use shockwave::{BufferPool, Pressure};

const BUDGET: usize = 384 << 10;

fn main() -> Result<(), shockwave::BuildError> {
    let brief = std::env::var_os("SHOCKWAVE_EXAMPLE_BRIEF").is_some_and(|value| value == "1");
    let pool = BufferPool::builder()
        .budget(BUDGET)
        .on_pressure(0.5, 0.95, |pressure| match pressure {
            Pressure::High => println!("pressure is high: a server would stop accepting here"),
            _ => println!("pressure is low again: and go on here"),
        })
        .build()?;

    let (served, shed) = (AtomicU64::new(0), AtomicU64::new(0));
    let end = Instant::now() + Duration::from_millis(if brief { 300 } else { 1500 });
    thread::scope(|scope| {
        for worker in 0..8 {
            let (pool, served, shed) = (&pool, &served, &shed);
            scope.spawn(move || {
                while Instant::now() < end {
                    // A request with three buffers' worth of work, up to 192 KiB in all. Some four
                    // of them fit at once.
                    let size = 1 << (14 + worker % 3);
                    let buffers: Result<Vec<_>, _> = if worker < 4 {
                        (0..3).map(|_| pool.try_get(size)).collect()
                    } else {
                        // One at a time, so that nobody holds one and waits for the next.
                        pool.get_timeout(3 * size, Duration::from_secs(1)).map(|one| vec![one])
                    };
                    match buffers {
                        Ok(_held) => {
                            thread::sleep(Duration::from_millis(2));
                            served.fetch_add(1, Relaxed);
                        }
                        // A server answers 503 with Retry-After.
                        Err(refused) if refused.is_over_budget() => {
                            shed.fetch_add(1, Relaxed);
                            thread::sleep(Duration::from_millis(1));
                        }
                        Err(refused) => panic!("{refused}"),
                    }
                }
            });
        }
    });

    let metrics = pool.metrics();
    println!("served {}, shed {}", served.load(Relaxed), shed.load(Relaxed));
    println!("{} requests waited, {} gets were over budget", metrics.waits, metrics.over_budget);
    println!("idle after the peak: {} KiB", metrics.idle_bytes >> 10);

    let _maintainer = pool.start_maintainer(Duration::from_millis(50));
    thread::sleep(Duration::from_millis(300));
    let metrics = pool.metrics();
    println!("idle with a maintainer: {} KiB", metrics.idle_bytes >> 10);
    println!("given back in all: {} KiB", metrics.released_bytes >> 10);
    Ok(())
}
