//! When a pool has ended and its last buffer has come back, all its memory has gone back too.
//!
//! Counted over the whole program, so these tests run alone, one after the other, in a process of
//! their own that [`alone`] starts.

use std::process::Command;
use std::sync::mpsc::sync_channel;

use shockwave::{Buffer, BufferPoolBuilder};

use crate::counted::{live_bytes, with_in_the_middle};
use crate::{cells, counted};

both_cells! {
    pools_that_end_idle_give_all_memory_back,
    pools_that_end_while_threads_hold_buffers_give_all_memory_back,
    a_pool_ended_inside_of_the_allocator_gives_all_memory_back,
    a_pool_that_had_no_mappings_gives_all_memory_back,
}

const CHILD: &str = "SHOCKWAVE_TEST_ALONE";

/// Runs a test in a process where nothing else runs.
fn alone(test: &str, builder: BufferPoolBuilder, run: impl FnOnce(BufferPoolBuilder)) {
    if std::env::var_os(CHILD).is_some() {
        return run(builder);
    }
    let pool = builder.build().expect("a pool");
    let cells = format!("{:?}", pool.cells()).to_lowercase();
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program);
    child.args(["--exact", "--nocapture", "--test-threads=1"]);
    let output = child.arg(format!("ends::{test}::{cells}")).env(CHILD, "1").output();
    let output = output.expect("a child");
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}\n{errors}");
}

/// Checks that `round`, run often, leaves as many bytes as before.
fn leaves_nothing(mut round: impl FnMut()) {
    // What is made once for the process and for each thread is made now.
    round();
    round();
    let mut rounds = || {
        let before = live_bytes();
        (0..20).for_each(|_| round());
        live_bytes() - before
    };
    // The thread that waits for this test makes what it needs to wait once, whenever it gets there.
    let left: Vec<_> = (0..3).map(|_| rounds()).collect();
    assert!(left.contains(&0), "bytes that did not come back: {left:?}");
}

fn pools_that_end_idle_give_all_memory_back(builder: BufferPoolBuilder) {
    alone("pools_that_end_idle_give_all_memory_back", builder, |builder| {
        leaves_nothing(|| {
            let pool = builder.clone().build().expect("a pool");
            pool.warmup(70);
            let held: Vec<_> = (0..500).map(|i| pool.get(2048 << (i % 6))).collect();
            let oversize = pool.get(1 << 20);
            drop(held);
            drop(pool);
            drop(oversize);
        });
    });
}

fn pools_that_end_while_threads_hold_buffers_give_all_memory_back(builder: BufferPoolBuilder) {
    let name = "pools_that_end_while_threads_hold_buffers_give_all_memory_back";
    alone(name, builder, |builder| {
        leaves_nothing(|| {
            std::thread::scope(|scope| {
                let mut threads = Vec::new();
                for seed in 0..3 {
                    let pool = builder.clone().build().expect("a pool");
                    let (sender, receiver) = sync_channel::<Buffer>(16);
                    threads.push(scope.spawn(move || {
                        // Returns go on before, while and after the pool ends.
                        for (i, mut buffer) in receiver.into_iter().enumerate() {
                            if i % 7 == 0 {
                                buffer.resize(buffer.capacity() + 1, 1);
                            }
                        }
                    }));
                    threads.push(scope.spawn(move || {
                        let mut held: Vec<Buffer> = Vec::new();
                        for i in 0..300 {
                            held.push(pool.get(1500 << (i % 7)));
                            if i % 3 == seed {
                                sender.send(held.swap_remove(i % held.len())).expect("a listener");
                            }
                        }
                        drop(pool);
                        for buffer in held {
                            sender.send(buffer).expect("a listener");
                        }
                    }));
                }
                // A scope waits for what its threads do, and joining also for what they are made
                // of.
                for thread in threads {
                    thread.join().expect("a thread");
                }
            });
        });
    });
}

fn a_pool_ended_inside_of_the_allocator_gives_all_memory_back(builder: BufferPoolBuilder) {
    thread_local! {
        static LAST: std::cell::RefCell<Option<Buffer>> = const { std::cell::RefCell::new(None) };
    }
    let name = "a_pool_ended_inside_of_the_allocator_gives_all_memory_back";
    alone(name, builder, |builder| {
        leaves_nothing(|| {
            let pool = builder.clone().build().expect("a pool");
            let ended = builder.clone().build().expect("a pool");
            LAST.set(Some(ended.get(2048)));
            drop(ended);
            let ((), _) = with_in_the_middle(|| drop(LAST.take()), || drop(pool.get(2048)));
        });
    });
}

fn a_pool_that_had_no_mappings_gives_all_memory_back(builder: BufferPoolBuilder) {
    let name = "a_pool_that_had_no_mappings_gives_all_memory_back";
    alone(name, builder, |builder| {
        leaves_nothing(|| {
            let pool = builder.clone().build().expect("a pool");
            counted::without_mappings(|| {
                pool.warmup(3);
                (0..100).for_each(|i| drop(pool.get(i * 1000)));
            });
        });
    });
}

#[test]
fn a_child_that_runs_alone_runs_its_test() {
    // The names that `alone` is given are written out; that they are right shows in "1 passed".
    // This checks the other half: that a child does not start children.
    cells::on_locked(|builder| {
        if std::env::var_os(CHILD).is_some() {
            alone("none", builder, drop);
        }
    });
}
