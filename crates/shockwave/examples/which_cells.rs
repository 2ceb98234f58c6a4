//! Says which kind of cells pools get on this system: `rseq`, or `locked` and why.

use shockwave::{BufferPool, Cells};

fn main() {
    match BufferPool::builder().cells(Cells::Rseq).build() {
        Ok(_) => println!("rseq"),
        Err(error) => println!("locked, since {error}"),
    }
}
