//! `/metrics`: the pool's families and the server's own, in the format that the scraper prefers.

use shockwave::prometheus::{Exposition, Format, Kind};

use super::histogram::Counts;
use super::snapshot::Snapshot;

/// What the pool is called among others.
const POOL: &str = "main";

/// The whole page. `durations` are of all requests since the start.
pub(crate) fn page(format: Format, snapshot: &Snapshot, durations: &Counts) -> String {
    let mut page = String::new();
    let mut exposition = Exposition::new(format, &mut page);
    exposition.pools(&[(POOL, &snapshot.pool)]);
    let server = &snapshot.server;
    let connections = server.connections;
    exposition
        .family("shockwave_http_connections", Kind::Gauge, "Connections that are open now.", "")
        .sample(&[("state", &"idle")], connections.idle)
        .sample(&[("state", &"active")], connections.active);
    exposition
        .family(
            "shockwave_http_connections_opened_total",
            Kind::Counter,
            "Connections since the start.",
            "",
        )
        .sample(&[], connections.opened_total);
    let by_status = [
        (
            "shockwave_http_requests_total",
            "Requests answered by the service, by status.",
            &server.by_status,
        ),
        (
            "shockwave_http_refused_total",
            "Requests answered by the server itself, by status: not understood or not allowed.",
            &server.refused_by_status,
        ),
    ];
    for (name, help, counts) in by_status {
        let mut family = exposition.family(name, Kind::Counter, help, "");
        for (status, count) in counts {
            family.sample(&[("status", status)], *count);
        }
    }
    exposition
        .family(
            "shockwave_http_accept_failures_total",
            Kind::Counter,
            "Times that accepting failed for want of descriptors or memory.",
            "",
        )
        .sample(&[], server.accept_failures_total);
    exposition
        .family(
            "shockwave_http_panics_total",
            Kind::Counter,
            "Handlers that panicked; each was answered by 500, and its connection ended.",
            "",
        )
        .sample(&[], server.panics_total);
    exposition
        .family(
            "shockwave_http_request_duration_seconds",
            Kind::Histogram,
            "From a request's head to the end of its answer's body; streams of events left out.",
            "seconds",
        )
        .histogram(&[], durations.by_bound(), durations.sum().as_secs_f64());
    exposition
        .family("shockwave_uptime_seconds", Kind::Gauge, "Since the server's start.", "seconds")
        .sample(&[], snapshot.uptime_seconds);
    exposition
        .family("shockwave_build_info", Kind::Gauge, "Always 1; the labels tell.", "")
        .sample(&[("version", &snapshot.version)], 1_u64);
    exposition.finish();
    page
}
