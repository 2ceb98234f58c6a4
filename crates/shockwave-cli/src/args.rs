//! The arguments, as types.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use shockwave::Cells;
use shockwave::loadtest::Scenario;

use crate::exit_code;
use crate::parse::{
    ParseError, parse_classes, parse_duration, parse_ops, parse_percent, parse_sizes, parse_warmup,
    parse_workers,
};
use crate::plan::PlanArgs;
#[cfg(unix)]
use crate::serve::ServeArgs;
use crate::top::TopArgs;

/// Load-tests, benchmarks, serves and watches the Shockwave buffer pool.
#[derive(Debug, Parser)]
#[command(name = "shockwave", version, arg_required_else_help = true)]
pub(crate) struct Args {
    /// When to use colors. `auto` is on a terminal, unless `NO_COLOR` is set
    #[arg(
        long,
        env = "SHOCKWAVE_COLOR",
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t
    )]
    pub(crate) color: When,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Let workers at a pool for a while and report how it went
    ///
    /// The test has a pool of its own. Warm-up is in no figure. An operation is one buffer taken,
    /// used and returned; to use it is to write ten bytes into it --ops-per-buffer times. Ctrl-C
    /// ends the test early, with the results so far.
    Loadtest(LoadtestArgs),
    /// Measure a get and a put on this machine, against plain allocation
    ///
    /// Each class, all cores at once, mixed sizes, and with what was written cleared before the
    /// buffer goes back. One byte is written into each buffer otherwise. All of it runs
    /// interleaved; the figures are medians.
    Bench(BenchArgs),
    /// Serve HTTP from a pool, with its metrics and a live dashboard
    ///
    /// At / is the dashboard, at /metrics what Prometheus reads, at /metrics.json what the
    /// dashboard shows, at /events the same as server-sent events each second, and at /events?past
    /// after those of the last two minutes. /healthz and /readyz are for whoever looks after it.
    /// To put the pool to work: /echo returns what is posted to it, /bytes/N so many bytes, such
    /// as 64k or 1g, and /static/ the files of --root. Nothing that it serves changes anything.
    ///
    /// It listens on this machine only, unless --listen says otherwise. Under systemd it takes the
    /// sockets that it is passed, and tells when it is ready and when it ends.
    #[cfg(unix)]
    Serve(ServeArgs),
    /// Show what a server does, live, in this terminal
    ///
    /// Reads /metrics.json of a server, again and again, and waits for it when it is gone. Without
    /// a terminal, or with --once, it prints a table and ends. Keys: q or Esc ends, p pauses.
    Top(TopArgs),
    /// Suggest classes, warm-up and a budget from what a pool has done
    ///
    /// Reads /metrics.json of a server, by its URL or from a file, or what `loadtest --json`
    /// printed. It knows what was asked of each class, and not which sizes within it.
    Plan(PlanArgs),
    /// Print the manual page, as in: shockwave man | man -l -
    Man,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Arguments of `loadtest`.
#[derive(Debug, clap::Args)]
pub(crate) struct LoadtestArgs {
    /// How long to measure each scenario, as in 500ms, 10s or 1m30s
    #[arg(long, value_parser = parse_duration, default_value = "10s", allow_hyphen_values = true)]
    pub(crate) duration: Duration,

    /// How many workers, 1 to 4096 [default: as many as the system runs at once]
    #[arg(long, value_name = "N", value_parser = parse_workers, allow_hyphen_values = true)]
    pub(crate) workers: Option<usize>,

    /// The sizes to ask for, with commas between them, as in 2048,4k,1MiB
    #[arg(long, value_parser = parse_size_list, default_value = "4k,8k", allow_hyphen_values = true)]
    pub(crate) sizes: Sizes,

    /// How many times to write ten bytes into each buffer
    #[arg(
        long,
        value_name = "N",
        value_parser = parse_ops,
        default_value = "100",
        allow_hyphen_values = true
    )]
    pub(crate) ops_per_buffer: usize,

    /// What the workers do
    #[arg(long, value_enum, default_value_t)]
    pub(crate) scenario: Which,

    /// Exit with code 3 if the hit rate of a scenario is below so many percent
    #[arg(long, value_name = "P", value_parser = parse_percent, allow_hyphen_values = true)]
    pub(crate) min_hit_rate: Option<f64>,

    /// Do the same with plain allocation, and print both
    #[arg(long)]
    pub(crate) compare: bool,

    /// Print one JSON object, or an array of them for all scenarios
    #[arg(long)]
    pub(crate) json: bool,

    /// Write a page with tables and plots, which loads nothing from elsewhere
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// How many idle buffers of each class to begin with [default: what the scenario holds at once,
    /// and what each core may keep]
    #[arg(long, value_name = "N", value_parser = parse_warmup, allow_hyphen_values = true)]
    pub(crate) warmup: Option<usize>,

    /// How the pool's cells are entered
    #[arg(long, value_enum, default_value_t)]
    pub(crate) cells: CellsArg,
}

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// Measure for a fraction of a second, to see that it works
    #[arg(long)]
    pub(crate) quick: bool,

    /// How the pool's cells are entered
    #[arg(long, value_enum, default_value_t)]
    pub(crate) cells: CellsArg,
}

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum When {
    #[default]
    Auto,
    Always,
    Never,
}

