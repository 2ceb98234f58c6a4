//! `/metrics`: the pool's families and the server's own, in the format that the scraper prefers.

use shockwave::prometheus::{Exposition, Format, Kind};

use super::histogram::Counts;
use super::snapshot::Snapshot;

/// What the pool is called among others.
const POOL: &str = "main";

/// The whole page. `durations` are of all requests since the start, and `refused` of those that
/// never were one for the service.
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
    let mut requests = exposition.family(
        "shockwave_http_requests_total",
        Kind::Counter,
        "Requests answered by the service, by status.",
        "",
    );
    for (status, count) in &server.by_status {
        requests.sample(&[("status", status)], *count);
    }
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
