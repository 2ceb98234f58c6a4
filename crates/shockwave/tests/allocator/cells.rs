//! Either kind of cells, with the allocator as the source.

use shockwave::{BufferPoolBuilder, Heap};

use crate::any_source;

/// As `on_locked` of all tests.
pub(crate) fn on_locked(test: impl FnOnce(BufferPoolBuilder)) {
    any_source::on_locked(|builder| test(builder.source(Heap)));
}

/// As `on_rseq` of all tests.
pub(crate) fn on_rseq(test: impl FnOnce(BufferPoolBuilder)) {
    any_source::on_rseq(|builder| test(builder.source(Heap)));
}
