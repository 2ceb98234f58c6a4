//! The steps, in the order in which `cargo xtask ci` runs them: what fails soonest comes first.

mod browser;
mod checks;
mod deploy;
mod features;
mod fuzz;
mod interop;
mod programs;
mod prometheus;
mod served;
mod suites;
mod terminal;

use crate::run::{Context, Outcome};
use crate::versus;

/// One thing that is checked.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) run: fn(&mut Context) -> Outcome,
}

pub(crate) const STEPS: &[Step] = &[
    Step { name: "fmt", what: "formatting is rustfmt's", run: checks::fmt },
    Step {
        name: "clippy",
        what: "no warnings, in all targets with all features",
        run: checks::clippy,
    },
    Step { name: "doc", what: "documentation builds without warnings", run: checks::doc },
    Step { name: "test", what: "tests and doctests, with either kind of cells", run: suites::test },
    Step {
        name: "large",
        what: "20,000 connections under faults, and bodies of 1 GiB",
        run: suites::large,
    },
    Step {
        name: "features",
        what: "the library's features, each alone and each missing",
        run: features::features,
    },
    Step { name: "loom", what: "models of the concurrent core", run: suites::loom },
    Step { name: "fuzz", what: "each fuzz target for some seconds", run: fuzz::fuzz },
    Step {
        name: "asan",
        what: "tests under AddressSanitizer, idle buffers poisoned",
        run: suites::asan,
    },
    Step {
        name: "soak",
        what: "everything at once on failing sources, the books checked every second",
        run: programs::soak,
    },
    Step { name: "examples", what: "every example, to its end", run: programs::examples },
    Step {
        name: "browser",
        what: "the dashboard in Chromium, under load and after a restart",
        run: browser::browser,
    },
    Step {
        name: "terminal",
        what: "top in a terminal: its figures, its keys, and what it leaves behind",
        run: terminal::terminal,
    },
    Step {
        name: "prometheus",
        what: "pages and rules, by the programs that will read them",
        run: prometheus::prometheus,
    },
    Step { name: "deploy", what: "units for systemd, by itself", run: deploy::deploy },
    Step {
        name: "interop",
        what: "curl, h11, HAProxy, slowhttptest and wrk against the server",
        run: interop::interop,
    },
    Step {
        name: "versus",
        what: "the pool beside itself as it was at the last commit",
        run: versus::step,
    },
    Step { name: "package", what: "the library as it would be published", run: checks::package },
    Step { name: "main", what: "the load test, as the README shows it", run: programs::main },
];
