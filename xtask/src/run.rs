//! Commands: printed as they are run, run from the repository's root, and named when they fail.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Why a step failed: the command and how it ended, or what was wrong with what it said.
pub(crate) type Outcome = Result<(), String>;

/// How much time a step may take that could go on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// As one of all steps.
    Brief,
    /// As it was asked for by name.
    Full,
}

/// What a step is told, and what it has to tell besides whether it failed.
#[derive(Debug)]
pub(crate) struct Context {
    length: Length,
    skipped: Vec<String>,
}

impl Context {
    pub(crate) fn new(length: Length) -> Self {
        Self { length, skipped: Vec::new() }
    }

    pub(crate) fn length(&self) -> Length {
        self.length
    }

    /// Says that something could not be checked here, and why. It is printed, and counted in the
    /// end.
    pub(crate) fn skip(&mut self, why: impl Into<String>) {
        let why = why.into();
        println!("skipped: {why}");
        self.skipped.push(why);
    }

    pub(crate) fn into_skipped(self) -> Vec<String> {
        self.skipped
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// The platform that this program was built for, which is the one it checks.
pub(crate) fn host() -> Result<String, String> {
    let output = command("rustc", &["--version", "--verbose"]).output();
    let text =
        String::from_utf8_lossy(&output.map_err(|error| error.to_string())?.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not name its host".into())
}

/// What holds for every command, and is not shown with it.
const ALWAYS: [(&str, &str); 5] = [
    ("CARGO_INCREMENTAL", "0"),
    ("CARGO_PROFILE_DEV_DEBUG", "0"),
    ("CARGO_PROFILE_TEST_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    // For jemalloc, which nothing here measures: otherwise it takes a minute to build, by itself.
    ("EXTRA_CFLAGS", "-O1 -g0"),
];

/// A command in the repository's root, without input, and without debug information, which takes a
/// third of the time to build and which nothing here looks at.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command.envs(ALWAYS);
    // Flags of whoever called must not leak into builds that have their own, nor rebuild the
    // others.
    command.env_remove("RUSTFLAGS").env_remove("RUSTDOCFLAGS");
    command
}

/// Cargo with arguments, as given in one line: no argument here has a space in it.
pub(crate) fn cargo(line: &str) -> Command {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    command(&program, &arguments)
}

/// Runs a command to its end, with what it says going where ours does.
pub(crate) fn run(command: &mut Command) -> Outcome {
    println!("$ {}", line(command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{status}\n  {}", line(command))),
        Err(error) => Err(format!("{error}\n  {}", line(command))),
    }
}

/// Runs a command to its end, and returns what it says however it ends.
pub(crate) fn capture(command: &mut Command) -> Result<Output, String> {
    println!("$ {}", line(command));
    command.output().map_err(|error| format!("{error}\n  {}", line(command)))
}

/// Runs a command that must succeed, and returns what it printed.
pub(crate) fn read(command: &mut Command) -> Result<String, String> {
    let output = capture(command)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}\n  {}\n{said}", output.status, line(command)));
    }
    String::from_utf8(output.stdout)
        .map_err(|error| format!("printed no text: {error}\n  {}", line(command)))
}

/// A command as one would type it, with the environment that makes a difference.
pub(crate) fn line(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        let name = name.to_string_lossy();
        let shown = ALWAYS.iter().all(|&(always, _)| always != name);
        if let Some(value) = value.filter(|_| shown) {
            words.push(format!("{name}={}", quoted(&value.to_string_lossy())));
        }
    }
    let program = Path::new(command.get_program());
    words.push(program.file_name().unwrap_or_default().to_string_lossy().into_owned());
    words.extend(command.get_args().map(|word| quoted(&word.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains([' ', '\'', '"', '$', '*', '&', ';']) {
        format!("'{}'", word.replace('\'', "'\\''"))
    } else {
        word.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut shown = command("/usr/bin/cargo", &["test", "--", "a b", "it's"]);
        shown.env("RUSTFLAGS", "--cfg loom");
        assert_eq!(line(&shown), "RUSTFLAGS='--cfg loom' cargo test -- 'a b' 'it'\\''s'");
    }

    #[test]
    fn a_failure_names_its_command_and_a_success_is_one() {
        assert_eq!(run(&mut command("true", &[])), Ok(()));
        let error = run(&mut command("false", &["on", "purpose"])).unwrap_err();
        assert!(error.ends_with("false on purpose"), "{error}");
        assert!(run(&mut command("there-is-no-such-program", &[])).is_err());
        assert_eq!(read(&mut command("echo", &["so"])), Ok("so\n".into()));
        assert!(read(&mut command("false", &[])).is_err());
    }
}
