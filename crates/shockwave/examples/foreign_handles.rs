//! Foreign handles: buffers lent to C code, which returns them twice, late, or not at all.
//!
//! `cargo run -p shockwave --example foreign_handles`
#![expect(unsafe_code, reason = "stands in for C")]

use shockwave::{BufferPool, RawBuffer, raw_handles};

/// What a C library would do: `size_t fill(struct raw_buffer buffer, size_t capacity)`.
extern "C" fn fill(buffer: RawBuffer, capacity: usize) -> usize {
    let text = b"from the far side";
    let len = text.len().min(capacity);
    // SAFETY: the buffer is on loan to this function, and `len` is within its capacity.
    unsafe { buffer.data().copy_from_nonoverlapping(text.as_ptr(), len) };
    len
}

fn main() {
    let pool = BufferPool::new();
    let buffer = pool.get(4096);
    let capacity = buffer.capacity();
    let raw = buffer.into_raw();
    let written = fill(raw, capacity);

    match pool.from_raw(raw) {
        Ok(mut buffer) => {
            // SAFETY: the far side says that it wrote so many bytes, and is trusted in that.
            unsafe { buffer.set_len(written) };
            println!("{}", String::from_utf8_lossy(&buffer));
        }
        Err(error) => eprintln!("{error}"),
    }

    // A completion that is delivered twice, and one that never was a buffer's.
    for raw in [raw, RawBuffer::from_parts(raw.data(), 12345)] {
        match pool.from_raw(raw) {
            Ok(_) => unreachable!("a handle is good for one return"),
            Err(error) => println!("refused: {error}"),
        }
    }
    println!("{:?}", raw_handles());
}
