//! Shockwave: a size-classed, per-core buffer pool for network servers.
//!
//! A server takes a [`Buffer`] when bytes arrive, fills it, and drops it. A get and a put take no
//! lock, run no locked instruction and allocate nothing once the pool is warm; on x86-64 Linux each
//! is one restartable sequence. The pool counts every one of them, exactly and for free.
//!
//! ```
//! use shockwave::BufferPool;
//!
//! # fn main() -> std::io::Result<()> {
//! let pool = BufferPool::new(); // classes of 2, 4, 8, 16, 32 and 64 KiB
//! pool.warmup(8); // eight idle buffers in each
//!
//! let mut stream = &b"bytes from somewhere"[..];
//! let mut buffer = pool.get(1000);
//! assert!(buffer.is_empty() && buffer.capacity() >= 1000); // may be more: here 2048
//! buffer.read_from(&mut stream)?;
//! assert_eq!(&buffer[..], b"bytes from somewhere");
//! drop(buffer); // back to the pool
//!
//! let metrics = pool.metrics();
//! assert_eq!((metrics.total_gets, metrics.total_puts, metrics.global_hit_rate), (1, 1, 100.0));
//! # Ok(())
//! # }
//! ```
//!
//! - [`BufferPool`] is a pool; [`BufferPoolBuilder`] makes one with other classes or limits.
//! - [`Buffer`] is what it gives out: a byte vector of two words that goes home when dropped.
//! - [`Shared`] is a frozen buffer: immutable, to clone and slice; it goes home from the last drop.
//! - [`BufferPoolMetrics`] is what it has done and what it holds.
//! - [`get_buffer`] and its neighbors are the same for one pool of the whole program.
//! - [`RawBuffer`] is a buffer in foreign hands, checked when it comes back.
//! - [`how_it_works`] tells the rest, with pictures.
//!
//! # Modes
//!
//! A pool can do more, at its builder's word. All of it is off by default, and costs nothing then:
//! no mode is asked about where a get and a put are fast.
//!
//! | to | ask for |
//! |---|---|
//! | have all idle memory zero | [`zero_on_return`](BufferPoolBuilder::zero_on_return) |
//! | find who writes to a buffer that it gave back | [`verify_zero`](BufferPoolBuilder::verify_zero) |
//! | see through the pool with valgrind or a profiler | [`passthrough`](BufferPoolBuilder::passthrough) |
//! | learn who holds what, and for how long | [`track`](BufferPoolBuilder::track) |
//! | be told of a pool that ends with buffers out | [`on_end`](BufferPoolBuilder::on_end) |
//!
//! # Best practices
//!
//! **Share one pool.** A [`BufferPool`] is a handle; clone it into every thread and task. Threads
//! do not contend for it, and two pools cannot use each other's idle buffers. Make a second one
//! only for other classes, or for memory that must stay apart.
//!
//! **Take late, drop early.** A get costs nanoseconds, so wait for bytes without a buffer, and take
//! one when they are there. Memory then follows the requests under way, and not the connections
//! open. The example `echo_server` does so.
//!
//! **Ask for what you need.** The pool finds the class: 3000 is served from 4 KiB, and 0 from the
//! smallest. Where the final size is known, ask for it at once or [`reserve`](Buffer::reserve) it;
//! growing byte by byte moves through every class on the way.
//!
//! **Choose classes from what is asked for.** The default ones are powers of two, and waste a
//! quarter of what they give out on average where sizes are spread evenly. The example
//! `choosing_classes` finds better ones for a histogram.
//!
//! **Do not trust a length that a peer names.** Beyond the largest class a get allocates what it is
//! asked for, up to 4 GiB. Check against your own limit first, and use
//! [`try_get`](BufferPool::try_get) where a refusal must not panic.
//!
//! ```
//! # use shockwave::{Buffer, BufferPool};
//! const BODY_BYTES_MAX: usize = 1 << 20;
//!
//! fn room_for_body(pool: &BufferPool, content_length: usize) -> Result<Buffer, &'static str> {
//!     if content_length > BODY_BYTES_MAX {
//!         return Err("413 Content Too Large");
//!     }
//!     pool.try_get(content_length).map_err(|_| "503 Service Unavailable")
//! }
//! # let pool = BufferPool::new();
//! assert!(room_for_body(&pool, 3000).is_ok());
//! assert_eq!(room_for_body(&pool, usize::MAX).unwrap_err(), "413 Content Too Large");
//! ```
//!
//! **Let drop do it.** A buffer goes home from wherever it is dropped: another thread, an early
//! return, a panic. [`put`](BufferPool::put) says the same in a word, and using a buffer afterwards
//! does not compile.
//!
//! **Mark secrets when you take the buffer.** [`scrub_on_drop`](Buffer::scrub_on_drop) has all that
//! is written to a buffer cleared on return, also when a panic unwinds. It costs what was written,
//! not what the buffer could hold. [`put_with_reset`](BufferPool::put_with_reset) does the same at
//! the end, but where an early return or a panic passes it by, it was never called.
//!
//! ```
//! # let pool = shockwave::BufferPool::new();
//! let mut buffer = pool.get(256);
//! buffer.scrub_on_drop();
//! buffer.extend_from_slice(b"session key");
//! buffer.clear(); // does not forget that it was written
//! drop(buffer); // cleared
//! ```
//!
//! **Do not keep a slice of a large buffer for long.** However little a [`Shared`] shows, it pins
//! the whole buffer; `pinned_bytes` of the metrics says how much that comes to. [`Shared::compact`]
//! copies what is small out into a buffer of its own size. The example `broadcast` shows both.
//!
//! **Warm up before you listen.** See [capacity planning](#capacity-planning). What is warmed up is
//! resident, so the first requests cause no page faults either, and counts in no metric.
//!
//! **Start a maintainer.** By itself a pool gives back what a peak has left only when a get or put
//! visits a depot, and where cells serve all there is, none does.
//! [`start_maintainer`](BufferPool::start_maintainer) makes sure of it, and of reports of buffers
//! that are held for long.
//!
//! **Watch the hit rate.** The example `hit_rate_reporter` logs it each minute. With the feature
//! `prometheus` any server shows it, and all else, to Prometheus: example `prometheus_endpoint`;
//! the repository's folder `deploy` has alerts and a dashboard.
//!
//! # Troubleshooting
//!
//! All of it begins with [`metrics`](BufferPool::metrics), whose `Display` is a page to read, and
//! with the hit rate, for which [`advice`](BufferPoolMetrics::advice) has these words too:
//!
//! | hit rate | it is | do |
//! |---|---|---|
//! | 95 % and above | healthy | nothing |
//! | 80 to 95 % | short of idle buffers | warm up more; drop buffers sooner |
//! | below 80 % | not reusing | look at the sizes: which classes miss, and were those warmed up? |
//!
//! A rate that is low just after the start and rises is only a pool that warms itself up. Each
//! buffer it makes stays, so a load that does not grow stops missing. A rate that stays low means
//! that more and more buffers are out: look at `in_use`.
//!
//! | you see | it means | do |
//! |---|---|---|
//! | `oversize_gets` rises | requests beyond the largest class, each of which allocates | add a class for them |
//! | `in_use` rises and never falls | buffers are held for ever, or were forgotten | have [`on_long_hold`](BufferPoolBuilder::on_long_hold) name the calls that took them; look into queues, caches, `mem::forget` |
//! | `pinned_bytes` is far more than what you keep | small slices pin large buffers | [`Shared::compact`] what is kept |
//! | `idle_bytes` stays high after a peak | there is no traffic, or the cells serve all of it (`gets_depot` and `puts_depot` stand still), and then nothing goes back by itself | start a [`Maintainer`], or call [`maintain`](BufferPool::maintain) or [`trim`](BufferPool::trim) |
//! | `over_budget` rises | the budget is used up | raise it, shed load, or wait with [`acquire`](BufferPool::acquire) |
//! | `idle_bytes` is high on many cores | each CPU keeps its own, 8 MiB at most by default | lower [`per_core_bytes`](BufferPoolBuilder::per_core_bytes) |
//! | `gets_depot` is more than a thirtieth of `gets` | buffers move between CPUs, or many are held at once | nothing, or raise `per_core_bytes` if you lowered it |
//! | `discards` is not 0 | buffers of another pool were put here; they went home | drop them instead |
//! | `refused` is more than `over_budget`, all of which count there too | the system had no memory, or a size exceeded 4 GiB | bound sizes; shed load |
//! | a wide gap between a request and its class | waste | choose classes by a histogram: example `choosing_classes` |
//! | gets cost some 20 ns and not a few | [`cells`](BufferPool::cells) says [`Locked`](Cells::Locked) | see [platforms](#platforms) |
//!
//! # Capacity planning
//!
//! Buffers in use at once are requests per second times the seconds for which each holds its
//! buffer. Warm up twice that, since load is not even, and some thirty for each CPU, since what
//! lies in one CPU's cell is not to be had from another:
//!
//! ```
//! use std::time::Duration;
//!
//! /// Buffers of a class to warm up.
//! fn count(requests_per_second: u32, held: Duration, cpus: usize) -> usize {
//!     let in_use = requests_per_second as usize * held.as_millis() as usize / 1000;
//!     2 * in_use + 30 * cpus
//! }
//!
//! let ten_ms = Duration::from_millis(10);
//! assert_eq!(count(1_000, ten_ms, 4), 140);
//! assert_eq!(count(10_000, ten_ms, 8), 440);
//! assert_eq!(count(100_000, ten_ms, 16), 2_480);
//! assert_eq!(count(1_000_000, ten_ms, 64), 21_920);
//!
//! let pool = shockwave::BufferPool::new();
//! assert_eq!(pool.warmup_class(4096, count(1_000, ten_ms, 4)), 140);
//! assert_eq!(pool.metrics().idle_bytes, 140 * 4096);
//! ```
//!
//! For buffers held for 10 ms each:
//!
//! | traffic | requests/s | CPUs | warm up | resident in 4 KiB | in 16 KiB | in 64 KiB |
//! |---|---|---|---|---|---|---|
//! | low | 1,000 | 4 | 140 | 0.5 MiB | 2.2 MiB | 8.8 MiB |
//! | medium | 10,000 | 8 | 440 | 1.7 MiB | 6.9 MiB | 28 MiB |
//! | high | 100,000 | 16 | 2,480 | 9.7 MiB | 39 MiB | 155 MiB |
//! | very high | 1,000,000 | 64 | 21,920 | 86 MiB | 343 MiB | 1.3 GiB |
//!
//! [`warmup`](BufferPool::warmup) makes that many in every class, 126 KiB for each of the six
//! default ones together; [`warmup_class`](BufferPool::warmup_class) in the ones you use. At most,
//! a class ever has what it was warmed up to, or what was in use at its peak and a full magazine
//! for each other CPU, whichever is more.
//!
//! # Bounds
//!
//! A pool takes what it is asked for unless it has a [`budget`](BufferPoolBuilder::budget), a hard
//! limit on all that it has from its source. What is idle never stands in the way: it is reclaimed
//! from other CPUs and classes before a get is refused. [`try_get`](BufferPool::try_get) then says
//! why, [`acquire`](BufferPool::acquire) and [`get_timeout`](BufferPool::get_timeout) wait in
//! order, and [`on_pressure`](BufferPoolBuilder::on_pressure) says when to stop accepting. The
//! example `backpressure` does all three.
//!
//! What was not needed for a whole [interval](BufferPoolBuilder::trim_interval) goes back to the
//! source, down to what was warmed up. On Linux the source is [mapped memory](Map), and what goes
//! back is the system's at once; [`Heap`] and sources of your own are a choice of the builder's.
//!
//! # Features
//!
//! Each adds an interface and changes nothing else. None is on by default; the crate then depends
//! on `libc` alone.
//!
//! | feature | adds |
//! |---|---|
//! | `bytes` | `bytes::BufMut` for [`Buffer`], `Buf` for [`Shared`], and `Bytes` from it |
//! | `serde` | `serde::Serialize` for buffers, metrics and load-test results |
//! | `prometheus` | metrics in the formats that Prometheus reads, for any server to show |
//! | `prometheus-client` | the same as a collector for a registry of that crate |
//! | `metrics` | snapshots told to the recorder of the `metrics` facade |
//! | `opentelemetry` | observable instruments for an OpenTelemetry meter |
//! | `loadtest` | the load test as a library |
//!
//! # Platforms
//!
//! Restartable sequences need x86-64 Linux 5.10 or later with glibc 2.35 or later. Everywhere else
//! (other systems, musl, gVisor, valgrind) a pool works the same with cells entered by a try-lock.
//! To learn why a pool has those, ask for the others:
//!
//! ```
//! use shockwave::{BufferPool, Cells};
//!
//! match BufferPool::builder().cells(Cells::Rseq).build() {
//!     Ok(pool) => assert_eq!(pool.cells(), Cells::Rseq),
//!     Err(error) => println!("{error}"), // names what is missing
//! }
//! ```
//!
//! In a container, a limit on CPU time is respected where it matters. Locked cells are as many as
//! the limit has use for. Cells entered by sequences belong to the CPUs that a process runs on,
//! which a limit on time does not choose: it may run on all of them in turn. Their memory is
//! touched when it first does, and what lies in those that it has left is brought home and given
//! back at the end of an [interval](BufferPoolBuilder::trim_interval); a lower
//! [`per_core_bytes`](BufferPoolBuilder::per_core_bytes) bounds it meanwhile. A limit on the CPUs
//! themselves (`cpuset`) needs no respect beyond that. Load tests and their warm-up count workers
//! by the limit.
//!
//! The environment variable `SHOCKWAVE_CELLS`, set to `rseq` or `locked`, decides for every pool
//! whose builder does not.
#![cfg_attr(loom, allow(dead_code, unused_imports, reason = "loom models the core alone"))]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a buffer's handle and a magazine are laid out for addresses of 64 bits");

