//! Who holds what: a pool that samples its gets, and a watch that names buffers held for too long.
//!
//! `cargo run -p shockwave --example who_holds_what`

use std::thread::sleep;
use std::time::Duration;

use shockwave::{Buffer, BufferPool, BuildError, Sampling};

/// A handler that forgets to let go of what it read.
fn handler(pool: &BufferPool, forgotten: &mut Vec<Buffer>, request: usize) {
    let mut head = pool.get(2048);
    head.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n");
    let body = pool.get(8192);
    if request.is_multiple_of(100) {
        forgotten.push(body);
    }
}

fn main() -> Result<(), BuildError> {
    let pool = BufferPool::builder()
        // Each get, since there are few here; a server takes one in 128 or so.
        .track(Sampling::EACH)
        // Each hold once, from the maintainer's thread; a server's limit is a minute or so.
        .on_long_hold(Duration::from_millis(20), |held| println!("held for long: {held}"))
        .on_end(|report| println!("at the end: {report}"))
        .build()?;
    let maintainer = pool.start_maintainer(Duration::from_millis(30));

    let mut forgotten = Vec::new();
    for request in 0..300 {
        handler(&pool, &mut forgotten, request);
    }
    while pool.metrics().long_holds < 3 {
        sleep(Duration::from_millis(10));
    }
    let current = pool.get(4096);

    println!("{} buffers are out now, this one as well:", pool.outstanding().len());
    for out in pool.outstanding() {
        println!("  {out}");
    }
    drop((current, maintainer));
    drop(pool); // while the forgotten buffers are out
    println!("pools that ended so: {}", shockwave::pools_ended_in_use());
    Ok(())
}
