//! The alerts and the dashboard against what is shown: they ask for nothing that is not there.
//!
//! They lie beside the crate in its repository and not in its package, so there is nothing to check
//! in an unpacked package.

use std::collections::BTreeSet;
use std::path::Path;

use shockwave::prometheus::{Format, encode};

use crate::golden::snapshot;
use crate::page::read;

/// What `shockwave serve` shows of its own, beside its pool.
const OF_THE_SERVER: &[&str] = &[
    "shockwave_http_connections",
    "shockwave_http_refused_total",
    "shockwave_http_request_duration_seconds_bucket",
    "shockwave_http_requests_total",
];

/// What pools with a budget will show.
const OF_BUDGETS: &[&str] = &["shockwave_pool_budget_bytes", "shockwave_pool_waiters"];

const FILES: &[&str] = &[
    "deploy/grafana/dashboard.json",
    "deploy/prometheus/alerts.yml",
    "deploy/prometheus/alerts_test.yml",
];

/// All words of a text that begin as our names do.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("shockwave_"))
}

#[test]
fn every_name_that_is_asked_for_is_shown() {
    let mut page = String::new();
    encode(&[("main", &snapshot())], Format::Text, &mut page);
    let page = read(&page, Format::Text).expect("a page");
    let samples = page.values().flat_map(|family| &family.samples);
    let shown: BTreeSet<&str> = samples.map(|sample| &*sample.name).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if !root.join("deploy").exists() {
        return;
    }
    for file in FILES {
        let text = std::fs::read_to_string(root.join(file)).expect("to read");
        let names: BTreeSet<_> = names(&text).collect();
        assert!(names.len() >= 8, "the search for names in {file} finds {names:?}");
        for name in names {
            let others = OF_THE_SERVER.contains(&name) || OF_BUDGETS.contains(&name);
            assert!(shown.contains(name) || others, "{file} asks for {name}");
        }
    }
}

#[test]
fn names_are_found_in_queries() {
    let query = "sum(rate(shockwave_a_total{b=\"c\"}[5m])) / shockwave_d";
    assert_eq!(names(query).collect::<Vec<_>>(), ["shockwave_a_total", "shockwave_d"]);
}
