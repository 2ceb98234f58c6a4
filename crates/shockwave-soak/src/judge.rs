//! The judge: holds a pool's books against what is really out, with everybody standing still.

use shockwave::BufferPoolMetrics;

use crate::bag::Item;
use crate::plan::Plan;
use crate::source::Failing;

/// What the judge remembers from one verdict to the next.
#[derive(Debug)]
pub(crate) struct Judge {
    /// What was so at the last reset. `None`: nobody knows.
    last_reset: Option<Reset>,
}

/// What was so when the metrics were reset.
#[derive(Debug)]
struct Reset {
    /// Buffers of each class that were out.
    in_use: Vec<u64>,
    /// Gets served by each class until then, and behind them those by none.
    served: Vec<u64>,
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
        Self { last_reset: Some(Reset { in_use: vec![0; classes], served: vec![0; classes + 1] }) }
    }

    /// The metrics were reset while buffers came and went.
    pub(crate) fn lose_count(&mut self) {
        self.last_reset = None;
    }

    /// Whether gets can be compared.
    pub(crate) fn knows_last_reset(&self) -> bool {
        self.last_reset.is_some()
    }

    /// The metrics were reset with everybody standing still, and these were true.
    pub(crate) fn was_reset(&mut self, metrics: &BufferPoolMetrics, served: &[u64]) {
        let in_use = metrics.pools.iter().map(|class| class.in_use).collect();
        self.last_reset = Some(Reset { in_use, served: served.to_vec() });
    }

    /// Whether everything adds up.
    pub(crate) fn judge<'a>(
        &self,
        plan: &Plan,
        metrics: &BufferPoolMetrics,
        source: &Failing,
        served: &[u64],
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
            if let Some(reset) = &self.last_reset {
                let gets = served[index] - reset.served[index];
                same(class.gets, gets, class, "gets are as many as gave a buffer")?;
                let puts = gets + reset.in_use[index] - class.in_use;
                same(class.puts, puts, class, "puts = gets + in use at the reset - in use")?;
            }
        }
        if let Some(reset) = &self.last_reset {
            let none = plan.classes.len();
            let gets = served[none] - reset.served[none];
            same(
                metrics.oversize_gets,
                gets,
                metrics,
                "oversize gets are as many as gave a buffer",
            )?;
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
