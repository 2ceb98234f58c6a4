//! Tables for terminals and files: words to the left, numbers to the right, and no lines.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Row, Table};

/// A table with this head, whose first `labels` columns are words and the others numbers.
pub(crate) fn new<const N: usize>(head: [&str; N], labels: usize) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(Row::from(head));
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if i == 0 { 2 } else { 1 }, 1));
        let alignment = if i < labels { CellAlignment::Left } else { CellAlignment::Right };
        column.set_cell_alignment(alignment);
    }
    table
}

/// The table as lines without blanks at their ends.
pub(crate) fn lines(table: &Table) -> String {
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}
