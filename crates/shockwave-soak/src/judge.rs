//! The judge: holds a pool's books against what is really out, with everybody standing still.

use shockwave::BufferPoolMetrics;

use crate::bag::Item;
use crate::plan::Plan;
use crate::source::Failing;

/// What the judge remembers from one verdict to the next.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// For each class, how many buffers were out at the last reset. `None`: nobody knows.
    at_reset: Option<Vec<u64>>,
}

/// What is out, by the bags.
#[derive(Debug)]
struct Out {
    by_class: Vec<u64>,
    oversize_bytes: u64,
    pinned_bytes: u64,
}

impl Out {
    fn of<'a>(classes: &[usize], items: impl Iterator<Item = &'a Item>) -> Self {
        let mut out = Self { by_class: vec![0; classes.len()], oversize_bytes: 0, pinned_bytes: 0 };
        for item in items {
            let bytes = item.capacity();
            match classes.binary_search(&bytes) {
                Ok(class) => out.by_class[class] += 1,
                Err(_) => out.oversize_bytes += bytes as u64,
            }
            if item.is_frozen() {
                out.pinned_bytes += bytes as u64;
            }
        }
        out
    }
}

impl Judge {
    /// For a pool that was never reset.
    pub(crate) fn new(classes: usize) -> Self {
        Self { at_reset: Some(vec![0; classes]) }
    }

    /// The metrics were reset while buffers came and went.
    pub(crate) fn lose_count(&mut self) {
        self.at_reset = None;
    }

    /// The metrics were reset with everybody standing still and `metrics` true.
    pub(crate) fn was_reset(&mut self, metrics: &BufferPoolMetrics) {
        self.at_reset = Some(metrics.pools.iter().map(|class| class.in_use).collect());
    }

    /// Whether everything adds up.
    pub(crate) fn judge<'a>(
        &self,
        plan: &Plan,
        metrics: &BufferPoolMetrics,
        source: &Failing,
        items: impl Iterator<Item = &'a Item>,
    ) -> Result<(), String> {
        let out = Out::of(&plan.classes, items);
        for (index, class) in metrics.pools.iter().enumerate() {
            same(class.in_use, out.by_class[index], class, "in use are as many as are held")?;
            same(class.created, class.in_use + class.idle, class, "created = in use + idle")?;
            same(class.gets, class.hits + class.misses, class, "gets = hits + misses")?;
            let by_way = class.gets_cell + class.gets_depot + class.misses;
            same(class.gets, by_way, class, "gets = by cell + by depot + misses")?;
            same(
                class.puts,
                class.puts_cell + class.puts_depot,
                class,
                "puts = by cell + by depot",
            )?;
            if let Some(at_reset) = &self.at_reset {
                let puts = class.gets + at_reset[index] - class.in_use;
                same(class.puts, puts, class, "puts = gets + in use at the reset - in use")?;
            }
        }
        let oversize = metrics.oversize_in_use_bytes;
        same(oversize, out.oversize_bytes, metrics, "oversize bytes in use are those held")?;
        same(
            metrics.pinned_bytes,
            out.pinned_bytes,
            metrics,
            "pinned are the bytes that are frozen",
        )?;
        same(metrics.taken_bytes, source.out() as u64, metrics, "taken is what the source gave")?;
        same(metrics.waiters, 0, metrics, "nobody waits")?;
        same(metrics.writes_after_return, 0, metrics, "nobody wrote to what was returned")?;
        match (source.peak(), plan.budget) {
            (peak, Some(budget)) if peak > budget => {
                Err(format!("the source gave {peak} bytes at once, of a budget of {budget}"))
            }
            _ => Ok(()),
        }
    }
}

fn same(left: u64, right: u64, shown: &impl std::fmt::Debug, identity: &str) -> Result<(), String> {
    if left == right {
        Ok(())
    } else {
        Err(format!("{identity}: {left} and {right} differ\n{shown:#?}"))
    }
}
