//! The documents against what they speak of: links, file names, examples, and the README's code and
//! numbers.
//!
//! They lie beside the crate in its repository and not in its package, so there is nothing to check
//! in an unpacked package.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as a test does")]

#[path = "documents/numbers.rs"]
mod numbers;

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root, if this is the repository.
fn root() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("ARCHITECTURE.md").exists().then_some(root)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Markdown files of the project, but for what tools have put there.
fn documents(root: &Path) -> Vec<PathBuf> {
    let folders = [".", "docs", "docs/design", "docs/decisions", "crates/shockwave"];
    let mut found = Vec::new();
    for folder in folders {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        found.extend(files.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    assert!(found.len() > 15, "the search for documents finds {}", found.len());
    found
}

/// What stands between each `open` and the `close` after it.
fn between<'a>(text: &'a str, open: &'a str, close: char) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split_once(close)).map(|(inner, _)| inner)
}

/// The first block of Rust code.
fn first_rust(text: &str) -> &str {
    let (_, from) = text.split_once("```rust\n").unwrap();
    from.split_once("```").unwrap().0
}

#[test]
fn links_lead_somewhere() {
    let Some(root) = root() else { return };
    for document in documents(&root) {
        for link in between(&read(&document), "](", ')') {
            let path = link.split('#').next().unwrap();
            if path.is_empty() || link.starts_with("https://") {
                continue;
            }
            let target = document.parent().unwrap().join(path);
            assert!(target.exists(), "{} links to {link}", document.display());
        }
    }
}

#[test]
fn files_on_the_map_exist() {
    let Some(root) = root() else { return };
    let map = read(&root.join("ARCHITECTURE.md"));
    assert!(map.lines().count() < 250, "a map is to be taken in at a glance");
    // Inside a table row, backticks pair up; a name ends in `.rs` or, for a folder, in `/`.
    let rows = map.lines().filter(|line| line.starts_with('|'));
    let names: Vec<_> = rows
        .flat_map(|row| row.split('`').skip(1).step_by(2))
        .filter(|name| {
            Path::new(name).extension().is_some_and(|end| end == "rs") || name.ends_with('/')
        })
        .filter(|name| !name.contains(' ') && !name.starts_with("crates/"))
        .collect();
    assert!(names.len() > 25, "the search for names finds {}", names.len());
    for name in names {
        let file = root.join("crates/shockwave/src").join(name);
        assert!(file.exists(), "ARCHITECTURE.md names {name}");
    }
}

#[test]
fn examples_that_are_spoken_of_exist() {
    let Some(root) = root() else { return };
    for document in documents(&root) {
        for command in between(&read(&document), "--example ", '\n') {
            let name = command.split_whitespace().next().unwrap().trim_matches('`');
            let file = |package| root.join(format!("crates/{package}/examples/{name}.rs"));
            let exists = ["shockwave", "shockwave-http"].into_iter().any(|of| file(of).exists());
            assert!(exists, "{} speaks of {name}", document.display());
        }
    }
}

#[test]
fn each_decision_is_listed() {
    let Some(root) = root() else { return };
    let decisions = root.join("docs/decisions");
    let list = read(&decisions.join("README.md"));
    for entry in fs::read_dir(decisions).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || list.contains(&name), "{name} is on no list");
    }
}

#[test]
fn the_readme_shows_the_code_that_doc_tests_run() {
    let Some(root) = root() else { return };
    let (ours, run) =
        (read(&root.join("README.md")), read(&root.join("crates/shockwave/README.md")));
    assert_eq!(first_rust(&ours), first_rust(&run));
}
