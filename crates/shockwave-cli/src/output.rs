//! Output: to standard output, and what is said when something failed.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anyhow::Context;
use ratatui::crossterm;
use shockwave::BuildError;

use crate::exit_code::Exit;

/// Writes all of it to standard output.
pub(crate) fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Columns of the terminal that standard output is, if it is one.
pub(crate) fn columns() -> Option<usize> {
    let size = io::stdout().is_terminal().then(crossterm::terminal::size);
    size.and_then(Result::ok).map(|(columns, _)| usize::from(columns))
}

/// Writes a value as one line of JSON to standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(value).context("cannot write the results as JSON")?;
    line.push(b'\n');
    print(&line)
}

/// Says what failed on standard error, unless it is that nobody reads what we write: then whoever
/// did has seen enough, and all is well.
pub(crate) fn failed(error: &anyhow::Error) -> Exit {
    let is_broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
    };
    if error.chain().any(is_broken_pipe) {
        return Exit::Ok;
    }
    tell(&format!("error: {error:#}"));
    let is_usage = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<BuildError>().is_some_and(BuildError::is_environment)
    };
    if error.chain().any(is_usage) { Exit::Usage } else { Exit::Failure }
}

/// Writes a line to standard error. If that fails, there is nobody left to tell.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
