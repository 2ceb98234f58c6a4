//! wrk: many requests in a short time, each answered.

use shockwave_http::Timeouts;

use crate::support::{Running, program, text};

#[test]
#[ignore = "needs wrk: cargo xtask interop"]
fn wrk_has_every_request_answered() {
    let server = Running::start(Timeouts::default());
    let body = "wrk.method = 'POST'\nwrk.body = string.rep('x', 16384)\n";
    let pipeline = "function request() return wrk.format('GET', '/'):rep(16) end\n";
    for (name, script, path) in [
        ("get", "", "/"),
        ("echo", body, "/echo"),
        ("pipeline", pipeline, "/"),
        ("chunks", "", "/pieces/3"),
    ] {
        let script = server.folder.file(name, script.as_bytes());
        let mut wrk = program("wrk");
        wrk.args(["-t1", "-c32", "-d1s", "-s"]).arg(script).arg(server.url(path));
        let (said, _) = text(&mut wrk);
        assert!(said.contains(" requests in ") && !said.contains(" 0 requests in "), "{said}");
        assert!(!said.contains("Socket errors") && !said.contains("Non-2xx"), "{name}: {said}");
    }
    server.end();
}
