//! `shockwave serve`: a pool, a server on it, and what tells how they are.
//!
//! ```text
//!   args ─▶ listen ─▶ server ─▶ service ─▶ hosts, assets, bytes, events, files, exposition
//!                       │          └▶ state: pool, counters, latency
//!                       └▶ signals, notify, advice
//! ```

mod advice;
mod args;
mod assets;
mod body;
mod bytes;
mod counters;
mod events;
mod exposition;
mod files;
mod histogram;
mod hosts;
mod listen;
mod logs;
mod notify;
mod server;
mod service;
mod signals;
mod snapshot;
mod state;
mod warm;

pub(crate) use args::ServeArgs;

use std::time::Duration;

use anyhow::Context;
use tokio::runtime;

use crate::color::Color;
use crate::exit_code::Exit;

/// How long memory is kept that nobody needs, at least; at most twice as long. What the pool itself
/// waits where there is traffic.
const MAINTAIN_EVERY: Duration = Duration::from_secs(10);

/// Serves until a signal ends it.
pub(crate) fn run(args: &ServeArgs, color: Color) -> anyhow::Result<Exit> {
    logs::start(args.log_format, args.log_level, color)?;
    let pool = warm::pool(args)?;
    // So that memory of a peak goes back even if no traffic follows, and long holds are seen.
    let _maintainer = pool.start_maintainer(MAINTAIN_EVERY);
    let mut runtime = runtime::Builder::new_multi_thread();
    if let Some(workers) = args.workers {
        runtime.worker_threads(workers);
    }
    let runtime = runtime.enable_all().build().context("cannot start the runtime")?;
    let served = runtime.block_on(server::serve(args, pool));
    // A thread may be opening a file of `--root` that never opens, such as a pipe without a writer
    // or one on a server that is gone. All requests have had their time.
    runtime.shutdown_background();
    served.map(|()| Exit::Ok)
}
