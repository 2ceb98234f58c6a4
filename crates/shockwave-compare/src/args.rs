//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::contenders::CLASS_BYTES_MAX;
use crate::forms::{Form, cases};
use crate::http::{HttpArgs, ServerArgs};
use crate::plan::Plan;
use crate::roster::Id;

/// Measures the pool and its peers in one run, and says which targets are met and where the pool
/// loses.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(name = "shockwave-compare", max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 measured, 1 failed, or a target not met with --strict, 2 usage."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Forms to measure, with commas between [default: all]
    #[arg(long, value_enum, value_delimiter = ',', hide_possible_values = true)]
    forms: Vec<Form>,

    /// Sizes to measure, such as 4096 or 4k, with commas between
    #[arg(long, value_delimiter = ',', value_parser = parse_size, default_value = "2k,4k,16k,64k")]
    sizes: Vec<usize>,

    /// Contenders to measure, with commas between; this pool takes part in any case [default: all]
    #[arg(long, value_enum, value_delimiter = ',', hide_possible_values = true)]
    contenders: Vec<Id>,

    /// Rounds, in each of which everything is measured once [default: 31, or 5 with --quick]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: Option<u32>,

    /// Fewer rounds, shorter slices and smaller checks: to see that it works, not to quote
    #[arg(long, global = true)]
    quick: bool,

    /// Run the three checks as well, which --write does anyway
    #[arg(long)]
    checks: bool,

    /// Print one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print minima, spreads and ratios to the floor as well
    #[arg(long)]
    pub(crate) detail: bool,

    /// Exit with 1 unless every target is met
    #[arg(long, global = true)]
    pub(crate) strict: bool,

    /// Write docs/PERF.md, or the file that is given
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/PERF.md"))]
    pub(crate) write: Option<PathBuf>,
}

/// Flags that every subcommand has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flags {
    pub(crate) quick: bool,
    pub(crate) json: bool,
    pub(crate) strict: bool,
}

/// One check alone, or the server.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Producer to consumer for long: nothing made after warm-up, and idle bytes bounded
    Long {
        /// How long, a tenth of which is warm-up
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
        seconds: u64,
    },
    /// Threads that each get and put once and sleep: idle bytes bounded by cores
    Sleepers {
        /// How many
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=30_000))]
        threads: u32,
    },
    /// Processes that each measure every form: how many lie near the median, and why not the rest
    Steady {
        /// How many
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(2..=1000))]
        processes: u32,
        /// Rounds in each of them
        #[arg(long, default_value_t = 51, value_parser = clap::value_parser!(u32).range(1..=1000))]
        rounds: u32,
    },
    /// The HTTP server on this pool beside axum on hyper: speed, and memory of idle connections
    Http(HttpArgs),
    /// One of the servers of that
    #[command(hide = true)]
    HttpServer(ServerArgs),
    /// One process of the steady check
    #[command(hide = true)]
    OneProcess {
        #[arg(long)]
        rounds: u32,
    },
}

impl Args {
    /// The flags that every subcommand has.
    pub(crate) fn flags(&self) -> Flags {
        Flags { quick: self.quick, json: self.json, strict: self.strict }
    }

    /// What to measure in this process.
    pub(crate) fn plan(&self) -> Plan {
        let forms = if self.forms.is_empty() { &Form::ALL[..] } else { &self.forms };
        let mut contenders = self.contenders.clone();
        if contenders.is_empty() {
            contenders.extend(Id::all());
        }
        contenders.extend([Id::Rseq, Id::Locked, Id::Floor]);
        contenders.sort_unstable();
        contenders.dedup();
        Plan {
            cases: cases(forms, &self.sizes),
            contenders,
            rounds: self.rounds.unwrap_or(if self.quick { 5 } else { 31 }),
            slice: Duration::from_micros(if self.quick { 200 } else { 1000 }),
        }
    }

    /// Whether a page is to be written.
    pub(crate) fn writes(&self) -> bool {
        match &self.command {
            Some(Command::Http(http)) => http.write.is_some(),
            _ => self.write.is_some(),
        }
    }

    fn wants_all_checks(&self) -> bool {
        self.command.is_none() && (self.checks || self.write.is_some())
    }

    /// How long the long check is to run, if it is.
    pub(crate) fn long_seconds(&self) -> Option<Duration> {
        let seconds = match self.command {
            Some(Command::Long { seconds }) => seconds,
            _ if self.wants_all_checks() => {
                if self.quick {
                    3
                } else {
                    60
                }
            }
            _ => return None,
        };
        Some(Duration::from_secs(seconds))
    }

    /// How many threads are to sleep, if any.
    pub(crate) fn sleeping_threads(&self) -> Option<u32> {
        match self.command {
            Some(Command::Sleepers { threads }) => Some(threads),
            _ => self.wants_all_checks().then_some(1000),
        }
    }

    /// How many processes are to be compared, with how many rounds each, if any.
    pub(crate) fn steady_processes(&self) -> Option<(u32, u32)> {
        match self.command {
            Some(Command::Steady { processes, rounds }) => Some((processes, rounds)),
            _ => self.wants_all_checks().then_some(if self.quick { (5, 51) } else { (30, 51) }),
        }
    }
}

/// A size in bytes, or in KiB with a `k` after it.
fn parse_size(text: &str) -> Result<usize, String> {
    let lower = text.to_ascii_lowercase();
    let number = lower.trim_end_matches("kib").trim_end_matches("kb").trim_end_matches('k');
    let unit = if number.len() == lower.len() { 1 } else { 1024 };
    let bytes = number.parse::<usize>().ok().and_then(|number| number.checked_mul(unit));
    bytes
        .filter(|bytes| (1..=CLASS_BYTES_MAX).contains(bytes))
        .ok_or_else(|| format!("expected 1 to {CLASS_BYTES_MAX} bytes, such as 4096 or 4k"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(parse_size("4096"), Ok(4096));
        assert_eq!(parse_size("4k"), Ok(4096));
        assert_eq!(parse_size("64KiB"), Ok(65536));
        for bad in ["", "k", "0", "65k", "-1", "4m", "18446744073709551615k"] {
            assert!(parse_size(bad).is_err_and(|why| why.contains("expected 1 to 65536")), "{bad}");
        }
    }

    #[test]
    fn bad_flags_are_refused_with_what_was_expected() {
        for (flags, expected) in [
            (["--forms", "sideways"], "possible values: at-once, moved"),
            (["--contenders", "tcmalloc"], "possible values: rseq, locked"),
            (["--sizes", "1m"], "such as 4096 or 4k"),
            (["--rounds", "0"], "1..=10000"),
        ] {
            let error = Args::try_parse_from([&["shockwave-compare"], &flags[..]].concat());
            let error = error.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_checks_run_when_asked_for_and_when_a_page_is_written() {
        let parse = |flags: &[&str]| {
            Args::try_parse_from([&["shockwave-compare"], flags].concat()).unwrap()
        };
        assert_eq!(parse(&[]).sleeping_threads(), None);
        assert_eq!(parse(&["--checks"]).sleeping_threads(), Some(1000));
        assert_eq!(parse(&["--write"]).steady_processes(), Some((30, 51)));
        assert_eq!(parse(&["--write", "--quick"]).steady_processes(), Some((5, 51)));
        let long = parse(&["long", "--seconds", "90"]);
        assert_eq!(long.long_seconds(), Some(Duration::from_secs(90)));
        assert_eq!(long.sleeping_threads(), None);
    }
}
