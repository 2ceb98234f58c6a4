//! How a pool is told what to be.

use std::sync::Arc;
use std::time::Duration;

use crate::buffer::{hand_debts_over, settle_debts};
use crate::cells::{CellSet, Cells};
use crate::class::{DEFAULT_CLASSES, SizeClasses};
use crate::engine::{Engine, Rules};
use crate::error::BuildError;
use crate::life::Handle;
use crate::limits::{PER_CORE_BYTES, TRIM_INTERVAL_MS};
use crate::modes::Modes;
use crate::pool::BufferPool;
use crate::reentry::{self, Debts};
use crate::source::{self, Source};
use crate::watch::{Marks, Pressure};

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
    rules: Rules,
    /// What the pool is to do besides; its setters are in `diagnosis.rs`.
    pub(crate) modes: Modes,
}

impl BufferPool {
    /// A builder with the defaults, each said where it is set.
    pub fn builder() -> BufferPoolBuilder {
        BufferPoolBuilder {
            classes: DEFAULT_CLASSES.to_vec(),
            cells: Cells::Auto,
            per_core_bytes: PER_CORE_BYTES,
            source: source::default(),
            rules: Rules { budget: usize::MAX, interval_ms: TRIM_INTERVAL_MS, marks: None },
            modes: Modes::default(),
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

    /// Where buffers' memory comes from. Default: [`Map`](crate::Map) on Linux, so that what goes
    /// back is the system's at once; elsewhere [`Heap`](crate::Heap), the global allocator. Clones
    /// of this builder build pools that share the source. Cost: asked once for each buffer that is
    /// made, never for one that is found.
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.source = Arc::new(source);
        self
    }

    /// Bytes that the pool may take from its source, those of idle buffers included. Default: no
    /// limit. Never exceeded by one byte, and not rounded. A get is refused only if what is in use
    /// and what it asks for exceed it: before that, idle buffers of other CPUs and classes are
    /// given back to the source. A buffer beyond the largest class takes 64 bytes more than it
    /// holds. What the pool maps for itself is not from the source and does not count: some 8 bytes
    /// for each buffer, and 64 for each that is frozen. Pools built by clones of this builder have
    /// a budget each.
    ///
    /// Cost: none where a buffer is found; where one is made, an atomic addition; where the
    /// budget is used up, some microseconds to look everywhere.
    pub fn budget(mut self, bytes: usize) -> Self {
        self.rules.budget = bytes;
        self
    }

    /// Has `tell` called when [`pressure`](BufferPool::pressure) has risen to `high` or above, and
    /// then when it has fallen to `low` or below, in turn; both as shares of the budget,
    /// `0.0..=1.0`, and `low` less than `high`. Default: nobody is told. A later call replaces an
    /// earlier one. Needs a [`budget`](Self::budget): without one, and with other marks,
    /// [`build`](Self::build) refuses, rather than to build a pool that never says anything.
    ///
    /// It is called by the get or put that crosses the mark, whether a cell could have served it
    /// or not: on that thread, with no lock held, and it may use the pool. Its panic is reported as
    /// any is, and goes no further. Of several threads that cross marks at once one tells, in turn,
    /// and at rest the last word is the one that is true. What a signal handler crosses that
    /// interrupted a get or a put of the same thread is told by the next that comes by.
    ///
    /// Cost: none where cells serve. To be sure that nothing is missed, all cells of a class
    /// together may hold no more than half of what the pressure is away from the next mark. So
    /// close to one they hold less than they would, and in the last stretch, some two buffers for
    /// each CPU, nothing: each get and put then visits the depot. Crossing one closes the cells of
    /// all CPUs, which takes microseconds; so may coming close, once in some hundred visits.
    ///
    /// ```
    /// use std::sync::{Arc, atomic::{AtomicBool, Ordering::Relaxed}};
    /// use shockwave::{BufferPool, Pressure};
    ///
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let accepting = Arc::new(AtomicBool::new(true));
    /// let gate = Arc::clone(&accepting);
    /// let pool = BufferPool::builder()
    ///     .budget(1 << 20)
    ///     .on_pressure(0.5, 0.9, move |pressure| gate.store(pressure == Pressure::Low, Relaxed))
    ///     .build()?;
    /// let held: Vec<_> = (0..15).map(|_| pool.get(1 << 16)).collect();
    /// assert!(!accepting.load(Relaxed));
    /// drop(held);
    /// assert!(accepting.load(Relaxed));
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_pressure(
        mut self,
        low: f64,
        high: f64,
        tell: impl Fn(Pressure) + Send + Sync + 'static,
    ) -> Self {
        self.rules.marks = Some(Marks { low, high, tell: Arc::new(tell) });
        self
    }

    /// How long a buffer lies idle before it may go back to the source by itself: what was not
    /// needed in a whole interval does. Default: 10 seconds. Rounded up to milliseconds, so at
    /// least one, unless it is zero, which turns this off. Looked at when a put visits a depot,
    /// unless the source is not [for signal handlers](Source::is_signal_safe), and when a get or
    /// put asks the source anyway; then at most 4 MiB of each class go back.
    ///
    /// So this is for traffic that goes to the depots. Without traffic nothing goes back, **and as
    /// little does where each CPU's own cells serve all of it**: up to 243 buffers of a class held
    /// at once and dropped where they were taken visit no depot, for as long as that goes on. A
    /// server whose peak is followed by such hours keeps the peak's memory all the while. Whatever
    /// the traffic, a [`Maintainer`](crate::Maintainer) or [`maintain`](BufferPool::maintain) gives
    /// it back, and a program that runs for long should have one of them. Cost: a look at the
    /// clock, five nanoseconds, for each visit.
    pub fn trim_interval(mut self, interval: Duration) -> Self {
        let rounded_ms = interval.as_nanos().div_ceil(1_000_000);
        // No longer than what can be added to a clock.
        self.rules.interval_ms = u64::try_from(rounded_ms).unwrap_or(u64::MAX).min(u64::MAX / 2);
        self
    }

    /// Builds the pool. It makes no buffers yet; see [`warmup`](BufferPool::warmup).
    ///
    /// # Errors
    ///
    /// A [`BuildError`] that says what was wrong and what was expected: a class set out of bounds
    /// or out of order, restartable sequences asked for where there are none, a bad
    /// `SHOCKWAVE_CELLS`, marks of [`on_pressure`](Self::on_pressure) that are out of bounds or out
    /// of order, or 2048 pools alive; or somebody to be told of what the pool would never find:
    /// pressure without a [`budget`](Self::budget), [writes after
    /// return](Self::on_write_after_return) without [`verify_zero`](Self::verify_zero), or [long
    /// holds](Self::on_long_hold) without [`track`](Self::track).
    pub fn build(self) -> Result<BufferPool, BuildError> {
        reentry::settle_with(Debts { settle: settle_debts, hand_over: hand_debts_over });
        let classes = SizeClasses::new(&self.classes)?;
        let cells = CellSet::new(self.cells)?;
        self.modes.check()?;
        check_marks(&self.rules)?;
        let Self { per_core_bytes, source, rules, modes, .. } = self;
        let handle = Handle::register(|pool| {
            Engine::new(pool, classes, cells, per_core_bytes, source, rules).with_modes(modes)
        })?;
        Ok(BufferPool::from_handle(handle))
    }
}

/// Refuses marks that the pressure on the pool could not cross.
fn check_marks(rules: &Rules) -> Result<(), BuildError> {
    match &rules.marks {
        // Said so that a mark that is not a number is refused too.
        Some(Marks { low, high, .. }) if !(0.0 <= *low && low < high && *high <= 1.0) => {
            Err(BuildError::marks(*low, *high))
        }
        Some(_) if rules.budget == usize::MAX => Err(BuildError::unlimited()),
        _ => Ok(()),
    }
}
