//! Arguments of `serve`, each of which may come from the environment as well.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use shockwave_http::Exhausted;

use crate::args::{CellsArg, Sizes, parse_class_list};
use crate::parse::{
    AllowedHost, parse_address, parse_amount, parse_budget, parse_connections, parse_directory,
    parse_duration, parse_host, parse_sampling, parse_warmup, parse_workers,
};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// The address and port to listen on; port 0 is any that is free [default: 127.0.0.1:8080, if
    /// there is neither --unix nor a socket from systemd]
    #[arg(long, env = "SHOCKWAVE_LISTEN", value_name = "ADDR", value_parser = parse_address)]
    pub(crate) listen: Option<SocketAddr>,

    /// The path of a Unix socket to listen on; one that nobody listens on any more is replaced
    #[arg(long, env = "SHOCKWAVE_UNIX", value_name = "PATH")]
    pub(crate) unix: Option<PathBuf>,

    /// The address and port of a listener that tells how the server is and does nothing else:
    /// health, metrics and the dashboard, on memory of its own, until the last request is answered
    /// [default: none; what else is listened on tells it as well]
    #[arg(long, env = "SHOCKWAVE_ADMIN", value_name = "ADDR", value_parser = parse_address)]
    pub(crate) admin: Option<SocketAddr>,

    /// A host, besides this machine's own, that requests may be for; others are answered by 421. *
    /// allows any [default: this machine's own where only it can connect, else any]
    #[arg(
        long = "allow-host",
        env = "SHOCKWAVE_ALLOW_HOST",
        value_name = "HOST",
        value_parser = parse_host,
        value_delimiter = ','
    )]
    pub(crate) allow_hosts: Vec<AllowedHost>,

    /// How many idle buffers of each class to begin with [default: 32 for each core, within half of
    /// the budget]
    #[arg(
        long,
        env = "SHOCKWAVE_WARMUP",
        value_name = "N",
        value_parser = parse_warmup,
        allow_hyphen_values = true
    )]
    pub(crate) warmup: Option<usize>,

    /// The sizes of buffers to pool, ascending [default: 2k,4k,8k,16k,32k,64k]
    #[arg(
        long,
        env = "SHOCKWAVE_CLASSES",
        value_name = "SIZES",
        value_parser = parse_class_list,
        allow_hyphen_values = true
    )]
    pub(crate) classes: Option<Sizes>,

    /// How many bytes the pool may take at most, those of idle buffers included [default: no limit]
    #[arg(
        long,
        env = "SHOCKWAVE_BUDGET",
        value_name = "SIZE",
        value_parser = parse_budget,
        allow_hyphen_values = true
    )]
    pub(crate) budget: Option<usize>,

    /// What to do with a request for which the budget has no room
    #[arg(long, env = "SHOCKWAVE_OVER_BUDGET", value_enum, default_value_t)]
    pub(crate) over_budget: OverBudget,

    /// How many threads run the server, 1 to 4096 [default: as many as the system runs at once]
    #[arg(
        long,
        env = "SHOCKWAVE_WORKERS",
        value_name = "N",
        value_parser = parse_workers,
        allow_hyphen_values = true
    )]
    pub(crate) workers: Option<usize>,

    /// How many connections there may be at once
    #[arg(
        long,
        env = "SHOCKWAVE_MAX_CONNECTIONS",
        value_name = "N",
        value_parser = parse_connections,
        default_value = "10000",
        allow_hyphen_values = true
    )]
    pub(crate) max_connections: usize,

    /// How many bytes the body of a request may have; more is answered by 413
    #[arg(
        long,
        env = "SHOCKWAVE_MAX_BODY",
        value_name = "SIZE",
        value_parser = parse_amount,
        default_value = "16m",
        allow_hyphen_values = true
    )]
    pub(crate) max_body: u64,

    /// Serve the files of this directory below /static/, but none whose name begins with a dot
    #[arg(long, env = "SHOCKWAVE_ROOT", value_name = "DIR", value_parser = parse_directory)]
    pub(crate) root: Option<PathBuf>,

    /// How often to log the hit rate, which is a warning below 95 % of 20 gets or more
    #[arg(
        long,
        env = "SHOCKWAVE_LOG_INTERVAL",
        value_name = "DURATION",
        value_parser = parse_duration,
        default_value = "60s",
        allow_hyphen_values = true
    )]
    pub(crate) log_interval: Duration,

    /// Warn of buffers that are held for longer than this, each once, with the call that took them;
    /// looked for every ten seconds among those that --track records
    #[arg(
        long,
        env = "SHOCKWAVE_LONG_HOLD",
        value_name = "DURATION",
        value_parser = parse_duration,
        default_value = "60s",
        allow_hyphen_values = true
    )]
    pub(crate) long_hold: Duration,

    /// Record who holds a buffer for one in so many gets; 0 records none
    #[arg(
        long,
        env = "SHOCKWAVE_TRACK",
        value_name = "N",
        value_parser = parse_sampling,
        default_value = "128",
        allow_hyphen_values = true
    )]
    pub(crate) track: usize,

    /// How to write the log, which goes to standard error
    #[arg(long, env = "SHOCKWAVE_LOG_FORMAT", value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,

    /// The least that is worth logging; requests are logged at debug
    #[arg(long, env = "SHOCKWAVE_LOG_LEVEL", value_enum, default_value_t)]
    pub(crate) log_level: LogLevel,

    /// How long requests may go on after SIGTERM or Ctrl-C; a second one ends them at once
    #[arg(
        long,
        env = "SHOCKWAVE_SHUTDOWN_TIMEOUT",
        value_name = "DURATION",
        value_parser = parse_duration,
        default_value = "30s",
        allow_hyphen_values = true
    )]
    pub(crate) shutdown_timeout: Duration,

    /// How the pool's cells are entered; the environment variable is `SHOCKWAVE_CELLS`
    #[arg(long, value_enum, default_value_t)]
    pub(crate) cells: CellsArg,
}

/// What is done with a request for which the budget has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OverBudget {
    /// Answer 503, so that the client may go elsewhere, but to health, metrics and the dashboard
    #[default]
    Refuse,
    /// Read nothing until there is room, so that the client waits, for health and metrics too but
    /// at --admin
    Wait,
}

impl From<OverBudget> for Exhausted {
    fn from(over_budget: OverBudget) -> Self {
        match over_budget {
            OverBudget::Refuse => Self::Refuse503,
            OverBudget::Wait => Self::Backpressure,
        }
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people
    #[default]
    Text,
    /// A JSON object on each line
    Json,
}

/// The least that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogLevel {
    /// Only what went wrong
    Error,
    /// And what may go wrong, such as a low hit rate
    Warn,
    /// And what is as it should be, such as a healthy one
    #[default]
    Info,
    /// And each request
    Debug,
    /// And all that the libraries say
    Trace,
}
