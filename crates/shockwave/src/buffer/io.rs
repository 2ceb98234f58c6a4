//! Reading into a buffer, and writing to it as to a stream.

#![expect(unsafe_code, reason = "writes where room was made")]

use std::fmt;
use std::io::{self, Read, Write};

use super::Buffer;

impl Buffer {
    /// Reads once into the spare room, and returns how many bytes were added: 0 at the end of the
    /// stream. If there is no room, the buffer grows first, so that 0 never means "full".
    ///
    /// The reader is lent memory that may hold what an earlier holder of the buffer left. Readers
    /// have no business looking at it, and none in the standard library does; what a reader has not
    /// written does not become part of the buffer unless it claims to have written it.
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let mut source = &b"some bytes"[..];
    /// let mut buffer = shockwave::get_buffer(4096);
    /// while buffer.read_from(&mut source)? > 0 {}
    /// assert_eq!(&buffer[..], b"some bytes");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What the reader returns, with the buffer as it was; `InvalidData` if it claims to have read
    /// more than there was room for; `OutOfMemory` if the buffer had to grow and could not.
    pub fn read_from(&mut self, reader: &mut (impl Read + ?Sized)) -> io::Result<usize> {
        self.try_reserve(1)?;
        let spare = self.spare_bytes();
        let room = spare.len();
        let read = reader.read(spare)?;
        if read > room {
            let claim = format!("a reader claims {read} bytes read into room for {room}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, claim));
        }
        self.claim(read);
        Ok(read)
    }
}

impl Write for Buffer {
    /// Copies all of `bytes` to the end.
    ///
    /// # Errors
    ///
    /// `OutOfMemory` if the buffer had to grow and could not; then nothing was written.
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.try_reserve(bytes.len())?;
        // SAFETY: room was reserved.
        unsafe { self.append(bytes) };
        Ok(())
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Buffer {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.try_reserve(text.len()).or(Err(fmt::Error))?;
        // SAFETY: room was reserved.
        unsafe { self.append(text.as_bytes()) };
        Ok(())
    }
}
