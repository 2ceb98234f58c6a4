//! `cargo xtask versus REVISION`: the pool of the working tree beside an earlier one, in one
//! process.
//!
//! A change is told from noise only where both versions run by turns. The earlier sources are
//! unpacked under another version number, so that one program can have both, and outside of this
//! repository, whose workspace they would be taken for a part of.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::{Context, Outcome, command, root, run};

/// The program that has both.
const PROGRAM: &str = include_str!("../versus/main.rs");

/// Builds and runs it against the last commit, which says that it can be built and run.
pub(crate) fn step(context: &mut Context) -> Outcome {
    let known = command("git", &["rev-parse", "--quiet", "--verify", "HEAD"]).output();
    if known.is_ok_and(|output| output.status.success()) {
        return versus("HEAD");
    }
    context.skip("the pool beside itself: there is no earlier version of it here");
    Ok(())
}

/// Builds and runs it against `revision`.
pub(crate) fn versus(revision: &str) -> Outcome {
    let place = std::env::temp_dir().join("shockwave-versus");
    let then = place.join("then");
    if then.exists() {
        fs::remove_dir_all(&then).map_err(|error| format!("{}: {error}", then.display()))?;
    }
    fs::create_dir_all(&then).map_err(|error| format!("{}: {error}", then.display()))?;
    unpack(revision, &place)?;
    let manifest = then.join("Cargo.toml");
    let text = read(&manifest)?;
    write(&manifest, &renumbered(&text).ok_or("no version in the earlier Cargo.toml")?)?;
    fs::create_dir_all(place.join("src")).map_err(|error| error.to_string())?;
    write(&place.join("src/main.rs"), PROGRAM)?;
    let now = root().join("crates/shockwave");
    let now = now.to_str().ok_or("the path of this repository is not Unicode")?;
    write(&place.join("Cargo.toml"), &MANIFEST.replace("{now}", now))?;
    let manifest = place.join("Cargo.toml");
    let manifest = manifest.to_str().ok_or("the path of this repository is not Unicode")?;
    run(&mut command("cargo", &["run", "--release", "--quiet", "--manifest-path", manifest]))
}

const MANIFEST: &str = r#"[package]
name = "versus"
version = "0.0.0"
edition = "2024"

[dependencies]
then = { package = "shockwave", path = "then/crates/shockwave" }
now = { package = "shockwave", path = "{now}" }

[profile.release]
codegen-units = 1

[workspace]
exclude = ["then"]
"#;

/// Lays the sources of a revision into `place/then`.
fn unpack(revision: &str, place: &Path) -> Outcome {
    let archive = place.join("then.tar");
    let archive = archive.to_str().ok_or("the path of this repository is not Unicode")?;
    run(&mut command("git", &["archive", "--output", archive, revision]))?;
    run(Command::new("tar").args(["-xf", archive, "-C", "then"]).current_dir(place))
}

/// A manifest whose first version is another, so that it differs from today's.
fn renumbered(manifest: &str) -> Option<String> {
    let line = manifest.lines().find(|line| line.starts_with("version = "))?;
    Some(manifest.replacen(line, "version = \"0.0.0-then\"", 1))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_version_is_another() {
        let manifest = "[workspace.package]\nversion = \"1.2.3\"\n[x]\nversion = \"1.2.3\"\n";
        let expected = "[workspace.package]\nversion = \"0.0.0-then\"\n[x]\nversion = \"1.2.3\"\n";
        assert_eq!(renumbered(manifest).as_deref(), Some(expected));
        assert_eq!(renumbered("[package]\n"), None);
    }
}
