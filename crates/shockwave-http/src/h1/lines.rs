//! Lines that end with CRLF, found one by one in bytes that come bit by bit.

use memchr::memchr;

/// Where a search for lines stands. No byte is looked at twice.
#[derive(Debug, Default, Clone)]
pub(super) struct Lines {
    /// No LF lies between `start` and here.
    searched: usize,
    /// Where the current line begins.
    start: usize,
    /// Lines that ended before it.
    count: usize,
}

/// What the next line is.
pub(super) enum Line {
    /// It ended, after so many bytes without its CRLF.
    Ended(usize),
    /// It ended with LF alone, after so many bytes.
    Bare(usize),
    /// It has not ended in the bytes there are.
    Open,
}

impl Lines {
    /// The next line of `bytes`, which are those of the last call and what came since.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Line {
        let rest = bytes.get(self.searched..).unwrap_or_default();
        let Some(offset) = memchr(b'\n', rest) else {
            self.searched = bytes.len().max(self.searched);
            return Line::Open;
        };
        let lf = self.searched + offset;
        let start = self.start;
        self.searched = lf + 1;
        self.start = lf + 1;
        self.count += 1;
        if lf > start && bytes[lf - 1] == b'\r' {
            Line::Ended(lf - 1 - start)
        } else {
            Line::Bare(lf - start)
        }
    }

    /// Leaves out `length` bytes that belong to no line.
    pub(super) fn skip(&mut self, length: usize) {
        self.start += length;
        self.searched = self.searched.max(self.start);
    }

    /// Where the line that has not ended begins.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Whether no byte was looked at.
    pub(super) fn is_fresh(&self) -> bool {
        self.searched == 0
    }

    /// How many lines have ended.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}
