//! Broadcast: one frame is read once, frozen, and sent to many subscribers without a copy; what is
//! kept of it for long is copied out, so that it does not pin the frame.
//!
//! `cargo run -p shockwave --example broadcast`

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use shockwave::{BufferPool, Shared};

const SUBSCRIBERS: usize = 4;
const FRAMES: usize = 5;
/// Bytes of a frame's body.
const BODY_BYTES: usize = 40_000;

fn main() -> std::io::Result<()> {
    let pool = BufferPool::new();
    // The last topic of each publisher, kept for as long as the program runs.
    let mut topics: HashMap<Shared, Shared> = HashMap::new();

    thread::scope(|scope| -> std::io::Result<()> {
        let subscribers: Vec<Sender<Shared>> = (0..SUBSCRIBERS)
            .map(|number| {
                let (sender, receiver) = mpsc::channel();
                scope.spawn(move || subscribe(number, &receiver));
                sender
            })
            .collect();

        for number in 0..FRAMES {
            // From a socket in earnest. Nobody else sees the buffer while it is written.
            let mut buffer = pool.get(64 << 10);
            let wire = format!("publisher-{}\ntopic-{number}\n{:x<BODY_BYTES$}", number % 2, "");
            buffer.read_from(&mut wire.as_bytes())?;

            // From here on nobody writes to it. Each handle is three words, and the bytes are where
            // they were.
            let mut frame = buffer.freeze();
            let publisher = line(&mut frame);
            let topic = line(&mut frame);
            for subscriber in &subscribers {
                // A subscriber that has gone misses nothing.
                let _ = subscriber.send(frame.clone());
            }

            // Names of some ten bytes would each keep 64 KiB from the pool. A quarter or more may
            // stay.
            topics.insert(publisher.compact(4), topic.compact(4));
        }
        Ok(())
    })?;

    for (publisher, topic) in &topics {
        println!(
            "{} spoke last on {}: {} bytes shown, {} pinned",
            String::from_utf8_lossy(publisher),
            String::from_utf8_lossy(topic),
            publisher.len() + topic.len(),
            publisher.pinned_bytes() + topic.pinned_bytes(),
        );
    }
    let metrics = pool.metrics();
    let frames = metrics.pool(64 << 10).map_or(0, |class| class.in_use);
    println!("{frames} frames are still out, and {} bytes are pinned", metrics.pinned_bytes);
    Ok(())
}

/// Cuts the first line off, without its end.
fn line(frame: &mut Shared) -> Shared {
    let end = frame.iter().position(|&byte| byte == b'\n').unwrap_or(frame.len());
    let line = frame.split_to(end);
    frame.advance(usize::from(!frame.is_empty()));
    line
}

/// Receives frames until there are no more. The last subscriber to drop one sends its buffer home.
fn subscribe(number: usize, frames: &Receiver<Shared>) {
    let bytes: usize = frames.iter().map(|frame| frame.len()).sum();
    println!("subscriber {number} received {bytes} bytes");
}
