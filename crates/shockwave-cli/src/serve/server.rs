//! From sockets to the end: what runs beside the requests, and in which order it stops.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use shockwave::BufferPool;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::info;

use super::advice::Interval;
use super::args::ServeArgs;
use super::events::event;
use super::listen::{Listener, RemoveOnDrop, listen};
use super::notify::Notify;
use super::service::App;
use super::signals::Signals;
use super::snapshot::Connections;
use super::state::State;

/// How often what is shown is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Serves until a signal comes, and then until all requests are answered or time is up.
pub(crate) async fn serve(args: &ServeArgs, pool: BufferPool) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let notify = Notify::from_env();
    let listeners = listen(args.listen, args.unix.as_deref()).await?;
    let _unix = args.unix.clone().map(RemoveOnDrop);
    let open = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&open);
    let connections =
        move || Connections { open: count.load(Relaxed), idle: 0, active: count.load(Relaxed) };
    let state = Arc::new(State::new(pool, connections));
    let (sender, latest) = watch::channel(event(&state.json()));
    let app = App::new(Arc::clone(&state), latest, args.root.as_deref());
    for listener in listeners {
        info!(%listener, "listening");
        let (app, open) = (app.clone(), Arc::clone(&open));
        tokio::spawn(async move {
            let Listener::Tcp(tcp) = listener else { return };
            while let Ok((stream, _)) = tcp.accept().await {
                let service = TowerToHyperService::new(app.clone());
                let open = Arc::clone(&open);
                tokio::spawn(async move {
                    open.fetch_add(1, Relaxed);
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                    open.fetch_sub(1, Relaxed);
                });
            }
        });
    }
    drop(app);
    let beside = [
        tokio::spawn(tell_browsers(Arc::clone(&state), sender)),
        tokio::spawn(tell_log(Arc::clone(&state), args.log_interval)),
        tokio::spawn(tell_systemd(notify.clone())),
    ];
    notify.ready();
    let signal = signals.next().await;
    info!(signal, "ending; a second signal ends it at once");
    notify.stopping();
    state.end();
    tokio::spawn(signals.end_at_next());
    // Streams of events end with what they are told.
    for task in beside {
        task.abort();
    }
    Ok(())
}

/// Has the latest figures in the hands of all browsers each second.
async fn tell_browsers(state: Arc<State>, latest: watch::Sender<bytes::Bytes>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        state.tick(Instant::now());
        latest.send_replace(event(&state.json()));
    }
}

/// Logs the hit rate of each interval.
async fn tell_log(state: Arc<State>, every: Duration) {
    let mut ticks = interval(every);
    ticks.tick().await;
    let mut before = state.pool.metrics();
    loop {
        ticks.tick().await;
        let now = state.pool.metrics();
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
