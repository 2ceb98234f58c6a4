//! Running the command, and looking at what it said.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What one run of the command left behind.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("output is UTF-8"),
        }
    }
}

/// The command, with no terminal and nothing from the environment that it listens to.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shockwave"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SHOCKWAVE_") {
            command.env_remove(name);
        }
    }
    command.env_remove("NO_COLOR");
    command
}

pub(crate) fn run(arguments: &[&str]) -> Ran {
    command(arguments).output().expect("the command starts").into()
}

/// A short load test with more arguments.
pub(crate) fn short(more: &[&str]) -> Ran {
    run(&[&["loadtest", "--duration", "60ms", "--workers", "2"], more].concat())
}

/// Its JSON, exactly one value on one line.
pub(crate) fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 1, "one line: {}", ran.stdout);
    serde_json::from_str(&ran.stdout).expect("one JSON value")
}

/// The number under a path such as `/metrics/total_gets`.
pub(crate) fn number(value: &Value, path: &str) -> f64 {
    let found = value.pointer(path).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("no number at {path}"))
}

/// The whole number under a path.
pub(crate) fn whole(value: &Value, path: &str) -> u64 {
    let found = value.pointer(path).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("no whole number at {path}"))
}
