//! The library's features, alone and with each missing, and a system without restartable sequences.

use std::path::Path;

use crate::run::{Context, Outcome, cargo, command, read, run};
use crate::tools::provide_component;

/// A system for which the library has no restartable sequences.
const WITHOUT_RSEQ: &str = "x86_64-unknown-linux-musl";

/// A feature adds to the interface and does nothing else, so each set must do without warnings.
///
/// All sets would be two to the number of features. These are two for each feature, and find what
/// the rest would find: what leans on another feature unasked fails where it stands alone; what
/// several features have together, and a further one makes work, fails where that one is missing;
/// what two have both fails where all are there.
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

/// No feature, each alone, all but each, and all; the smaller sets first.
fn sets(features: &[String]) -> Vec<Vec<String>> {
    let only = |wanted: &dyn Fn(&String) -> bool| -> Vec<String> {
        features.iter().filter(|feature| wanted(feature)).cloned().collect()
    };
    let mut sets = vec![vec![], features.to_vec()];
    for one in features {
        sets.push(only(&|feature| feature == one));
        sets.push(only(&|feature| feature != one));
    }
    sets.sort_by_key(|set| (set.len(), set.clone()));
    sets.dedup();
    sets
}

fn has_standard_library(target: &str) -> Result<bool, String> {
    let directory = read(&mut command("rustc", &["--print", "target-libdir", "--target", target]))?;
    Ok(Path::new(directory.trim()).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_is_alone_once_and_missing_once() {
        let joined = |features: &[&str]| {
            let features: Vec<_> = features.iter().map(ToString::to_string).collect();
            sets(&features).iter().map(|set| set.join("")).collect::<Vec<_>>()
        };
        let four = ["", "a", "b", "c", "d", "abc", "abd", "acd", "bcd", "abcd"];
        assert_eq!(joined(&["a", "b", "c", "d"]), four);
        assert_eq!(joined(&["a", "b"]), ["", "a", "b", "ab"]);
        assert_eq!(joined(&[]), [""]);
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
