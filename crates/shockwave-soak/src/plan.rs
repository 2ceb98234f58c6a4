//! How one generation's pool is configured, at random, and the same way for the same seed.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use fastrand::Rng;
use shockwave::{BufferPool, BuildError, Cells, Heap, Map, Pressure, Sampling};

use crate::source::Failing;

/// One generation's configuration.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "switches of the pool, one each")]
pub(crate) struct Plan {
    pub(crate) classes: Vec<usize>,
    locked: bool,
    mapped: bool,
    pub(crate) budget: Option<usize>,
    /// Marks of pressure, where there is a budget: of the low one and of the high one.
    pub(crate) marks: Option<(f64, f64)>,
    fails_one_in: u32,
    zero_on_return: bool,
    verify: bool,
    track: bool,
    passthrough: bool,
    trim_interval: Duration,
    maintainer: bool,
    /// Whether actors reset the metrics under each other's hands, so that nobody can tell what they
    /// should be but for what adds up in itself.
    pub(crate) resets: bool,
    pub(crate) warm_up: usize,
}

/// The class sets that pools have here: the default, one class, and more than fit a cache line.
const CLASS_SETS: [&[usize]; 3] = [
    &[2 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10],
    &[4096],
    &[64, 100, 256, 1000, 1500, 4096, 9000, 16_384, 65_536, 262_144],
];

/// How long a buffer may be out before it is told of, where gets are tracked: some are, most not.
const LONG_HOLD: Duration = Duration::from_millis(50);

impl Plan {
    pub(crate) fn new(random: &mut Rng) -> Self {
        let mut one_in = |n: u32| random.u32(..n) == 0;
        let (locked, mapped, zero_on_return, verify) = (one_in(2), one_in(2), one_in(3), one_in(4));
        let (track, passthrough, maintainer) = (one_in(3), one_in(10), one_in(2));
        let resets = one_in(3);
        let budget = (!one_in(4)).then_some(random.usize(1 << 20..16 << 20));
        let marks = [None, Some((0.1, 0.3)), Some((0.4, 0.8))][random.usize(..3)];
        let classes = CLASS_SETS[random.usize(..CLASS_SETS.len())].to_vec();
        Self {
            classes,
            locked,
            mapped,
            budget,
            marks: marks.filter(|_| budget.is_some()),
            fails_one_in: [0, 50, 5000][random.usize(..3)],
            zero_on_return,
            verify,
            track,
            passthrough,
            trim_interval: Duration::from_millis([0, 20, 1000][random.usize(..3)]),
            maintainer,
            resets,
            warm_up: random.usize(..8),
        }
    }

    /// How often a maintainer looks, if there is one.
    pub(crate) fn maintainer(&self) -> Option<Duration> {
        self.maintainer.then_some(Duration::from_millis(30))
    }

    /// The pool, the source under it, and what is told of its pressure.
    pub(crate) fn build(&self) -> Result<(BufferPool, Failing, Arc<Told>), BuildError> {
        let told = Arc::<Told>::default();
        let source = if self.mapped {
            Failing::new(Map::new(), self.fails_one_in)
        } else {
            Failing::new(Heap, self.fails_one_in)
        };
        let mut builder = BufferPool::builder()
            .classes(&self.classes)
            .trim_interval(self.trim_interval)
            .zero_on_return(self.zero_on_return)
            .passthrough(self.passthrough)
            .source(source.clone());
        if let Some(budget) = self.budget {
            builder = builder.budget(budget);
        }
        if let Some((low, high)) = self.marks {
            let told = Arc::clone(&told);
            builder = builder.on_pressure(low, high, move |side| told.tell(side));
        }
        if self.locked {
            builder = builder.cells(Cells::Locked);
        }
        if self.verify {
            builder = builder.verify_zero(Sampling::one_in(8));
        }
        if self.track {
            builder = builder.track(Sampling::one_in(16)).on_long_hold(LONG_HOLD, |held| {
                assert!(held.age > LONG_HOLD, "{held}");
            });
        }
        Ok((builder.build()?, source, told))
    }
}

/// What was told of a pool's pressure.
#[derive(Debug, Default)]
pub(crate) struct Told {
    is_high: AtomicBool,
    out_of_turn: AtomicBool,
}

impl Told {
    fn tell(&self, side: Pressure) {
        let is_high = side == Pressure::High;
        if self.is_high.swap(is_high, SeqCst) == is_high {
            self.out_of_turn.store(true, SeqCst);
        }
    }

    /// Whether the last word is the one that is true of this pressure, and came in turn.
    pub(crate) fn is_true(&self, pressure: f64, (low, high): (f64, f64)) -> bool {
        let is_high = self.is_high.load(SeqCst);
        !self.out_of_turn.load(SeqCst) && if is_high { pressure > low } else { pressure < high }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = if self.locked { "locked" } else { "auto" };
        let source = if self.mapped { "mapped" } else { "heap" };
        write!(f, "{cells} cells, {source}, {} classes", self.classes.len())?;
        if let Some(budget) = self.budget {
            write!(f, ", {} KiB", budget >> 10)?;
        }
        for (on, name) in [
            (self.marks.is_some(), "watched"),
            (self.fails_one_in > 0, "failing"),
            (self.zero_on_return, "zeroed"),
            (self.verify, "verified"),
            (self.track, "tracked"),
            (self.passthrough, "passthrough"),
            (self.maintainer, "maintained"),
            (self.resets, "reset"),
        ] {
            if on {
                write!(f, ", {name}")?;
            }
        }
        Ok(())
    }
}
