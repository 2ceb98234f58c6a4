//! HTTP/1.1 on pooled buffers.

pub mod h1;
mod limits;

pub use limits::Limits;
