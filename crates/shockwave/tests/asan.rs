//! Makes sure that `AddressSanitizer` sees through the pool: a use after return is reported where
//! it happens, with either kind of cells and whichever way the buffer went, and a use before it is
//! not. `cargo xtask asan` runs it; elsewhere it is empty.
#![cfg(shockwave_asan)]
#![expect(unsafe_code, reason = "does what must not be done")]

use std::hint::black_box;
use std::process::{Command, Output};

use shockwave::{Buffer, BufferPool, Cells, Sampling};

/// What a child is to do, and so that it is a child: the way to return, the misuse, and the cells.
const DEED: &str = "SHOCKWAVE_ASAN_DEED";

/// A way for a full buffer of 4096 bytes to go, after which nobody may touch its memory.
type Way = fn(&BufferPool, Buffer);

/// Ways for a buffer to go, named for the child.
const WAYS: [(&str, Way); 8] = [
    ("drop", |_, buffer| drop(buffer)),
    ("put", BufferPool::put),
    ("reset", BufferPool::put_with_reset),
    ("scrub", |_, mut buffer| {
        buffer.scrub_on_drop();
        drop(buffer);
    }),
    ("freeze", |_, buffer| {
        let shared = buffer.freeze();
        drop((shared.slice(1..), shared));
    }),
    ("grow", |_, mut buffer| buffer.reserve(1)),
    ("raw", |pool, buffer| drop(pool.from_raw(buffer.into_raw()).expect("a live handle"))),
    ("warmed-up", |pool, buffer| {
        drop(buffer);
        pool.warmup(70);
        drop((0..70).map(|_| pool.get(4096)).collect::<Vec<_>>());
    }),
];

/// Ways to use the address of the first byte, with what the sanitizer says to it.
const MISUSES: [(&str, &str, fn(*mut u8)); 3] = [
    ("read-first", "READ of size 1", |memory| {
        // SAFETY: none. The buffer has gone, which is what the sanitizer is to say.
        black_box(unsafe { memory.read_volatile() });
    }),
    ("write-first", "WRITE of size 1", |memory| {
        // SAFETY: none, as above.
        unsafe { memory.write_volatile(1) };
    }),
    ("write-last", "WRITE of size 1", |memory| {
        // SAFETY: none, as above.
        unsafe { memory.wrapping_add(4095).write_volatile(1) };
    }),
];

/// Pools that send gets and puts another way each, named for the child.
fn pool(kind: &str, cells: Cells) -> BufferPool {
    let builder = BufferPool::builder().cells(cells);
    let builder = match kind {
        "plain" => builder,
        "zeroing" => builder.zero_on_return(true),
        "tracked" => builder.track(Sampling::EACH),
        "passthrough" => builder.passthrough(true),
        other => panic!("no such pool: {other}"),
    };
    builder.build().expect("a pool")
}

/// The child's part: does what its environment says. A plain run of the tests passes by here.
#[test]
fn does_the_deed() {
    let Ok(deed) = std::env::var(DEED) else { return };
    let [kind, way, misuse, cells] = *deed.split(' ').collect::<Vec<_>>() else { panic!("{deed}") };
    let cells = if cells == "rseq" { Cells::Rseq } else { Cells::Locked };
    let pool = pool(kind, cells);
    let mut buffer = pool.get(4096);
    buffer.resize(4096, 7);
    let memory = buffer.as_mut_ptr();
    let (_, go) = WAYS.iter().find(|(name, _)| *name == way).expect("a way");
    go(&pool, buffer);
    let (.., misuse) = MISUSES.iter().find(|(name, ..)| *name == misuse).expect("a misuse");
    misuse(memory);
}

/// Runs this program again, with one test that does the deed.
fn child(deed: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "does_the_deed", "--nocapture"]).env(DEED, deed);
    command.output().expect("a child")
}

#[track_caller]
fn reported(kind: &str, way: &str, misuse: &str, says: &str) {
    for cells in [Cells::Rseq, Cells::Locked] {
        if BufferPool::builder().cells(cells).build().is_err() {
            continue;
        }
        let cells = if cells == Cells::Rseq { "rseq" } else { "locked" };
        let deed = format!("{kind} {way} {misuse} {cells}");
        let output = child(&deed);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{deed} went unnoticed");
        let fault = if kind == "passthrough" { "heap-use-after-free" } else { "use-after-poison" };
        assert!(said.contains(fault), "{deed}: {said}");
        assert!(said.contains(says), "{deed}: {said}");
    }
}

#[test]
fn a_use_after_return_is_reported_whichever_way_the_buffer_went() {
    for (way, _) in WAYS {
        reported("plain", way, "read-first", "READ of size 1");
    }
}

#[test]
fn reads_and_writes_of_the_first_and_the_last_byte_are_reported() {
    for (misuse, says, _) in MISUSES {
        reported("plain", "drop", misuse, says);
    }
}

#[test]
fn modes_hide_no_use_after_return() {
    for kind in ["zeroing", "tracked", "passthrough"] {
        reported(kind, "drop", "write-last", "WRITE of size 1");
    }
}

#[test]
fn a_buffer_that_is_taken_again_may_be_used() {
    for kind in ["plain", "zeroing", "tracked", "passthrough"] {
        let pool = pool(kind, Cells::Auto);
        for _ in 0..100 {
            let mut buffer = pool.get(4096);
            buffer.resize(4096, 7);
            assert!(buffer.iter().all(|&byte| byte == 7));
        }
    }
}
