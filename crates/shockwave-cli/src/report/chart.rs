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
        Self { x, y, svg }
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

    /// A point whose words show when it is pointed at; they may also stand above it, to one side.
    pub(super) fn point(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        words: &str,
        beside: Option<Beside>,
    ) {
        let (left, top, words) = (self.x.at(x), self.y.at(y), escape(words));
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
            let _ = write!(
                self.svg,
                "<text class=\"value\" x=\"{left:.1}\" y=\"{top:.1}\" text-anchor=\"{anchor}\">{words}</text>"
            );
        }
        self.svg.push('\n');
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
