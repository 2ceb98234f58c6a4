//! The `shockwave` command. What it does is in the library beside it; here is what only a program
//! may have, its allocator.

use std::process::ExitCode;

use shockwave_cli::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    shockwave_cli::main()
}
