//! curl: what most people try first.

use std::process::Command;

use shockwave_http::Timeouts;

use crate::support::{Running, bytes, program, run, text};

/// curl, which says nothing but errors, and reads no configuration of whoever runs this.
fn curl(arguments: &[&str]) -> Command {
    let mut curl = program("curl");
    curl.args(["--disable", "--silent", "--show-error", "--noproxy", "*"]).args(arguments);
    curl
}

fn start() -> Running {
    Running::start(Timeouts::default())
}

#[test]
#[ignore = "needs curl: cargo xtask interop"]
fn curl_keeps_a_connection_and_gets_a_body_of_each_kind_on_it() {
    let server = start();
    let urls = ["/", "/bytes/100000", "/pieces/50", "/"].map(|path| server.url(path));
    let mut curl = curl(&["--verbose"]);
    let (said, log) = text(curl.args(&urls));
    let pieces = String::from_utf8(bytes(100)).unwrap().repeat(50);
    let whole = String::from_utf8(bytes(100_000)).unwrap();
    assert_eq!(said, format!("hello{whole}{pieces}hello"));
    assert_eq!(log.matches("Re-using existing connection").count(), 3, "{log}");
    assert!(log.contains("< transfer-encoding: chunked"), "{log}");
    assert!(log.contains("< date: "), "{log}");
    server.end();
}

#[test]
#[ignore = "needs curl: cargo xtask interop"]
fn curl_gets_a_head_alone() {
    let server = start();
    let (said, log) = text(
        curl(&["--verbose", "--head"]).args([server.url("/bytes/1000"), server.url("/pieces/3")]),
    );
    assert!(said.contains("content-length: 1000\r\n") && !said.contains("abc"), "{said}");
    assert!(log.contains("Re-using existing connection"), "{log}");
    server.end();
}

#[test]
#[ignore = "needs curl: cargo xtask interop"]
fn curl_sends_a_large_body_when_it_is_told_to_continue() {
    let server = start();
    let sent = bytes(8 << 20);
    let file = server.folder.file("sent", &sent);
    let (back, log) = run(curl(&["--verbose", "-H", "Expect: 100-continue"])
        .args(["--expect100-timeout", "20", "-T"])
        .arg(&file)
        .arg(server.url("/collect")));
    assert!(back == sent, "{} bytes came back", back.len());
    assert_eq!(log.matches("< HTTP/1.1 100 Continue").count(), 1, "{log}");

    // A handler that does not want it is not sent it.
    let (back, log) = text(
        curl(&["--verbose", "-X", "POST", "-H", "Expect: 100-continue"])
            .args(["--expect100-timeout", "20", "-T"])
            .arg(&file)
            .arg(server.url("/ignore")),
    );
    assert_eq!(back, "ignored");
    assert!(!log.contains("100 Continue"), "{log}");
    server.end();
}

#[test]
#[ignore = "needs curl: cargo xtask interop"]
fn curl_sends_a_body_of_unknown_length() {
    let server = start();
    let sent = bytes(3_000_000);
    let file = server.folder.file("sent", &sent);
    let (back, log) = run(curl(&["--verbose", "-H", "Transfer-Encoding: chunked", "-T"])
        .arg(&file)
        .args([server.url("/echo")]));
    assert!(back == sent, "{} bytes came back", back.len());
    assert!(log.contains("> Transfer-Encoding: chunked"), "{log}");
    server.end();
}

