//! Shockwave.
#![cfg_attr(loom, allow(dead_code, unused_imports, reason = "loom models the core alone"))]

mod asan;
mod buffer;
mod builder;
mod cells;
mod class;
mod depot;
mod engine;
mod error;
mod ext;
mod global;
mod life;
mod limits;
#[cfg(all(test, loom))]
mod loom_tests;
mod magazine;
mod meta;
mod metrics;
mod oversize;
mod pool;
mod reentry;
mod source;
mod sync;

pub use buffer::Buffer;
pub use builder::BufferPoolBuilder;
pub use cells::Cells;
pub use class::{
    BUFFER_SIZE_2KB, BUFFER_SIZE_4KB, BUFFER_SIZE_8KB, BUFFER_SIZE_16KB, BUFFER_SIZE_32KB,
    BUFFER_SIZE_64KB,
};
pub use error::{BuildError, GetError};
pub use global::{
    buffer_pool_metrics, get_buffer, global, print_buffer_pool_metrics, put_buffer,
    put_buffer_with_reset, reset_buffer_pool_metrics, warmup_buffer_pool,
};
pub use metrics::{BufferPoolMetrics, SizedPoolMetrics};
pub use pool::BufferPool;
