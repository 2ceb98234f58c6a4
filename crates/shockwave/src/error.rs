//! Errors: opaque, with a question for each thing a caller may want to tell apart.

use std::fmt;

use crate::limits::{BUFFER_BYTES_MAX, CLASS_BYTES_MAX, CLASS_BYTES_MIN, CLASSES_MAX, POOLS_MAX};

/// Why a buffer could not be had. From [`try_get`](crate::BufferPool::try_get) and
/// [`try_reserve`](crate::Buffer::try_reserve).
///
/// ```
/// let pool = shockwave::BufferPool::new();
/// let error = pool.try_get(usize::MAX).unwrap_err();
/// assert!(error.is_too_large());
/// assert_eq!(error.requested(), usize::MAX);
/// assert!(error.to_string().contains("4294967295"), "names the limit: {error}");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetError {
    kind: GetErrorKind,
    requested: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GetErrorKind {
    TooLarge,
    OutOfMemory,
    OverBudget { in_use: usize, asked: usize, budget: usize },
}

impl GetError {
    #[cold]
    pub(crate) const fn too_large(requested: usize) -> Self {
        Self { kind: GetErrorKind::TooLarge, requested }
    }

    #[cold]
    pub(crate) const fn out_of_memory(requested: usize) -> Self {
        Self { kind: GetErrorKind::OutOfMemory, requested }
    }

    #[cold]
    pub(crate) const fn over_budget(
        requested: usize,
        in_use: usize,
        asked: usize,
        budget: usize,
    ) -> Self {
        Self { kind: GetErrorKind::OverBudget { in_use, asked, budget }, requested }
    }

    /// Whether the pool's [`budget`](crate::BufferPoolBuilder::budget) is used up: `in_use() +
    /// asked()` exceeds `limit()`. A later try may succeed, unless `asked()` alone exceeds it.
    ///
    /// ```
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = shockwave::BufferPool::builder().budget(10_000).build()?;
    /// let held = pool.get(8192);
    /// let refused = pool.try_get(2000).unwrap_err();
    /// assert!(refused.is_over_budget());
    /// assert_eq!((refused.in_use(), refused.asked(), refused.limit()), (8192, 2048, 10_000));
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn is_over_budget(&self) -> bool {
        matches!(self.kind, GetErrorKind::OverBudget { .. })
    }

    /// Bytes of the pool that could not be had when it refused for want of budget: in use, or asked
    /// for by requests that were waiting already. 0 for other refusals.
    #[must_use]
    pub const fn in_use(&self) -> usize {
        match self.kind {
            GetErrorKind::OverBudget { in_use, .. } => in_use,
            _ => 0,
        }
    }

    /// Bytes that serving the request would have taken from the source when it was refused for want
    /// of budget: those of its class, or where it has none, what was requested and 64 bytes of
    /// header. What was [requested](Self::requested) for other refusals.
    #[must_use]
    pub const fn asked(&self) -> usize {
        match self.kind {
            GetErrorKind::OverBudget { asked, .. } => asked,
            _ => self.requested,
        }
    }

    /// Whether no pool could ever serve this size: it exceeds [`limit`](Self::limit).
    #[must_use]
    pub const fn is_too_large(&self) -> bool {
        matches!(self.kind, GetErrorKind::TooLarge)
    }

    /// Whether the system refused the memory. A later try may succeed.
    #[must_use]
    pub const fn is_out_of_memory(&self) -> bool {
        matches!(self.kind, GetErrorKind::OutOfMemory)
    }

    /// Bytes that were asked for.
    #[must_use]
    pub const fn requested(&self) -> usize {
        self.requested
    }

    /// The limit that was met: the pool's budget in bytes if it [was over
    /// it](Self::is_over_budget), else the bytes in the largest buffer that any pool can serve, 4
    /// GiB less one.
    #[must_use]
    pub const fn limit(&self) -> usize {
        match self.kind {
            GetErrorKind::OverBudget { budget, .. } => budget,
            _ => BUFFER_BYTES_MAX,
        }
    }
}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requested = self.requested;
        match self.kind {
            GetErrorKind::TooLarge => write!(
                f,
                "a buffer of {requested} bytes can never be served: the limit is {BUFFER_BYTES_MAX} bytes"
            ),
            GetErrorKind::OutOfMemory => {
                write!(f, "the system refused memory for a buffer of {requested} bytes")
            }
            GetErrorKind::OverBudget { asked, budget, .. } if asked > budget => write!(
                f,
                "a buffer of {requested} bytes takes {asked}, more than the pool's whole budget of {budget} bytes"
            ),
            GetErrorKind::OverBudget { in_use, asked, budget } => write!(
                f,
                "a buffer of {requested} bytes takes {asked}, but of the pool's budget of {budget} bytes, {in_use} are in use or waited for"
            ),
        }
    }
}

impl std::error::Error for GetError {}

impl From<GetError> for std::io::Error {
    fn from(error: GetError) -> Self {
        Self::new(std::io::ErrorKind::OutOfMemory, error)
    }
}

/// Why a pool could not be built. From [`build`](crate::BufferPoolBuilder::build).
///
/// ```
/// use shockwave::BufferPool;
///
/// let error = BufferPool::builder().classes(&[4096, 2048]).build().unwrap_err();
/// assert!(error.is_classes());
/// assert_eq!(error.to_string(), "classes must be ascending, but 2048 follows 4096");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    kind: BuildErrorKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum BuildErrorKind {
    ClassCount(usize),
    ClassSize(usize),
    ClassOrder(usize, usize),
    CellsVariable(String),
    RseqUnavailable(&'static str),
    TooManyPools,
    Marks { low: String, high: String },
    Unlimited,
    Untracked,
    Unverified,
}

