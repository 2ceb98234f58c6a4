//! The load generator `wrk`: its scripts, its command line, and what it found.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::client::BODY_BYTES;

/// Requests that a pipelining connection sends at once.
const PIPELINED: u32 = 16;

/// What is sent, over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Load {
    Get,
    Echo,
    Collect,
    Pipelined,
}

impl Load {
    pub(crate) const ALL: [Self; 4] = [Self::Get, Self::Echo, Self::Collect, Self::Pipelined];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "small GET",
            Self::Echo => "16 KiB echo",
            Self::Collect => "16 KiB echo, collected",
            Self::Pipelined => "pipelined GETs",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Get | Self::Pipelined => "/",
            Self::Echo => "/echo",
            Self::Collect => "/collect",
        }
    }

    /// What makes its requests; those of a GET are made by wrk itself.
    fn requests(self) -> String {
        match self {
            Self::Get => String::new(),
            Self::Echo | Self::Collect => {
                format!("wrk.method = 'POST'\nwrk.body = string.rep('x', {BODY_BYTES})\n")
            }
            Self::Pipelined => format!(
                "local batch\nfunction init()\n  local one = {{}}\n  \
                 for i = 1, {PIPELINED} do one[i] = wrk.format('GET', '/') end\n  \
                 batch = table.concat(one)\nend\nfunction request() return batch end\n"
            ),
        }
    }
}

/// What wrk found, as a script of ours prints it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub(crate) struct Found {
    pub(crate) requests: u64,
    pub(crate) duration_us: u64,
    /// Latencies at the median and above 99 of 100.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Connections that failed, answers that were no success, and answers that did not come.
    pub(crate) errors: u64,
}

impl Found {
    pub(crate) fn requests_per_second(&self) -> f64 {
        1e6 * self.requests as f64 / self.duration_us as f64
    }
}

/// Prints the summary on a line of its own.
const DONE: &str = r#"
function done(summary, latency)
  local errors = summary.errors
  local all = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\nfound {"requests":%d,"duration_us":%d,"p50_us":%f,"p99_us":%f,"errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), all))
end
"#;

/// wrk, installed, with its scripts in a folder of their own for as long as this lives.
#[derive(Debug)]
pub(crate) struct Wrk {
    pub(crate) version: String,
    folder: PathBuf,
}

impl Wrk {
    /// Finds it.
    pub(crate) fn find() -> Result<Self, String> {
        // It says its version with its usage, and fails.
        let said = Command::new("wrk").arg("-v").output().map_err(|error| {
            format!("wrk, which makes the load, does not start ({error}): apt-get install wrk")
        })?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let version = said.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let folder = std::env::temp_dir().join(format!("shockwave-http-{}", std::process::id()));
        let failed = |error| format!("{}: {error}", folder.display());
        fs::create_dir_all(&folder).map_err(failed)?;
        for load in Load::ALL {
            let script = format!("{}{DONE}", load.requests());
            fs::write(folder.join(file(load)), script).map_err(failed)?;
        }
        Ok(Self { version, folder })
    }

    /// Sends a load to a server, whose address is `http://…` without a path.
    pub(crate) fn run(
        &self,
        load: Load,
        server: &str,
        connections: u32,
        seconds: u32,
    ) -> Result<Found, String> {
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--latency", "-s"]);
        wrk.arg(self.folder.join(file(load))).arg(format!("{server}{}", load.path()));
        let output = wrk.output().map_err(|error| format!("wrk: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let found = parse(&said).map_err(|why| {
            format!("{}: {why}\n{said}{}", load.name(), String::from_utf8_lossy(&output.stderr))
        })?;
        match found {
            Found { requests: 0, .. } => Err(format!("{}: no request was answered", load.name())),
            Found { errors: 1.., .. } => Err(format!("{}: errors\n{said}", load.name())),
            found => Ok(found),
        }
    }
}

impl Drop for Wrk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn file(load: Load) -> String {
    format!("{load:?}.lua").to_lowercase()
}

fn parse(said: &str) -> Result<Found, String> {
    let line = said.lines().find_map(|line| line.strip_prefix("found "));
    let line = line.ok_or("wrk did not come to its end")?;
    serde_json::from_str(line).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_script_prints_is_read() {
        let said = "Running 1s test\n\nfound {\"requests\":20,\"duration_us\":2000000,\
                    \"p50_us\":5,\"p99_us\":7.5,\"errors\":0}\n";
        let found = parse(said).unwrap();
        assert_eq!((found.requests, found.p99_us, found.errors), (20, 7.5, 0));
        assert!((found.requests_per_second() - 10.0).abs() < 1e-9);
        assert!(parse("unable to connect").is_err());
    }
}
