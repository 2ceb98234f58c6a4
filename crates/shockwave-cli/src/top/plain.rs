//! The plain page: what matters most, and a table by class.

use std::fmt::Write;

use super::figures::{HEAD, rows, summary, title};
use super::history::History;
use crate::color::Color;
use crate::parse::MetricsUrl;
use crate::table;

/// The whole page, as lines.
pub(crate) fn page(url: &MetricsUrl, history: &History, color: Color) -> String {
    let mut page = format!("{}\n\n", color.bold(&title(url, history)));
    for (name, value) in summary(history) {
        let _ = writeln!(page, "  {name:12} {value}");
    }
    let mut classes = table::new(HEAD, 1);
    for row in rows(history) {
        classes.add_row(row);
    }
    page + "\n" + &table::lines(&classes)
}

#[cfg(test)]
mod tests {
    use super::super::history::tests::reading;
    use super::*;
    use crate::args::When;
    use crate::parse::parse_metrics_url;

    #[test]
    fn the_page_has_every_figure() {
        let mut history = History::default();
        history.push(reading(10, 100));
        history.push(reading(20, 100));
        let url = parse_metrics_url("host:1").unwrap();
        let page = page(&url, &history, Color::for_stdout(When::Never));
        assert!(page.starts_with("host:1 · 1.2.3 · up 20 s\n"), "{page}");
        for line in [
            "  Gets         100/s",
            "  Hit rate     90.00 %",
            "  In use       192 KiB of 1 MiB",
            "  Waiters      4",
            "  99 % within  1.20 ms",
            "  Connections  12 (3 active)",
        ] {
            assert!(page.lines().any(|it| it == line), "{line} in {page}");
        }
        let row = |class: &str| {
            let line = page.lines().find(|line| line.trim_start().starts_with(class)).unwrap();
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(row("64 KiB"), "64 KiB 100 10.0 90.00 % 2,000 50.00 % 0 3 7 640 KiB");
        assert_eq!(row("2 KiB"), "2 KiB 0 0 – 0 – 0 3 7 20 KiB");
        assert!(row("All").starts_with("All 100 10.0 90.00 % 2,000 50.00 %"));
    }
}
