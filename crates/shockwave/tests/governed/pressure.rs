//! Pressure, and who is told of it.

use std::sync::{Arc, Mutex};

use shockwave::BufferPool;
use shockwave::Pressure::{High, Low};

use crate::common::{builder, check, on_both};

#[test]
fn pressure_is_the_share_of_the_budget_that_is_in_use() {
    on_both(|cells| {
        let pool = builder(cells).budget(4 * 65_536).build().unwrap();
        let near = |expected: f64| (pool.pressure() - expected).abs() < 1e-9;
        assert!(near(0.0));
        let held: Vec<_> = (0..3).map(|_| pool.get(65_536)).collect();
        assert!(near(0.75));
        drop(held);
        assert!(near(0.0), "what is idle is free");
        let unlimited = builder(cells).build().unwrap();
        let buffer = unlimited.get(1);
        assert!(unlimited.pressure().abs() < 1e-9);
        drop(buffer);
        check(&pool);
    });
}

#[test]
fn marks_are_told_in_turn_without_locks() {
    on_both(|cells| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let (tell, slot) = (Arc::clone(&told), Arc::new(Mutex::new(None)));
        let pool_for_callback: Arc<Mutex<Option<BufferPool>>> = Arc::clone(&slot);
        let pool = builder(cells)
            .budget(10 * 65_536)
            .on_pressure(0.2, 0.8, move |pressure| {
                if let Some(pool) = &*pool_for_callback.lock().unwrap() {
                    assert!(pool.metrics().in_use_bytes > 0, "or nothing is told");
                    drop(pool.try_get(2048)); // may use the pool
                }
                tell.lock().unwrap().push(pressure);
            })
            .build()
            .unwrap();
        *slot.lock().unwrap() = Some(pool.clone());
        for _ in 0..2 {
            let mut held: Vec<_> = (0..9).map(|_| pool.get(65_536)).collect();
            pool.maintain();
            held.truncate(5);
            pool.maintain();
            assert_eq!(told.lock().unwrap().len() % 2, 1, "between the marks nothing is told");
            held.truncate(1);
            pool.maintain();
            pool.trim();
        }
        assert_eq!(*told.lock().unwrap(), [High, Low, High, Low]);
        *slot.lock().unwrap() = None;
        check(&pool);
    });
}

#[test]
fn a_callback_that_panics_costs_neither_a_buffer_nor_the_pool() {
    on_both(|cells| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let pool = builder(cells)
            .budget(65_536)
            .on_pressure(0.1, 0.5, move |pressure| {
                tell.lock().unwrap().push(pressure);
                panic!("on purpose");
            })
            .build()
            .unwrap();
        for _ in 0..3 {
            let buffer = pool.try_get(65_536).expect("there is room");
            assert!(pool.try_get(1).is_err(), "a look at the pressure, if there was none");
            drop(buffer);
            pool.maintain();
            assert!(pool.pressure().abs() < 1e-9, "nobody has it");
        }
        assert_eq!(*told.lock().unwrap(), [High, Low, High, Low, High, Low]);
        check(&pool);
        drop(pool);
        assert_eq!(Arc::strong_count(&told), 1, "the pool is gone, and all that it had");
    });
}

#[test]
fn marks_that_could_not_be_crossed_in_turn_are_refused() {
    let build = |low, high| BufferPool::builder().budget(1 << 20).on_pressure(low, high, |_| ());
    for (low, high) in [(0.0, 1.0), (0.5, 0.9), (-0.0, f64::EPSILON)] {
        assert!(build(low, high).build().is_ok(), "{low} and {high}");
    }
    let none = f64::NAN;
    for (low, high) in [
        (0.5, 0.5),
        (0.9, 0.5),
        (-0.1, 0.5),
        (0.5, 1.1),
        (0.5, f64::INFINITY),
        (none, 0.5),
        (0.5, none),
        (none, none),
    ] {
        let error = build(low, high).build().expect_err("marks out of bounds or order");
        assert!(error.is_marks() && !error.is_unlimited() && !error.is_classes());
        let text = error.to_string();
        assert!(text.contains("0 <= low < high <= 1"), "{text}");
        assert!(text.ends_with(&format!("not {low} and {high}")), "{text}");
    }
}

#[test]
fn pressure_cannot_be_told_of_where_there_is_no_budget() {
    let unlimited = BufferPool::builder().on_pressure(0.5, 0.9, |_| ());
    for builder in [unlimited.clone(), unlimited.budget(usize::MAX)] {
        let error = builder.build().expect_err("nothing to be a share of");
        assert!(error.is_unlimited() && !error.is_marks() && !error.is_untracked());
        assert!(error.to_string().contains("`budget`"), "{error}");
    }
}
