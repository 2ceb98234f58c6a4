//! Where panics say that they come from: the line of the program that asked for what cannot be, and
//! not a line of this crate's. A process of its own, since it has a panic hook.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

use shockwave::{BufferPool, Cells};

thread_local! {
    /// The line that the last panic of this thread named, if it was one of this file.
    static LINE: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Checks that a call panics, and that the panic names the line of this check, on which the call
/// is.
#[track_caller]
fn names_its_line(call: impl FnOnce()) {
    let here = Location::caller();
    LINE.set(None);
    catch_unwind(AssertUnwindSafe(call)).expect_err("a panic");
    assert_eq!(LINE.get(), Some(here.line()), "the panic for line {}", here.line());
}

#[test]
fn a_panic_names_the_line_that_asked() {
    std::panic::set_hook(Box::new(|info| match info.location() {
        Some(place) if place.file() == file!() => LINE.set(Some(place.line())),
        place => eprintln!("a panic at {place:?}"),
    }));
    on(Cells::Locked);
    if BufferPool::builder().cells(Cells::Rseq).build().is_ok() {
        on(Cells::Rseq);
    }
}

fn on(cells: Cells) {
    let pool = BufferPool::builder().cells(cells).budget(4096).build().expect("a pool");
    let mut held = pool.get(4096);
    names_its_line(|| drop(pool.get(1)));
    names_its_line(|| drop(pool.get(usize::MAX)));
    names_its_line(|| drop(pool.get_zeroed(1)));
    names_its_line(|| held.reserve(5000));
    names_its_line(|| held.resize(5000, 0));
    names_its_line(|| held.extend_from_slice(&[0; 5000]));
    held.resize(4096, 0);
    names_its_line(|| held.push(0));

    let mut shared = held.freeze();
    names_its_line(|| drop(shared.slice(..4097)));
    names_its_line(|| drop(shared.split_to(4097)));
    names_its_line(|| drop(shared.split_off(4097)));
    names_its_line(|| shared.advance(4097));
}
