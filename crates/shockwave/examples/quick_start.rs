//! Quick start: make a pool, warm it up, take a buffer, write to it, drop it, and read the metrics.
//!
//! `cargo run -p shockwave --example quick_start`

use std::io::Write;

use shockwave::BufferPool;

fn main() -> std::io::Result<()> {
    // Six classes of 2 to 64 KiB. A handle: clone it into every thread and task that needs it.
    let pool = BufferPool::new();

    // Eight idle buffers in each class, their pages resident, before the first request comes.
    let made = pool.warmup(8);
    println!("warmed up: {made} buffers, {} KiB idle", pool.metrics().idle_bytes >> 10);

    // A get never fails for want of a warm-up, and asks for the room that is needed, not for a
    // class.
    let mut buffer = pool.get(3000);
    println!("asked for 3000 bytes, got room for {}, {} written", buffer.capacity(), buffer.len());

    // A buffer is a byte vector: it shows what was written to it, and nothing else.
    let path = "/index.html";
    write!(buffer, "GET {path} HTTP/1.1\r\n\r\n")?;
    println!("it holds {:?}", String::from_utf8_lossy(&buffer));

    // It may go to any thread. Where it is dropped, it goes back to its pool.
    std::thread::scope(|scope| {
        scope.spawn(|| drop(buffer));
    });

    // A secret is cleared on the way back, however the buffer goes there.
    let mut secret = pool.get(64);
    secret.scrub_on_drop();
    secret.extend_from_slice(b"a password");
    drop(secret);

    println!("{}", pool.metrics());
    Ok(())
}
