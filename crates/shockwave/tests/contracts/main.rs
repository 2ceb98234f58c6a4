//! What the pool promises, each promise a test named after it, on both ways to enter a cell.
#![expect(clippy::needless_pass_by_value, reason = "each test has a builder to use up or not")]

#[macro_use]
#[path = "../common/both_cells.rs"]
mod both_cells;
#[path = "../common/cells.rs"]
mod cells;
#[path = "../common/cpus.rs"]
mod cpus;
#[path = "../common/identities.rs"]
mod identities;
#[path = "../common/pinned.rs"]
mod pinned;
#[path = "../common/random.rs"]
mod random;

#[cfg(feature = "bytes")]
mod bytes_feature;
mod clean;
mod flaws;
mod flow;
mod kept;
mod lifetimes;
mod metrics;
mod sizes;
mod streams;
mod tenants;
mod traits;

/// How many cells a class may have: as many as there may be CPUs, or the next power of two.
pub(crate) fn cells_max() -> usize {
    let list = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let highest = list.trim().rsplit([',', '-']).next().and_then(|cpu| cpu.parse::<usize>().ok());
    let known = std::thread::available_parallelism().map_or(1, usize::from);
    highest.map_or(known, |highest| highest + 1).next_power_of_two()
}
