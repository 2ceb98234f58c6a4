//! Every set of the library's features, and a system without restartable sequences.

use std::path::Path;

use crate::run::{Context, Outcome, cargo, command, read, run};
use crate::tools::provide_component;

/// A system for which the library has no restartable sequences.
const WITHOUT_RSEQ: &str = "x86_64-unknown-linux-musl";

/// A feature adds to the interface and does nothing else, so each set must do without warnings.
pub(crate) fn features(context: &mut Context) -> Outcome {
    provide_component("cargo-clippy", "clippy")?;
    let metadata = read(&mut cargo("metadata --no-deps --format-version 1"))?;
    for set in sets(&features_of(&metadata, "shockwave")?) {
        let mut clippy = cargo("clippy -p shockwave --all-targets --no-default-features");
        clippy.args(["--features", &set.join(",")]);
        run(clippy.args(["--", "-D", "warnings"]))?;
    }
    if has_standard_library(WITHOUT_RSEQ)? {
        run(cargo("check -p shockwave --all-features --target").arg(WITHOUT_RSEQ))
    } else {
        context.skip(format!(
            "checking for {WITHOUT_RSEQ}, whose standard library is not installed; \
             the models of `loom` are built without restartable sequences too"
        ));
        Ok(())
    }
}

/// The features that a package declares, but for `default`.
fn features_of(metadata: &str, package: &str) -> Result<Vec<String>, String> {
    let metadata: serde_json::Value =
        serde_json::from_str(metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let ours = packages.into_iter().find(|ours| ours["name"] == package);
    let features = ours.and_then(|ours| ours["features"].as_object());
    let features = features.ok_or_else(|| format!("cargo metadata: nothing on {package}"))?;
    Ok(features.keys().filter(|name| *name != "default").cloned().collect())
}

/// All sets of some features, the empty one first.
fn sets(features: &[String]) -> Vec<Vec<String>> {
    let set = |bits: usize| {
        let chosen = (0..features.len()).filter(|feature| bits >> feature & 1 == 1);
        chosen.map(|feature| features[feature].clone()).collect()
    };
    (0..1 << features.len()).map(set).collect()
}

fn has_standard_library(target: &str) -> Result<bool, String> {
    let directory = read(&mut command("rustc", &["--print", "target-libdir", "--target", target]))?;
    Ok(Path::new(directory.trim()).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_all_there_are() {
        let features = ["a", "b", "c"].map(String::from);
        let joined: Vec<_> = sets(&features).iter().map(|set| set.join("")).collect();
        assert_eq!(joined, ["", "a", "b", "ab", "c", "ac", "bc", "abc"]);
    }

    #[test]
    fn features_are_read_from_what_cargo_says() {
        let metadata = r#"{"packages": [
            {"name": "other", "features": {"x": []}},
            {"name": "ours", "features": {"b": [], "default": [], "a": []}}
        ]}"#;
        assert_eq!(features_of(metadata, "ours"), Ok(vec!["a".into(), "b".into()]));
        assert!(features_of(metadata, "none").is_err());
        assert!(features_of("{", "ours").is_err());
    }
}