#[test]
#[ignore = "needs curl: cargo xtask interop"]
fn curl_hears_the_answer_to_a_body_that_nobody_reads() {
    let server = start();
    let file = server.folder.file("sent", &bytes(16 << 20));
    let mut curl = curl(&["-X", "POST", "-H", "Expect:", "-w", " %{http_code}", "-T"]);
    // That the server then stops to read may be an error to curl; that the answer is lost is one to
    // us.
    let output = curl.arg(&file).arg(server.url("/ignore")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ignored 200");
    server.end();
}

#[test]
#[ignore = "needs curl: cargo xtask interop"]
fn curl_of_http_1_0_is_never_sent_chunks() {
    let server = start();
    let (said, log) = text(
        curl(&["--http1.0", "--verbose"]).args([server.url("/pieces/30"), server.url("/bytes/10")]),
    );
    assert_eq!(said.len(), 3010);
    assert!(!log.to_lowercase().contains("transfer-encoding"), "{log}");

    let (_, log) = text(
        curl(&["--http1.0", "--verbose", "-H", "Connection: keep-alive"])
            .args([server.url("/bytes/10"), server.url("/bytes/10")]),
    );
    assert!(log.contains("Re-using existing connection"), "{log}");
    server.end();
}

#[test]
#[ignore = "needs curl: cargo xtask interop"]
fn curl_by_a_unix_socket_and_many_times_at_once() {
    let server = start();
    let (said, _) = text(curl(&["--unix-socket"]).arg(&server.socket).arg("http://localhost/a?b"));
    assert_eq!(said, "GET /a?b at localhost");

    let (said, _) = run(curl(&["--parallel", "--parallel-max", "50"])
        .args([server.url("/bytes/[1000-1199]"), server.url("/pieces/[1-50]")]));
    assert_eq!(said.len(), (1000..1200).sum::<usize>() + 100 * (1..51).sum::<usize>());
    server.end();
}

#[test]
#[ignore = "needs curl: cargo xtask interop"]
fn curl_names_what_it_wants_in_every_form() {
    let server = start();
    let port = server.address.port();
    for (arguments, expected) in [
        (&["/path"][..], format!("GET /path at 127.0.0.1:{port}")),
        (
            &["/", "-X", "OPTIONS", "--request-target", "*"],
            format!("OPTIONS * at 127.0.0.1:{port}"),
        ),
        (
            &["/", "--request-target", "http://example.org:81/x"],
            "GET http://example.org:81/x at example.org:81".into(),
        ),
        (&["/x", "-X", "BREW"], format!("BREW /x at 127.0.0.1:{port}")),
        (&["/x", "-H", "Host: example.org"], "GET /x at example.org".into()),
        (&["/../%2e?q=%00", "--path-as-is"], format!("GET /../%2e?q=%00 at 127.0.0.1:{port}")),
        // An offer that a server without HTTP/2 does not take.
        (&["/x", "--http2"], format!("GET /x at 127.0.0.1:{port}")),
        (
            &["/x", "-H", "Accept-Encoding;", "-H", "X: \u{e9}"],
            format!("GET /x at 127.0.0.1:{port}"),
        ),
    ] {
        let (said, _) = text(curl(&arguments[1..]).arg(server.url(arguments[0])));
        assert_eq!(said, expected);
    }
    server.end();
}

#[test]
#[ignore = "needs curl: cargo xtask interop"]
fn curl_is_refused_what_is_not_http_or_too_much() {
    let server = start();
    let long = format!("X: {}", "x".repeat(80_000));
    let far = format!("/{}", "x".repeat(9000));
    let many: Vec<String> = (0..200).map(|n| format!("X-{n}: 1")).collect();
    let many: Vec<&str> = many.iter().flat_map(|field| ["-H", field]).collect();
    let both = ["-H", "Transfer-Encoding: chunked", "-H", "Content-Length: 1", "-d", "x"];
    for (path, arguments, status) in [
        ("/", &["-H", "Host:"][..], "400"),
        ("/", &["-H", "Host: a b"], "400"),
        ("/", &["-H", &long], "431"),
        ("/", &many, "431"),
        (&far, &[], "414"),
        ("/echo", &both, "400"),
        ("/echo", &["-H", "Transfer-Encoding: gzip, chunked", "-d", "x"], "501"),
        ("/echo", &["-H", "Content-Length: +1", "-d", "x"], "400"),
        ("/echo", &["-H", "Content-Length: 18446744073709551616", "-d", "x"], "400"),
        ("/echo", &["-H", "Expect: miracles", "-d", "x"], "417"),
        ("/", &["-X", "GET\tX"], "400"),
        ("/", &["-H", "A B: c"], "400"),
        ("/", &["--request-target", "no-slash"], "400"),
        ("/", &["--request-target", "*"], "400"),
        ("/", &["-H", "X: a\u{1}b"], "400"),
    ] {
        let mut curl = curl(&["-o", "/dev/null", "-w", "%{http_code}"]);
        let output = curl.args(arguments).arg(server.url(path)).output().unwrap();
        let shown = &arguments[..arguments.len().min(4)];
        assert_eq!(String::from_utf8_lossy(&output.stdout), status, "{path:.20} {shown:.60?}");
    }
    server.end();
}
