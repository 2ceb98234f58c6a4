//! HTTP/1.1 on pooled buffers.

pub mod h1;
pub mod http11;
mod limits;

pub use limits::Limits;
