//! `shockwave serve` and its pool: what is said of one that does not fit, and who is answered when
//! it has no more.

use std::io::Read;

use serde_json::Value;

use crate::server::{self, Server, address, ask};
use crate::support::{command, whole};

#[test]
fn a_pool_that_does_not_fit_is_warned_of_with_what_to_try() {
    let server = Server::start(&["--classes", "2k", "--log-interval", "200ms"]);
    server.get("/bytes/1m");
    let warning = server.logged("made anew");
    assert_eq!(warning["level"], "WARN");
    let advice = warning["advice"].as_str().unwrap();
    assert!(advice.contains("beyond the largest class, 2 KiB: try --classes"), "{advice}");
    let quiet = server.logged("the pool");
    assert_eq!(quiet["level"], "INFO", "nothing happened since");
}

#[test]
fn a_budget_bounds_what_is_taken_and_a_warm_up_that_does_not_fit_is_warned_of() {
    let arguments = ["--budget", "64k", "--warmup", "99", "--classes", "2k,16k"];
    let server = Server::start(&arguments);
    assert_eq!(server.warned, ["there is no room for the whole warm-up: try a larger --budget"]);
    assert_eq!(server.get("/bytes/1m").len(), 1 << 20, "in 16 KiB, one after the other");
    assert!(whole(&server.metrics(), "/pool/taken_bytes") <= 64 << 10);
}

#[test]
fn a_budget_without_room_for_a_request_is_warned_of() {
    let server = Server::start(&["--budget", "3k", "--warmup", "0"]);
    assert_eq!(
        server.warned,
        ["the budget has no room for a request's buffer: all but health and metrics is refused"]
    );
    assert_eq!(server.get("/healthz"), "ok\n");
    assert!(server.ask("GET /bytes/1", "").0.starts_with("HTTP/1.1 503 "));
    let server = Server::start(&["--budget", "3k", "--warmup", "0", "--classes", "2k"]);
    assert_eq!(server.warned, [""; 0]);
    assert!(server.ask("GET /bytes/1", "").0.starts_with("HTTP/1.1 200 "));
}

/// Whether a buffer of 64 KiB went to a reader who does not read, and is there for good, since the
/// kernel takes no more: then nobody else gets one. To be asked until it is so.
fn stuck() -> impl FnMut(&Value) -> bool {
    let mut gets = u64::MAX;
    move |metrics| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let before = std::mem::replace(&mut gets, whole(metrics, "/pool/total_gets"));
        before == gets && whole(metrics, "/pool/in_use_bytes") == 64 << 10
    }
}

#[test]
fn a_spent_budget_is_told_of_by_who_would_know() {
    let arguments = ["--budget", "64k", "--warmup", "0", "--classes", "64k"];
    let server = Server::start(&arguments);
    // The one buffer that there is goes to a reader who does not read.
    let mut slow = server.begin("GET /bytes/1g HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut status = [0; 13];
    slow.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200 ");
    server.becomes(stuck());
    let (refused, _) = server.ask("GET /bytes/1", "");
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after"), "{refused}");
    for _ in 0..5 {
        assert_eq!(server.get("/healthz"), "ok\n");
        assert_eq!(server.get("/readyz"), "ready\n");
        assert!(server.get("/metrics").contains("shockwave_pool_in_use_bytes"));
        assert!(server.get("/").contains("<html"));
        assert_eq!(whole(&server.metrics(), "/pool/in_use_bytes"), 64 << 10);
        assert!(server.ask("GET /bytes/1", "").0.starts_with("HTTP/1.1 503 "));
    }
}

#[test]
fn who_looks_after_it_is_told_even_where_all_else_waits_or_ends() {
    let arguments = ["--budget", "64k", "--warmup", "0", "--classes", "64k"];
    let more = ["--over-budget", "wait", "--admin", "127.0.0.1:0"];
    let server = Server::start(&[&arguments[..], &more].concat());
    let admin = address(&server.logged("telling how it is"));
    let get = |path: &str| ask(&admin, &format!("GET {path}"), "");
    // The one buffer that there is stays where it is.
    let unread = server.begin("GET /bytes/1g HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let metrics = || serde_json::from_str::<Value>(&get("/metrics.json").1).expect("JSON");
    let mut is_stuck = stuck();
    server::eventually(|| is_stuck(&metrics()), "nobody takes what is sent");
    let waits = server.begin("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    server::eventually(|| whole(&metrics(), "/pool/waiters") == 1, "it waits");
    assert_eq!(get("/healthz").1, "ok\n");
    assert_eq!(get("/readyz").1, "ready\n");
    assert!(get("/").1.contains("<html"));
    for path in ["/bytes/1", "/static/x", "/echo"] {
        let (head, body) = get(path);
        assert!(head.starts_with("HTTP/1.1 404 ") && !body.contains("bytes"), "{path}: {body}");
    }

    server.signal("TERM");
    server.logged("ending");
    let (head, body) = get("/readyz");
    assert!(head.starts_with("HTTP/1.1 503 ") && body == "ending\n", "{head}");
    drop((unread, waits));
    server.logged("all requests were answered");
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn who_looks_after_it_has_the_cells_that_were_asked_for() {
    let arguments = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-format", "json"];
    let mut child = command(&[&["serve", "--cells", "locked"], &arguments[..]].concat());
    // Which nobody is to look at, where the cells are said.
    child.env("SHOCKWAVE_CELLS", "none that there are");
    let server = Server::from(child);
    let admin = address(&server.logged("telling how it is"));
    assert_eq!(ask(&admin, "GET /healthz", "").1, "ok\n");
    assert_eq!(server.get("/healthz"), "ok\n");
}

#[test]
fn a_buffer_that_is_held_for_long_is_warned_of_with_the_call_that_took_it() {
    let server = Server::start(&["--track", "1", "--long-hold", "50ms"]);
    // Nobody reads what is sent, so its buffers stay where they are.
    let unread = server.begin("GET /bytes/1g HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let warning = server.logged("held for long");
    assert_eq!(warning["level"], "WARN");
    let site = warning["taken_at"].as_str().unwrap();
    assert!(site.contains("src/") && site.contains(".rs:"), "{site}");
    assert!(warning["size"].as_str().unwrap().ends_with("iB"), "{warning}");
    assert!(warning["held_for"].as_str().unwrap().ends_with('s'), "{warning}");
    assert!(whole(&server.metrics(), "/pool/long_holds") > 0);
    let page = server.get("/metrics");
    assert!(page.contains("shockwave_pool_long_holds_total{pool=\"main\"} "), "{page}");
    drop(unread);
}
