//! Pages of pools that have worked.
#![expect(clippy::float_cmp, clippy::cast_precision_loss, reason = "small whole numbers are exact")]

use proptest::prelude::*;
use shockwave::prometheus::{Exposition, Format, encode};
use shockwave::{BufferPool, BufferPoolMetrics};

use crate::page::{Page, Sample, read};

const FORMATS: [Format; 2] = [Format::Text, Format::OpenMetrics];

/// A page of pools, read.
#[track_caller]
fn page_of(pools: &[(&str, &BufferPoolMetrics)], format: Format) -> Page {
    let mut text = String::new();
    encode(pools, format, &mut text);
    read(&text, format).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

/// The sum of a family's samples that have a label of this value, or of all.
fn sum(page: &Page, family: &str, label: Option<(&str, &str)>) -> f64 {
    let has = |sample: &&Sample| {
        label.is_none_or(|(name, value)| {
            sample.labels.iter().any(|label| (&*label.0, &*label.1) == (name, value))
        })
    };
    let family = &page[&format!("shockwave_pool_{family}")];
    family.samples.iter().filter(has).map(|sample| sample.value).sum()
}

fn worked() -> BufferPool {
    let pool = BufferPool::new();
    pool.warmup_class(2048, 3);
    for size in [10, 3000, 3000, 50_000, 100_000] {
        drop(pool.get(size));
    }
    pool
}

#[test]
fn a_page_says_what_the_snapshot_says() {
    let pool = worked();
    let _held = (pool.get(4096), pool.get(70_000).freeze());
    let metrics = pool.metrics();
    for format in FORMATS {
        let page = page_of(&[("main", &metrics)], format);
        let all = |family| sum(&page, family, None);
        let count = |value: u64| value as f64;
        let beyond = Some(("class", "oversize"));
        assert_eq!(all("gets"), count(metrics.total_gets + metrics.oversize_gets));
        assert_eq!(all("puts"), count(metrics.total_puts + metrics.oversize_puts));
        assert_eq!(sum(&page, "gets", beyond), count(metrics.oversize_gets));
        assert_eq!(sum(&page, "puts", Some(("path", "oversize"))), count(metrics.oversize_puts));
        assert_eq!(sum(&page, "gets", Some(("path", "fresh"))), all("misses"));
        assert_eq!(all("hits"), count(metrics.total_hits));
        assert_eq!(all("hits") + all("misses"), count(metrics.total_gets));
        assert_eq!(
            all("bytes_allocated"),
            count(metrics.memory_allocated + metrics.oversize_allocated)
        );
        assert_eq!(all("bytes_reused"), count(metrics.memory_reused));
        assert_eq!(all("in_use_bytes"), count(metrics.in_use_bytes));
        assert_eq!(all("idle_bytes"), count(metrics.idle_bytes));
        assert_eq!(all("pinned_bytes"), count(metrics.pinned_bytes));
        assert_eq!(all("in_use_buffers"), 1.0);
        assert!((all("hit_ratio") * 100.0 - metrics.global_hit_rate).abs() < 1e-9);
        assert_eq!(sum(&page, "gets", Some(("class", "2048"))), 1.0);
    }
}

#[test]
fn a_scrape_changes_nothing_that_the_next_one_shows() {
    let pool = worked();
    let pages = [(); 3].map(|()| page_of(&[("main", &pool.metrics())], Format::Text));
    assert_eq!(pages[0], pages[1]);
    assert_eq!(pages[0], pages[2]);
}

#[test]
fn refusals_have_the_class_that_refused_or_none() {
    let pool = worked();
    assert!(pool.try_get(usize::MAX).is_err());
    let page = page_of(&[("main", &pool.metrics())], Format::Text);
    assert_eq!(sum(&page, "refused", Some(("class", "oversize"))), 1.0);
    assert_eq!(sum(&page, "refused", None), 1.0);
}

#[test]
fn a_budget_is_shown_where_there_is_one() {
    let bounded = BufferPool::builder().budget(1 << 20).build().expect("a pool");
    let _held = bounded.get(4096);
    assert!(bounded.try_get(2 << 20).is_err());
    let pools = [("free", &worked().metrics()), ("bounded", &bounded.metrics())];
    let page = page_of(&pools, Format::OpenMetrics);
    let budgets = &page["shockwave_pool_budget_bytes"].samples;
    assert_eq!((budgets.len(), budgets[0].value), (1, f64::from(1 << 20)));
    assert_eq!(sum(&page, "taken_bytes", Some(("pool", "bounded"))), 4096.0);
    assert_eq!(sum(&page, "over_budget", None), 1.0);
    assert_eq!(sum(&page, "refused", Some(("pool", "bounded"))), 1.0);
    assert_eq!(sum(&page, "waiters", None), 0.0);
}

#[test]
fn a_reset_begins_at_nothing_and_leaves_what_is_there_now() {
    let pool = worked();
    pool.reset_metrics();
    let page = page_of(&[("main", &pool.metrics())], Format::OpenMetrics);
    for (name, family) in &page {
        let all: f64 = family.samples.iter().map(|sample| sample.value).sum();
        let stays = ["idle_bytes", "idle_buffers", "taken_bytes"];
        let stays = stays.contains(&name.trim_start_matches("shockwave_pool_"));
        assert_eq!(all > 0.0, stays, "{name}");
    }
}

#[test]
fn pools_share_a_page_and_any_text_is_a_name() {
    let (one, other) = (worked().metrics(), BufferPool::new().metrics());
    let names = ["", "a b", "say \"hi\"\\\n{pool=\"x\"} 1", "\\n", "Zürich 📦", "\r\t\0"];
    let pools: Vec<_> = names.iter().map(|&name| (name, &one)).chain([("none", &other)]).collect();
    for format in FORMATS {
        let page = page_of(&pools, format);
        assert_eq!(sum(&page, "misses", Some(("pool", "none"))), 0.0);
        for name in names {
            let misses = sum(&page, "misses", Some(("pool", name)));
            assert_eq!(misses, one.total_misses as f64, "{name:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_pool_is_called_the_page_is_whole(name in any::<String>()) {
        let metrics = BufferPoolMetrics::default();
        for format in FORMATS {
            let page = page_of(&[(&name, &metrics)], format);
            let label = &page["shockwave_pool_hit_ratio"].samples[0].labels[0];
            prop_assert_eq!(label, &("pool".to_owned(), name.clone()));
        }
    }

    #[test]
    fn whatever_a_scraper_accepts_it_gets_a_page(accept in r#"([a-z*/;,="\\ q01.]|text/plain|q=)*"#) {
        let format = Format::negotiate(Some(&accept));
        prop_assert!(FORMATS.contains(&format));
    }
}

#[test]
fn both_formats_say_the_same() {
    let pool = worked();
    let metrics = pool.metrics();
    let [text, mut open] = FORMATS.map(|format| page_of(&[("main", &metrics)], format));
    let units: Vec<_> = open.values_mut().map(|family| std::mem::take(&mut family.unit)).collect();
    assert_eq!(text, open);
    assert!(["", "bytes", "ratio"].iter().all(|unit| units.iter().any(|found| found == unit)));
}

#[test]
fn no_pools_are_an_empty_page() {
    for (format, expected) in [(Format::Text, ""), (Format::OpenMetrics, "# EOF\n")] {
        let mut page = String::new();
        encode(&[], format, &mut page);
        assert_eq!(page, expected);
        let mut exposition = Exposition::new(format, &mut page);
        exposition.pools(&[]);
        exposition.finish();
        assert_eq!(page, expected.repeat(2), "appended to what is there");
    }
}
