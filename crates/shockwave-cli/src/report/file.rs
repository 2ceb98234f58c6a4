//! The file of a report: found to be writable before a test, written after it.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::page;
use crate::loadtest::Outcome;

/// A file that can be written to. What was in it before is there until the report is.
#[derive(Debug)]
pub(crate) struct ReportFile {
    path: PathBuf,
    file: File,
    /// Whether it is ours to take away, if there is no report after all.
    remove: bool,
}

impl ReportFile {
    /// Opens or makes the file.
    pub(crate) fn prepare(path: &Path) -> anyhow::Result<Self> {
        let is_new = !path.exists();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file =
            file.with_context(|| format!("cannot write the report to {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file, remove: is_new })
    }

    /// Writes the report.
    pub(crate) fn write(mut self, outcomes: &[Outcome]) -> anyhow::Result<()> {
        let page = page::page(outcomes, std::env::args_os());
        let context = || format!("cannot write the report to {}", self.path.display());
        // Devices such as /dev/null have no length to set.
        if self.file.metadata().with_context(context)?.is_file() {
            self.file.set_len(0).with_context(context)?;
            self.file.seek(SeekFrom::Start(0)).with_context(context)?;
        }
        self.file.write_all(page.as_bytes()).with_context(context)?;
        self.remove = false;
        Ok(())
    }
}

impl Drop for ReportFile {
    fn drop(&mut self) {
        if self.remove {
            // If that fails too, an empty file stays. There is nothing more to say than was said.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
