//! What `shockwave serve` shows to scrapers, as files: for who checks pages.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::run::{cargo, command, line, read, run};

/// Starts a server, asks for something that is there and something that is not, and then for its
/// metrics as each of these is accepted. Returns one file for each, in `place`.
pub(super) fn pages<const N: usize>(
    place: &Path,
    accepts: [&str; N],
) -> Result<Vec<PathBuf>, String> {
    run(&mut cargo("build --package shockwave-cli"))?;
    // Not by cargo, which would not end it when it is ended itself.
    let program = target()?.join("debug/shockwave");
    let mut serve = command(&program.to_string_lossy(), &["serve", "--listen", "127.0.0.1:0"]);
    serve.args(["--log-format", "json", "--budget", "64m"]).stderr(Stdio::piped());
    println!("$ {}", line(&serve));
    let child = serve.spawn().map_err(|error| format!("{error}\n  {}", line(&serve)))?;
    let mut server = EndOnDrop(child);
    let address = server.address()?;
    for path in ["/bytes/1m", "/nothing"] {
        ask(&address, path, "*/*")?;
    }
    let mut pages = Vec::new();
    for (number, accept) in (1..).zip(accepts) {
        let page = place.join(format!("served.{number}"));
        let body = ask(&address, "/metrics", accept)?;
        fs::write(&page, body).map_err(|error| format!("{}: {error}", page.display()))?;
        pages.push(page);
    }
    Ok(pages)
}

/// Where cargo puts what it builds.
fn target() -> Result<PathBuf, String> {
    let metadata = read(&mut cargo("metadata --no-deps --format-version 1"))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| error.to_string())?;
    let target = metadata["target_directory"].as_str();
    target.map(PathBuf::from).ok_or_else(|| "cargo has no target directory".into())
}

/// Asks a server and returns the body of its answer.
fn ask(address: &str, path: &str, accept: &str) -> Result<String, String> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: {accept}\r\nconnection: close\r\n\r\n"
    );
    let mut answer = String::new();
    TcpStream::connect(address)
        .and_then(|mut stream| {
            stream.write_all(request.as_bytes())?;
            stream.read_to_string(&mut answer)
        })
        .map_err(|error| format!("{address}{path}: {error}"))?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    body.ok_or_else(|| format!("{address}{path} answers {answer:?}"))
}

/// A server, for as long as it is asked.
struct EndOnDrop(Child);

impl EndOnDrop {
    /// Where it says that it listens.
    fn address(&mut self) -> Result<String, String> {
        let log = BufReader::new(self.0.stderr.take().ok_or("its log is not ours to read")?);
        let mut said = String::new();
        for line in log.lines().map_while(Result::ok) {
            let value: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(at) = value["at"].as_str() {
                return Ok(at.trim_start_matches("http://").replace('/', ""));
            }
            said += &line;
        }
        Err(format!("it does not listen: {said}"))
    }
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