impl BuildError {
    pub(crate) fn class_count(count: usize) -> Self {
        Self { kind: BuildErrorKind::ClassCount(count) }
    }

    pub(crate) fn class_size(size: usize) -> Self {
        Self { kind: BuildErrorKind::ClassSize(size) }
    }

    pub(crate) fn class_order(before: usize, after: usize) -> Self {
        Self { kind: BuildErrorKind::ClassOrder(before, after) }
    }

    pub(crate) fn cells_variable(value: &std::ffi::OsStr) -> Self {
        Self { kind: BuildErrorKind::CellsVariable(value.to_string_lossy().into_owned()) }
    }

    pub(crate) fn rseq_unavailable(reason: &'static str) -> Self {
        Self { kind: BuildErrorKind::RseqUnavailable(reason) }
    }

    pub(crate) fn too_many_pools() -> Self {
        Self { kind: BuildErrorKind::TooManyPools }
    }

    pub(crate) fn marks(low: f64, high: f64) -> Self {
        Self { kind: BuildErrorKind::Marks { low: low.to_string(), high: high.to_string() } }
    }

    pub(crate) fn unlimited() -> Self {
        Self { kind: BuildErrorKind::Unlimited }
    }

    pub(crate) fn untracked() -> Self {
        Self { kind: BuildErrorKind::Untracked }
    }

    pub(crate) fn unverified() -> Self {
        Self { kind: BuildErrorKind::Unverified }
    }

    /// Whether the class set is at fault: its count, a size, or the order.
    #[must_use]
    pub fn is_classes(&self) -> bool {
        use BuildErrorKind::{ClassCount, ClassOrder, ClassSize};
        matches!(self.kind, ClassCount(_) | ClassSize(_) | ClassOrder(..))
    }

    /// Whether the environment variable `SHOCKWAVE_CELLS` holds something other than `auto`, `rseq`
    /// or `locked`.
    #[must_use]
    pub fn is_environment(&self) -> bool {
        matches!(self.kind, BuildErrorKind::CellsVariable(_))
    }

    /// Whether restartable sequences were asked for and this system has none.
    #[must_use]
    pub fn is_rseq_unavailable(&self) -> bool {
        matches!(self.kind, BuildErrorKind::RseqUnavailable(_))
    }

    /// Whether as many pools are alive as a process may have.
    #[must_use]
    pub fn is_too_many_pools(&self) -> bool {
        matches!(self.kind, BuildErrorKind::TooManyPools)
    }

    /// Whether the marks of [`on_pressure`](crate::BufferPoolBuilder::on_pressure) are none: not
    /// both shares of the budget, `0.0..=1.0`, or the low one not below the high one.
    #[must_use]
    pub fn is_marks(&self) -> bool {
        matches!(self.kind, BuildErrorKind::Marks { .. })
    }

    /// Whether pressure was to be told of in a pool without a
    /// [`budget`](crate::BufferPoolBuilder::budget).
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        matches!(self.kind, BuildErrorKind::Unlimited)
    }

    /// Whether long holds were to be told of in a pool that does not
    /// [`track`](crate::BufferPoolBuilder::track) who holds what.
    #[must_use]
    pub fn is_untracked(&self) -> bool {
        matches!(self.kind, BuildErrorKind::Untracked)
    }

    /// Whether writes after return were to be told of in a pool that does not look for them, by
    /// [`verify_zero`](crate::BufferPoolBuilder::verify_zero).
    #[must_use]
    pub fn is_unverified(&self) -> bool {
        matches!(self.kind, BuildErrorKind::Unverified)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            BuildErrorKind::ClassCount(count) => {
                write!(f, "a pool has 1 to {CLASSES_MAX} classes, not {count}")
            }
            BuildErrorKind::ClassSize(size) => {
                write!(f, "a class has {CLASS_BYTES_MIN} to {CLASS_BYTES_MAX} bytes, not {size}")
            }
            BuildErrorKind::ClassOrder(before, after) => {
                write!(f, "classes must be ascending, but {after} follows {before}")
            }
            BuildErrorKind::CellsVariable(value) => write!(
                f,
                "the environment variable SHOCKWAVE_CELLS is {value:?}; expected auto, rseq or locked"
            ),
            BuildErrorKind::RseqUnavailable(reason) => {
                write!(f, "restartable sequences are not available: {reason}")
            }
            BuildErrorKind::TooManyPools => {
                write!(f, "a process may have {POOLS_MAX} pools alive at once, and it has them")
            }
            BuildErrorKind::Marks { low, high } => write!(
                f,
                "the marks of pressure are shares of the budget, 0 <= low < high <= 1, not {low} and {high}"
            ),
            BuildErrorKind::Unlimited => f.write_str(
                "pressure is to be told of, but there is nothing that it is a share of: ask for `budget` as well",
            ),
            BuildErrorKind::Untracked => f.write_str(
                "long holds are to be told of, but no gets are recorded: ask for `track` as well",
            ),
            BuildErrorKind::Unverified => f.write_str(
                "writes after return are to be told of, but no buffers are looked at: ask for `verify_zero` as well",
            ),
        }
    }
}

impl std::error::Error for BuildError {}
