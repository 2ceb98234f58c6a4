//! slowhttptest: clients that take their time, many at once, while others want to be served.

use std::process::Command;
use std::time::Duration;

use shockwave_http::Timeouts;

use crate::support::{Running, program, text};

/// Connections of each attack.
const CONNECTIONS: &str = "300";

/// Seconds of each attack.
const SECONDS: &str = "5";

fn attack(server: &Running, kind: &[&str], path: &str) -> Command {
    let mut attack = program("slowhttptest");
    // A follow-up each second, all connections within the first, and half a second for a probe.
    attack.args(kind).args(["-c", CONNECTIONS, "-r", CONNECTIONS, "-i", "1", "-l", SECONDS]);
    attack.args(["-p", "2", "-u", &server.url(path)]);
    attack
}

#[test]
#[ignore = "needs slowhttptest: cargo xtask interop"]
fn slowhttptest_leaves_the_server_available_and_is_shown_out() {
    let patience = Duration::from_secs(2);
    let server = Running::start(Timeouts {
        head: patience,
        body: patience,
        write: patience,
        ..Timeouts::default()
    });
    for (kind, path) in [
        (&["-H"][..], "/"),
        (&["-B", "-s", "8192"], "/echo"),
        (&["-X", "-k", "3", "-w", "256", "-y", "512", "-z", "16", "-n", "1"], "/bytes/1000000"),
    ] {
        let (said, errors) = text(&mut attack(&server, kind, path));
        let said = format!("{said}{errors}");
        let available = said.matches("service available:").count();
        assert!(available > 0, "{kind:?}\n{said}");
        let yes = said
            .lines()
            .filter(|it| it.contains("service available:"))
            .all(|it| it.contains("YES"));
        assert!(yes, "{kind:?}\n{said}");
    }
    server.end();
}
