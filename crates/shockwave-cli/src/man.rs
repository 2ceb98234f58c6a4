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
    for (name, meaning) in [
        ("SHOCKWAVE_CELLS", "How the cells of a pool are entered: auto, rseq or locked."),
        ("NO_COLOR", "No colors if set to anything."),
    ] {
        roff.control("TP", []);
        roff.text([bold(name)]);
        roff.text([roman(meaning)]);
    }
    roff.to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
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
