//! Random operations on real pools and on an oracle made of plain vectors and counters, which
//! predicts every length, capacity, byte and count.
//!
//! `PROPTEST_CASES` says how many sequences of operations are tried.
#![expect(clippy::needless_pass_by_value, reason = "each test has a builder to use up or not")]

#[macro_use]
#[path = "../common/both_cells.rs"]
mod both_cells;
#[path = "../common/cells.rs"]
mod cells;
#[path = "../common/identities.rs"]
mod identities;

mod operations;
mod oracle;
mod world;

use proptest::test_runner::{Config, TestRunner};
use shockwave::BufferPoolBuilder;

both_cells! {
    random_operations_agree_with_the_oracle,
}

fn random_operations_agree_with_the_oracle(builder: BufferPoolBuilder) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config =
        Config { cases: cases.unwrap_or(48), failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&operations::sequences(), |(classes, operations)| {
        let mut world = world::World::new(builder.clone().classes(&classes), &classes);
        for operation in operations {
            world.run(operation);
            world.check();
        }
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
