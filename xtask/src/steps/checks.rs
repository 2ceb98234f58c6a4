//! Checks that run nothing of ours: format, lints, documentation, package.

use crate::run::{Context, Outcome, cargo, run};
use crate::tools::{provide, provide_component};

pub(crate) fn fmt(_: &mut Context) -> Outcome {
    provide_component("rustfmt", "rustfmt")?;
    run(&mut cargo("fmt --all -- --check"))?;
    run(&mut cargo("fmt --manifest-path fuzz/Cargo.toml -- --check"))
}

pub(crate) fn clippy(_: &mut Context) -> Outcome {
    provide_component("cargo-clippy", "clippy")?;
    peers_need()?;
    run(&mut cargo("clippy --workspace --all-targets --all-features -- -D warnings"))
}

pub(crate) fn doc(_: &mut Context) -> Outcome {
    peers_need()?;
    let mut doc = cargo("doc --workspace --no-deps --all-features");
    run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// What building the comparison takes besides a C compiler: one of its peers comes with a makefile.
pub(crate) fn peers_need() -> Result<(), String> {
    provide("make", "make")
}

/// With a build of what is in the package, which shows a file that was left out.
pub(crate) fn package(_: &mut Context) -> Outcome {
    run(&mut cargo("package -p shockwave --allow-dirty"))
}
