//! Tools that a fresh machine may lack: looked for, and installed where that can be done.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::{command, run};

/// Whether a program is there after this: because it was, or because one of Debian's packages
/// brought it. `Err` says why it is not.
pub(crate) fn provide(program: &str, package: &str) -> Result<(), String> {
    if is_on_path(program) {
        return Ok(());
    }
    if !is_on_path("apt-get") {
        return Err(format!("{program} is not installed, and there is no apt-get to install it"));
    }
    let install = |update: bool| {
        let verb: &[&str] =
            if update { &["update", "-qq"] } else { &["install", "-y", "-qq", package] };
        run(privileged("apt-get", verb).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    install(false).or_else(|_| install(true).and_then(|()| install(false)))?;
    if is_on_path(program) { Ok(()) } else { Err(format!("{package} did not bring {program}")) }
}

/// Whether a component of the Rust toolchain is there after this.
pub(crate) fn provide_component(program: &str, component: &str) -> Result<(), String> {
    let mut probe = command(program, &["--version"]);
    probe.stdout(Stdio::null()).stderr(Stdio::null());
    if probe.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    run(&mut command("rustup", &["component", "add", component]))
}

/// A command with the rights to install, which `sudo` gives where we do not have them and it needs
/// no password.
fn privileged(program: &str, arguments: &[&str]) -> Command {
    let is_root = command("id", &["-u"]).output().is_ok_and(|output| output.stdout == b"0\n");
    if is_root {
        command(program, arguments)
    } else {
        command("sudo", &[&["-n", program], arguments].concat())
    }
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| Path::new(&directory).join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_and_what_is_not_is_not() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("there-is-no-such-program"));
        assert_eq!(provide("sh", "there-is-no-such-package"), Ok(()));
    }
}
