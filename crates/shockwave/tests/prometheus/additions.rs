//! What a program adds to a page besides its pools.

use std::panic::{AssertUnwindSafe, catch_unwind};

use shockwave::prometheus::{Exposition, Format, Kind};

use crate::page::read;

/// A page that this writes, which must be well formed.
#[track_caller]
fn page(format: Format, write: impl FnOnce(&mut Exposition<'_>)) -> String {
    let mut page = String::new();
    let mut exposition = Exposition::new(format, &mut page);
    write(&mut exposition);
    exposition.finish();
    read(&page, format).unwrap_or_else(|why| panic!("{why}\n{page}"));
    page
}

#[test]
fn a_histogram_adds_up_and_ends_with_all() {
    for last in [None, Some((f64::INFINITY, 4))] {
        let text =
            page(Format::OpenMetrics, |exposition| {
                let buckets = [(0.005, 1), (1.0, 2)].into_iter().chain(last);
                exposition
                    .family("x_duration_seconds", Kind::Histogram, "Time.", "seconds")
                    .histogram(&[("path", &"/")], buckets, 5.5);
            });
        let all = if last.is_some() { 7 } else { 3 };
        let expected = format!(
            "# TYPE x_duration_seconds histogram\n\
             # UNIT x_duration_seconds seconds\n\
             # HELP x_duration_seconds Time.\n\
             x_duration_seconds_bucket{{path=\"/\",le=\"0.005\"}} 1\n\
             x_duration_seconds_bucket{{path=\"/\",le=\"1.0\"}} 3\n\
             x_duration_seconds_bucket{{path=\"/\",le=\"+Inf\"}} {all}\n\
             x_duration_seconds_sum{{path=\"/\"}} 5.5\n\
             x_duration_seconds_count{{path=\"/\"}} {all}\n\
             # EOF\n"
        );
        assert_eq!(text, expected);
    }
}

#[test]
fn a_counter_has_its_ending_once_and_where_the_format_wants_it() {
    for name in ["x_seconds", "x_seconds_total"] {
        let write = |exposition: &mut Exposition<'_>| {
            exposition.family(name, Kind::Counter, "Time.", "seconds").sample(&[], 0.25);
        };
        assert_eq!(
            page(Format::Text, write),
            "# HELP x_seconds_total Time.\n# TYPE x_seconds_total counter\nx_seconds_total 0.25\n"
        );
        assert_eq!(
            page(Format::OpenMetrics, write),
            "# TYPE x_seconds counter\n# UNIT x_seconds seconds\n# HELP x_seconds Time.\n\
             x_seconds_total 0.25\n# EOF\n"
        );
    }
}

#[test]
fn help_is_escaped_as_each_format_demands() {
    let write = |exposition: &mut Exposition<'_>| {
        exposition.family("x", Kind::Gauge, "\\ and\n\"so\"", "").sample(&[], 1_u32);
    };
    assert!(page(Format::Text, write).starts_with("# HELP x \\\\ and\\n\"so\"\n"));
    assert!(page(Format::OpenMetrics, write).contains("# HELP x \\\\ and\\n\\\"so\\\"\n"));
}

#[test]
fn numbers_are_written_so_that_readers_find_them_again() {
    let numbers = [0.0, -1.5, 1e-300, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let text = page(Format::Text, |exposition| {
        let mut family = exposition.family("x", Kind::Gauge, "Numbers.", "");
        for (index, number) in numbers.iter().enumerate() {
            family.sample(&[("n", &index)], *number);
        }
        family.sample(&[("n", &"max")], u64::MAX).sample(&[("n", &"size")], 7_usize);
    });
    let read = read(&text, Format::Text).expect("a page");
    let values: Vec<_> = read["x"].samples.iter().map(|sample| sample.value.to_bits()).collect();
    assert_eq!(values[..7], numbers.map(f64::to_bits));
    assert!(text.ends_with("x{n=\"max\"} 18446744073709551615\nx{n=\"size\"} 7\n"));
}

#[test]
fn a_family_without_a_sample_is_not_there() {
    let nothing = page(Format::Text, |exposition| {
        exposition.family("x", Kind::Gauge, "Nothing.", "");
    });
    assert_eq!(nothing, "");
}

#[test]
fn what_would_spoil_the_page_panics() {
    let panics = |name: &str, unit: &str, label: &str| {
        let mut page = String::new();
        let mut exposition = Exposition::new(Format::Text, &mut page);
        let write = AssertUnwindSafe(|| {
            exposition.family(name, Kind::Counter, "", unit).sample(&[(label, &1)], 1_u64);
        });
        catch_unwind(write).is_err()
    };
    assert!(!panics("a:b_seconds_total", "seconds", "label"));
    for (name, unit, label) in [
        ("", "", "label"),
        ("0a", "", "label"),
        ("a b", "", "label"),
        ("ä", "", "label"),
        ("a", "seconds", "label"),
        ("seconds", "seconds", "label"),
        ("a", "", ""),
        ("a", "", "1"),
        ("a", "", "a-b"),
        ("a", "", "a:b"),
    ] {
        assert!(panics(name, unit, label), "{name:?} {unit:?} {label:?}");
    }
}
