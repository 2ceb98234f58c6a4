//! What must not compile: each misuse that a pool of plain slices lets pass is refused by the
//! compiler, and for the right reason.
//!
//! Each file in `compile_fail` names the error that it expects in its first line, and marks the
//! lines at fault with `// misuse`. It must compile without those lines, and fail with just that
//! error with them. The compiler is asked directly, for error codes alone: unlike its words, they
//! do not change from version to version.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

#[test]
fn what_must_not_compile_does_not_and_for_the_right_reason() {
    let library = library();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let mut checked = 0;
    for entry in files.read_dir().expect("the files").map(|entry| entry.expect("a file")) {
        let path = entry.path();
        let source = std::fs::read_to_string(&path).expect("the source");
        let (name, first) = (path.display(), source.lines().next().unwrap_or_default());
        let expected = first.strip_prefix("// error: ").expect("the error that is expected");
        assert!(source.contains("// misuse"), "{name} marks no line");
        let sound: Vec<&str> = source.lines().filter(|line| !line.contains("// misuse")).collect();
        assert_eq!(errors(&library, &sound.join("\n")), [""; 0], "{name} without its misuse");
        assert_eq!(errors(&library, &source), [expected], "{name}");
        checked += 1;
    }
    assert!(checked >= 6, "{checked} files");
}

/// The library that this test was linked with: the last one built beside it.
fn library() -> PathBuf {
    let program = std::env::current_exe().expect("this program");
    let beside = program.parent().expect("its folder").read_dir().expect("its folder");
    let is_it = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.starts_with("libshockwave-") && path.extension() == Some(OsStr::new("rlib"))
    };
    let built = |path: &PathBuf| {
        path.metadata().and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let candidates = beside.filter_map(|entry| Some(entry.ok()?.path())).filter(is_it);
    candidates.max_by_key(built).expect("the library")
}

/// The codes of the errors that the compiler finds in a source.
fn errors(library: &Path, source: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("source.rs");
    std::fs::write(&file, source).expect("the source");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(compiler);
    command.args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--cap-lints=allow"]);
    command.arg("--error-format=json").arg("--out-dir").arg(&folder).arg(&file);
    command.arg("-L").arg(library.parent().unwrap_or(library));
    let mut shockwave = std::ffi::OsString::from("shockwave=");
    shockwave.push(library);
    let output = command.arg("--extern").arg(shockwave).output().expect("the compiler");
    let messages = String::from_utf8_lossy(&output.stderr);
    let codes: Vec<String> = messages.lines().filter_map(code).collect();
    assert_eq!(output.status.success(), codes.is_empty(), "{messages}");
    codes
}

/// The code in one of the compiler's messages, if it is an error that has one.
fn code(message: &str) -> Option<String> {
    let after = message.split_once(r#""code":{"code":""#)?.1;
    Some(after.split_once('"')?.0.to_owned()).filter(|code| code.starts_with('E'))
}
