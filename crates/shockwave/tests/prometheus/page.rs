//! A reader of pages, so strict that it takes nothing but what both formats promise: it goes line
//! by line, and fails at the first that is not as it should be.

use std::collections::{BTreeMap, BTreeSet};

use shockwave::prometheus::Format;

/// A page, by the names of its families; a counter's goes without `_total`.
pub(crate) type Page = BTreeMap<String, Family>;

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) unit: String,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

/// Reads a page, or says which line is wrong and why.
pub(crate) fn read(text: &str, format: Format) -> Result<Page, String> {
    let is_open = format == Format::OpenMetrics;
    let mut lines: Vec<_> = text.split('\n').collect();
    if lines.pop() != Some("") {
        return Err("the last line does not end".into());
    }
    if is_open && lines.pop() != Some("# EOF") {
        return Err("the page does not end by saying so".into());
    }
    let mut page = Page::new();
    let mut current = String::new();
    let mut seen = BTreeSet::new();
    for line in lines {
        let fail = |why: &str| format!("{why}: {line}");
        if let Some(words) = line.strip_prefix("# ") {
            let (verb, words) = words.split_once(' ').ok_or_else(|| fail("no verb"))?;
            let (name, words) = words.split_once(' ').ok_or_else(|| fail("no name"))?;
            let base = if is_open { name } else { name.strip_suffix("_total").unwrap_or(name) };
            if base != current {
                if page.insert(base.into(), Family::default()).is_some() {
                    return Err(fail("a family that was there before"));
                }
                current = base.into();
            }
            let family = page.get_mut(base).ok_or("a family was lost")?;
            if !family.samples.is_empty() {
                return Err(fail("said after a sample"));
            }
            let place = match verb {
                "TYPE" => &mut family.kind,
                "HELP" => &mut family.help,
                "UNIT" if is_open && base.ends_with(&format!("_{words}")) => &mut family.unit,
                _ => return Err(fail("not a thing to say")),
            };
            if words.is_empty() || !place.is_empty() {
                return Err(fail("empty, or said twice"));
            }
            *place = words.into();
            if verb == "TYPE" && is_open == name.ends_with("_total") && words == "counter" {
                return Err(fail("a counter under the wrong name"));
            }
        } else {
            let sample = sample(line).ok_or_else(|| fail("not a sample"))?;
            let family = page.get_mut(&current).ok_or_else(|| fail("of no family"))?;
            let suffix = sample.name.strip_prefix(&current).ok_or_else(|| fail("of another"))?;
            let fits = match &*family.kind {
                "counter" => suffix == "_total" && sample.value >= 0.0,
                "gauge" => suffix.is_empty(),
                "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
                _ => false,
            };
            if !fits {
                return Err(fail("does not fit its family"));
            }
            if !seen.insert((sample.name.clone(), sample.labels.clone())) {
                return Err(fail("there twice"));
            }
            family.samples.push(sample);
        }
    }
    for (name, family) in &page {
        if family.samples.is_empty() || family.kind.is_empty() || family.help.is_empty() {
            return Err(format!("{name} is not complete"));
        }
        histogram_faults(family).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(page)
}

/// Reads a name, labels and a number, and nothing else.
fn sample(line: &str) -> Option<Sample> {
    let (name, mut rest) = name(line)?;
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = self::name(rest)?;
            let (value, after) = quoted(after.strip_prefix("=\"")?)?;
            labels.push((label.to_owned(), value));
            match after.split_at_checked(1)? {
                (",", after) => rest = after,
                ("}", after) => {
                    rest = after;
                    break;
                }
                _ => return None,
            }
        }
        let names: BTreeSet<_> = labels.iter().map(|(name, _)| name).collect();
        if names.len() < labels.len() {
            return None;
        }
    }
    let number = rest.strip_prefix(' ')?;
    let value = match number {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        number if number.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            number.parse().ok()?
        }
        _ => return None,
    };
    Some(Sample { name: name.into(), labels, value })
}

fn name(text: &str) -> Option<(&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    starts.then(|| text.split_at(end))
}

/// Reads to the closing quote, and undoes the escapes.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                _ => return None,
            }),
            '\n' => return None,
            c => value.push(c),
        }
    }
    None
}

/// Whether the buckets of each histogram ascend, and end with all.
fn histogram_faults(family: &Family) -> Result<(), String> {
    let mut last = (f64::NEG_INFINITY, 0.0);
    for sample in family.samples.iter().filter(|sample| sample.name.ends_with("_bucket")) {
        let (label, bound) = sample.labels.last().ok_or("a bucket without a label")?;
        let bound = if bound == "+Inf" {
            f64::INFINITY
        } else {
            bound.parse().map_err(|why| format!("{bound}: {why}"))?
        };
        if label != "le" || bound <= last.0 || sample.value < last.1 {
            return Err(format!("{sample:?} after {last:?}"));
        }
        last = if bound < f64::INFINITY { (bound, sample.value) } else { (f64::NEG_INFINITY, 0.0) };
    }
    if last.0 > f64::NEG_INFINITY { Err("no last bucket".into()) } else { Ok(()) }
}

#[test]
fn the_reader_finds_what_is_wrong() {
    let head = "# HELP a_total H.\n# TYPE a_total counter\n";
    assert!(read(&format!("{head}a_total{{b=\"c\\\\\\n\\\"\"}} 1\n"), Format::Text).is_ok());
    for tail in [
        "a_total 1",
        "\n",
        "a 1\n",
        "b_total 1\n",
        "a_total x\n",
        "a_total -1\n",
        "a_total 1 \n",
        "a_total{b=\"c} 1\n",
        "a_total{b=\"\\t\"} 1\n",
        "a_total{b=\"c\",} 1\n",
        "a_total{b=\"c\",b=\"c\"} 1\n",
        "a_total 1\na_total 2\n",
        "a_total 1\n# HELP a_total H.\n",
        "a_total 1\n# EOF\n",
        "",
    ] {
        assert!(read(&format!("{head}{tail}"), Format::Text).is_err(), "{tail}");
    }
    let head = "# TYPE a counter\n# HELP a H.\n";
    assert!(read(&format!("{head}a_total 1\n# EOF\n"), Format::OpenMetrics).is_ok());
    assert!(read(&format!("{head}a_total 1\n"), Format::OpenMetrics).is_err());
    assert!(
        read(&format!("# UNIT a seconds\n{head}a_total 1\n# EOF\n"), Format::OpenMetrics).is_err()
    );
    let buckets = |text: &str| {
        let head = "# HELP h H.\n# TYPE h histogram\n";
        read(&format!("{head}{text}"), Format::Text).is_ok()
    };
    assert!(buckets("h_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\n"));
    assert!(!buckets("h_bucket{le=\"1.0\"} 2\nh_bucket{le=\"+Inf\"} 1\n"));
    assert!(!buckets("h_bucket{le=\"1.0\"} 1\n"));
}
