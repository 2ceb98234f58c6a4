//! The tables, in either dress.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::checks::steady::{Cause, Outlier};
use crate::forms::{Case, Form, size_name};
use crate::report::Report;
use crate::targets::{Target, Verdict};

/// Columns of a terminal that tables keep to: what four sizes take in the widest of them.
const WIDTH: u16 = 160;

/// How tables are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dress {
    Terminal,
    Markdown,
}

impl Dress {
    /// A table whose first `left` columns are words, and the others figures.
    pub(crate) fn table(self, header: Vec<String>, left: usize) -> Table {
        let mut table = Table::new();
        table.load_style(match self {
            Self::Terminal => presets::UTF8_BORDERS_ONLY,
            Self::Markdown => presets::ASCII_MARKDOWN,
        });
        if self == Self::Terminal {
            // Words are broken where a table would be wider; figures never need that.
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
        }
        table.set_header(header);
        for column in table.column_iter_mut().skip(left) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

/// One form: a row for each contender, and for each size its time and how many times this pool's it
/// is.
pub(crate) fn form(report: &Report, form: Form, dress: Dress) -> String {
    let cases: Vec<Case> = report.cases().into_iter().filter(|case| case.form == form).collect();
    let scales = form == Form::Cores;
    let mut header = vec![String::new()];
    for case in &cases {
        header.extend([format!("{}, ns", size_name(case.bytes)), "× pool".to_owned()]);
        header.extend(scales.then(|| "scaling".to_owned()));
    }
    let mut table = dress.table(header, 1);
    for entrant in &report.contenders {
        let mut row = vec![entrant.name.to_owned()];
        for &case in &cases {
            let figure = report.figure(case, entrant.id);
            row.push(figure.map_or_else(nothing, |it| ns(it.ns.median)));
            row.push(figure.and_then(|it| it.times_pool).map_or_else(nothing, times));
            if scales {
                row.push(figure.and_then(|it| it.scaling).map_or_else(nothing, times));
            }
        }
        table.add_row(row);
    }
    table.to_string()
}

/// Every figure with its least, its spread, and its ratio to the floor.
pub(crate) fn details(report: &Report, form: Form, dress: Dress) -> String {
    let words = ["size", "contender"].map(str::to_owned);
    let figures = ["median, ns", "min, ns", "spread", "× pool", "× floor"].map(str::to_owned);
    let mut table = dress.table([&words[..], &figures[..]].concat(), 2);
    for figure in report.figures.iter().filter(|figure| figure.case.form == form) {
        table.add_row([
            size_name(figure.case.bytes),
            figure.contender.name().to_owned(),
            ns(figure.ns.median),
            ns(figure.ns.min),
            format!("{:.0} %", figure.ns.spread_percent),
            figure.times_pool.map_or_else(nothing, times),
            figure.times_floor.map_or_else(nothing, times),
        ]);
    }
    table.to_string()
}

/// What each contender does for its time.
pub(crate) fn contenders(report: &Report, dress: Dress) -> String {
    let header = ["contender", "version", "counts", "clears", "keeps"].map(str::to_owned);
    let mut table = dress.table(header.to_vec(), 5);
    for entrant in &report.contenders {
        table.add_row([
            entrant.name,
            entrant.version.as_deref().unwrap_or(""),
            entrant.about.counts,
            entrant.about.clears,
            entrant.about.keeps,
        ]);
    }
    table.to_string()
}

/// The targets.
pub(crate) fn targets(targets: &[Target], dress: Dress) -> String {
    let beside = targets.iter().any(|target| target.beside.is_some());
    let mut header = ["target", "wanted", "measured", ""].map(str::to_owned).to_vec();
    header.extend(beside.then(|| "beside it".to_owned()));
    let mut table = dress.table(header, 5);
    for target in targets {
        let verdict = match target.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::NotMeasured => "not measured",
        };
        let mut row = vec![&*target.name, &target.wanted, &target.measured, verdict];
        row.extend(beside.then(|| target.beside.as_deref().unwrap_or_default()));
        table.add_row(row);
    }
    table.to_string()
}

/// How steady each form was from process to process; empty if that was not checked.
pub(crate) fn steady(report: &Report, dress: Dress) -> String {
    let Some(steady) = &report.checks.steady else { return String::new() };
    let header = ["form", "median, ns", "within 1.3", "outliers"].map(str::to_owned);
    let mut table = dress.table(header.to_vec(), 4);
    for form in &steady.forms {
        table.add_row([
            form.case.name(),
            ns(form.median),
            format!("{} of {}", form.within, form.processes),
            outliers(&form.outliers),
        ]);
    }
    table.to_string()
}

/// How many outliers are whose, and the one that is furthest out.
fn outliers(outliers: &[Outlier]) -> String {
    let distance = |outlier: &&Outlier| outlier.pool_times.ln().abs();
    let Some(furthest) = outliers.iter().max_by(|a, b| distance(a).total_cmp(&distance(b))) else {
        return String::new();
    };
    let of = |cause| outliers.iter().filter(|outlier| outlier.cause == cause).count();
    format!(
        "{} the machine's, {} placement's; furthest × {} with the floor at × {}, busy × {}",
        of(Cause::Machine),
        of(Cause::Placement),
        times(furthest.pool_times),
        times(furthest.floor_times),
        times(furthest.busy_times)
    )
}

/// Nanoseconds with three digits that count.
pub(crate) fn ns(ns: f64) -> String {
    match ns {
        ..10.0 => format!("{ns:.2}"),
        ..100.0 => format!("{ns:.1}"),
        _ => format!("{ns:.0}"),
    }
}

/// A ratio.
pub(crate) fn times(ratio: f64) -> String {
    if ratio < 100.0 { format!("{ratio:.2}") } else { format!("{ratio:.0}") }
}

fn nothing() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        assert_eq!([ns(3.456), ns(34.56), ns(345.6)], ["3.46", "34.6", "346"]);
        assert_eq!([times(0.994), times(123.4)], ["0.99", "123"]);
    }
}
