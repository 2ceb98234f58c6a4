//! `--report`: a page that is well formed and stands alone, and a path that is tried before the
//! test.

use std::fs;
use std::path::PathBuf;

use crate::support::{Ran, short};

/// A path of its own for each test, gone when it ends.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let name = format!("shockwave-report-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a path in UTF-8")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn page(place: &Place, more: &[&str]) -> String {
    let ran = short(&[&["--report", place.path()], more].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    fs::read_to_string(&place.0).expect("a report")
}

/// Every tag that opens closes, in order, and text has no stray angle brackets.
fn check_well_formed(page: &str) {
    let mut open: Vec<String> = Vec::new();
    let body = page.strip_prefix("<!DOCTYPE html>\n").expect("a document type");
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>') || open.last().is_some_and(|tag| tag == "style"));
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        let name: String = tag.chars().take_while(|c| !c.is_whitespace() && *c != '>').collect();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed out of order");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes pair in <{tag}>");
        rest = &rest[end + 1..];
    }
    assert_eq!(open, Vec::<String>::new(), "everything is closed");
}

fn check_self_contained(page: &str) {
    for outside in
        ["http:", "https:", "//cdn", "src=", "href=", "url(", "@import", "<script", "<link"]
    {
        assert!(!page.contains(outside), "{outside} in the page");
    }
    assert!(page.contains("default-src 'none'"), "the browser is told so, too");
}

#[test]
fn a_report_is_well_formed_and_stands_alone() {
    let place = Place::new("all.html");
    let page = page(&place, &["--scenario", "all", "--compare"]);
    check_well_formed(&page);
    check_self_contained(&page);
    for scenario in ["steady", "mixed", "burst", "handoff", "hold", "churn", "spike"] {
        assert!(page.contains(&format!("<section id=\"{scenario}\">")), "{scenario}");
    }
    for words in
        ["Throughput", "Latency", "Gets by class", "Allocation reduction", "prefers-color-scheme"]
    {
        assert!(page.contains(words), "{words}");
    }
    if cfg!(target_os = "linux") {
        assert!(page.contains("Resident memory"));
    }
    assert!(!page.contains("NaN") && !page.contains("inf\""), "every number is one");
}

#[test]
fn what_the_caller_names_is_text_and_not_markup() {
    let place = Place::new("<b>&'\"x.html");
    let page = page(&place, &[]);
    check_well_formed(&page);
    assert!(page.contains("&lt;b&gt;&amp;&#39;&quot;x.html"), "the command line is shown");
    assert!(!page.contains("<b>"));
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_the_test() {
    let directory = Place::new("directory");
    fs::create_dir_all(&directory.0).unwrap();
    for path in ["/nowhere/at/all.html", directory.path(), ""] {
        let Ran { code, stdout, stderr } = short(&["--report", path]);
        assert!(matches!(code, Some(1 | 2)), "{path}: {stderr}");
        assert_eq!(stdout, "", "nothing was run");
        assert!(!stderr.contains("steady:"), "nothing was begun: {stderr}");
        assert!(!stderr.contains("panicked") && stderr.contains("report"), "{stderr}");
    }
}

#[test]
fn a_test_that_fails_leaves_an_old_report_as_it_was_and_no_new_one() {
    let (old, new) = (Place::new("old.html"), Place::new("new.html"));
    fs::write(&old.0, "as it was").unwrap();
    for place in [&old, &new] {
        let arguments = ["loadtest", "--duration", "20ms", "--report", place.path()];
        let failed = crate::support::command(&arguments).env("SHOCKWAVE_CELLS", "bad").output();
        assert_eq!(failed.unwrap().status.code(), Some(2));
    }
    assert_eq!(fs::read_to_string(&old.0).unwrap(), "as it was");
    assert!(!new.0.exists());
    // A shorter report leaves nothing of a longer one behind.
    fs::write(&old.0, "x".repeat(1 << 20)).unwrap();
    assert!(page(&old, &[]).ends_with("</html>\n"));
}

#[test]
fn a_report_may_go_to_a_device() {
    if cfg!(unix) {
        assert_eq!(short(&["--report", "/dev/null"]).code, Some(0));
    }
}
