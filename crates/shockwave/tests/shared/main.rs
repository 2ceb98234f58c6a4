//! Frozen buffers: what they show, when they go home and in what state, and what they cost the
//! pool.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as a test does")]

/// Makes two tests, `name::rseq` and `name::locked`, of each function named. The function takes the
/// builder of a pool with such cells.
macro_rules! both_cells {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[test]
            fn rseq() {
                crate::on(shockwave::Cells::Rseq, super::$name);
            }

            #[test]
            fn locked() {
                crate::on(shockwave::Cells::Locked, super::$name);
            }
        }
    )+};
}

mod clean;
mod handles;
mod lifetimes;
mod model;
mod pinned;
mod traits;

use shockwave::{BufferPool, BufferPoolBuilder, Cells, Shared};

/// Runs a test on cells of one kind. Says so where the system has none such.
fn on(cells: Cells, test: impl FnOnce(BufferPoolBuilder)) {
    match BufferPool::builder().cells(cells).build() {
        Ok(pool) => assert_eq!(pool.cells(), cells),
        Err(error) => return eprintln!("skipped: {error}"),
    }
    test(BufferPool::builder().cells(cells));
}

/// A frozen buffer of a pool with these bytes.
fn frozen(pool: &BufferPool, bytes: &[u8]) -> Shared {
    let mut buffer = pool.get(bytes.len());
    buffer.extend_from_slice(bytes);
    buffer.freeze()
}

/// Checks that a pool has nothing out, nothing pinned, and counts that agree.
#[track_caller]
fn check_at_rest(pool: &BufferPool) {
    let metrics = pool.metrics();
    assert_eq!((metrics.in_use_bytes, metrics.pinned_bytes), (0, 0), "{metrics:?}");
    assert_eq!(metrics.total_gets, metrics.total_puts);
    assert!(metrics.pools.iter().all(|class| class.created == class.idle));
}
