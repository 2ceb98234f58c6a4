//! What the environment says about cells, and the program's own pool: each in a process of its own.

#[path = "common/cells.rs"]
mod cells;
#[path = "common/identities.rs"]
mod identities;

use std::process::{Command, Output};

use shockwave::{BufferPool, Cells};

const CHILD: &str = "SHOCKWAVE_TEST_CHILD";

/// Whether this process was started by [`child`]. Tests that are for children do nothing otherwise.
fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs one of this program's tests in a process with these environment variables.
fn child(test: &str, variables: &[(&str, &str)]) -> Output {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env_remove("SHOCKWAVE_CELLS").env_remove("GLIBC_TUNABLES").env(CHILD, "1");
    command.envs(variables.iter().copied()).output().expect("a child")
}

/// Runs a test that way and checks that it ran and passed.
#[track_caller]
fn passes(test: &str, variables: &[(&str, &str)]) {
    let output = child(test, variables);
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let ok = output.status.success() && printed.contains("1 passed");
    assert!(ok, "{test} with {variables:?}:\n{printed}\n{errors}");
}

#[test]
fn cells_are_what_the_environment_says() {
    passes("in_child::cells_are_locked", &[("SHOCKWAVE_CELLS", "locked")]);
    passes("in_child::cells_are_the_best_there_are", &[]);
    passes("in_child::cells_are_the_best_there_are", &[("SHOCKWAVE_CELLS", "auto")]);
    passes("in_child::cells_are_the_best_there_are", &[("SHOCKWAVE_CELLS", "")]);
    if cells::system_has_rseq() {
        passes("in_child::cells_are_rseq", &[("SHOCKWAVE_CELLS", "rseq")]);
    }
}

#[test]
fn what_the_builder_says_comes_before_the_environment() {
    passes("in_child::the_builder_decides", &[("SHOCKWAVE_CELLS", "rseq")]);
    passes("in_child::the_builder_decides", &[("SHOCKWAVE_CELLS", "locked")]);
    passes("in_child::the_builder_decides", &[("SHOCKWAVE_CELLS", "nonsense")]);
}

#[test]
fn a_bad_variable_is_an_error_that_says_what_was_expected() {
    for bad in ["nonsense", "Rseq", "rseq ", "1"] {
        passes("in_child::the_variable_is_refused", &[("SHOCKWAVE_CELLS", bad)]);
    }
}

/// The C library is told to register no sequences.
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
#[test]
fn without_registration_auto_is_locked_and_rseq_an_error() {
    let without = ("GLIBC_TUNABLES", "glibc.pthread.rseq=0");
    passes("in_child::cells_are_locked", &[without]);
    passes("in_child::rseq_is_unavailable", &[without]);
    passes("in_child::rseq_is_unavailable_to_auto_too", &[without, ("SHOCKWAVE_CELLS", "rseq")]);
}

#[test]
fn the_programs_own_pool_works_by_the_functions_of_the_original() {
    passes("in_child::functions_use_one_pool", &[("SHOCKWAVE_CELLS", "locked")]);
    passes("in_child::functions_use_one_pool", &[("SHOCKWAVE_CELLS", "auto")]);
    let output = child("in_child::functions_use_one_pool", &[]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("Total Gets: 4") && printed.contains("2KB: Gets="), "{printed}");
}

/// What children do. Each checks nothing unless it is one.
mod in_child {
    use super::*;

    #[test]
    fn cells_are_locked() {
        if is_child() {
            assert_eq!(BufferPool::new().cells(), Cells::Locked);
            drop(BufferPool::new().get(4096));
        }
    }

    #[test]
    fn cells_are_rseq() {
        if is_child() {
            assert_eq!(BufferPool::new().cells(), Cells::Rseq);
            assert_eq!(BufferPool::default().cells(), Cells::Rseq);
        }
    }

    #[test]
    fn cells_are_the_best_there_are() {
        if is_child() {
            let best = BufferPool::builder().cells(Cells::Rseq).build();
            let best = best.map_or(Cells::Locked, |pool| pool.cells());
            assert_eq!(BufferPool::new().cells(), best);
            assert_eq!(best == Cells::Rseq, cells::system_has_rseq());
        }
    }

    #[test]
    fn the_builder_decides() {
        if is_child() {
            cells::on_locked(|builder| {
                assert_eq!(builder.build().expect("a pool").cells(), Cells::Locked);
            });
            cells::on_rseq(|builder| {
                assert_eq!(builder.build().expect("a pool").cells(), Cells::Rseq);
            });
        }
    }

    #[test]
    fn the_variable_is_refused() {
        if is_child() {
            let value = std::env::var("SHOCKWAVE_CELLS").expect("set by the parent");
            let error = BufferPool::builder().build().expect_err("refused");
            assert!(error.is_environment() && !error.is_rseq_unavailable());
            let text = error.to_string();
            for part in [value.as_str(), "SHOCKWAVE_CELLS", "auto", "rseq", "locked"] {
                assert!(text.contains(part), "{part:?} is not in {text}");
            }
            let panic = std::panic::catch_unwind(BufferPool::new).expect_err("refused");
            assert_eq!(panic.downcast_ref::<String>(), Some(&text));
        }
    }

    #[test]
    fn rseq_is_unavailable() {
        if is_child() {
            let error = BufferPool::builder().cells(Cells::Rseq).build().expect_err("refused");
            assert!(error.is_rseq_unavailable(), "{error}");
        }
    }

    #[test]
    fn rseq_is_unavailable_to_auto_too() {
        if is_child() {
            let error = BufferPool::builder().build().expect_err("refused");
            assert!(
                error.is_rseq_unavailable(),
                "what was asked for is not silently something else"
            );
        }
    }

    #[test]
    fn functions_use_one_pool() {
        if !is_child() {
            return;
        }
        assert_eq!(shockwave::warmup_buffer_pool(3), 18);
        let mut buffer = shockwave::get_buffer(shockwave::BUFFER_SIZE_4KB);
        buffer.extend_from_slice(b"a request");
        shockwave::put_buffer(buffer);
        shockwave::put_buffer_with_reset(shockwave::get_buffer(100));
        drop(shockwave::global().get(100));
        let last = shockwave::get_buffer(100);
        assert_eq!(last.pool().as_ref(), Some(shockwave::global()));
        drop(last);
        let metrics = shockwave::buffer_pool_metrics();
        identities::check(&metrics);
        assert_eq!((metrics.total_gets, metrics.total_puts, metrics.in_use_bytes), (4, 4, 0));
        shockwave::print_buffer_pool_metrics();
        shockwave::reset_buffer_pool_metrics();
        assert_eq!(shockwave::buffer_pool_metrics().total_gets, 0);
    }
}
