//! From sockets to the end: what runs beside the requests, and in which order it stops.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use shockwave::{BufferPool, BufferPoolMetrics};
use shockwave_http::{Limits, Server};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use super::advice::Interval;
use super::args::ServeArgs;
use super::events::Figures;
use super::hosts::Hosts;
use super::listen::{Listener, RemoveOnDrop, bind, listen};
use super::notify::Notify;
use super::service::{App, is_essential};
use super::signals::Signals;
use super::state::State;

/// How often what is shown is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Connections there may be at once to who only tells how the server is.
const ADMIN_CONNECTIONS_MAX: usize = 256;

/// How long those may go on when all else has ended.
const ADMIN_END: Duration = Duration::from_secs(1);

/// Serves until a signal comes, and then until all requests are answered or time is up.
pub(crate) async fn serve(args: &ServeArgs, pool: BufferPool) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let notify = Notify::from_env();
    let listeners = listen(args.listen, args.unix.as_deref()).await?;
    let _unix = args.unix.clone().map(RemoveOnDrop::new);
    let admin = match args.admin {
        Some(address) => Some((bind(address).await?, admin_server(args)?)),
        None => None,
    };
    let server = Server::builder()
        .pool(pool)
        .limits(Limits { body_bytes: args.max_body, ..Limits::default() })
        .connections_max(args.max_connections)
        .when_exhausted(args.over_budget.into())
        .essential(is_essential)
        .build();
    let state = Arc::new(State::new(server.clone()));
    let (sender, latest) = watch::channel(Figures::new(state.json()));
    let app = App::new(Arc::clone(&state), latest, args.root.as_deref());
    let mut beside = JoinSet::new();
    beside.spawn(tell_browsers(Arc::clone(&state), sender));
    beside.spawn(tell_log(Arc::clone(&state), state.pool().metrics(), args.log_interval));
    beside.spawn(tell_systemd(notify.clone()));
    let mut serving = JoinSet::new();
    for listener in listeners {
        let address = listener.address()?;
        let hosts = address.and_then(|address| Hosts::of(address, &args.allow_hosts));
        info!(at = %listener, "listening");
        let (server, app) = (server.clone(), app.clone().only_for(hosts));
        match listener {
            Listener::Tcp(tcp) => serving.spawn(async move { server.serve(tcp, app).await }),
            Listener::Unix(unix) => serving.spawn(async move { server.serve(unix, app).await }),
        };
    }
    let mut telling = None;
    if let Some((tcp, server)) = admin {
        let address = tcp.local_addr()?;
        info!(at = %format_args!("http://{address}/"), "telling how it is");
        let app = app.only_for(Hosts::of(address, &args.allow_hosts)).only_telling();
        telling = Some(server.clone());
        serving.spawn(async move { server.serve(tcp, app).await });
    }
    notify.ready();
    let ended = tokio::select! {
        signal = signals.next() => Ok(Some(signal)),
        // None ends by itself but by failing.
        Some(ended) = serving.join_next() => {
            ended?.context("cannot accept connections any more").map(|()| None)
        }
    };
    state.end();
    notify.stopping();
    if let Ok(Some(signal)) = ended {
        info!(signal, "ending; a second signal ends it at once");
    }
    tokio::spawn(signals.end_at_next());
    // Streams of events end with what they are told.
    beside.shutdown().await;
    if server.shutdown(args.shutdown_timeout).await {
        info!("all requests were answered");
    } else {
        warn!(timeout = ?args.shutdown_timeout, "requests were broken off");
    }
    if let Some(telling) = telling {
        telling.shutdown(ADMIN_END).await;
    }
    ended.map(drop)
}

/// A server with memory of its own, so that it answers whatever the budget's pool does.
fn admin_server(args: &ServeArgs) -> anyhow::Result<Server> {
    let pool = BufferPool::builder().cells(args.cells.into()).build();
    let pool = pool.context("cannot make the pool of --admin")?;
    Ok(Server::builder().pool(pool).connections_max(ADMIN_CONNECTIONS_MAX).build())
}

/// Has the latest figures in the hands of all browsers each second.
async fn tell_browsers(state: Arc<State>, latest: watch::Sender<Figures>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        state.tick(Instant::now());
        let json = state.json();
        latest.send_modify(|figures| figures.push(json));
    }
}

/// Logs the hit rate of each interval, from `before` on.
async fn tell_log(state: Arc<State>, mut before: BufferPoolMetrics, every: Duration) {
    let mut ticks = interval(every);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let now = state.pool().metrics();
        Interval::between(&before, &now).log(&now);
        before = now;
    }
}

/// Tells systemd, if it asked, twice as often as it wants to hear it.
async fn tell_systemd(notify: Notify) {
    let Some(every) = notify.watchdog() else { return pending().await };
    let mut ticks = interval(every / 2);
    loop {
        ticks.tick().await;
        notify.alive();
    }
}
