//! Mapped memory: a pool whose buffers are aligned to pages, resident from the start, and back with
//! the system as soon as the pool has gone.
//!
//! `cargo run -p shockwave --example mapped_memory`, on Linux.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use shockwave::{BufferPool, Map};

    // Huge pages are a wish: a kernel without them serves small ones.
    let source = Map::new().huge_pages(true).prefault(true);
    let pool = BufferPool::builder().classes(&[4096, 65_536, 1 << 20]).source(source).build()?;
    println!("{:>6} KiB resident before", resident_kib()?);

    let made = pool.warmup(64);
    let mib = pool.metrics().idle_bytes >> 20;
    println!("{:>6} KiB resident with {made} idle buffers of {mib} MiB", resident_kib()?);

    let buffer = pool.get(4096);
    println!("a buffer at {:p}: the start of a page, as direct I/O wants it", buffer.as_ptr());
    assert_eq!(buffer.as_ptr().addr() % 4096, 0);

    drop(buffer);
    drop(pool);
    println!("{:>6} KiB resident after", resident_kib()?);
    Ok(())
}

/// Memory of this process that is resident, as the system counts it.
#[cfg(target_os = "linux")]
fn resident_kib() -> Result<usize, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("the system does not say")?.parse()?)
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("mapped memory is for Linux");
}
