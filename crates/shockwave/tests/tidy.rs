//! Holds the source to its own rules: layers, length of files, where unsafe code may be, and what
//! must not be left behind. Each rule is a function over a file's text, and is tested on a bad one.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::path::{Path, PathBuf};

/// The library's modules, bottom first. A module may name those of lower lines, and itself; modules
/// of one line do not know each other. `public` stands for what `lib.rs` exports.
///
/// `cells` and `depot` are one layer in two halves, hence the plus sign: changing what a cell
/// points at takes the class's `Stock` as proof that its lock is held, and a `Stock` that restocks
/// a cell takes the cells.
const LAYERS: &[&str] = &[
    "sync limits asan callback",
    "fork",
    "error meta reentry source sampling",
    "class loans magazine oversize later verify track",
    "arena modes stack",
    "cells+depot",
    "controls wait watch",
    "engine",
    "life",
    "buffer metrics",
    "shared",
    "pool",
    "acquire maintain",
    "builder global ext raw",
    "diagnosis",
    "public",
    "loadtest how_it_works",
];

/// Files of the library that may contain unsafe code; each says why at its top.
const UNSAFE: &[&str] = &[
    "asan.rs",
    "arena.rs",
    "buffer/clean.rs",
    "buffer/grow.rs",
    "buffer/io.rs",
    "buffer/mod.rs",
    "buffer/room.rs",
    "buffer/settle.rs",
    "cells/cpus.rs",
    "cells/locked.rs",
    "cells/rseq/kernel.rs",
    "cells/rseq/mod.rs",
    "cells/rseq/sequence.rs",
    "cells/rseq_absent.rs",
    "controls.rs",
    "depot/mod.rs",
    "engine.rs",
    "engine/memory.rs",
    "engine/trim.rs",
    "ext/bytes.rs",
    "fork.rs",
    "later.rs",
    "life.rs",
    "loans/slots.rs",
    "loadtest/resident.rs",
    "loom_tests.rs",
    "magazine.rs",
    "oversize.rs",
    "pool.rs",
    "raw.rs",
    "stack.rs",
    "shared/count.rs",
    "shared/cut.rs",
    "shared/mod.rs",
    "source/heap.rs",
    "source/ledger.rs",
    "source/map.rs",
    "source/mod.rs",
    "source/pages.rs",
    "source/spans.rs",
    "track/mod.rs",
    "track/table.rs",
    "wait.rs",
];

/// Lines of a file beside its tests, at most.
const LINES_MAX: usize = 400;

/// Characters in a line, at most.
const COLUMNS_MAX: usize = 100;

/// A source file, as text and as code alone.
struct Source {
    name: String,
    text: String,
    /// The text without comments and without what is in quotes, line for line.
    code: String,
}

impl Source {
    fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { name: name.into(), code: code_of(&text), text }
    }

    /// The code's lines up to where the file's own tests begin.
    fn lines_beside_tests(&self) -> impl Iterator<Item = &str> {
        let mut lines = self.code.lines().peekable();
        std::iter::from_fn(move || {
            let line = lines.next()?;
            let gate = line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test");
            let module = lines.peek().is_some_and(|next| next.starts_with("mod tests"));
            if gate && module { None } else { Some(line) }
        })
    }
}

/// Takes comments and the insides of string and character literals out of Rust code.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let raw = ["r\"", "r#\"", "br\"", "br#\""].into_iter().find(|raw| rest.starts_with(raw));
        let fresh = !code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = raw.filter(|_| fresh) {
            let end = if raw.contains('#') { "\"#" } else { "\"" };
            rest[raw.len()..].find(end).map_or(rest.len(), |at| raw.len() + at + end.len())
        } else if first == '"' {
            1 + end_of_quote(&rest[1..], '"')
        } else if first == '\'' && is_character(rest) {
            1 + end_of_quote(&rest[1..], '\'')
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        // Lines stay where they are.
        code.extend(rest[..taken].chars().filter(|&c| c == '\n'));
        rest = &rest[taken..];
    }
    code
}

/// Bytes up to and with the closing quote.
fn end_of_quote(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    inside.len()
}

