//! Scales: from a value to a place on a plot, and the ticks that label it.

/// A scale from values to pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    is_log: bool,
}

impl Scale {
    /// `from..=to` in even steps onto pixels `start..=end`.
    pub(super) fn linear(from: f64, to: f64, start: f64, end: f64) -> Self {
        // A plot of nothing is still a plot.
        let to = if to > from { to } else { from + 1.0 };
        Self { from, to, start, end, is_log: false }
    }

    /// `from..=to`, both above 0, in even factors onto pixels `start..=end`.
    pub(super) fn log(from: f64, to: f64, start: f64, end: f64) -> Self {
        Self { is_log: true, ..Self::linear(from.log10(), to.log10(), start, end) }
    }

    /// Where a value lies, within the plot.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = if self.is_log { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let share = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        self.start + share * (self.end - self.start)
    }

    /// Values to label: about `wanted` round ones, or each power of ten.
    pub(super) fn ticks(&self, wanted: f64) -> Vec<f64> {
        let (from, to) = (self.from, self.to);
        let step = if self.is_log {
            ((to - from) / wanted).ceil().max(1.0)
        } else {
            round_step((to - from) / wanted)
        };
        let first = (from / step - 1e-9).ceil();
        let ticks = (0..100).map(|i| (first + f64::from(i)) * step);
        let ticks = ticks.take_while(|&tick| tick <= to + step * 1e-9);
        ticks.map(|tick| if self.is_log { 10_f64.powf(tick) } else { tick }).collect()
    }
}

/// The next of 1, 2, 5 times a power of ten that is no less.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].map(|factor| factor * power);
    step.into_iter().find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// The upper end of a scale for values up to `most`: the next round one.
pub(super) fn round_up(most: f64, steps: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let step = round_step(most / steps);
    (most / step).ceil() * step
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "round numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_where_its_share_of_the_range_says() {
        let scale = Scale::linear(0.0, 10.0, 100.0, 0.0);
        assert_eq!(
            (scale.at(0.0), scale.at(5.0), scale.at(10.0), scale.at(99.0)),
            (100.0, 50.0, 0.0, 0.0)
        );
        let log = Scale::log(10.0, 1000.0, 0.0, 100.0);
        assert_eq!(
            (log.at(10.0), log.at(100.0), log.at(1000.0), log.at(0.0)),
            (0.0, 50.0, 100.0, 0.0)
        );
        assert_eq!(Scale::linear(3.0, 3.0, 0.0, 10.0).at(3.0), 0.0);
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(Scale::linear(0.0, 10.0, 0.0, 1.0).ticks(5.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(Scale::linear(0.0, 0.3, 0.0, 1.0).ticks(3.0).len(), 4);
        assert_eq!(
            Scale::log(10.0, 10_000.0, 0.0, 1.0).ticks(5.0),
            [10.0, 100.0, 1000.0, 10_000.0]
        );
        assert_eq!((round_up(7.3, 4.0), round_up(20.0, 4.0), round_up(0.0, 4.0)), (8.0, 20.0, 1.0));
    }
}
