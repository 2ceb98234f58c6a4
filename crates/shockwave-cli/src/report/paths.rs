//! The plot of which way the gets of each class went.

use std::fmt::Write;

use shockwave::BufferPoolMetrics;
use shockwave::loadtest::human;

use super::chart::WIDTH;
use super::html::escape;

/// Pixels of one bar, with what is around it.
const ROW: f64 = 30.0;
const BAR: f64 = 16.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = WIDTH - 74.0;

/// The ways a get can go, how they are drawn and called.
const WAYS: [(&str, &str); 4] = [
    ("cell", "by core"),
    ("depot", "by depot"),
    ("fresh", "made"),
    ("oversize", "beyond the classes"),
];

/// A bar for each class that was used, its length the gets, its parts the ways they went.
pub(super) fn paths(metrics: &BufferPoolMetrics) -> String {
    let classes = metrics.pools.iter().filter(|class| class.gets > 0).map(|class| {
        (human::bytes(class.size as u64), [class.gets_cell, class.gets_depot, class.misses, 0])
    });
    let oversize = ("larger".to_owned(), [0, 0, 0, metrics.oversize_gets]);
    let rows: Vec<_> = classes.chain(Some(oversize).filter(|(_, ways)| ways[3] > 0)).collect();
    let most = rows.iter().map(|(_, ways)| ways.iter().sum::<u64>()).max().unwrap_or(1).max(1);
    #[expect(clippy::cast_precision_loss, reason = "positions on a plot")]
    let pixels = |gets: u64| gets as f64 / most as f64 * (RIGHT - LEFT);
    #[expect(clippy::cast_precision_loss, reason = "a few rows")]
    let height = ROW * rows.len().max(1) as f64 + 4.0;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"gets by class and way\">\n"
    );
    let mut top = (ROW - BAR) / 2.0;
    for (name, ways) in &rows {
        let middle = top + BAR / 2.0 + 3.5;
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 7.0,
            escape(name)
        );
        let mut left = LEFT;
        for ((class, way), &gets) in WAYS.iter().zip(ways) {
            if gets == 0 {
                continue;
            }
            // What there is of is seen, be it ever so little.
            let width = pixels(gets).max(1.5);
            let words = escape(&format!("{name}: {} gets {way}", human::grouped(gets)));
            let _ = write!(
                svg,
                "<g class=\"bar {class}\"><title>{words}</title>\
                 <rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/></g>"
            );
            left += width + 1.5;
        }
        let total = human::grouped(ways.iter().sum());
        let _ = writeln!(
            svg,
            "<text class=\"value\" x=\"{:.1}\" y=\"{middle:.1}\">{total}</text>",
            left + 5.0
        );
        top += ROW;
    }
    svg.push_str("</svg>\n");
    let mut key = String::new();
    for (i, (class, way)) in WAYS.iter().enumerate() {
        if rows.iter().any(|(_, ways)| ways[i] > 0) {
            let _ = write!(key, "<span class=\"key {class}\">{}</span>", escape(way));
        }
    }
    format!(
        "<figure><figcaption><h3>Gets by class</h3><p>Which way they went.</p><p>{key}</p></figcaption>\n{svg}</figure>\n"
    )
}
