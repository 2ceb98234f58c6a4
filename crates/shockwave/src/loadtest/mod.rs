//! The load test: scenarios that a server would put a pool through, and what came of them.
//!
//! [`run`] builds a pool of its own, warms it up, lets workers at it for a while, and returns a
//! [`LoadTestResult`], which prints as a page for people and, with the feature `serde`, serializes
//! for machines. [`run_with`] also shows how it goes, and can be ended early.
//!
//! ```
//! use shockwave::loadtest::{self, LoadTestConfig, Scenario};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), loadtest::LoadTestError> {
//! let result = loadtest::run(&LoadTestConfig {
//!     duration: Duration::from_millis(20),
//!     workers: 2,
//!     scenario: Scenario::Burst,
//!     ..LoadTestConfig::default()
//! })?;
//! assert_eq!(result.total_operations, result.metrics.total_gets);
//! println!("{result}");
//! # Ok(())
//! # }
//! ```
//!
//! # What an operation is
//!
//! One buffer taken, used and returned, in every scenario. To use a buffer is to write ten bytes
//! into it [`ops_per_buffer`](LoadTestConfig::ops_per_buffer) times, one after the other, and again
//! from its front whenever the next ten would not fit into the size that was asked for. So
//! operations are gets, exactly: every buffer that is taken in the measured time is also returned
//! in it.
//!
//! # What is measured, and what is not
//!
//! Warm-up makes idle buffers and then runs the scenario for a moment; it is in no figure. Rates
//! divide by the time from when the workers were let go until the last one was done. A few
//! operations, drawn at random, are timed: a latency is the time spent in taking and using a
//! buffer, and in returning it, without what lies between when a scenario holds on to it. The clock
//! itself takes time; [`recording`](Latency::recording) says what an operation of no length would
//! have been recorded as.
//!
//! # How it goes together
//!
//! ```text
//!   config ─▶ run ─▶ drive ──┬─ worker ── scenario ── lender (pool, or plain allocation)
//!                            ├─ worker ──    …
//!                            └─ watch: progress, resident memory, timeline
//!                                 │
//!                              result ─▶ Display, Serialize
//! ```

mod allocations;
mod config;
mod display;
mod drive;
mod entry;
mod error;
mod gate;
mod given_back;
mod handover;
pub mod human;
mod latency;
mod lender;
mod random;
mod resident;
mod result;
mod scenario;
mod warmup;
mod watch;
mod worker;

pub use allocations::Allocations;
pub use config::{LoadTestConfig, Supply};
pub use entry::{run, run_with};
pub use error::LoadTestError;
pub use given_back::GivenBack;
pub use latency::{Latency, LatencyPoint};
pub use resident::{Resident, resident_bytes};
pub use result::{LoadTestResult, SupplyUsed};
pub use scenario::{Scenario, UnknownScenario};
pub use watch::{Moment, Progress};
