//! A server in a process of its own: started, asked, weighed, and ended with its handle.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::server::{Counts, Kind};

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Gone only while the server is being ended.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts one, and waits until it listens.
    pub(crate) fn start(kind: Kind, workers: u16) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{} server: {error}", kind.name());
        let program = std::env::current_exe().map_err(|error| failed(&error))?;
        let mut child = Command::new(program)
            .args(["http-server", kind.name(), "--workers", &workers.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or_else(|| failed(&"it has no output"))?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).map_err(|error| failed(&error))?;
        let address = line.trim().parse().map_err(|error| {
            // It has said why on its own, and is about to end.
            let _ = child.wait();
            failed(&format_args!("it does not listen ({error})"))
        })?;
        Ok(Self { child, input, output, kind, address })
    }

    /// The address of one of its pages.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What its pool counts just now.
    pub(crate) fn counts(&mut self) -> Result<Counts, String> {
        let mut line = String::new();
        let input = self.input.as_mut().ok_or("the server is being ended")?;
        input
            .write_all(b"counts\n")
            .and_then(|()| self.output.read_line(&mut line))
            .map_err(|error| format!("{} server: {error}", self.kind.name()))?;
        serde_json::from_str(&line)
            .map_err(|error| format!("{} server said {line:?}: {error}", self.kind.name()))
    }

    /// Resident bytes just now, page by page and not by the kernel's estimate.
    pub(crate) fn resident(&self) -> Result<u64, String> {
        self.figure("smaps_rollup", "Rss:")
    }

    /// The most bytes that were resident at once since the last call of `forget_peak`.
    pub(crate) fn peak(&self) -> Result<u64, String> {
        self.figure("status", "VmHWM:")
    }

    /// Lets the peak begin anew from what is resident now.
    pub(crate) fn forget_peak(&self) -> Result<(), String> {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        fs::write(&path, "5").map_err(|error| format!("{path}: {error}"))
    }

    /// The time that all CPUs together have spent in it so far, the kernel's part for it included,
    /// in microseconds; the kernel tells hundredths of a second.
    pub(crate) fn cpu_us(&self) -> Result<f64, String> {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let ticks = cpu_ticks(&text).ok_or_else(|| format!("{path} is not understood"))?;
        Ok(ticks as f64 * 10_000.0)
    }

    fn figure(&self, file: &str, name: &str) -> Result<u64, String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        kilobytes(&text, name).ok_or_else(|| format!("{path} has no {name}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        // It ends with its input; should it not, it is ended, and has been waited for either way.
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bytes of a line such as `Rss:   1234 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(rest.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

/// Ticks in the program and in the kernel, of a process's `stat`.
fn cpu_ticks(stat: &str) -> Option<u64> {
    // The name of the program, which may have anything in it, ends at the last parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_the_kernel_are_read_in_bytes() {
        let text =
            "55d0-7ffd ---p 00000000 00:00 0   [rollup]\nRss:        12 kB\nPss:      8 kB\n";
        assert_eq!(kilobytes(text, "Rss:"), Some(12 << 10));
        assert_eq!(kilobytes(text, "Swap:"), None);
        assert_eq!(kilobytes("Rss: many kB", "Rss:"), None);
    }

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "9 (a ) b) S 1 9 9 0 -1 4194304 158 0 0 0 17 25 0 0 20 0 3 0 1 2 3";
        assert_eq!(cpu_ticks(stat), Some(42));
        assert_eq!(cpu_ticks("9 (a) S 1"), None);
    }
}
