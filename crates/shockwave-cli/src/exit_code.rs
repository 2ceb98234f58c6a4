//! How the command ends.

use std::fmt::Write;
use std::process::ExitCode;

/// How the command ends, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Ok = 0,
    /// Something failed; standard error says what.
    Failure = 1,
    /// An environment variable was wrong. Bad arguments are 2 as well, and are refused before.
    Usage = 2,
    /// The hit rate was below `--min-hit-rate`. A second signal ends the process with 130.
    LowHitRate = 3,
}

/// The same for the help and the manual.
pub(crate) const EXIT_CODES: [(u8, &str); 5] = [
    (0, "all went well"),
    (1, "something failed; standard error says what"),
    (2, "an argument or a variable was wrong; standard error says what was expected"),
    (3, "the hit rate was below the --min-hit-rate of a load test"),
    (130, "a second signal ended it at once"),
];

/// A section of the help.
pub(crate) fn help() -> String {
    let mut help = String::from("Exit codes:");
    for (code, meaning) in EXIT_CODES {
        let _ = write!(help, "\n  {code:<3}  {meaning}");
    }
    help
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
