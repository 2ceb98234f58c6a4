//! `cargo xtask`: everything that is checked before a change goes in, as one command and in parts.

mod report;
mod run;
mod steps;
mod tools;
mod versus;

use std::process::ExitCode;

use run::Length;
use steps::{STEPS, Step};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        _ if asks_for_help(&arguments) => {
            print!("{}", help());
            ExitCode::SUCCESS
        }
        ["ci"] => report::run_all(STEPS, Length::Brief),
        ["versus", revision] => match versus::versus(revision) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
        _ => match arguments.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>() {
            Ok(steps) => report::run_all(&steps, Length::Full),
            Err(unknown) => {
                eprintln!("error: no step is called {unknown:?}\n\n{}", help());
                ExitCode::from(2)
            }
        },
    }
}

/// Whether help is asked for: also behind a step, which has no options of its own.
fn asks_for_help(arguments: &[&str]) -> bool {
    matches!(arguments, [] | ["help"])
        || arguments.iter().any(|&argument| matches!(argument, "-h" | "--help"))
}

fn find(name: &str) -> Result<Step, String> {
    STEPS.iter().find(|step| step.name == name).copied().ok_or_else(|| name.into())
}

fn help() -> String {
    let steps = STEPS.iter().map(|step| format!("  {:10} {}\n", step.name, step.what));
    format!(
        "Checks this repository.\n\nUsage: cargo xtask ci | STEP… | versus REVISION\n\n  \
         ci         all of these, in this order:\n{}\n\
         `versus` measures the pool beside itself as it was at a revision, in one process.\n\
         `soak` takes ten minutes by itself, and half a minute within `ci`; for how long, and from\n\
         which seed on: cargo run --release -p shockwave-soak -- --help\n\
         Stops at the first failure, with status 1 and the command that failed.\n",
        steps.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_found_by_its_name_and_stands_in_the_help() {
        for step in STEPS {
            assert_eq!(find(step.name).map(|found| found.what), Ok(step.what));
            assert!(help().contains(step.what));
        }
        assert_eq!(find("ice").err().as_deref(), Some("ice"));
    }

    #[test]
    fn help_is_had_behind_a_step_as_well() {
        for asked in [&[][..], &["help"], &["--help"], &["soak", "--help"], &["fmt", "-h"]] {
            assert!(asks_for_help(asked), "{asked:?}");
        }
        assert!(!asks_for_help(&["soak"]) && !asks_for_help(&["fmt", "help"]));
    }
}
