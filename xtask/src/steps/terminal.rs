//! `shockwave top` in a terminal, which is a tmux that is brought where that can be done.

use crate::run::{Context, Outcome, cargo, run};
use crate::tools::apt;

/// With the whole workspace's features, as the tests before were built.
pub(crate) fn terminal(context: &mut Context) -> Outcome {
    if let Err(skipped) = apt(&["tmux"]) {
        context.skip(format!("top in a terminal: {skipped}"));
        return Ok(());
    }
    run(&mut cargo("test --workspace --all-features --test cli -- --ignored terminal::"))
}