/// Whether a quote begins a character, and not a lifetime.
fn is_character(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

/// The module of the library that a file belongs to.
fn module(name: &str) -> &str {
    name.split('/').next().unwrap_or(name).trim_end_matches(".rs")
}

/// What a file names after `crate::`.
fn named_modules(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1).map(|after| {
        let end = after.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(after.len());
        if end == 0 { "public" } else { &after[..end] }
    })
}

/// Modules named that are not below, and modules that are in no layer.
fn layer_faults(source: &Source, layers: &[&str]) -> Vec<String> {
    let of = |module: &str| {
        layers.iter().position(|line| line.split([' ', '+']).any(|name| name == module))
    };
    let module = module(&source.name);
    if matches!(module, "lib" | "loom_tests") {
        return Vec::new();
    }
    let Some(layer) = of(module) else { return vec![format!("{module} is in no layer")] };
    let below = |named: &str| {
        let of_named = of(named);
        let paired = layers[layer].contains('+') && of_named == Some(layer);
        named == module || paired || of_named.is_some_and(|named| named < layer)
    };
    let production: Vec<_> = source.lines_beside_tests().collect();
    let production = production.join("\n");
    let faults = named_modules(&production).filter(|named| !below(named));
    faults.map(|named| format!("names `{named}`, which is not below `{module}`")).collect()
}

fn unsafe_faults(source: &Source, allowed: &[&str]) -> Vec<String> {
    let places = ["unsafe {", "unsafe impl"].map(|place| source.code.matches(place).count());
    let places: usize = places.iter().sum();
    let reasons = source.text.matches("SAFETY:").count();
    let mut faults = Vec::new();
    if source.code.contains("unsafe ") && !allowed.contains(&source.name.as_str()) {
        faults.push("contains unsafe code, and is not a file that may".into());
    }
    if reasons < places {
        faults.push(format!("{places} unsafe places, and only {reasons} with a SAFETY comment"));
    }
    faults
}

fn form_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    if !source.text.starts_with("//!") {
        faults.push("does not begin by saying what it is".into());
    }
    let lines = source.lines_beside_tests().count();
    if lines > LINES_MAX {
        faults.push(format!("has {lines} lines beside its tests; {LINES_MAX} are enough"));
    }
    for (number, line) in (1..).zip(source.text.lines()) {
        let columns = line.chars().count();
        // The formatter leaves rows of tables, strings and attributes as they are.
        let trimmed = line.trim_start();
        let wraps = !trimmed.starts_with("//! |") && !trimmed.starts_with("#[");
        let wraps = wraps && !line.contains('"') && !line.ends_with('\\');
        if columns > COLUMNS_MAX && wraps {
            faults.push(format!("line {number} has {columns} columns; {COLUMNS_MAX} are enough"));
        }
        // Put together here, so that this file does not contain them.
        for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("dbg", "!")] {
            if line.contains(word) {
                faults.push(format!("line {number} has a {word}"));
            }
        }
    }
    faults
}

/// Targets of links to files, with what follows `#` cut off. Links that name a scheme are not
/// files.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    let targets = prose.flat_map(|prose| prose.split("](").skip(1));
    let targets = targets.filter_map(|after| after.split([')', ' ']).next());
    let files = targets.filter_map(|target| target.split('#').next());
    files.filter(|file| !file.is_empty() && !file.contains(':'))
}

/// The repository's root, or the crate's where it was unpacked alone.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let repository = own.join("../..");
    if repository.join("xtask/Cargo.toml").exists() { repository } else { own.into() }
}

/// Files below a directory with an extension, but for what is built or hidden, and for what is made
/// not to compile, which is no more than that.
fn files(directory: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let other = name.starts_with('.') || matches!(&*name, "target" | "corpus" | "compile_fail");
        if path.is_dir() && !other {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|ending| ending == extension) {
            found.push(path);
        }
    }
}

fn sources(directory: &Path) -> Vec<Source> {
    let mut paths = Vec::new();
    files(directory, "rs", &mut paths);
    assert!(!paths.is_empty(), "no source in {}", directory.display());
    let name = |path: &Path| path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| Source::new(name(path), fs::read_to_string(path).unwrap())).collect()
}

