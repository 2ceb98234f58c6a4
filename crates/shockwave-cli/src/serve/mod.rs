//! `shockwave serve`: a pool, a server on it, and what tells how they are.
//!
//! ```text
//!   args ─▶ listen ─▶ server ─▶ service ─▶ assets, bytes, events, files, exposition
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
mod listen;
mod logs;
mod notify;
mod server;
mod service;
mod signals;
mod snapshot;
mod state;

pub(crate) use args::ServeArgs;

use anyhow::Context;
use shockwave::BufferPool;
use tokio::runtime;

use crate::color::Color;
use crate::exit_code::Exit;

/// Serves until a signal ends it.
pub(crate) fn run(args: &ServeArgs, color: Color) -> anyhow::Result<Exit> {
    logs::start(args.log_format, args.log_level, color)?;
    let pool = pool(args)?;
    let mut runtime = runtime::Builder::new_multi_thread();
    if let Some(workers) = args.workers {
        runtime.worker_threads(workers);
    }
    let runtime = runtime.enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(server::serve(args, pool))?;
    Ok(Exit::Ok)
}

fn pool(args: &ServeArgs) -> anyhow::Result<BufferPool> {
    let mut builder = BufferPool::builder().cells(args.cells.into());
    if let Some(classes) = &args.classes {
        builder = builder.classes(&classes.0);
    }
    let pool = builder.build().context("cannot make the pool")?;
    pool.warmup(args.warmup);
    Ok(pool)
}
