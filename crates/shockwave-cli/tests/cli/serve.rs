//! `shockwave serve`: what it listens on, what it says, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::process::Command;

use crate::server::{Server, address, ask, split};
use crate::support::{Ran, command, number, run, whole};

/// A path in the directory for temporary files that nobody else uses.
fn place(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("shockwave-serve-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn it_answers_on_tcp_and_on_a_unix_socket_and_leaves_nothing_behind() {
    let path = place("socket");
    let server = Server::start(&["--unix", path.to_str().unwrap()]);
    assert_eq!(server.get("/healthz"), "ok\n");
    assert_eq!(server.get("/bytes/100k").len(), 102_400);
    assert_eq!(server.ask("POST /echo", "as it is").1, "as it is");
    let mut unix = UnixStream::connect(&path).unwrap();
    unix.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    assert_eq!(split(unix).1, "ready\n");
    server.signal("TERM");
    server.logged("all requests were answered");
    assert_eq!(server.ended(), Some(0));
    assert!(!path.exists());
}

#[test]
fn what_it_counts_is_what_was_asked() {
    let server = Server::start(&["--budget", "8m", "--warmup", "4", "--classes", "1k,16k"]);
    for _ in 0..5 {
        server.get("/bytes/1000");
    }
    server.ask("GET /nothing", "");
    let head = server.ask("DELETE /metrics", "").0;
    assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
    let (head, _) = split(server.begin("GET / HTTP/1.1\r\n\r\n"));
    assert!(head.starts_with("HTTP/1.1 400 "), "without a host: {head}");
    // Those that were answered are closed, each in its own time; this one is open.
    let metrics = server.becomes(|metrics| whole(metrics, "/server/connections/open") == 1);
    assert!(whole(&metrics, "/server/by_status/200") >= 5, "five, and those that looked before");
    assert_eq!(whole(&metrics, "/server/by_status/404"), 1);
    assert_eq!(whole(&metrics, "/server/by_status/405"), 1);
    assert_eq!(whole(&metrics, "/server/refused_by_status/400"), 1);
    assert_eq!(whole(&metrics, "/pool/budget_bytes"), 8 << 20);
    assert_eq!(metrics["pool"]["pools"].as_array().unwrap().len(), 2);
    assert!(number(&metrics, "/uptime_seconds") > 0.0);
    assert!(number(&metrics, "/server/latency_seconds/p50") > 0.0);
    let connections = ["active", "idle"].map(|name| &metrics["server"]["connections"][name]);
    assert_eq!(connections, [1, 0]);
    assert!(whole(&metrics, "/server/connections/opened_total") >= 9);
    let text = server.get("/metrics");
    for line in [
        "shockwave_http_refused_total{status=\"400\"} 1",
        "shockwave_http_requests_total{status=\"404\"} 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in {text}");
    }
}

/// The status of an answer to a request for a host.
fn asked_for(server: &Server, host: &str) -> String {
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let (head, body) = split(server.begin(&request));
    assert_eq!(body.contains("--allow-host"), head.starts_with("HTTP/1.1 421 "), "{head} {body}");
    head["HTTP/1.1 ".len()..][..3].to_owned()
}

