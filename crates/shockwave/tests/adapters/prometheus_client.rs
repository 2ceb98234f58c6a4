//! The collector's page against our own.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use shockwave::BufferPool;
use shockwave::prometheus::Format;
use shockwave::prometheus_client::PoolCollector;

use crate::page::read;
use crate::{page, pools};

/// What the registry shows of these pools.
fn text_of(pools: &[(&'static str, BufferPool)]) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(PoolCollector::new(pools.to_vec())));
    let mut text = String::new();
    encode(&mut text, &registry).expect("to write");
    text
}

#[test]
fn the_collector_says_what_our_own_page_says() {
    let pools = pools();
    let text = text_of(&pools);
    let read = read(&text, Format::OpenMetrics).unwrap_or_else(|why| panic!("{why}\n{text}"));
    assert_eq!(read, page(&pools));
}

#[test]
fn a_collector_of_no_pools_shows_nothing() {
    assert_eq!(text_of(&[]), "# EOF\n");
}
