//! h11, a Python library that holds both sides to the letter of HTTP/1.1.

use std::path::Path;

use shockwave_http::Timeouts;

use crate::support::{Running, program, text};

#[test]
#[ignore = "needs Debian's python3-h11: cargo xtask interop"]
fn h11_finds_nothing_wrong_with_any_answer() {
    let server = Running::start(Timeouts::default());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/h11_client.py");
    // Debian's own Python, since h11 is a package of it.
    let mut python = program("/usr/bin/python3");
    let (said, _) = text(python.arg("-B").arg(script).arg(server.address.port().to_string()));
    assert_eq!(said, "13 checks\n");
    server.end();
}
