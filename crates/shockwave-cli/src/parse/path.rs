//! Directories that have to be there.

use std::path::PathBuf;

use super::ParseError;

/// Reads the path of a directory, which has to exist.
pub(crate) fn parse_directory(text: &str) -> Result<PathBuf, ParseError> {
    let path = PathBuf::from(text);
    if path.is_dir() {
        return Ok(path);
    }
    let wrong =
        if path.exists() { "that is no directory" } else { "there is nothing of that name" };
    Err(ParseError::new(wrong, "the path of a directory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_one_and_exists() {
        assert_eq!(parse_directory("."), Ok(PathBuf::from(".")));
        for (text, words) in
            [("", "nothing"), ("/nowhere", "nothing"), ("Cargo.toml", "no directory")]
        {
            let error = parse_directory(text).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("expected the path"), "{error}");
        }
    }
}
