//! What the pool does with the allocator: nothing once warm, nothing it does not give back, and
//! nothing unsound where there is no memory or where the allocator itself uses the pool.
//!
//! This program counts every allocation and every mapping, of each thread apart and of all
//! together, can refuse them, and can run code from within one. Its pools take their memory from
//! the allocator, but for those in `mapped.rs`, which take it from where pools do by default.

#[macro_use]
#[path = "../common/both_cells.rs"]
mod both_cells;
#[path = "../common/cells.rs"]
mod any_source;
#[path = "../common/cpus.rs"]
mod cpus;
#[path = "../common/identities.rs"]
mod identities;
#[path = "../common/pinned.rs"]
mod pinned;

mod cells;
mod counted;
mod ends;
mod mapped;
mod nested;
mod nothing;
mod refused;
