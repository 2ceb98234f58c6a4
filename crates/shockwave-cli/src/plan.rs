//! `shockwave plan`: what a pool has done, and which settings follow from it.

use std::fs;
use std::io::{Read, stdin};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;
use shockwave::loadtest::human;

use crate::exit_code::Exit;
use crate::output;
use crate::parse::parse_metrics_url;
use crate::reading::{Class, Pool};
use crate::top::fetch_text;

/// Hits of a class in percent below which more warm-up would help.
const HEALTHY: u64 = 95;

/// Gets of a class below which its hits say nothing.
const GETS_MIN: u64 = 20;

/// Bytes of a budget are rounded up to these: nobody sets one to the byte.
const BUDGET_STEP: u64 = 1 << 20;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    /// A server's address or URL, a file of JSON, or - for standard input
    #[arg(value_name = "FILE|URL")]
    source: String,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints what the metrics suggest.
pub(crate) fn run(args: &PlanArgs) -> anyhow::Result<Exit> {
    let pool = pool_in(&read(&args.source)?, &args.source)?;
    let plan = Plan::new(&pool);
    if args.json {
        output::print_json(&plan)?;
    } else {
        output::print(plan.text().as_bytes())?;
    }
    Ok(Exit::Ok)
}

/// A file if there is one of that name, else what a server answers.
fn read(source: &str) -> anyhow::Result<String> {
    if source == "-" {
        let mut text = String::new();
        stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    match fs::read_to_string(source) {
        Ok(text) => Ok(text),
        Err(error) => match parse_metrics_url(source) {
            Ok(url) if !source.contains('/') || source.contains("://") => fetch_text(&url),
            Err(wrong) if source.is_empty() || source.contains("://") => Err(wrong.into()),
            _ => Err(error).with_context(|| format!("cannot read {source}")),
        },
    }
}

/// The pool's metrics in the JSON of a server, of a load test, or of several.
fn pool_in(text: &str, source: &str) -> anyhow::Result<Pool> {
    let value: Value =
        serde_json::from_str(text).with_context(|| format!("{source} is not JSON"))?;
    let found = [&value["pool"], &value["metrics"], &value];
    let Some(pool) = found.into_iter().find(|it| it["pools"].is_array()) else {
        bail!("{source} has no pool's metrics; expected /metrics.json or one load test's results");
    };
    let pool = Pool::deserialize(pool).with_context(|| format!("{source} has other metrics"))?;
    if pool.total_gets + pool.oversize_gets == 0 {
        bail!("the pool in {source} has done nothing yet; put it under its usual load first");
    }
    Ok(pool)
}

/// Settings, and why.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
struct Plan {
    /// In bytes, ascending.
    classes: Vec<u64>,
    /// Buffers of each class to begin with: what the class of most buffers has come to need.
    warmup: u64,
    budget_bytes: u64,
    /// Sentences.
    reasons: Vec<String>,
}

impl Plan {
    fn new(pool: &Pool) -> Self {
        let mut reasons = Vec::new();
        let classes = classes(pool, &mut reasons);
        let used: Vec<_> = pool.pools.iter().filter(|class| class.gets > 0).collect();
        for class in &used {
            if class.gets >= GETS_MIN && class.hits * 100 < class.gets * HEALTHY {
                reasons.push(format!(
                    "A buffer of {} had to be made for {} of {} gets: warm up more of them, or return them \
                     sooner.",
                    human::bytes(class.size),
                    human::grouped(class.misses),
                    human::grouped(class.gets)
                ));
            }
        }
        // What was made and is still there was needed at once, or warmed up.
        let most = used.iter().max_by_key(|class| class.created);
        let warmup = most.map_or(0, |class| class.created);
        if let Some(class) = most {
            reasons.push(format!(
                "{} buffers of {} are there, the most of any class: with as many from the start, \
                 none would have to be made.",
                human::grouped(class.created),
                human::bytes(class.size)
            ));
        }
        let held = pool.in_use_bytes + pool.idle_bytes;
        let warm: u64 = classes.iter().map(|size| size * warmup).sum();
        let budget_bytes = (held.max(warm) * 5 / 4).div_ceil(BUDGET_STEP) * BUDGET_STEP;
        reasons.push(format!(
            "The pool holds {} now, and that warm-up would take {}: the budget is a quarter above \
             the larger of the two.",
            human::bytes(held),
            human::bytes(warm)
        ));
        if pool.refused > 0 {
            reasons.push(format!(
                "{} gets were refused: the present budget, or the system, has too little.",
                human::grouped(pool.refused)
            ));
        }
        Self { classes, warmup, budget_bytes, reasons }
    }

    fn text(&self) -> String {
        let sizes: Vec<_> = self.classes.iter().map(|size| flag(*size)).collect();
        let (sizes, budget) = (sizes.join(","), flag(self.budget_bytes));
        let mut text = format!("--classes {sizes} --warmup {} --budget {budget}\n\n", self.warmup);
        for reason in &self.reasons {
            text.extend(["- ", reason, "\n"]);
        }
        text += "\nFrom what was counted so far. Sizes within a class are not known, so that \
                 classes\nbetween the present ones may serve better.\n";
        text
    }
}

/// The classes in use, and one more if too much is beyond them.
fn classes(pool: &Pool, reasons: &mut Vec<String>) -> Vec<u64> {
    let (used, unused): (Vec<&Class>, Vec<&Class>) =
        pool.pools.iter().partition(|class| class.gets > 0);
    let mut classes: Vec<_> = used.iter().map(|class| class.size).collect();
    if !unused.is_empty() {
        let sizes: Vec<_> = unused.iter().map(|class| human::bytes(class.size)).collect();
        reasons.push(format!("Nothing asked for {}.", sizes.join(", ")));
    }
    // One in twenty costs more than a class would.
    if pool.oversize_gets * 20 > pool.total_gets {
        let average = pool.oversize_allocated / pool.oversize_gets;
        let size = average.next_power_of_two();
        reasons.push(format!(
            "{} gets were beyond the largest class, of {} on average: a class of {} would serve \
             most of them if they are alike.",
            human::grouped(pool.oversize_gets),
            human::bytes(average),
            human::bytes(size)
        ));
        classes.push(size);
    }
    classes
}

/// A size as the flags read it.
fn flag(bytes: u64) -> String {
    for (unit, suffix) in [(1 << 30, "g"), (1 << 20, "m"), (1 << 10, "k")] {
        if bytes > 0 && bytes.is_multiple_of(unit) {
            return format!("{}{suffix}", bytes / unit);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_size;

    fn metrics(pool: &shockwave::BufferPool) -> String {
        serde_json::json!({ "pool": pool.metrics() }).to_string()
    }

    #[test]
    fn settings_follow_from_what_was_counted() {
        let pool = shockwave::BufferPool::new();
        drop((0..30).map(|_| pool.get(4000)).collect::<Vec<_>>());
        (0..10).for_each(|_| drop(pool.get(100_000)));
        let plan = Plan::new(&pool_in(&metrics(&pool), "test").unwrap());
        assert_eq!((plan.classes.as_slice(), plan.warmup), (&[4096, 131_072][..], 30));
        // 30 of 4 KiB and of 128 KiB, and a quarter more.
        assert_eq!(plan.budget_bytes, 5 << 20);
        let text = plan.text();
        assert!(text.starts_with("--classes 4k,128k --warmup 30 --budget 5m\n"), "{text}");
        for words in
            ["4 KiB had to be made for 30 of 30", "Nothing asked for 2 KiB, 8 KiB", "97.7 KiB"]
        {
            assert!(text.contains(words), "{words} in {text}");
        }
    }

    #[test]
    fn a_healthy_pool_is_left_as_it_is() {
        let pool = shockwave::BufferPool::builder().classes(&[4096]).build().unwrap();
        pool.warmup(8);
        (0..100).for_each(|_| drop(pool.get(4000)));
        let plan = Plan::new(&pool_in(&metrics(&pool), "test").unwrap());
        assert_eq!(
            (plan.classes.as_slice(), plan.warmup, plan.budget_bytes),
            (&[4096][..], 8, 1 << 20)
        );
        assert!(!plan.text().contains("had to be made"), "{}", plan.text());
    }

    #[test]
    fn what_tells_nothing_is_refused() {
        let idle = metrics(&shockwave::BufferPool::new());
        for (text, words) in [
            ("", "not JSON"),
            ("[]", "no pool"),
            ("{\"pool\": 1}", "no pool"),
            (&idle, "nothing yet"),
        ] {
            let error = format!("{:#}", pool_in(text, "test").unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn sizes_are_written_as_the_flags_read_them() {
        for bytes in [1, 1000, 2048, 3000, 65_536, 5 << 20, 3 << 30] {
            assert_eq!(parse_size(&flag(bytes)), Ok(usize::try_from(bytes).unwrap()));
        }
    }
}
