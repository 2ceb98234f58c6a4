//! Lenders: where the workers' buffers come from, a pool or plain allocation, behind one face.

use std::hint::black_box;

use crate::buffer::Buffer;
use crate::error::GetError;
use crate::metrics::BufferPoolMetrics;
use crate::pool::BufferPool;

/// What is written into a buffer at a time.
const PIECE: [u8; 10] = *b"shockwave!";

/// Lends buffers.
pub(super) trait Lender: Sync {
    /// What it lends.
    type Buffer: Send;

    /// Lends a buffer with room for `size` bytes.
    fn get(&self, size: usize) -> Result<Self::Buffer, GetError>;

    /// Writes `writes` pieces into it, from the front again whenever `size` bytes are full.
    fn fill(buffer: &mut Self::Buffer, size: usize, writes: usize);

    /// Takes it back.
    fn put(&self, buffer: Self::Buffer);

    /// Begins all counts anew.
    fn reset(&self);

    /// The counts.
    fn metrics(&self) -> BufferPoolMetrics;
}

impl Lender for BufferPool {
    type Buffer = Buffer;

    #[inline]
    fn get(&self, size: usize) -> Result<Buffer, GetError> {
        self.try_get(size)
    }

    #[inline]
    fn fill(buffer: &mut Buffer, size: usize, writes: usize) {
        write_over_and_over(buffer, size, writes, Buffer::len, Buffer::clear, |buffer, piece| {
            buffer.extend_from_slice(piece);
        });
        black_box(&buffer[..]);
    }

    #[inline]
    fn put(&self, buffer: Buffer) {
        // Not named: this trait's `put` is the one being defined.
        Self::put(self, buffer);
    }

    fn reset(&self) {
        self.reset_metrics();
    }

    fn metrics(&self) -> BufferPoolMetrics {
        Self::metrics(self)
    }
}

/// Lends what `Vec::with_capacity` makes.
#[derive(Debug)]
pub(super) struct Allocator;

impl Lender for Allocator {
    type Buffer = Vec<u8>;

    #[inline]
    fn get(&self, size: usize) -> Result<Vec<u8>, GetError> {
        let mut buffer = Vec::new();
        // What `with_capacity` does, with an error in place of the abort.
        match buffer.try_reserve_exact(size) {
            Ok(()) => Ok(buffer),
            Err(_) => Err(GetError::out_of_memory(size)),
        }
    }

    #[inline]
    fn fill(buffer: &mut Vec<u8>, size: usize, writes: usize) {
        write_over_and_over(buffer, size, writes, Vec::len, Vec::clear, |buffer, piece| {
            buffer.extend_from_slice(piece);
        });
        black_box(&buffer[..]);
    }

    #[inline]
    fn put(&self, buffer: Vec<u8>) {
        drop(black_box(buffer));
    }

    fn reset(&self) {}

    fn metrics(&self) -> BufferPoolMetrics {
        BufferPoolMetrics::default()
    }
}

/// Writes `writes` pieces, from the front again whenever the next would not fit into `size` bytes.
/// What is too small for a piece gets the beginning of one.
#[inline]
fn write_over_and_over<B>(
    buffer: &mut B,
    size: usize,
    writes: usize,
    len: impl Fn(&B) -> usize,
    clear: impl Fn(&mut B),
    append: impl Fn(&mut B, &[u8]),
) {
    let mut write = |piece: &[u8]| {
        for _ in 0..writes {
            if len(buffer) + piece.len() > size {
                clear(buffer);
            }
            append(buffer, piece);
        }
    };
    // Apart, so that the usual case is a copy of a length that the compiler knows.
    if size >= PIECE.len() {
        write(&PIECE);
    } else {
        write(&PIECE[..size]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<L: Lender>(lender: &L, bytes: impl Fn(&L::Buffer) -> (usize, usize)) {
        for (size, writes, len) in
            [(4096, 100, 1000), (4096, 409, 4090), (4096, 410, 10), (7, 3, 7)]
        {
            let mut buffer = lender.get(size).unwrap();
            let capacity = bytes(&buffer).1;
            L::fill(&mut buffer, size, writes);
            assert_eq!(bytes(&buffer), (len, capacity), "{writes} writes into {size}");
            lender.put(buffer);
        }
    }

    #[test]
    fn a_buffer_is_filled_over_and_over_and_never_grows() {
        check(&BufferPool::new(), |buffer| (buffer.len(), buffer.capacity()));
        check(&Allocator, |buffer| (buffer.len(), buffer.capacity()));
    }
}
