//! A server to be measured: one router, on hyper or on this project's server, in this process.
//!
//! It says where it listens in its first line, answers each line on its input with its pool's
//! counts, and ends with its input, so that it cannot outlive who started it.

use std::io::{BufRead, Write};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use shockwave::BufferPool;
use tokio::net::TcpListener;

use super::ServerArgs;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Hyper,
    Shockwave,
}

/// What a server's pool counts; nothing but zeros where there is no pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Buffers made, of a class or oversize, since the start.
    pub(crate) made: u64,
    pub(crate) in_use_bytes: u64,
    pub(crate) idle_bytes: u64,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Hyper, Self::Shockwave];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hyper => "hyper",
            Self::Shockwave => "shockwave",
        }
    }
}

impl Counts {
    fn of(pool: &BufferPool) -> Self {
        let metrics = pool.metrics();
        Self {
            made: metrics.total_misses + metrics.oversize_gets,
            in_use_bytes: metrics.in_use_bytes,
            idle_bytes: metrics.idle_bytes,
        }
    }
}

/// What both serve. `/echo` sends a body back as it comes, `/collect` when all of it is there.
///
/// That it has no state is said before and not with each request, as `axum::serve` does too.
fn router() -> Router {
    Router::new()
        .route("/", get(async || "Hello, World!"))
        .route("/echo", post(async |body: Body| body))
        .route("/collect", post(async |body: Bytes| body))
        .with_state(())
}

/// Serves until the input ends.
pub(crate) fn serve(args: ServerArgs) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(args.workers.into())
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let listener = runtime
        .block_on(TcpListener::bind(args.listen))
        .map_err(|error| format!("cannot listen on {}: {error}", args.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("{address}");
    match args.kind {
        Kind::Hyper => {
            // What a server does that cares for latency, and what the other does unasked.
            let listener = listener.tap_io(|stream| {
                let _ = stream.set_nodelay(true);
            });
            runtime.spawn(async { axum::serve(listener, router()).await });
            answer(Counts::default)
        }
        Kind::Shockwave => {
            let pool = BufferPool::new();
            let server = shockwave_http::Server::builder().pool(pool.clone()).build();
            runtime.spawn(async move { server.serve(listener, router()).await });
            answer(|| Counts::of(&pool))
        }
    }
    .map_err(|error| format!("cannot answer: {error}"))
}

/// Answers each line of the input with the counts of the moment.
fn answer(counts: impl Fn() -> Counts) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        line?;
        serde_json::to_writer(&mut out, &counts())?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}