#[test]
fn a_page_of_another_site_finds_nothing_here() {
    let server = Server::start(&[]);
    assert_eq!(asked_for(&server, "evil.example"), "421");
    assert_eq!(asked_for(&server, &server.address), "200");
    assert_eq!(asked_for(&server, "localhost:1"), "200");
    let (head, _) = split(server.begin(
        "GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    ));
    assert!(head.starts_with("HTTP/1.1 421 "), "the target's host is what counts: {head}");
    let (head, _) = split(server.begin("GET /healthz HTTP/1.0\r\n\r\n"));
    assert!(head.starts_with("HTTP/1.1 200 "), "a check that names no host: {head}");

    let behind_a_proxy = Server::start(&["--allow-host", "public.example", "--allow-host=b"]);
    assert_eq!(asked_for(&behind_a_proxy, "public.example"), "200");
    assert_eq!(asked_for(&behind_a_proxy, "b:80"), "200");
    assert_eq!(asked_for(&behind_a_proxy, "evil.example"), "421");
    let any = Server::start(&["--allow-host", "*"]);
    assert_eq!(asked_for(&any, "evil.example"), "200");
    let open = Server::start_at("0.0.0.0:0", &[]);
    assert_eq!(asked_for(&open, "evil.example"), "200", "nobody asked for a check");
}

#[test]
fn a_body_larger_than_it_may_be_is_refused() {
    let server = Server::start(&["--max-body", "10"]);
    assert_eq!(server.ask("POST /echo", "0123456789").1, "0123456789");
    let (head, _) = server.ask("POST /echo", "0123456789a");
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
}

#[test]
fn events_come_one_after_the_other_and_end_with_the_server() {
    let server = Server::start(&[]);
    let mut events =
        BufReader::new(server.begin("GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n"));
    let mut uptimes = Vec::new();
    let mut line = String::new();
    while uptimes.len() < 2 {
        line.clear();
        assert!(events.read_line(&mut line).unwrap() > 0, "it does not end");
        if let Some(json) = line.strip_prefix("data: ") {
            let snapshot = serde_json::from_str(json).unwrap();
            uptimes.push(number(&snapshot, "/uptime_seconds"));
        }
    }
    assert!(uptimes[0] < uptimes[1], "{uptimes:?}");
    server.signal("INT");
    let mut rest = String::new();
    events.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "ended in good order: {rest}");
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn a_client_that_waits_for_100_gets_it_before_the_answer() {
    let server = Server::start(&[]);
    let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\nconnection: close\r\n\
                expect: 100-continue\r\n\r\n";
    let mut stream = server.begin(head);
    let mut first = [0; 25];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(first, *b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").unwrap();
    let (head, body) = split(stream);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(body, "body");
}

#[test]
fn a_request_under_way_is_answered_before_it_ends() {
    let server = Server::start(&[]);
    let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8\r\n\r\nhalf";
    let mut stream = server.begin(head);
    // The first half is back, so the request is under way.
    let mut answer = BufReader::new(stream.try_clone().unwrap());
    let mut seen = String::new();
    while !seen.ends_with("half") {
        let mut byte = [0];
        answer.read_exact(&mut byte).unwrap();
        seen.push(char::from(byte[0]));
    }
    server.signal("TERM");
    server.logged("ending");
    stream.write_all(b"done").unwrap();
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "done", "and then the connection ends");
    server.logged("all requests were answered");
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn it_does_not_wait_for_ever_and_not_at_all_after_a_second_signal() {
    let stuck = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8\r\n\r\nhalf";
    let server = Server::start(&["--shutdown-timeout", "50ms"]);
    let stream = server.begin(stuck);
    server.becomes(|metrics| whole(metrics, "/server/connections/active") == 2);
    server.signal("TERM");
    server.logged("broken off");
    assert_eq!(server.ended(), Some(0));
    drop(stream);

    let server = Server::start(&["--shutdown-timeout", "1h"]);
    let _stream = server.begin(stuck);
    server.becomes(|metrics| whole(metrics, "/server/connections/active") == 2);
    server.signal("TERM");
    server.logged("ending");
    server.signal("INT");
    server.logged("at once");
    assert_eq!(server.ended(), Some(130));
}

#[test]
fn a_pipe_is_no_file_to_wait_for() {
    let root = place("pipe");
    std::fs::create_dir_all(&root).unwrap();
    let made = Command::new("mkfifo").arg(root.join("pipe")).status().unwrap();
    assert!(made.success());
    let server = Server::start(&["--root", root.to_str().unwrap()]);
    for path in ["pipe", "%70ipe", "/pipe", "%2fpipe"] {
        let (head, _) = server.ask(&format!("GET /static/{path}"), "");
        assert!(head.starts_with("HTTP/1.1 404 "), "{path}: {head}");
    }
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn systemd_passes_its_socket_and_is_told_how_the_service_is() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let path = place("notify");
    let told = UnixDatagram::bind(&path).unwrap();
    // The socket is where systemd puts it, at 3, and the process is the one that it is meant for.
    let script = "exec 3<&0; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" serve --log-format json";
    let mut child = Command::new("sh");
    child.args(["-c", script, env!("CARGO_BIN_EXE_shockwave")]);
    child.stdin(OwnedFd::from(listener)).env("NOTIFY_SOCKET", &path);
    let server = Server::from(child);
    assert_eq!(server.address, address, "and no other");
    assert_eq!(server.get("/healthz"), "ok\n");
    let hears = |expected: &[u8]| {
        let mut said = [0; 64];
        let length = told.recv(&mut said).unwrap();
        assert_eq!(&said[..length], expected);
    };
    hears(b"READY=1");
    server.signal("TERM");
    hears(b"STOPPING=1");
    assert_eq!(server.ended(), Some(0));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn every_flag_may_come_from_the_environment() {
    let root = place("root");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("file"), "of the root").unwrap();
    let socket = place("by-environment");
    let mut child = command(&["serve"]);
    for (name, value) in [
        ("SHOCKWAVE_LISTEN", "127.0.0.1:0"),
        ("SHOCKWAVE_ADMIN", "127.0.0.1:0"),
        ("SHOCKWAVE_ALLOW_HOST", "a.example,B.example"),
        ("SHOCKWAVE_WARMUP", "3"),
        ("SHOCKWAVE_BUDGET", "9m"),
        ("SHOCKWAVE_OVER_BUDGET", "wait"),
        ("SHOCKWAVE_CLASSES", "4k,16k"),
        ("SHOCKWAVE_WORKERS", "1"),
        ("SHOCKWAVE_CELLS", "locked"),
        ("SHOCKWAVE_MAX_CONNECTIONS", "7"),
        ("SHOCKWAVE_MAX_BODY", "5"),
        ("SHOCKWAVE_ROOT", root.to_str().unwrap()),
        ("SHOCKWAVE_LOG_INTERVAL", "1h"),
        ("SHOCKWAVE_LONG_HOLD", "1h"),
        ("SHOCKWAVE_TRACK", "0"),
        ("SHOCKWAVE_LOG_FORMAT", "json"),
        ("SHOCKWAVE_LOG_LEVEL", "debug"),
        ("SHOCKWAVE_SHUTDOWN_TIMEOUT", "1s"),
        ("SHOCKWAVE_UNIX", socket.to_str().unwrap()),
        ("SHOCKWAVE_COLOR", "never"),
    ] {
        child.env(name, value);
    }
    let server = Server::from(child);
    let admin = address(&server.logged("telling how it is"));
    assert_eq!(server.get("/static/file"), "of the root");
    assert_eq!(server.logged("answered")["path"], "/static/file");
    assert!(server.ask("POST /echo", "123456").0.starts_with("HTTP/1.1 413 "));
    assert_eq!(asked_for(&server, "b.example"), "200");
    assert_eq!(asked_for(&server, "c.example"), "421");
    assert_eq!(ask(&admin, "GET /healthz", "").1, "ok\n");
    let metrics = server.metrics();
    assert_eq!(whole(&metrics, "/pool/budget_bytes"), 9 << 20);
    assert!(whole(&metrics, "/pool/pools/1/created") >= 3);
    assert_eq!(whole(&metrics, "/pool/pools/1/size"), 16_384);
    assert!(UnixStream::connect(&socket).is_ok());
    std::fs::remove_dir_all(&root).unwrap();
    let bad = command(&["serve"]).env("SHOCKWAVE_BUDGET", "lots").output().unwrap();
    let Ran { code, stderr, .. } = bad.into();
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--budget") && stderr.contains("512m"), "{stderr}");
}

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let path = place("unread");
    let path = path.to_str().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = command(&["serve", "--unix", path, "--log-level", "debug"]);
    let mut child = child.stderr(full).spawn().unwrap();
    let mut stream = (0..300)
        .find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            UnixStream::connect(path).ok()
        })
        .expect("it listens");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!std::path::Path::new(path).exists(), "it took its socket with it");
}

#[test]
fn an_address_that_is_taken_is_a_failure() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let Ran { code, stderr, .. } = run(&["serve", "--listen", &address]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("error: cannot listen on 127.0.0.1:"), "{stderr}");
    let Ran { code, stderr, .. } = run(&["serve", "--unix", "/nowhere/socket"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("error: cannot listen on /nowhere/socket"), "{stderr}");
}
