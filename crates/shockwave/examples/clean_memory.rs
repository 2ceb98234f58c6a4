//! Clean memory: a pool whose idle buffers are all zero, and that notices when one no longer is.
//!
//! `cargo run -p shockwave --example clean_memory`

use shockwave::{BufferPool, BuildError, Sampling};

fn main() -> Result<(), BuildError> {
    // One in 16 of the buffers taken is looked at. That asks for `zero_on_return`, and turns it on.
    let pool = BufferPool::builder()
        .verify_zero(Sampling::one_in(16))
        .on_write_after_return(|found| eprintln!("somebody keeps an address: {found}"))
        .build()?;

    for request in 0..1000 {
        let mut buffer = pool.get(4096);
        buffer.extend_from_slice(format!("secret of tenant {request}").as_bytes());
        buffer.truncate(6); // shorter, but the clearing knows how far it was written
    }

    // Nothing is cleared here: the memory is zero, whoever had it.
    let zeros = pool.get_zeroed(4096);
    println!("{} bytes, all zero: {}", zeros.len(), zeros.iter().all(|&byte| byte == 0));
    println!("writes after return: {}", pool.metrics().writes_after_return);
    Ok(())
}
