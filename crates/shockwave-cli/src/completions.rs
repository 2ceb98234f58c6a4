//! Completions for shells.

use clap_complete::Shell;

use crate::args;
use crate::exit_code::Exit;
use crate::output;

pub(crate) fn print(shell: Shell) -> anyhow::Result<Exit> {
    // To memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "shockwave", &mut script);
    output::print(&script)?;
    Ok(Exit::Ok)
}
