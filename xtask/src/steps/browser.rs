//! The dashboard in a browser, which is brought where that can be done.

use crate::run::{Context, Outcome, cargo, run};
use crate::tools::apt;

pub(crate) fn browser(context: &mut Context) -> Outcome {
    if let Err(skipped) = apt(&["chromium"]) {
        context.skip(format!("the dashboard in Chromium: {skipped}"));
        return Ok(());
    }
    // Each test has a browser of its own, of several processes.
    run(&mut cargo("test -p shockwave-cli --test cli -- --ignored --test-threads 2 browser::"))
}
