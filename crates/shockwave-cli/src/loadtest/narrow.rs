//! A result's page on a terminal that is narrower than the page: sentences go on below, behind
//! their label, and the table of classes moves together.

/// Columns of a label, behind which what is said of it goes on.
const INDENT: usize = 16;

/// Columns that are left to words beside the indent, at least.
const WORDS_MIN: usize = 24;

/// The page, in lines of so many columns; what fits is left as it is.
pub(super) fn fit(page: &str, columns: usize) -> String {
    let lines: Vec<_> = page.lines().collect();
    let is_table = |line: &&str| line.starts_with("  class ");
    let (sentences, table) = lines.split_at(lines.iter().position(is_table).unwrap_or(lines.len()));
    let mut fitted: Vec<_> = sentences.iter().flat_map(|line| fit_words(line, columns)).collect();
    fitted.extend(fit_table(table, columns));
    fitted.join("\n")
}

/// A line, broken between words.
fn fit_words(line: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(INDENT + WORDS_MIN);
    let (mut lines, mut rest) = (Vec::new(), line.to_owned());
    while rest.chars().count() > columns {
        let end = rest.char_indices().nth(columns).map_or(rest.len(), |(at, _)| at);
        let from = rest.len() - rest.trim_start().len();
        let Some(space) = rest[..=end].rfind(' ').filter(|&space| space > from.max(INDENT)) else {
            break;
        };
        let behind = format!("{:INDENT$}{}", "", rest[space..].trim_start());
        rest.truncate(space);
        lines.push(rest.trim_end().to_owned());
        rest = behind;
    }
    lines.push(rest);
    lines
}

/// A table whose cells have two spaces or more between them, as wide as it must be.
fn fit_table(table: &[&str], columns: usize) -> Vec<String> {
    let has_room = |lines: &[String]| lines.iter().all(|line| line.chars().count() <= columns);
    let whole: Vec<_> = table.iter().map(|&line| line.to_owned()).collect();
    if has_room(&whole) {
        return whole;
    }
    let rows: Vec<Vec<_>> = table
        .iter()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let close = |gap: usize| -> Vec<_> {
        let cell = |(column, text): (usize, &&str)| match column {
            0 => format!("  {text:<0$}", width(0)),
            _ => format!("{:gap$}{text:>1$}", "", width(column)),
        };
        rows.iter().map(|row| row.iter().enumerate().map(cell).collect::<String>()).collect()
    };
    Some(close(2)).filter(|lines| has_room(lines)).unwrap_or_else(|| close(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
spike: 2 workers, 4 KiB and 8 KiB, 3.00 s, pool, restartable sequences

  operations          33,359,504     11,106,206 /s
  latency             160 ns p50        201 ns p90     290 ns p99
  resident          7.28 MiB before     14.5 MiB at peak     7.43 MiB after

  class                 gets        misses  hit rate     by core     by depot     idle
  4 KiB           16,679,752           875   99.99 %      16,678,867           10      169
  8 KiB            6,679,752            75  100.00 %       6,678,867            1       69";

    #[test]
    fn a_page_that_fits_is_left_as_it_is() {
        assert_eq!(fit(PAGE, 100), PAGE);
        assert_eq!(fit("", 100), "");
    }

    #[test]
    fn a_narrow_page_has_the_same_words_in_whole() {
        for columns in 60..100 {
            let page = fit(PAGE, columns);
            let longest = page.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(columns), "{columns}:\n{page}");
            assert!(page.split_whitespace().eq(PAGE.split_whitespace()), "{columns}:\n{page}");
        }
        assert!(fit(PAGE, 0).split_whitespace().eq(PAGE.split_whitespace()));
    }

    #[test]
    fn what_goes_on_stands_behind_its_label_and_columns_stay_columns() {
        let page = fit(PAGE, 60);
        assert!(page.contains("\n                7.43 MiB after\n"), "{page}");
        let table: Vec<_> = page.lines().skip_while(|line| !line.starts_with("  class")).collect();
        assert_eq!(
            table,
            [
                "  class       gets misses hit rate    by core by depot idle",
                "  4 KiB 16,679,752    875  99.99 % 16,678,867       10  169",
                "  8 KiB  6,679,752     75 100.00 %  6,678,867        1   69",
            ]
        );
    }
}
