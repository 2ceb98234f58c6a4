//! Help, version, manual and completions.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{Ran, run};

const CODES: [&str; 5] = [
    "all went well",
    "something failed",
    "an argument or a variable was wrong",
    "--min-hit-rate",
    "a second signal",
];

#[test]
fn the_help_has_every_flag_and_the_exit_codes() {
    let Ran { code, stdout, .. } = run(&["loadtest", "--help"]);
    assert_eq!(code, Some(0));
    for words in [
        "--duration",
        "--workers",
        "--sizes",
        "--ops-per-buffer",
        "--scenario",
        "--min-hit-rate",
        "--compare",
        "--json",
        "--report",
        "--cells",
        "--color",
        "--warmup",
        "Exit codes:",
    ] {
        assert!(stdout.contains(words), "{words} in {stdout}");
    }
    for words in CODES {
        assert!(stdout.contains(words), "{words} in {stdout}");
        assert!(run(&["--help"]).stdout.contains(words), "{words}");
    }
    for command in ["loadtest", "bench", "serve", "top", "plan", "man", "completions"] {
        assert!(run(&["--help"]).stdout.contains(command), "{command}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let ran = run(&["--version"]);
    assert_eq!(ran.stdout, format!("shockwave {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_manual_has_every_command_and_flag_and_the_exit_codes() {
    let Ran { code, stdout, .. } = run(&["man"]);
    assert_eq!(code, Some(0));
    let plain = stdout.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "");
    for words in [
        ".TH shockwave 1",
        ".SH NAME",
        ".SH SYNOPSIS",
        "SHOCKWAVE LOADTEST",
        "SHOCKWAVE BENCH",
        "SHOCKWAVE SERVE",
        "SHOCKWAVE TOP",
        "SHOCKWAVE PLAN",
        "--shutdown-timeout",
        "SHOCKWAVE_LISTEN",
        "--min-hit-rate",
        "--ops-per-buffer",
        "--quick",
        "EXIT STATUS",
        "SHOCKWAVE_CELLS",
    ] {
        assert!(plain.contains(words), "{words} in {plain}");
    }
    for words in CODES {
        assert!(plain.contains(words), "{words} in {plain}");
    }
}

#[test]
fn completions_are_scripts_that_their_shells_can_read() {
    for (shell, words) in [
        ("bash", "complete -F _shockwave"),
        ("zsh", "#compdef shockwave"),
        ("fish", "complete -c shockwave"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let Ran { code, stdout, .. } = run(&["completions", shell]);
        assert_eq!(code, Some(0));
        for words in [words, "loadtest", "min-hit-rate", "serve", "long-hold", "top", "plan"] {
            assert!(stdout.contains(words), "{words} in {shell}: {stdout}");
        }
        // The generators for the other two leave the values of flags out.
        let has_values = ["bash", "zsh", "fish"].contains(&shell);
        assert!(stdout.contains("handoff") || !has_values, "{shell}: {stdout}");
        // Read but not run; a shell that is not installed has no opinion.
        let reads = Command::new(shell).arg("-n").stdin(Stdio::piped()).spawn();
        if let ("bash" | "zsh" | "fish", Ok(mut reads)) = (shell, reads) {
            reads.stdin.take().unwrap().write_all(stdout.as_bytes()).unwrap();
            assert!(reads.wait().unwrap().success(), "{shell}");
        }
    }
}
