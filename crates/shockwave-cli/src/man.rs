//! The manual page: the command and its subcommands on one page.

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args;
use crate::exit_code::{EXIT_CODES, Exit};
use crate::output;

pub(crate) fn print() -> anyhow::Result<Exit> {
    output::print(&page()?)?;
    Ok(Exit::Ok)
}

fn page() -> std::io::Result<Vec<u8>> {
    let mut command = args::command();
    command.build();
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    for subcommand in command.get_subcommands().filter(|command| command.get_name() != "help") {
        render_subcommand(subcommand, &mut page)?;
    }
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        roff.control("TP", []);
        roff.text([bold(code.to_string())]);
        roff.text([roman(meaning)]);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    let own = [
        (
            "SHOCKWAVE_CELLS",
            "How the cells of a pool are entered: auto, rseq or locked.".to_owned(),
        ),
        ("NO_COLOR", "No colors if set to anything.".to_owned()),
    ];
    for (name, meaning) in own.into_iter().chain(variables(&command)) {
        roff.control("TP", []);
        roff.text([bold(name)]);
        roff.text([roman(meaning)]);
    }
    roff.to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// The variables that stand for flags, each with what it stands for.
fn variables(command: &clap::Command) -> Vec<(&str, String)> {
    let of = |subcommand: &clap::Command, arg: &clap::Arg| match arg.get_long() {
        Some(flag) => format!("--{flag} of {}, if that is not given.", subcommand.get_name()),
        None => format!("The server of {}, if that is not given.", subcommand.get_name()),
    };
    let all = command.get_subcommands().flat_map(|subcommand| {
        let args = subcommand.get_arguments();
        args.filter_map(move |arg| Some((arg.get_env()?.to_str()?, of(subcommand, arg))))
    });
    all.collect()
}

/// A section of its own, with what the generator would say in three.
fn render_subcommand(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [format!("SHOCKWAVE {}", command.get_name()).to_uppercase().as_str()]);
    roff.to_writer(page)?;
    let man = Man::new(command.clone());
    let mut parts = Vec::new();
    man.render_synopsis_section(&mut parts)?;
    man.render_description_section(&mut parts)?;
    man.render_options_section(&mut parts)?;
    for line in String::from_utf8_lossy(&parts).lines() {
        // Sections of the part are paragraphs of the whole, and the definitions are made once.
        if line.starts_with(".SH") {
            page.extend_from_slice(b".PP\n");
        } else if !line.starts_with(".ie") && !line.starts_with(".el") {
            page.extend_from_slice(line.as_bytes());
            page.push(b'\n');
        }
    }
    Ok(())
}
