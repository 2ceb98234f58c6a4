//! Charts with two axes, as SVG.

use std::fmt::Write;

use super::html::escape;
use super::scale::Scale;

/// Pixels of a chart before the page scales it, and of what is around the plot.
pub(super) const WIDTH: f64 = 440.0;
pub(super) const HEIGHT: f64 = 220.0;
pub(super) const LEFT: f64 = 56.0;
pub(super) const RIGHT: f64 = WIDTH - 14.0;
pub(super) const TOP: f64 = 12.0;
pub(super) const BOTTOM: f64 = HEIGHT - 24.0;

/// Pixels of a letter of the words beside points, on average, and of a line of them. Some more than
/// in most fonts, since it is the reader's system that picks one.
const LETTER: f64 = 6.3;
const LINE: f64 = 13.0;

/// On which side of a point its words are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beside {
    Left,
    Right,
}

/// A chart in the making.
#[derive(Debug)]
pub(super) struct Chart {
    x: Scale,
    y: Scale,
    svg: String,
    /// Where words stand beside points: from left to right, and on which line.
    words: Vec<(f64, f64, f64)>,
}

impl Chart {
    /// A chart with its axes, whose ticks are values and how they read.
    pub(super) fn new(
        label: &str,
        (x, x_ticks): (Scale, &[(f64, String)]),
        (y, y_ticks): (Scale, &[(f64, String)]),
    ) -> Self {
        let label = escape(label);
        let mut svg =
            format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{label}\">\n");
        for (value, text) in y_ticks {
            let (at, text) = (y.at(*value), escape(text));
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{RIGHT}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                LEFT - 7.0,
                at + 3.5
            );
        }
        let _ = write!(svg, "<path class=\"axis\" d=\"M{LEFT} {BOTTOM}H{RIGHT}\"/>");
        for (value, text) in x_ticks {
            let (at, text) = (x.at(*value), escape(text));
            let _ = write!(
                svg,
                "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                BOTTOM + 16.0
            );
        }
        svg.push('\n');
        Self { x, y, svg, words: Vec::new() }
    }

    /// A line through points, of the color of a class.
    pub(super) fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        if !points.is_empty() {
            let _ =
                writeln!(self.svg, "<path class=\"line {class}\" d=\"{}\"/>", self.path(points));
        }
    }

    /// What lies under a line.
    pub(super) fn area(&mut self, class: &str, points: &[(f64, f64)]) {
        if let [first, .., last] = points {
            let (left, right) = (self.x.at(first.0), self.x.at(last.0));
            let path = self.path(points);
            let _ = writeln!(
                self.svg,
                "<path class=\"area {class}\" d=\"{path}L{right:.1} {BOTTOM}L{left:.1} {BOTTOM}Z\"/>"
            );
        }
    }

    /// A point whose words show when it is pointed at; they may also stand above it, to one side,
    /// unless those of an earlier point are there.
    pub(super) fn point(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        words: &str,
        beside: Option<Beside>,
    ) {
        let (left, top, letters) = (self.x.at(x), self.y.at(y), words.chars().count());
        let words = escape(words);
        let _ = write!(
            self.svg,
            "<g class=\"point {class}\"><title>{words}</title>\
             <circle cx=\"{left:.1}\" cy=\"{top:.1}\" r=\"4\"/></g>"
        );
        if let Some(beside) = beside {
            let top = (top - 9.0).max(TOP);
            let (left, anchor) = match beside {
                Beside::Left => (left + 2.0, "end"),
                Beside::Right => (left - 4.0, "start"),
            };
            if self.finds_room(left, top, letters, beside) {
                let _ = write!(
                    self.svg,
                    "<text class=\"value\" x=\"{left:.1}\" y=\"{top:.1}\" text-anchor=\"{anchor}\">{words}</text>"
                );
            }
        }
        self.svg.push('\n');
    }

    /// Whether words beside a point run into none that stand there already. If so, they are there.
    fn finds_room(&mut self, at: f64, line: f64, letters: usize, beside: Beside) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a few words")]
        let width = letters as f64 * LETTER;
        let (from, to) = match beside {
            Beside::Left => (at - width, at),
            Beside::Right => (at, at + width),
        };
        let meets = |&(left, right, other): &(f64, f64, f64)| {
            from < right && left < to && (line - other).abs() < LINE
        };
        let is_free = !self.words.iter().any(meets);
        if is_free {
            self.words.push((from, to, line));
        }
        is_free
    }

    /// The chart.
    pub(super) fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }

    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        for (i, &(x, y)) in points.iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", self.x.at(x), self.y.at(y));
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_beside_points_do_not_run_into_each_other() {
        let (x, y) =
            (Scale::linear(0.0, 100.0, LEFT, RIGHT), Scale::linear(0.0, 10.0, BOTTOM, TOP));
        let mut chart = Chart::new("a chart", (x, &[]), (y, &[]));
        for (at, words) in [(90.0, "the first"), (80.0, "too close"), (40.0, "far enough")] {
            chart.point("pooled", (at, 5.0), words, Some(Beside::Left));
        }
        chart.point("pooled", (80.0, 1.0), "on another line", Some(Beside::Left));
        let svg = chart.finish();
        let stand = |words: &str| svg.contains(&format!(">{words}</text>"));
        assert!(stand("the first") && stand("far enough") && stand("on another line"));
        assert!(!stand("too close") && svg.contains("<title>too close</title>"), "{svg}");
    }
}