/// How cells are entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum CellsArg {
    /// By restartable sequences where there are some; the environment variable `SHOCKWAVE_CELLS`
    /// decides if set
    #[default]
    Auto,
    /// By restartable sequences
    Rseq,
    /// By try-locks
    Locked,
}

impl From<CellsArg> for Cells {
    fn from(arg: CellsArg) -> Self {
        match arg {
            CellsArg::Auto => Self::Auto,
            CellsArg::Rseq => Self::Rseq,
            CellsArg::Locked => Self::Locked,
        }
    }
}

/// One scenario or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    One(Scenario),
    All,
}

impl Default for Which {
    fn default() -> Self {
        Self::One(Scenario::default())
    }
}

impl ValueEnum for Which {
    fn value_variants<'a>() -> &'a [Self] {
        const VARIANTS: [Which; Scenario::ALL.len() + 1] = {
            let mut variants = [Which::All; Scenario::ALL.len() + 1];
            let mut i = 0;
            while i < Scenario::ALL.len() {
                variants[i] = Which::One(Scenario::ALL[i]);
                i += 1;
            }
            variants
        };
        &VARIANTS
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let (name, help) = match self {
            Self::One(scenario) => (scenario.name(), scenario.description()),
            Self::All => ("all", "each of these, one after the other"),
        };
        Some(clap::builder::PossibleValue::new(name).help(help))
    }
}

/// A list of sizes that is one value, and not many.
#[derive(Debug, Clone)]
pub(crate) struct Sizes(pub(crate) Vec<usize>);

pub(crate) fn parse_size_list(text: &str) -> Result<Sizes, ParseError> {
    parse_sizes(text).map(Sizes)
}

/// Sizes of classes, as one value.
pub(crate) fn parse_class_list(text: &str) -> Result<Sizes, ParseError> {
    parse_classes(text).map(Sizes)
}

/// The whole command, with the exit codes in its help.
pub(crate) fn command() -> clap::Command {
    let with_codes = |command: clap::Command| command.after_help(exit_code::help());
    with_codes(Args::command()).mut_subcommands(with_codes)
}

/// The color of help and of refusals, which are printed before the arguments are known; `variable`
/// is what `SHOCKWAVE_COLOR` says.
pub(crate) fn color_of_help(arguments: &[OsString], variable: Option<&str>) -> clap::ColorChoice {
    let mut choice = match variable {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    };
    for (i, argument) in arguments.iter().enumerate() {
        let next = || arguments.get(i + 1).and_then(|next| next.to_str());
        let when = match argument.to_str() {
            Some("--color") => next(),
            Some(other) => other.strip_prefix("--color="),
            None => None,
        };
        match when {
            Some("always") => choice = clap::ColorChoice::Always,
            Some("never") => choice = clap::ColorChoice::Never,
            _ => {}
        }
    }
    choice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn the_color_of_help_is_found_in_both_spellings() {
        let found = |arguments: &[&str], variable| {
            color_of_help(&arguments.iter().map(OsString::from).collect::<Vec<_>>(), variable)
        };
        let choice = |arguments| found(arguments, None);
        assert_eq!(found(&["shockwave"], Some("never")), clap::ColorChoice::Never);
        let both = found(&["shockwave", "--color=always"], Some("never"));
        assert_eq!(both, clap::ColorChoice::Always, "the argument comes first");
        assert_eq!(choice(&["shockwave", "--help"]), clap::ColorChoice::Auto);
        assert_eq!(choice(&["shockwave", "--color", "never"]), clap::ColorChoice::Never);
        assert_eq!(choice(&["shockwave", "--color=always"]), clap::ColorChoice::Always);
        assert_eq!(choice(&["shockwave", "--color"]), clap::ColorChoice::Auto);
    }
}
