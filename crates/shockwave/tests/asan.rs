//! AddressSanitizer sees through the pool: a use after return is reported where it happens.
//!
//! Compiled only with `--cfg shockwave_asan` and `-Zsanitizer=address`. Each case runs this program
//! again as a child that misbehaves on purpose, and reads what the sanitizer says of it.
#![cfg(shockwave_asan)]
#![expect(unsafe_code, reason = "misbehaves on purpose")]

use std::hint::black_box;
use std::process::Command;

use shockwave::{BufferPool, Cells};

/// In a child's environment: which cells to use, and what to do.
const CASE: &str = "SHOCKWAVE_ASAN_CASE";

/// A way to use an address.
type Misuse = fn(*mut u8);

/// Ways to use an address, named for the child. The address is that of the buffer's first byte.
const CASES: [(&str, Misuse); 3] = [
    ("reads the first byte", |memory| {
        // SAFETY: none. The buffer has gone, which is what the sanitizer is to say.
        black_box(unsafe { memory.read_volatile() });
    }),
    ("writes the first byte", |memory| {
        // SAFETY: none, as above.
        unsafe { memory.write_volatile(1) };
    }),
    ("writes the last byte", |memory| {
        // SAFETY: none, as above.
        unsafe { memory.wrapping_add(4095).write_volatile(1) };
    }),
];

/// The child's part: does what its environment says. A plain run of the tests passes by here.
#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else { return };
    let (cells, case) = case.split_once(':').expect("cells and a case");
    let cells = if cells == "rseq" { Cells::Rseq } else { Cells::Locked };
    let pool = BufferPool::builder().cells(cells).build().expect("a pool");
    let mut buffer = pool.get(4096);
    let memory = buffer.as_mut_ptr();
    let (_, misbehave) = CASES.iter().find(|(name, _)| *name == case).expect("a case");
    if cells == Cells::Locked {
        // Marked buffers go another way, and are poisoned there.
        buffer.scrub_on_drop();
    }
    drop(buffer);
    misbehave(memory);
}

/// Runs the child, and returns what it said and whether it ended well.
fn run(cells: &str, case: &str) -> (String, bool) {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]);
    let output = command.env(CASE, format!("{cells}:{case}")).output().expect("a child");
    (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.success())
}

#[test]
fn a_use_after_return_is_reported() {
    for (case, _) in CASES {
        for cells in ["rseq", "locked"] {
            let (said, ended_well) = run(cells, case);
            if cells == "rseq" && said.contains("RseqUnavailable") {
                continue;
            }
            assert!(!ended_well, "{case}: the child should not live to tell");
            assert!(said.contains("use-after-poison"), "{case}, {cells}: {said}");
            let kind = if case.starts_with("reads") { "READ of size 1" } else { "WRITE of size 1" };
            assert!(said.contains(kind), "{case}, {cells}: {said}");
        }
    }
}

#[test]
fn a_buffer_that_is_taken_again_may_be_used() {
    let pool = BufferPool::new();
    for _ in 0..100 {
        let mut buffer = pool.get(4096);
        buffer.resize(4096, 7);
        assert!(buffer.iter().all(|&byte| byte == 7));
    }
}
