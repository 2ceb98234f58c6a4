//! The contenders, one file for each, and what those without size classes are given for them.

pub(crate) mod burdened;
pub(crate) mod bytes_mut;
#[cfg(test)]
mod contract;
pub(crate) mod floor;
pub(crate) mod handles;
pub(crate) mod heap;
#[cfg(feature = "jemalloc")]
pub(crate) mod jemalloc;
#[cfg(feature = "mimalloc")]
pub(crate) mod mimalloc;
pub(crate) mod opool;
pub(crate) mod shockwave;
pub(crate) mod system;
pub(crate) mod thread_local;
pub(crate) mod vec;
pub(crate) mod zeropool;

/// Classes of the contenders that have none of their own: 2, 4, 8, 16, 32 and 64 KiB, as this pool.
pub(crate) const CLASSES: usize = 6;

/// Bytes in the smallest class.
pub(crate) const CLASS_BYTES_MIN: usize = 2 << 10;

/// Bytes in the largest class, and in the largest request that is measured.
pub(crate) const CLASS_BYTES_MAX: usize = CLASS_BYTES_MIN << (CLASSES - 1);

/// The smallest class that holds `size` bytes, by two instructions. `size <= CLASS_BYTES_MAX`.
#[inline(always)]
pub(crate) fn class_of(size: usize) -> usize {
    let last = (size.max(CLASS_BYTES_MIN) - 1).ilog2();
    (last + 1 - CLASS_BYTES_MIN.ilog2()) as usize
}

/// Bytes of a class.
pub(crate) fn class_bytes(class: usize) -> usize {
    CLASS_BYTES_MIN << class
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_is_of_the_smallest_class_that_holds_it() {
        for size in 1..=CLASS_BYTES_MAX {
            let class = class_of(size);
            assert!(class < CLASSES && size <= class_bytes(class), "{size}");
            assert!(class == 0 || class_bytes(class - 1) < size, "{size}");
        }
    }
}
