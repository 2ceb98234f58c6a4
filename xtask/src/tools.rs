//! Tools that a fresh machine may lack: looked for, and installed where that can be done.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{command, root, run};

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

/// Why something that a check needs is not there, which leaves the check out and fails nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Skipped(String);

impl Display for Skipped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether all of these Debian packages are installed after this, because they were or because they
/// were installed now, without what they merely recommend. For checks that are left out, visibly,
/// where that cannot be done; what every machine must have is `provide`d.
pub(crate) fn apt(packages: &[&str]) -> Result<(), Skipped> {
    let missing: Vec<&str> = packages.iter().copied().filter(|it| !is_installed(it)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(", ");
    let without = |why: &str| Skipped(format!("without {names}: {why}"));
    if !is_on_path("apt-get") {
        return Err(without("there is no apt-get"));
    }
    if !may_install() {
        return Err(without("to install takes root, or sudo without a password"));
    }
    let install = [&["install", "-y", "-qq", "--no-install-recommends"], &missing[..]].concat();
    let get = |arguments: &[&str]| {
        // Someone else may be installing just now.
        let patient = [&["-o", "DPkg::Lock::Timeout=120"], arguments].concat();
        run(privileged("apt-get", &patient).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    get(&install)
        .or_else(|_| get(&["update", "-qq"]).and_then(|()| get(&install)))
        .map_err(|error| without(&error))?;
    match missing.iter().find(|it| !is_installed(it)) {
        None => Ok(()),
        Some(package) => Err(without(&format!("{package} is still not installed"))),
    }
}

/// Where a Debian package lies unpacked below `target` after this, as it would below `/`, and not
/// installed: for programs out of packages that would start a service here. Needs no rights, unless
/// the lists of packages are missing too.
pub(crate) fn unpacked(package: &str) -> Result<PathBuf, Skipped> {
    let place = root().join("target/unpacked").join(package);
    let files = place.join("files");
    if files.is_dir() {
        return Ok(files);
    }
    let without = |why: String| Skipped(format!("without {package}: {why}"));
    if !is_on_path("apt-get") || !is_on_path("dpkg-deb") {
        return Err(without("there is no apt-get to bring it".into()));
    }
    // What an earlier attempt left would be in the way.
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).map_err(|error| without(error.to_string()))?;
    let download = || run(command("apt-get", &["download", "-qq", package]).current_dir(&place));
    download()
        .or_else(|_| run(&mut privileged("apt-get", &["update", "-qq"])).and_then(|()| download()))
        .map_err(without)?;
    // Unpacked beside its place and then moved there, so that what is there is whole.
    let unpack = format!("dpkg-deb --extract {package}_*.deb part && mv part files");
    run(command("sh", &["-c", &unpack]).current_dir(&place)).map_err(without)?;
    Ok(files)
}

/// A Python below `target` that has these packages after this, by `pip`.
pub(crate) fn python_with(packages: &[&str]) -> Result<PathBuf, Skipped> {
    let without = |why: String| Skipped(format!("without Python's {}: {why}", packages.join(", ")));
    let place = root().join("target/python");
    let python = place.join("bin/python");
    let make = || run(&mut command("python3", &["-m", "venv", &place.to_string_lossy()]));
    if !python.is_file() {
        // Debian's own has no `venv` without that package.
        make()
            .or_else(|_| {
                apt(&["python3-venv"]).map_err(|Skipped(why)| why)?;
                make()
            })
            .map_err(without)?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let install = [&install, packages].concat();
    run(&mut command(&python.to_string_lossy(), &install)).map_err(without)?;
    Ok(python)
}

/// Whether a Debian package is installed, and set up to its end.
fn is_installed(package: &str) -> bool {
    let mut query = command("dpkg-query", &["--show", "--showformat=${Status}", package]);
    query.stderr(Stdio::null());
    query.output().is_ok_and(|output| output.stdout == b"install ok installed")
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

/// Whether we have the rights to install, or `sudo` gives them without asking.
fn may_install() -> bool {
    let mut ask = command("sudo", &["-n", "true"]);
    ask.stdout(Stdio::null()).stderr(Stdio::null());
    is_root() || ask.status().is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    command("id", &["-u"]).output().is_ok_and(|output| output.stdout == b"0\n")
}

/// A command with the rights to install, which `sudo` gives where we do not have them and it needs
/// no password.
fn privileged(program: &str, arguments: &[&str]) -> Command {
    if is_root() {
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

    #[test]
    fn packages_that_are_there_need_no_installing() {
        assert_eq!(apt(&[]), Ok(()));
        assert!(!is_installed("there-is-no-such-package"));
        assert!(!is_on_path("dpkg-query") || apt(&["dpkg"]).is_ok());
    }
}
