//! Pools in a registry of `prometheus-client`, beside what a program registers there itself.
//!
//! `cargo run -p shockwave --features prometheus-client --example prometheus_collector` prints the
//! registry's page.

use std::fmt;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use shockwave::BufferPool;
use shockwave::prometheus_client::PoolCollector;

fn main() -> fmt::Result {
    let (pool, archive) = (BufferPool::new(), BufferPool::new());
    let requests = Counter::<u64>::default();

    let mut registry = Registry::default();
    registry.register("app_requests", "Requests answered", requests.clone());
    let pools = [("requests", pool.clone()), ("archive", archive.clone())];
    registry.register_collector(Box::new(PoolCollector::new(pools)));

    for size in [100, 3000, 20_000, 100_000] {
        drop(pool.get(size));
        requests.inc();
    }
    drop(archive.get(1 << 20));

    // In the handler of `/metrics`, as `application/openmetrics-text; version=1.0.0`:
    let mut page = String::new();
    encode(&mut page, &registry)?;
    print!("{page}");
    Ok(())
}
