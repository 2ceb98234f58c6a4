//! What Prometheus reads, by its own tools: pages, alert rules and their tests, and the queries of
//! the dashboard.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::served;
use crate::run::{Context, Outcome, capture, cargo, command, line, read, root, run};
use crate::tools::{python_with, unpacked};

/// Reads a page of OpenMetrics, and says how many families it found.
const READ_PAGE: &str = "import sys, prometheus_client.openmetrics.parser as p; \
    print(len(list(p.text_string_to_metric_families(open(sys.argv[1]).read()))))";

/// What asks for OpenMetrics.
const OPEN: &str = "application/openmetrics-text;version=1.0.0";

pub(crate) fn prometheus(context: &mut Context) -> Outcome {
    let place = root().join("target/prometheus");
    fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    let text = page(&place.join("page.txt"), "prometheus_endpoint", "text/plain")?;
    let open = page(&place.join("page.openmetrics"), "prometheus_endpoint", OPEN)?;
    let served = served::pages(&place, ["text/plain", OPEN])?;
    let theirs = page(&place.join("collector.openmetrics"), "prometheus_collector", "")?;
    match unpacked("prometheus") {
        Ok(files) => {
            let tool = files.join("usr/bin/promtool");
            let promtool = |arguments: &[&str]| command(&tool.to_string_lossy(), arguments);
            check_text(promtool, &text)?;
            check_text(promtool, &served[0])?;
            check_rules(promtool, &place)?;
        }
        Err(why) => context.skip(format!("promtool: {why}")),
    }
    match python_with(&["prometheus-client==0.26.0"]) {
        Ok(python) => {
            check_open(&python, &open)?;
            check_open(&python, &served[1])?;
            check_open(&python, &theirs)
        }
        Err(why) => {
            context.skip(format!("Python's parser of OpenMetrics: {why}"));
            Ok(())
        }
    }
}

/// Writes the page that an example shows to whoever accepts that.
fn page(place: &Path, example: &str, accept: &str) -> Result<PathBuf, String> {
    let mut show =
        cargo(&format!("run --quiet -p shockwave --all-features --example {example} --"));
    show.args(["127.0.0.1:0", accept]).env("SHOCKWAVE_EXAMPLE_BRIEF", "1");
    let page = read(&mut show)?;
    fs::write(place, page).map_err(|error| format!("{}: {error}", place.display()))?;
    Ok(place.into())
}

/// Lets promtool read a page: the one there is, and, to see that it looks, that one spoiled.
fn check_text(promtool: impl Fn(&[&str]) -> Command, page: &Path) -> Outcome {
    let check = |page: &Path| {
        let file = File::open(page).map_err(|error| format!("{}: {error}", page.display()))?;
        let mut check = promtool(&["check", "metrics"]);
        let output = capture(check.stdin(file))?;
        let said = [output.stdout, output.stderr].concat();
        Ok::<_, String>((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    };
    let (is_good, said) = check(page)?;
    if !is_good || !said.trim().is_empty() {
        return Err(format!("promtool does not like {}:\n{said}", page.display()));
    }
    let spoiled = page.with_extension("spoiled");
    let text = fs::read_to_string(page).map_err(|error| error.to_string())?;
    fs::write(&spoiled, text.replace("_total", "")).map_err(|error| error.to_string())?;
    if check(&spoiled)?.0 {
        Err("promtool likes counters without their ending".into())
    } else {
        Ok(())
    }
}

/// Checks the rules and runs their tests, and checks the dashboard's queries as if they were rules.
fn check_rules(promtool: impl Fn(&[&str]) -> Command, place: &Path) -> Outcome {
    run(&mut promtool(&["check", "config", "deploy/prometheus/prometheus.yml"]))?;
    run(&mut promtool(&["test", "rules", "deploy/prometheus/alerts_test.yml"]))?;
    let dashboard = root().join("deploy/grafana/dashboard.json");
    let dashboard = fs::read_to_string(dashboard).map_err(|error| error.to_string())?;
    let dashboard: Value = serde_json::from_str(&dashboard).map_err(|error| error.to_string())?;
    let rules: Vec<_> = queries(&dashboard)
        .into_iter()
        .enumerate()
        .map(|(index, query)| json!({"record": format!("query:{index}"), "expr": query}))
        .collect();
    if rules.is_empty() {
        return Err("the dashboard asks for nothing".into());
    }
    let rules = json!({"groups": [{"name": "dashboard", "rules": rules}]});
    // YAML, since JSON is.
    let file = place.join("dashboard.yml");
    fs::write(&file, rules.to_string()).map_err(|error| error.to_string())?;
    run(&mut promtool(&["check", "rules", &file.to_string_lossy()]))
}

/// The queries in a dashboard, however deep, with what Grafana fills in filled in.
fn queries(dashboard: &Value) -> Vec<String> {
    match dashboard {
        Value::Array(items) => items.iter().flat_map(queries).collect(),
        Value::Object(fields) => {
            let own = fields.get("expr").and_then(Value::as_str);
            let own = own.map(|query| query.replace("$__rate_interval", "5m"));
            own.into_iter().chain(fields.values().flat_map(queries)).collect()
        }
        _ => Vec::new(),
    }
}

/// Lets Python's parser read a page: the one there is, and, to see that it looks, that one cut off.
fn check_open(python: &Path, page: &Path) -> Outcome {
    let parse = |page: &Path| {
        let mut parse = command(&python.to_string_lossy(), &["-c", READ_PAGE]);
        let output = capture(parse.arg(page))?;
        let found = String::from_utf8_lossy(&output.stdout).trim().parse::<usize>();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        found.map_err(|_nothing| format!("{}\n{said}", line(&parse)))
    };
    let found = parse(page)?;
    if found < 10 {
        return Err(format!("{} has but {found} families", page.display()));
    }
    println!("{}: {found} families", page.display());
    let cut = page.with_extension("cut");
    let text = fs::read_to_string(page).map_err(|error| error.to_string())?;
    fs::write(&cut, text.trim_end_matches("# EOF\n")).map_err(|error| error.to_string())?;
    if parse(&cut).is_ok() { Err("the parser reads a page without an end".into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_found_at_any_depth() {
        let dashboard = json!({"panels": [
            {"targets": [{"expr": "rate(a[$__rate_interval])"}, {"other": 1}]},
            {"panels": [{"targets": [{"expr": "b"}]}]},
        ]});
        assert_eq!(queries(&dashboard), ["rate(a[5m])", "b"]);
    }
}
