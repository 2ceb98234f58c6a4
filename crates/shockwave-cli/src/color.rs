//! Colors: whether there are any, and which.

use std::io::{IsTerminal, stderr, stdout};

use crate::args::When;

/// Colors text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Color {
    enabled: bool,
}

impl Color {
    /// For standard output.
    pub(crate) fn for_stdout(when: When) -> Self {
        Self::on(stdout().is_terminal(), when)
    }

    /// For standard error.
    pub(crate) fn for_stderr(when: When) -> Self {
        Self::on(stderr().is_terminal(), when)
    }

    fn on(is_terminal: bool, when: When) -> Self {
        let enabled = match when {
            When::Always => true,
            When::Never => false,
            When::Auto => is_terminal && is_welcome(|name| std::env::var_os(name)),
        };
        Self { enabled }
    }

    pub(crate) fn is_enabled(self) -> bool {
        self.enabled
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// By how healthy a hit rate is.
    pub(crate) fn by_hit_rate(self, hit_rate: f64, text: &str) -> String {
        self.paint(
            match hit_rate {
                healthy if healthy >= 95.0 => "32",
                fair if fair >= 80.0 => "33",
                _ => "31",
            },
            text,
        )
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.enabled { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Whether the environment leaves colors to us: `NO_COLOR` is unset or empty, the terminal not
/// dumb.
fn is_welcome(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> bool {
    variable("NO_COLOR").is_none_or(|value| value.is_empty())
        && variable("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_is_unwelcome_when_the_environment_says_so() {
        let welcome = |set: &str, to: &str| is_welcome(|name| (name == set).then(|| to.into()));
        assert!(welcome("OTHER", ""));
        assert!(welcome("NO_COLOR", ""));
        assert!(!welcome("NO_COLOR", "1"));
        assert!(!welcome("NO_COLOR", "0"), "whatever it is set to");
        assert!(!welcome("TERM", "dumb"));
    }

    #[test]
    fn text_is_left_alone_without_color() {
        assert_eq!(Color { enabled: false }.by_hit_rate(10.0, "x"), "x");
        assert_eq!(Color { enabled: true }.by_hit_rate(10.0, "x"), "\x1b[31mx\x1b[0m");
    }
}
