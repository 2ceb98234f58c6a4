//! How a pool is told what to be.

use std::sync::Arc;

use crate::cells::{CellSet, Cells};
use crate::class::{DEFAULT_CLASSES, SizeClasses};
use crate::engine::Engine;
use crate::error::BuildError;
use crate::life::Handle;
use crate::limits::PER_CORE_BYTES;
use crate::pool::BufferPool;
use crate::source::{Heap, Source};

/// Builds a [`BufferPool`] that differs from the default one. From [`BufferPool::builder`].
///
/// ```
/// use shockwave::{BufferPool, Cells};
///
/// # fn main() -> Result<(), shockwave::BuildError> {
/// let pool = BufferPool::builder()
///     .classes(&[512, 1500, 9000])
///     .cells(Cells::Auto)
///     .per_core_bytes(1 << 20)
///     .build()?;
/// assert_eq!(pool.get(1000).capacity(), 1500);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct BufferPoolBuilder {
    classes: Vec<usize>,
    cells: Cells,
    per_core_bytes: usize,
    source: Arc<dyn Source>,
}

impl BufferPool {
    /// A builder with the defaults, each said where it is set.
    pub fn builder() -> BufferPoolBuilder {
        BufferPoolBuilder {
            classes: DEFAULT_CLASSES.to_vec(),
            cells: Cells::Auto,
            per_core_bytes: PER_CORE_BYTES,
            source: Arc::new(Heap),
        }
    }
}

impl BufferPoolBuilder {
    /// The capacities to pool: 1 to 32 of them, ascending, 64 bytes to 16 MiB each. Default: 2, 4,
    /// 8, 16, 32 and 64 KiB. Taken as they are, not rounded. Cost: any set is as fast as any other,
    /// but for sets of more than eight classes, whose cells take more than one cache line for each
    /// CPU.
    pub fn classes(mut self, sizes: &[usize]) -> Self {
        sizes.clone_into(&mut self.classes);
        self
    }

    /// How cells are entered. Default: [`Cells::Auto`], which also asks the environment variable
    /// `SHOCKWAVE_CELLS` for `auto`, `rseq` or `locked`.
    pub fn cells(mut self, cells: Cells) -> Self {
        self.cells = cells;
        self
    }

    /// Bytes of idle buffers that one CPU may keep to itself, all classes together. Default: 8 MiB.
    /// Each class begins with an even share, up to 32 buffers, and grows up to 243 where depots are
    /// visited often. What is idle beyond the limit lies in the depots, where all CPUs have it.
    /// Each class keeps one buffer for each CPU whatever the limit. Cost of less: more visits to
    /// the depots, some 60 ns for each half of what a class may keep.
    pub fn per_core_bytes(mut self, bytes: usize) -> Self {
        self.per_core_bytes = bytes;
        self
    }

    /// Where buffers' memory comes from. Default: [`Heap`], the global allocator. Clones of this
    /// builder build pools that share the source. Cost: asked once for each buffer that is made,
    /// never for one that is found.
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.source = Arc::new(source);
        self
    }

    /// Builds the pool. It makes no buffers yet; see [`warmup`](BufferPool::warmup).
    ///
    /// # Errors
    ///
    /// A [`BuildError`] that says what was wrong and what was expected: a class set out of bounds
    /// or out of order, restartable sequences asked for where there are none, a bad
    /// `SHOCKWAVE_CELLS`, or 2048 pools alive.
    pub fn build(self) -> Result<BufferPool, BuildError> {
        let classes = SizeClasses::new(&self.classes)?;
        let cells = CellSet::new(self.cells)?;
        let Self { per_core_bytes, source, .. } = self;
        let handle =
            Handle::register(|pool| Engine::new(pool, classes, cells, per_core_bytes, source))?;
        Ok(BufferPool::from_handle(handle))
    }
}