fn library() -> Vec<Source> {
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[track_caller]
fn none(sources: &[Source], faults: impl Fn(&Source) -> Vec<String>) {
    let mut found = Vec::new();
    for source in sources {
        found.extend(faults(source).into_iter().map(|fault| format!("{}: {fault}", source.name)));
    }
    assert!(found.is_empty(), "\n  {}\n", found.join("\n  "));
}

#[test]
fn modules_depend_downward_only() {
    none(&library(), |source| layer_faults(source, LAYERS));
}

#[test]
fn unsafe_code_is_where_it_may_be_and_says_why_it_is_sound() {
    none(&library(), |source| unsafe_faults(source, UNSAFE));
}

#[test]
fn every_file_that_may_contain_unsafe_code_does() {
    let library = library();
    for name in UNSAFE {
        let source = library.iter().find(|source| source.name == *name);
        let source = source.unwrap_or_else(|| panic!("{name} is listed, and is not there"));
        assert!(source.code.contains("unsafe "), "{name} is listed, and needs not be");
    }
}

#[test]
fn every_file_says_what_it_is_and_is_short_and_finished() {
    none(&sources(&root()), form_faults);
}

#[test]
fn links_in_documents_lead_to_files() {
    let mut documents = Vec::new();
    files(&root(), "md", &mut documents);
    for document in &documents {
        let text = fs::read_to_string(document).unwrap();
        for link in links(&text) {
            let target = document.parent().unwrap().join(link);
            assert!(target.exists(), "{} links to {link}, which is not there", document.display());
        }
    }
}

#[test]
fn the_rules_find_what_they_are_for() {
    let layers = &["low", "mid other", "a+b", "top"];
    let faults = |name: &str, text: &str| layer_faults(&Source::new(name, text), layers).len();
    assert_eq!(faults("mid.rs", "use crate::low::X; use crate::mid::Y;"), 0);
    assert_eq!(faults("mid/part.rs", "use crate::top::X;"), 1);
    assert_eq!(faults("mid.rs", "use crate::other::X;"), 1, "beside is not below");
    assert_eq!(faults("a.rs", "crate::b::free(self)"), 0, "a pair");
    assert_eq!(faults("mid.rs", "//! See crate::top.\nlet s = \"crate::top\";"), 0);
    assert_eq!(faults("mid.rs", "#[cfg(test)]\nmod tests { use crate::top::X; }"), 0);
    assert_eq!(faults("new.rs", ""), 1, "in no layer");

    let faults = |name: &str, text: &str| unsafe_faults(&Source::new(name, text), &["a.rs"]).len();
    assert_eq!(faults("a.rs", "// SAFETY: so.\nunsafe { f() }"), 0);
    assert_eq!(faults("a.rs", "unsafe { f() }"), 1);
    assert_eq!(faults("b.rs", "// SAFETY: so.\nunsafe { f() }"), 1);
    assert_eq!(faults("b.rs", "// unsafe { f() }\n\"unsafe { }\""), 0);

    let faults = |text: &str| form_faults(&Source::new("a.rs", text)).len();
    assert_eq!(faults("//! A file."), 0);
    assert_eq!(faults("fn main() {}"), 1);
    assert_eq!(faults(&format!("//! {}", "–".repeat(96))), 0);
    assert_eq!(faults(&format!("//! {}", "–".repeat(97))), 1);
    assert_eq!(faults(&format!("//! A file. {}", concat!("TO", "DO"))), 1);
    assert_eq!(faults(&format!("//! A file.\n{}", "\n".repeat(400))), 1);
    let tests = format!("//! A file.\n#[cfg(test)]\nmod tests {{\n{}}}", "\n".repeat(400));
    assert_eq!(faults(&tests), 0);

    let found: Vec<_> = links("[a](b.md#c) [d](https://e) [f](#g) ```[h](i)``` [j](k/l)").collect();
    assert_eq!(found, ["b.md", "k/l"]);
}

#[test]
fn comments_and_quotes_are_not_code() {
    for (text, code) in [
        ("a // b\nc", "a \nc"),
        ("f(\"a // b\", 'c', '\\'', '\"') + 'd", "f(, , , ) + 'd"),
        ("r#\"a \" b\"# c", " c"),
        ("\"a\\\"b\nc\"d", "\nd"),
        ("&'a str", "&'a str"),
    ] {
        assert_eq!(code_of(text), code, "{text}");
    }
}
