//! What runs the server: the units, by systemd's own check, which starts nothing.

use std::fs;
use std::process::Command;

use crate::run::{Context, Outcome, capture, command, line, root, run};
use crate::tools::apt;

/// Tenths of systemd's measure of exposure, from 0 for none to 100; the service has less.
const EXPOSURE_MAX: &str = "20";

pub(crate) fn deploy(context: &mut Context) -> Outcome {
    if let Err(why) = apt(&["systemd"]) {
        context.skip(format!("checking units: {why}"));
        return Ok(());
    }
    // As they would lie once installed, with a program that is there.
    let installed = root().join("target/deploy");
    let install = "\
        rm -rf target/deploy && mkdir -p target/deploy/usr/bin target/deploy/etc/systemd/system && \
        cp /bin/true target/deploy/usr/bin/shockwave && \
        cp deploy/systemd/shockwave.service deploy/systemd/shockwave.socket \
            target/deploy/etc/systemd/system";
    run(&mut command("sh", &["-c", install]))?;
    let units = installed.join("etc/systemd/system");
    let verify = || {
        let mut verify =
            command("systemd-analyze", &["verify", "--man=no", "--recursive-errors=no"]);
        verify.arg(format!("--root={}", installed.display()));
        verify.args(["shockwave.service", "shockwave.socket"]);
        verify
    };
    quiet(&mut verify())?;
    let mut security = command("systemd-analyze", &["security", "--offline=true", "--no-pager"]);
    security
        .args([format!("--threshold={EXPOSURE_MAX}"), format!("--root={}", installed.display())]);
    run(security.arg("shockwave.service"))?;
    // And to see that it looks:
    let service = units.join("shockwave.service");
    let text = fs::read_to_string(&service).map_err(|error| error.to_string())?;
    fs::write(&service, text.replace("Type=notify", "Type=notice"))
        .map_err(|error| error.to_string())?;
    if quiet(&mut verify()).is_ok() {
        Err("systemd takes any type of service".into())
    } else {
        Ok(())
    }
}

/// Runs a command that must succeed, and has nothing to complain about.
fn quiet(command: &mut Command) -> Outcome {
    let output = capture(command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() && said.trim().is_empty() {
        Ok(())
    } else {
        Err(format!("{}\n  {}\n{said}", output.status, line(command)))
    }
}
