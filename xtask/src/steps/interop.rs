//! Programs of others against the server: `curl`, `h11`, `haproxy`, `slowhttptest` and `wrk`.

use crate::run::{Context, Outcome, cargo, run};
use crate::tools::apt;

/// The tests of one file, by the prefix of their names, and the packages that they need.
const PROGRAMS: &[(&str, &[&str])] = &[
    ("curl", &["curl"]),
    ("h11", &["python3-h11"]),
    ("haproxy", &["haproxy", "curl"]),
    ("slowhttptest", &["slowhttptest"]),
    ("wrk", &["wrk"]),
];

/// Each in a run of its own, so that what one does to the machine is not held against another.
pub(crate) fn interop(context: &mut Context) -> Outcome {
    for (program, packages) in PROGRAMS {
        match apt(packages) {
            Ok(()) => run(cargo("test -p shockwave-http --test interop --quiet --")
                .args(["--ignored", &format!("{program}::")]))?,
            Err(why) => context.skip(format!("{program} against the server, {why}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::root;

    /// A prefix that matches nothing would pass.
    #[test]
    fn every_program_has_a_file_of_tests() {
        let main = root().join("crates/shockwave-http/tests/interop/main.rs");
        let main = std::fs::read_to_string(main).unwrap();
        for (program, _) in PROGRAMS {
            assert!(main.contains(&format!("mod {program};")), "{program}");
        }
    }
}
