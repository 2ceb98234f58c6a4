//! The cases of the benchmark, and the work of each.

use std::hint::black_box;

use serde::Serialize;
use shockwave::{
    BUFFER_SIZE_2KB, BUFFER_SIZE_4KB, BUFFER_SIZE_8KB, BUFFER_SIZE_16KB, BUFFER_SIZE_32KB,
    BUFFER_SIZE_64KB, BufferPool,
};

const SIZES: [usize; 6] = [
    BUFFER_SIZE_2KB,
    BUFFER_SIZE_4KB,
    BUFFER_SIZE_8KB,
    BUFFER_SIZE_16KB,
    BUFFER_SIZE_32KB,
    BUFFER_SIZE_64KB,
];

/// Where buffers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Supply {
    Pooled,
    Allocated,
}

/// What is done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// One byte is written.
    Touch(usize),
    /// As `Touch`, the sizes in turn.
    Mixed,
    /// All of it is written, and cleared at the end.
    Reset(usize),
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    work: Work,
    pub(super) supply: Supply,
    pub(super) threads: usize,
}

/// Every case, pooled and allocated side by side.
pub(super) fn all(threads: usize) -> Vec<Case> {
    let touched = SIZES.map(|size| (Work::Touch(size), 1));
    let others = [
        (Work::Touch(BUFFER_SIZE_4KB), threads.max(2)),
        (Work::Mixed, 1),
        (Work::Reset(BUFFER_SIZE_4KB), 1),
    ];
    let both = |(work, threads)| {
        [Supply::Pooled, Supply::Allocated].map(|supply| Case { work, supply, threads })
    };
    touched.into_iter().chain(others).flat_map(both).collect()
}

impl Case {
    pub(super) fn name(&self) -> &'static str {
        match self.work {
            Work::Touch(_) if self.threads > 1 => "parallel",
            Work::Touch(_) => "get and put",
            Work::Mixed => "mixed sizes",
            Work::Reset(_) => "with reset",
        }
    }

    pub(super) fn size(&self) -> Option<usize> {
        match self.work {
            Work::Touch(size) | Work::Reset(size) => Some(size),
            Work::Mixed => None,
        }
    }

    /// Does the work of one thread so many times.
    pub(super) fn work(&self, pool: &BufferPool, times: usize) {
        match (self.work, self.supply) {
            (Work::Touch(size), Supply::Pooled) => {
                (0..times).for_each(|_| touch_pooled(pool, black_box(size)));
            }
            (Work::Touch(size), Supply::Allocated) => {
                (0..times).for_each(|_| touch_allocated(black_box(size)));
            }
            (Work::Mixed, Supply::Pooled) => {
                SIZES.iter().cycle().take(times).for_each(|&size| touch_pooled(pool, size));
            }
            (Work::Mixed, Supply::Allocated) => {
                SIZES.iter().cycle().take(times).for_each(|&size| touch_allocated(size));
            }
            (Work::Reset(size), Supply::Pooled) => {
                for _ in 0..times {
                    let mut buffer = pool.get(black_box(size));
                    buffer.resize(size, 1);
                    black_box(&buffer[..]);
                    pool.put_with_reset(buffer);
                }
            }
            (Work::Reset(size), Supply::Allocated) => {
                for _ in 0..times {
                    let mut buffer = Vec::with_capacity(black_box(size));
                    buffer.resize(size, 1_u8);
                    black_box(&buffer[..]);
                    buffer.fill(0);
                    drop(black_box(buffer));
                }
            }
        }
    }
}

#[inline]
fn touch_pooled(pool: &BufferPool, size: usize) {
    let mut buffer = pool.get(size);
    buffer.push(1);
    black_box(&buffer[..]);
}

#[inline]
fn touch_allocated(size: usize) {
    let mut buffer: Vec<u8> = Vec::with_capacity(size);
    buffer.push(1);
    black_box(&buffer[..]);
}
