//! Resident memory over a test, as a curve of blocks for a terminal or a file.
//!
//! ```text
//!   14.1 MiB ┤           ▅████▅
//!            ┤          ▂██████▅
//!   6.95 MiB ┤██████████████████▇▇▇▇▇▇▇▇
//!            ┤██████████████████████████
//!            └──────────────────────────
//!             0 s                1.00 s
//! ```

use std::fmt::Write;

use shockwave::loadtest::{LoadTestResult, human};

/// Lines of the curve.
const LINES: usize = 6;

/// Columns of the curve, at least and at most.
const COLUMNS_MIN: usize = 16;
const COLUMNS_MAX: usize = 72;

/// Columns to the left of it: a number of bytes, and the axis.
const LEFT: usize = 13;

/// A column from empty to full, an eighth each.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws it for so many columns of text; `None` where the system does not say what is resident.
pub(super) fn resident(result: &LoadTestResult, columns: usize) -> Option<String> {
    let around = result.resident_bytes?;
    let moments = result.timeline.iter();
    let points = moments.filter_map(|it| Some((it.elapsed_seconds, it.resident_bytes?)));
    Some(draw(points, result.duration_seconds, (around.before, around.peak), columns))
}

fn draw(
    points: impl Iterator<Item = (f64, u64)>,
    duration: f64,
    (before, peak): (u64, u64),
    columns: usize,
) -> String {
    let width = columns.saturating_sub(LEFT + 1).clamp(COLUMNS_MIN, COLUMNS_MAX);
    let heights = heights(points, duration, width, peak);
    let mut text = String::new();
    for line in (0..LINES).rev() {
        let label = match line {
            _ if line == LINES - 1 => human::bytes(peak),
            _ if line == (eighths(before, peak) - 1) / 8 => human::bytes(before),
            _ => String::new(),
        };
        let blocks = heights.iter().map(|height| EIGHTHS[height.saturating_sub(line * 8).min(8)]);
        let blocks: String = blocks.collect();
        let _ = writeln!(text, "  {label:>9} ┤{}", blocks.trim_end());
    }
    let end = format!("{} s", human::digits(duration));
    let _ = writeln!(text, "  {:>9} └{}", "resident", "─".repeat(width));
    let _ = writeln!(text, "{:LEFT$}0 s{end:>1$}", "", width - 3);
    text
}

/// Eighths of a line that this many bytes are high; at least one, since nothing is no process.
fn eighths(bytes: u64, peak: u64) -> usize {
    let share = u128::from(bytes) * 8 * LINES as u128 / u128::from(peak.max(1));
    usize::try_from(share).unwrap_or(usize::MAX).clamp(1, 8 * LINES)
}

/// How high each column is: the most that was resident in its part of the time, or what was
/// resident before it if nobody looked then.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part of a duration, as a column"
)]
fn heights(
    points: impl Iterator<Item = (f64, u64)>,
    duration: f64,
    width: usize,
    peak: u64,
) -> Vec<usize> {
    let mut most = vec![None; width];
    for (seconds, bytes) in points {
        let column = (seconds / duration.max(1e-9) * width as f64) as usize;
        let column = &mut most[column.min(width - 1)];
        *column = (*column).max(Some(bytes));
    }
    let mut last = 0;
    let height = |bytes: Option<u64>| {
        last = bytes.unwrap_or(last);
        eighths(last, peak)
    };
    most.into_iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_curve_has_the_peak_on_top_and_what_was_before_on_its_line() {
        let points = [(0.0, 2), (0.3, 12), (0.5, 12), (0.7, 2), (1.0, 2)];
        let points = points.into_iter().map(|(seconds, mib)| (seconds, mib * MIB));
        let drawn = draw(points, 1.0, (2 * MIB, 12 * MIB), 30);
        let expected = [
            "     12 MiB ┤    ███████",
            "            ┤    ███████",
            "            ┤    ███████",
            "            ┤    ███████",
            "            ┤    ███████",
            "      2 MiB ┤████████████████",
            "   resident └────────────────",
            "             0 s       1.00 s",
        ];
        assert_eq!(drawn.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn heights_are_within_the_lines_whatever_is_seen() {
        assert_eq!((eighths(0, 0), eighths(0, 10), eighths(10, 10)), (1, 1, 8 * LINES));
        assert_eq!(eighths(u64::MAX, 1), 8 * LINES);
        assert_eq!(heights([(9.0, 5)].into_iter(), 0.0, 2, 5), [1, 8 * LINES]);
        assert_eq!(heights(std::iter::empty(), 1.0, 3, 5), [1; 3]);
    }

    #[test]
    fn no_line_is_longer_than_the_terminal_is_wide() {
        for columns in [0, 30, 60, 80, 200] {
            let drawn = draw([(0.0, 1)].into_iter(), 1.0, (1, 1), columns);
            let longest = drawn.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(longest <= columns.clamp(LEFT + COLUMNS_MIN, LEFT + COLUMNS_MAX), "{columns}");
        }
    }
}
