//! Makes sure that `AddressSanitizer` sees through the pool: a use after return is reported, with
//! either kind of cells, and a use before it is not. `cargo xtask asan` runs it; elsewhere it is
//! empty.
#![cfg(shockwave_asan)]
#![expect(unsafe_code, reason = "does what must not be done")]

use std::process::{Command, Output};

use shockwave::{Buffer, BufferPool};

/// What a child is to do, and so that it is a child.
const DEED: &str = "SHOCKWAVE_ASAN_DEED";

/// Runs this program again, with one test that does the deed.
fn child(deed: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "does_the_deed", "--nocapture"]).env(DEED, deed);
    command.output().unwrap()
}

#[track_caller]
fn reported(deed: &str) {
    let output = child(deed);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{deed} went unnoticed");
    assert!(said.contains("use-after-poison"), "{deed}: {said}");
}

#[test]
fn use_after_return_is_reported() {
    reported("read after drop");
    reported("write after drop");
    reported("read after put");
    reported("read the last byte after drop");
    reported("read what was warmed up and taken by nobody");
}

#[test]
fn use_before_return_is_not() {
    let output = child("use in time");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn does_the_deed() {
    let Ok(deed) = std::env::var(DEED) else { return };
    let pool = BufferPool::new();
    let mut buffer: Buffer = pool.get(4096);
    buffer.extend_from_slice(&[7; 4096]);
    let first = buffer.as_mut_ptr();
    let last = first.wrapping_add(4095);
    match &*deed {
        "read after drop" | "write after drop" | "read the last byte after drop" => drop(buffer),
        "read after put" => pool.put(buffer),
        "read what was warmed up and taken by nobody" => {
            drop(buffer);
            pool.warmup(70);
            drop((0..70).map(|_| pool.get(4096)).collect::<Vec<_>>());
        }
        "use in time" => {
            // Also of a buffer that has been idle: what was poisoned is not any more.
            drop(buffer);
            let mut again = pool.get(4096);
            again.resize(4096, 1);
            assert_eq!(again[4095], 1);
            return;
        }
        other => panic!("nobody knows how to {other}"),
    }
    match &*deed {
        // SAFETY: none, which is the point.
        "write after drop" => unsafe { first.write_volatile(1) },
        // SAFETY: as above.
        "read the last byte after drop" => drop(unsafe { last.read_volatile() }),
        // SAFETY: as above.
        _ => drop(unsafe { first.read_volatile() }),
    }
}
