//! The README's numbers against the pages that they come from.
//!
//! They stand between `<!-- numbers -->` and `<!-- /numbers -->`. Each cell of the table there, and
//! each `{}` of a sentence below, is looked up in a table of a page, and has to be what is found
//! there, rounded to as many places as it shows. What is left of the text has no digit in it, so
//! that none goes without being held against something.

use crate::{read, root};

/// Rows of the README's table: what they are called there, the page's section, and its column.
const ROWS: [(&str, &str, &str); 4] = [
    ("4 KiB, at once", "At once", "4 KiB, ns"),
    ("64 KiB, at once", "At once", "64 KiB, ns"),
    ("4 KiB, 16 held, then dropped", "16 held", "4 KiB, ns"),
    ("4 KiB, 256 held, through the depot", "256 held", "4 KiB, ns"),
];

/// Columns of the README's table, and the page's rows.
const COLUMNS: [(&str, &str); 7] = [
    ("this pool", "shockwave"),
    ("locked cells", "shockwave, locked cells"),
    ("thread-local `Vec`s", "thread-local pool"),
    ("jemalloc", "jemalloc"),
    ("mimalloc", "mimalloc"),
    ("glibc", "glibc malloc"),
    ("zeropool 0.7", "zeropool, alloc_uninit"),
];

/// A page, and in it a section, a row and a column.
type Place = (&'static str, &'static str, &'static str, &'static str);

const PERF: &str = "docs/PERF.md";
const HTTP: &str = "docs/PERF-HTTP.md";

/// Sentences with numbers, and where each is found. Those without a place say what is measured.
const SENTENCES: [(&str, &[Place]); 5] = [
    ("floor under all of them: {}.", &[(PERF, "At once", "floor: bare local Vec", "4 KiB, ns")]),
    (
        "{} of its requests a second for a small GET, {} for a 16 KiB echo, {} pipelined;",
        &[
            (HTTP, "Speed", "small GET", "ratio"),
            (HTTP, "Speed", "16 KiB echo", "ratio"),
            (HTTP, "Speed", "pipelined GETs", "ratio"),
        ],
    ),
    (
        "{} KiB resident for each idle connection where it takes {} to {}.",
        &[
            (HTTP, "Memory", "idle, after a small GET", "ours, KiB"),
            (HTTP, "Memory", "idle, after a small GET", "hyper, KiB"),
            (HTTP, "Memory", "idle, after a 16 KiB POST", "hyper, KiB"),
        ],
    ),
    ("on a 2-core Intel Xeon virtual machine", &[]),
    ("on a 2-core AMD EPYC one", &[]),
];

/// The cells of a table's line.
fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// The table of a page's section, of which the first column names the rows.
fn look_up<'a>(page: &'a str, section: &str, row: &str, column: &str) -> Option<&'a str> {
    let (_, after) = page.split_once(&format!("\n## {section}\n"))?;
    let mut lines = after.lines().take_while(|line| !line.starts_with("## "));
    let head = cells(lines.find(|line| line.starts_with('|'))?);
    let at = head.iter().position(|name| *name == column)?;
    cells(lines.find(|line| cells(line)[0] == row)?).get(at).copied()
}

/// Whether a number is what another says, rounded to as many places as it shows: the other may have
/// been rounded before.
fn is_rounded(shown: &str, measured: &str) -> bool {
    let [shown, measured] = [shown, measured].map(|number| number.replace(',', ""));
    let places = |number: &str| number.split_once('.').map_or(0, |(_, places)| places.len());
    let half_a_place =
        |number| 0.5 * 0.1_f64.powi(i32::try_from(places(number)).expect("a few places"));
    let (Ok(a), Ok(b)) = (shown.parse::<f64>(), measured.parse::<f64>()) else { return false };
    let rounded = places(&shown) < places(&measured);
    let margin = if rounded { half_a_place(&shown) + half_a_place(&measured) } else { 0.0 };
    (a - b).abs() <= margin + 1e-9
}

/// Takes a sentence out of the text, and returns what stands for each `{}`.
fn take_out(text: &mut String, sentence: &str) -> Option<Vec<String>> {
    let mut pieces = sentence.split("{}");
    let first = pieces.next()?;
    let rest: Vec<_> = pieces.collect();
    let is_number = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    // A sentence that begins with a number has nothing before it to be found by.
    let begin = match (first, rest.first()) {
        ("", Some(next)) => {
            let behind = text.find(next)?;
            behind - text[..behind].chars().rev().take_while(|c| is_number(*c)).count()
        }
        _ => text.find(first)?,
    };
    let mut at = begin + first.len();
    let mut numbers = Vec::new();
    for piece in rest {
        let number = &text[at..at + text[at..].chars().take_while(|c| is_number(*c)).count()];
        // A full stop or a comma behind it is the sentence's.
        let number = number.trim_end_matches(['.', ',']);
        let end = at + number.len();
        text[end..].starts_with(piece).then(|| numbers.push(number.to_owned()))?;
        at = end + piece.len();
    }
    text.replace_range(begin..at, "");
    Some(numbers)
}

