//! `haproxy` in front: it keeps its connections, parses every answer, and says how each exchange
//! ended.

use std::fs;
use std::process::{Child, Command, Stdio};

use shockwave_http::Timeouts;

use crate::support::{Running, bytes, program, run, text};

/// Requests that go through it, one by one or at once.
const REQUESTS: usize = 240;

/// A proxy between a Unix socket of its own and the server.
struct Proxy {
    child: Child,
    socket: String,
    log: std::path::PathBuf,
}

impl Proxy {
    fn start(server: &Running) -> Self {
        let socket = server.folder.path("proxy.sock").display().to_string();
        let log = server.folder.path("proxy.log");
        // By one thread: of the lines that several log at once, one is lost now and then.
        let configuration = format!(
            "global\n  nbthread 1\n  log stdout format raw daemon\ndefaults\n  mode http\n  \
             log global\n  log-format \"%ST %ts %HM %HP\"\n  timeout connect 5s\n  timeout client 20s\n  \
             timeout server 20s\n  http-reuse always\nfrontend f\n  bind unix@{socket}\n  \
             default_backend b\nbackend b\n  option httpchk\n  http-check send meth GET uri / ver \
             HTTP/1.1 hdr Host check\n  http-check expect string hello\n  \
             server s {} check inter 200ms maxconn 8\n",
            server.address
        );
        let configuration = server.folder.file("haproxy.cfg", configuration.as_bytes());
        let output = fs::File::create(&log).unwrap();
        let child = program("/usr/sbin/haproxy")
            .args(["-db", "-f"])
            .arg(configuration)
            .stdout(output.try_clone().unwrap())
            .stderr(Stdio::from(output))
            .spawn()
            .unwrap();
        Self { child, socket, log }
    }

    fn curl(&self) -> Command {
        let mut curl = program("curl");
        curl.args(["--disable", "-sS", "--fail", "--retry", "20", "--retry-connrefused"]);
        curl.args(["--retry-delay", "1", "--unix-socket", &self.socket]);
        curl
    }

    /// Ends it, and returns its log.
    fn end(mut self) -> String {
        // By the signal that `timeout` hands on.
        let ended = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(ended.unwrap().success());
        self.child.wait().unwrap();
        fs::read_to_string(&self.log).unwrap()
    }
}

#[test]
#[ignore = "needs haproxy and curl: cargo xtask interop"]
fn haproxy_in_front_ends_every_exchange_well() {
    let server = Running::start(Timeouts::default());
    let proxy = Proxy::start(&server);
    for _ in 0..100 {
        if fs::exists(&proxy.socket).unwrap() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let get = |path: &str| run(proxy.curl().arg(format!("http://a{path}"))).0;
    assert_eq!(get("/"), b"hello");
    assert_eq!(get("/pieces/100").len(), 10_000);
    let many = format!("http://a/bytes/[1-{REQUESTS}]");
    let (said, _) = run(proxy.curl().args(["--parallel", "--parallel-max", "40", &many]));
    assert_eq!(said.len(), (1..=REQUESTS).sum::<usize>());

    // Collected, that is, answered once it has come whole: of an answer that comes while a body in
    // chunks is still on its way, HAProxy 2.6 now and then leaves the rest unread until its
    // timeout, whichever server is behind it.
    let sent = bytes(4_000_000);
    let file = server.folder.file("sent", &sent);
    for field in ["Expect:", "Expect: 100-continue", "Transfer-Encoding: chunked"] {
        let (back, _) =
            run(proxy.curl().args(["-H", field, "-T"]).arg(&file).arg("http://a/collect"));
        assert!(back == sent, "{field}: {} bytes came back", back.len());
    }
    let (head, _) = text(proxy.curl().args(["--head", "http://a/bytes/77"]));
    assert!(head.contains("content-length: 77\r\n"), "{head}");

    let log = proxy.end();
    let exchanges: Vec<&str> = log.lines().filter(|line| line.starts_with("200 ")).collect();
    assert_eq!(exchanges.len(), REQUESTS + 6, "{log}");
    // No session was ended by a timeout, a reset or an answer that is none.
    assert!(exchanges.iter().all(|line| line.starts_with("200 -- ")), "{log}");
    assert!(!log.contains("DOWN"), "{log}");
    server.end();
}
