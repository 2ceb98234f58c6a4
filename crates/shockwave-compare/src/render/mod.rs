//! A report as a page: text for a terminal, Markdown for docs/PERF.md. Both are made of the same
//! tables.

pub(crate) mod markdown;
pub(crate) mod tables;
pub(crate) mod text;
