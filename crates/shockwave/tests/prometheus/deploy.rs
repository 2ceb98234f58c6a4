//! The alerts and the dashboard against what is shown: they ask for nothing that is not there.
//!
//! They lie beside the crate in its repository and not in its package, so there is nothing to check
//! in an unpacked package.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
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
            assert!(
                shown.contains(name) || OF_THE_SERVER.contains(&name),
                "{file} asks for {name}"
            );
        }
    }
}

/// What Grafana takes without a word, and shows badly.
#[test]
fn each_panel_of_the_dashboard_has_a_place_and_a_query() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/grafana/dashboard.json");
    let Ok(text) = std::fs::read_to_string(file) else { return };
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        let number = |at: &str| panel.pointer(at).and_then(Value::as_u64).expect(title);
        assert!(ids.insert(number("/id")), "{title} has another's number");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|at| number(&format!("/gridPos/{at}")));
        assert!(w > 0 && h > 0 && x + w <= 24, "{title} is too wide");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(places.insert(place), "{title} lies on another");
        }
        if panel["type"] == "row" {
            continue;
        }
        assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{title}");
        let targets = panel["targets"].as_array().expect(title);
        let whole = |target: &Value| {
            target["expr"].is_string() && target["datasource"]["uid"] == "${datasource}"
        };
        assert!(!targets.is_empty() && targets.iter().all(whole), "{title}");
    }
    assert!(ids.len() > 15, "the search for panels finds {}", ids.len());
}

#[test]
fn names_are_found_in_queries() {
    let query = "sum(rate(shockwave_a_total{b=\"c\"}[5m])) / shockwave_d";
    assert_eq!(names(query).collect::<Vec<_>>(), ["shockwave_a_total", "shockwave_d"]);
}
