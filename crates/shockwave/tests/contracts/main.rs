//! What the pool promises, each promise a test named after it, on both ways to enter a cell.

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