/// What is wrong with a README's numbers.
fn wrong(readme: &str, page: impl Fn(&str) -> String) -> Vec<String> {
    let (_, block) = readme.split_once("<!-- numbers -->").expect("where the numbers begin");
    let (block, _) = block.split_once("<!-- /numbers -->").expect("where they end");
    let mut wrong = Vec::new();
    let mut compare =
        |what: &str, shown: &str, (page_name, section, row, column): Place| match look_up(
            &page(page_name),
            section,
            row,
            column,
        ) {
            Some(measured) if is_rounded(shown, measured) => {}
            found => wrong.push(format!("{what}: {shown} where {page_name} has {found:?}")),
        };
    let (table, text): (Vec<_>, Vec<_>) = block.lines().partition(|line| line.starts_with('|'));
    let head: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut lines = table.iter().map(|line| cells(line));
    assert_eq!(lines.next().map(|cells| cells[1..].to_vec()), Some(head), "the table's head");
    let rows: Vec<_> = lines.skip(1).collect();
    let names: Vec<_> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(names, ROWS.map(|(name, ..)| name), "the table's rows");
    for (row, (name, section, column)) in rows.iter().zip(ROWS) {
        for (cell, (contender, of_page)) in row[1..].iter().zip(COLUMNS) {
            let shown = cell.split(' ').next().unwrap_or("");
            compare(&format!("{name}, {contender}"), shown, (PERF, section, of_page, column));
        }
    }
    let mut text = text.join(" ").replace("  ", " ");
    for (sentence, places) in SENTENCES {
        let Some(numbers) = take_out(&mut text, sentence) else {
            panic!("the README does not say {sentence:?} any more: tell this test what it says now")
        };
        for (shown, place) in numbers.iter().zip(places) {
            compare(sentence, shown, *place);
        }
    }
    let unchecked = text.split(' ').filter(|word| word.contains(|c: char| c.is_ascii_digit()));
    wrong.extend(unchecked.map(|word| format!("{word} is held against nothing")));
    wrong
}

#[test]
fn numbers_in_the_readme_are_those_of_the_pages() {
    let Some(root) = root() else { return };
    let found = wrong(&read(&root.join("README.md")), |page| read(&root.join(page)));
    assert!(found.is_empty(), "in README.md:\n  {}", found.join("\n  "));
    for (page, processor) in [(PERF, "Intel(R) Xeon(R) Processor"), (HTTP, "AMD EPYC")] {
        let found = read(&root.join(page)).contains(&format!("\non {processor}, 2 cores, "));
        assert!(found, "{page} is of another machine than the README says");
    }
}

#[test]
fn what_the_readme_says_of_a_thread_local_pool_is_what_the_page_says() {
    let Some(root) = root() else { return };
    assert!(read(&root.join("README.md")).replace('\n', " ").contains(
        "A thread-local pool that keeps all that it ever gave is slower here at once, and faster \
         with many buffers held."
    ));
    let page = read(&root.join(PERF));
    let ns = |section, row| -> f64 {
        look_up(&page, section, row, "4 KiB, ns").and_then(|ns| ns.parse().ok()).expect("a number")
    };
    assert!(ns("At once", "thread-local pool") > ns("At once", "shockwave"));
    assert!(ns("256 held", "thread-local pool") < ns("256 held", "shockwave"));
    // And the decision on spans of what the heap does there.
    assert!(ns("256 held", "shockwave, from the heap") < ns("256 held", "shockwave"));
}

#[test]
fn a_number_that_drifts_is_found_wherever_it_stands() {
    let Some(root) = root() else { return };
    let readme = read(&root.join("README.md"));
    let (begin, end) = (readme.find("<!-- numbers -->"), readme.find("<!-- /numbers -->"));
    let block = begin.expect("where they begin")..end.expect("where they end");
    let digits: Vec<_> = block.filter(|&at| readme.as_bytes()[at].is_ascii_digit()).collect();
    let mut found = 0;
    for at in digits {
        let mut changed = readme.clone();
        let other = if readme.as_bytes()[at] == b'7' { "2" } else { "7" };
        changed.replace_range(at..=at, other);
        // Names of rows and sentences are compared as they are, and panic.
        let read_page = |page: &str| read(&root.join(page));
        let result = std::panic::catch_unwind(|| wrong(&changed, read_page));
        assert!(result.is_err() || result.is_ok_and(|wrong| !wrong.is_empty()), "{at}: {other}");
        found += 1;
    }
    assert!(found > 60, "{found}");
}

#[test]
fn a_number_may_show_fewer_places_than_the_page() {
    for (shown, measured) in
        [("3.2", "3.19"), ("14", "13.9"), ("5.1", "5.05"), ("1592", "1,592"), ("0", "0.4")]
    {
        assert!(is_rounded(shown, measured), "{shown} of {measured}");
    }
    for (shown, measured) in
        [("3.3", "3.19"), ("14", "13.3"), ("5.2", "5.05"), ("3.2", "3.1"), ("x", "1"), ("", "1")]
    {
        assert!(!is_rounded(shown, measured), "{shown} of {measured}");
    }
}
