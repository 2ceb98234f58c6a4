//! `shockwave top`: what a server does, in a terminal.
//!
//! ```text
//!   fetch ─▶ history: rates from readings ─▶ view: the whole screen
//!                                         └▶ plain: a table, once
//! ```

mod fetch;
mod figures;
mod history;
mod plain;
mod screen;
mod view;

use std::io::{IsTerminal, stdout};
use std::thread;
use std::time::Duration;

pub(crate) use fetch::fetch_text;

use crate::color::Color;
use crate::exit_code::Exit;
use crate::output;
use crate::parse::{MetricsUrl, parse_duration, parse_metrics_url};

use fetch::fetch;
use history::History;

/// Arguments of `top`.
#[derive(Debug, clap::Args)]
pub(crate) struct TopArgs {
    /// The server: its address, or the URL of its metrics as JSON
    #[arg(
        env = "SHOCKWAVE_URL",
        value_parser = parse_metrics_url,
        default_value = "127.0.0.1:8080"
    )]
    pub(crate) url: MetricsUrl,

    /// How often to look
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_duration,
        default_value = "1s",
        allow_hyphen_values = true
    )]
    pub(crate) interval: Duration,

    /// Print a table with the rates of one interval, and end; as it does without a terminal
    #[arg(long)]
    pub(crate) once: bool,
}

/// Shows the server until `q` is pressed, or once.
pub(crate) fn run(args: &TopArgs, color: Color) -> anyhow::Result<Exit> {
    if args.once || !stdout().is_terminal() {
        return once(args, color);
    }
    screen::run(&args.url, args.interval, color)?;
    Ok(Exit::Ok)
}

fn once(args: &TopArgs, color: Color) -> anyhow::Result<Exit> {
    let mut history = History::default();
    history.push(fetch(&args.url)?);
    thread::sleep(args.interval);
    history.push(fetch(&args.url)?);
    output::print(plain::page(&args.url, &history, color).as_bytes())?;
    Ok(Exit::Ok)
}
