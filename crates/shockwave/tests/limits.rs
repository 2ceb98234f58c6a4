//! How many pools there may be: as many as are dropped, and so many at once.
#![expect(clippy::needless_pass_by_value, reason = "each test has a builder to use up or not")]

#[macro_use]
#[path = "common/both_cells.rs"]
mod both_cells;
#[path = "common/cells.rs"]
mod cells;
#[path = "common/identities.rs"]
mod identities;

use std::sync::{Mutex, MutexGuard, PoisonError};

use shockwave::{Buffer, BufferPool, BufferPoolBuilder};

both_cells! {
    ten_thousand_pools_may_come_and_go,
    one_pool_too_many_is_an_error_that_names_the_limit,
    a_buffer_that_is_out_keeps_its_pools_place_and_no_longer,
}

/// Pools that may be alive at once.
const LIMIT: usize = 2048;

/// Pools are the whole process's, so these tests take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds as many pools as there may be, and checks how one more is refused.
fn build_all(builder: &BufferPoolBuilder, count: usize) -> Vec<BufferPool> {
    let pools: Vec<_> = (0..count).map(|_| builder.clone().build().expect("a pool")).collect();
    let error = builder.clone().build().expect_err("one too many");
    assert!(error.is_too_many_pools() && !error.is_classes());
    assert!(error.to_string().contains(&LIMIT.to_string()), "{error}");
    pools
}

fn ten_thousand_pools_may_come_and_go(builder: BufferPoolBuilder) {
    let _turn = turn();
    for round in 0..10_000 {
        let pool = builder.clone().build().expect("a pool");
        let mut buffer = pool.get(1 + round % 4096);
        buffer.push(1);
        if round % 2 == 0 {
            drop(pool);
            assert_eq!(buffer.pool(), None);
        } else {
            drop(buffer);
            identities::check(&pool.metrics());
        }
    }
}

fn one_pool_too_many_is_an_error_that_names_the_limit(builder: BufferPoolBuilder) {
    let _turn = turn();
    let mut pools = build_all(&builder, LIMIT);
    pools.truncate(LIMIT - 10);
    let ten = build_all(&builder, 10);
    // All of them are pools of their own.
    for (index, pool) in pools.iter().chain(&ten).enumerate() {
        drop((0..=index % 3).map(|_| pool.get(2048)).collect::<Vec<_>>());
    }
    for (index, pool) in pools.iter().chain(&ten).enumerate() {
        let metrics = pool.metrics();
        assert_eq!((metrics.total_gets, metrics.in_use_bytes), (index as u64 % 3 + 1, 0));
    }
    drop((pools, ten));
    assert!(std::panic::catch_unwind(|| drop(BufferPool::new())).is_ok(), "all can be built again");
}

fn a_buffer_that_is_out_keeps_its_pools_place_and_no_longer(builder: BufferPoolBuilder) {
    let _turn = turn();
    let pools = build_all(&builder, LIMIT);
    let out: Vec<Buffer> = pools.iter().map(|pool| pool.get(100)).collect();
    drop(pools);
    assert!(builder.clone().build().is_err_and(|error| error.is_too_many_pools()));
    std::thread::spawn(|| drop(out)).join().expect("a thread");
    drop(build_all(&builder, LIMIT));
}
