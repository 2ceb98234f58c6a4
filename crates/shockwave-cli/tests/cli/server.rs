//! A running `shockwave serve`: started on a free port, read from over plain sockets, ended at the
//! latest when it goes out of scope.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::command;

/// How long anything may take that takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server in a process of its own.
pub(crate) struct Server {
    child: Child,
    /// Its log, line by line.
    log: Receiver<String>,
    /// The address of its first TCP socket.
    pub(crate) address: String,
    /// What it logged before it listened.
    pub(crate) warned: Vec<String>,
}

impl Server {
    /// Starts one on a free port, with more arguments.
    pub(crate) fn start(more: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", more)
    }

    /// Starts one at an address.
    pub(crate) fn start_at(address: &str, more: &[&str]) -> Self {
        let arguments = ["serve", "--listen", address, "--log-format", "json"];
        Self::from(command(&[&arguments, more].concat()))
    }

    /// Waits until it listens.
    pub(crate) fn from(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the command starts");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, log) = channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut server = Self { child, log, address: String::new(), warned: Vec::new() };
        loop {
            let line = server.logged("");
            let message = line["message"].as_str().expect("a message").to_owned();
            if message == "listening" {
                server.address = address(&line);
                return server;
            }
            server.warned.push(message);
        }
    }

    /// The next line of the log with these words in its message.
    pub(crate) fn logged(&self, words: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let line = self.log.recv_timeout(end.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("{words:?} is not logged"));
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
            if value["message"].as_str().is_some_and(|it| it.contains(words)) {
                return value;
            }
        }
    }

    /// Waits until its metrics are as they should become, and returns them.
    pub(crate) fn becomes(&self, mut is_so: impl FnMut(&Value) -> bool) -> Value {
        let mut metrics = Value::Null;
        let look = || {
            metrics = self.metrics();
            is_so(&metrics)
        };
        eventually(look, "what the metrics are to be");
        metrics
    }

    /// A connection on which a request was begun.
    pub(crate) fn begin(&self, request: &str) -> TcpStream {
        begin(&self.address, request)
    }

    /// Sends a request, and returns the head and the body of its answer.
    pub(crate) fn ask(&self, line: &str, body: &str) -> (String, String) {
        ask(&self.address, line, body)
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let (head, body) = self.ask(&format!("GET {path}"), "");
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        body
    }

    pub(crate) fn metrics(&self) -> Value {
        serde_json::from_str(&self.get("/metrics.json")).expect("JSON")
    }

    /// The number of its process.
    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let kill = Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill");
        assert!(kill.success());
    }

    /// Waits for its end, and returns its exit code.
    pub(crate) fn ended(mut self) -> Option<i32> {
        // Its log ends when it does.
        let end = Instant::now() + PATIENCE;
        while self.log.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {}
        assert!(Instant::now() < end, "it does not end");
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn begin(address: &str, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("it accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("it reads");
    stream
}

/// As [`Server::ask`], at an address.
pub(crate) fn ask(address: &str, line: &str, body: &str) -> (String, String) {
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    split(begin(address, &(request + body)))
}

/// The address in a line of the log that has one.
pub(crate) fn address(line: &Value) -> String {
    let at = line["at"].as_str().expect("where it listens");
    at.trim_start_matches("http://").replace('/', "")
}

/// Waits until something is so.
pub(crate) fn eventually(mut is_so: impl FnMut() -> bool, what: &str) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "it does not come to be: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Reads an answer to the end of its connection.
pub(crate) fn split(mut stream: impl Read) -> (String, String) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}
