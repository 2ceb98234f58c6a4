//! Feature `prometheus`: a pool's metrics in the formats that Prometheus reads.
//!
//! [`encode`] writes snapshots of one or more pools as Prometheus text 0.0.4 or as OpenMetrics 1.0,
//! whichever [`Format::negotiate`] finds the scraper to prefer. It costs the hot path nothing: a
//! snapshot is taken when a scrape comes, and written as it is. Nothing is kept from one scrape to
//! the next, so a counter shows what was counted and not what was shown before; and nothing is
//! allocated but what the `String` needs to grow, which is nothing if it is used again.
//!
//! ```
//! use shockwave::BufferPool;
//! use shockwave::prometheus::{self, Format};
//!
//! let pool = BufferPool::new();
//! drop(pool.get(4096));
//!
//! // In the handler of `/metrics`, with the request's `Accept`:
//! let format = Format::negotiate(Some("text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
//! let mut body = String::new();
//! prometheus::encode(&[("main", &pool.metrics())], format, &mut body);
//!
//! assert_eq!(format.content_type(), "text/plain; version=0.0.4; charset=utf-8");
//! let sample = r#"shockwave_pool_gets_total{pool="main",class="4096",path="fresh"} 1"#;
//! assert!(body.lines().any(|line| line == sample));
//! ```
//!
//! A server that has metrics of its own adds them to the same page by an [`Exposition`].
//!
//! # What is shown
//!
//! What is a pool's begins with `shockwave_pool_`, and has a label `pool`, the name given to
//! [`encode`]. A `class` is the size of its buffers in bytes, or `oversize` for what is beyond the
//! largest class.
//!
//! | `shockwave_pool_…` | labels | is |
//! |---|---|---|
//! | `gets_total` | class, path: `cell`, `depot`, `fresh`, `oversize` | buffers given out |
//! | `puts_total` | class, path: `cell`, `depot`, `oversize` | buffers that came back |
//! | `hits_total`, `misses_total` | class | gets that found a buffer, or had to make one |
//! | `discards_total` | reason: `foreign` | buffers that were put here and belong elsewhere |
//! | `refused_total` | class | gets that got nothing |
//! | `over_budget_total` | | those of them that the budget refused |
//! | `waits_total`, `waiters` | | requests that have had to wait, and that wait now |
//! | `bytes_allocated_total`, `bytes_reused_total` | class | bytes made for gets, bytes found by them |
//! | `bytes_released_total` | class | bytes of idle buffers given back to the source |
//! | `in_use_bytes`, `idle_bytes`, `in_use_buffers`, `idle_buffers` | class | what is out, what lies idle, now |
//! | `taken_bytes`, `budget_bytes` | | bytes taken from the source now, and how many may be; the latter only with a budget |
//! | `writes_after_return_total`, `tracking_lost_total` | | idle buffers found written to; sampled gets not recorded |
//! | `long_holds_total` | | buffers told of for being held for longer than the pool's threshold |
//! | `pinned_bytes` | | bytes of frozen buffers, whole, now |
//! | `hit_ratio` | | hits of all gets of a class since the start, 0 to 1 |
//!
//! The process has some that belong to no pool, and come once on a page:
//!
//! | `shockwave_…` | labels | is |
//! |---|---|---|
//! | `pools_ended_in_use_total` | | pools that ended while buffers of theirs were out |
//! | `raw_handles` | | raw handles that are out now |
//! | `raw_returns_refused_total` | reason: `double`, `stale`, `foreign` | raw handles that were refused |
//!
//! [`reset_metrics`](crate::BufferPool::reset_metrics) sets the counters back to 0. Prometheus
//! takes that for a restart and goes on adding, so rates stay right; what was counted between the
//! last scrape and the reset is lost.
//!
//! Counts are exact whenever no get or put is in flight. Amid traffic a buffer on its way between
//! two cells may be seen in both, and then puts, and what is in use, are off by as many as moved
//! while the snapshot was taken.

mod accept;
mod exposition;
mod samples;

pub use accept::Format;
pub use exposition::{Exposition, Kind, Value};
pub use samples::Family;

use crate::metrics::BufferPoolMetrics;

/// Appends a whole exposition of these pools, each with its name, to `out`.
///
/// A name may be any text, and is shown as the label `pool`; two pools of one name would be one to
/// the reader, who then refuses the page. Allocates only what `out` needs to grow.
///
/// ```
/// use shockwave::prometheus::{self, Format};
///
/// let [small, large] = [(); 2].map(|()| shockwave::BufferPool::new().metrics());
/// let mut page = String::new();
/// prometheus::encode(&[("small", &small), ("large", &large)], Format::OpenMetrics, &mut page);
/// assert!(page.contains(r#"shockwave_pool_hit_ratio{pool="large"} 0.0"#));
/// assert!(page.ends_with("# EOF\n"));
/// ```
pub fn encode(pools: &[(&str, &BufferPoolMetrics)], format: Format, out: &mut String) {
    let mut exposition = Exposition::new(format, out);
    exposition.pools(pools);
    exposition.finish();
}