mod acquire;
mod arena;
mod asan;
mod buffer;
mod builder;
mod callback;
mod cells;
mod class;
mod controls;
mod depot;
mod diagnosis;
mod engine;
mod error;
mod ext;
mod fork;
mod global;
pub mod how_it_works;
mod later;
mod life;
mod limits;
#[cfg(feature = "loadtest")]
pub mod loadtest;
mod loans;
#[cfg(all(test, loom))]
mod loom_tests;
mod magazine;
mod maintain;
mod meta;
mod metrics;
mod modes;
mod oversize;
mod pool;
mod raw;
mod reentry;
mod sampling;
mod shared;
mod source;
mod stack;
mod sync;
mod track;
mod verify;
mod wait;
mod watch;

pub use self::metrics::{BufferPoolMetrics, SizedPoolMetrics};
pub use acquire::Acquire;
pub use buffer::Buffer;
pub use builder::BufferPoolBuilder;
pub use cells::Cells;
pub use class::{
    BUFFER_SIZE_2KB, BUFFER_SIZE_4KB, BUFFER_SIZE_8KB, BUFFER_SIZE_16KB, BUFFER_SIZE_32KB,
    BUFFER_SIZE_64KB,
};
pub use error::{BuildError, GetError};
#[cfg(feature = "metrics")]
pub use ext::metrics_facade;
#[cfg(feature = "opentelemetry")]
pub use ext::opentelemetry;
#[cfg(feature = "prometheus")]
pub use ext::prometheus;
#[cfg(feature = "prometheus-client")]
pub use ext::prometheus_client;
pub use global::{
    buffer_pool_metrics, get_buffer, global, print_buffer_pool_metrics, put_buffer,
    put_buffer_with_reset, reset_buffer_pool_metrics, warmup_buffer_pool,
};
pub use loans::{RawHandles, raw_handles};
pub use maintain::Maintainer;
pub use pool::BufferPool;
pub use raw::{RawBuffer, RawError};
pub use sampling::Sampling;
pub use shared::Shared;
#[cfg(all(target_os = "linux", not(loom)))]
pub use source::Map;
pub use source::{Heap, Source};
pub use track::{EndReport, Outstanding, pools_ended_in_use};
pub use verify::WriteAfterReturn;
pub use watch::Pressure;

/// The examples of this crate's README, compiled and run with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
