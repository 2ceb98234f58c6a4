//! Size classes: the arithmetic from a request's length to the class that serves it.
//!
//! A class set is any 1 to 32 ascending sizes. A table with one byte for each 64 bytes of length, up
//! to the largest class, says which class serves the lengths of these 64 bytes:
//!
//! ```text
//!   (length + 63) / 64     0     1 … 32   33 … 64   65 … 128   …   1024
//!   table               │  –  │    0    │    1    │    2     │ … │   5  │
//!   class bytes                  2048      4096       8192    …    65536
//! ```
//!
//! Six instructions find the class so, none of which waits for another get or put. Finding the highest
//! bit would do without the table, but takes more, and is slow on processors that have no fast
//! instruction for it or may not be assumed to. A table up to 64 KiB is 1 KiB, of which a program
//! touches the few lines that its sizes need.
//!
//! Where a class ends within 64 bytes, the table names no class but a column of cells that is always
//! closed. A get there fails on its fast path without any test of its own, and the slow path asks
//! [`SizeClasses::of`], which knows the answer to the byte.

use crate::error::BuildError;
use crate::limits::{CLASS_BYTES_MAX, CLASS_BYTES_MIN, CLASSES_MAX};

/// 2 KiB, the smallest default class: small requests and responses.
pub const BUFFER_SIZE_2KB: usize = 2 << 10;
/// 4 KiB: a typical HTTP request with its head.
pub const BUFFER_SIZE_4KB: usize = 4 << 10;
/// 8 KiB: medium payloads, JSON responses.
pub const BUFFER_SIZE_8KB: usize = 8 << 10;
/// 16 KiB: large heads, one TLS record.
pub const BUFFER_SIZE_16KB: usize = 16 << 10;
/// 32 KiB: pieces of files.
pub const BUFFER_SIZE_32KB: usize = 32 << 10;
/// 64 KiB, the largest default class: bulk transfers.
pub const BUFFER_SIZE_64KB: usize = 64 << 10;

/// The classes of a pool that was not told otherwise.
pub(crate) const DEFAULT_CLASSES: [usize; 6] = [
    BUFFER_SIZE_2KB,
    BUFFER_SIZE_4KB,
    BUFFER_SIZE_8KB,
    BUFFER_SIZE_16KB,
    BUFFER_SIZE_32KB,
    BUFFER_SIZE_64KB,
];

/// Bytes of length for which the table has one entry.
const GRANULE: usize = 64;

/// The sizes of a pool's classes, and the table that finds one.
#[derive(Clone)]
pub(crate) struct SizeClasses {
    /// Bytes of each class, ascending.
    sizes: Vec<usize>,
    /// See [`quick`](Self::quick).
    table: Box<[u8]>,
}

impl SizeClasses {
    /// Checks a class set and lays out its table.
    pub(crate) fn new(sizes: &[usize]) -> Result<Self, BuildError> {
        if sizes.is_empty() || sizes.len() > CLASSES_MAX {
            return Err(BuildError::class_count(sizes.len()));
        }
        if let Some(&size) =
            sizes.iter().find(|size| !(CLASS_BYTES_MIN..=CLASS_BYTES_MAX).contains(*size))
        {
            return Err(BuildError::class_size(size));
        }
        if let Some(pair) = sizes.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(BuildError::class_order(pair[0], pair[1]));
        }
        let smallest_for = |length: usize| sizes.partition_point(|&size| size < length);
        let granules = sizes[sizes.len() - 1].div_ceil(GRANULE);
        let table = (0..=granules).map(|granule| {
            // The lengths that fall here are one to 64 more than those before; none before the first.
            let first = smallest_for((granule * GRANULE).saturating_sub(GRANULE - 1));
            let last = smallest_for(granule * GRANULE);
            let class = if granule > 0 && first == last { first } else { sizes.len() };
            u8::try_from(class).unwrap_or(u8::MAX)
        });
        Ok(Self { sizes: sizes.to_vec(), table: table.collect() })
    }

    /// For each [`granule`], the class that serves all its lengths, or the number of classes if there is
    /// no such class.
    pub(crate) fn quick(&self) -> &[u8] {
        &self.table
    }

    /// The smallest class that holds `length` bytes, if one does.
    #[inline]
    pub(crate) fn of(&self, length: usize) -> Option<usize> {
        let class = usize::from(*self.table.get(granule(length))?);
        if class < self.sizes.len() { Some(class) } else { self.search(length) }
    }

    /// As [`of`](Self::of), for a length that shares its granule with the end of a class.
    #[cold]
    fn search(&self, length: usize) -> Option<usize> {
        self.sizes.iter().position(|&size| size >= length)
    }

    /// Bytes in each buffer of `class`.
    #[inline]
    pub(crate) fn bytes(&self, class: usize) -> usize {
        self.sizes[class]
    }

    /// Number of classes, `1..=32`.
    pub(crate) fn count(&self) -> usize {
        self.sizes.len()
    }

    /// Slots that a CPU's magazine of each class gets when all of them together may hold
    /// `per_core_bytes`: as many as fit into an even share, at most `slots_max`; what a class leaves
    /// of its share goes to the larger ones. Each class keeps one slot whatever the limit.
    pub(crate) fn capacities(&self, per_core_bytes: usize, slots_max: usize) -> [u8; CLASSES_MAX] {
        let mut left = per_core_bytes;
        let mut capacities = [0; CLASSES_MAX];
        for class in 0..self.count() {
            let share = left / (self.count() - class);
            let slots = (share / self.bytes(class)).clamp(1, slots_max);
            left = left.saturating_sub(slots * self.bytes(class));
            capacities[class] = u8::try_from(slots).unwrap_or(u8::MAX);
        }
        capacities
    }
}

/// The index of a length in the table of [`SizeClasses::quick`]. Lengths within 64 bytes of `usize::MAX`
/// wrap around to the first granule, which names no class.
#[inline(always)]
pub(crate) fn granule(length: usize) -> usize {
    length.wrapping_add(GRANULE - 1) / GRANULE
}

impl std::fmt::Debug for SizeClasses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.sizes).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `of` must equal: a walk over the sizes.
    fn naive(sizes: &[usize], length: usize) -> Option<usize> {
        sizes.iter().position(|&size| size >= length)
    }

    fn check(sizes: &[usize]) {
        let classes = SizeClasses::new(sizes).unwrap();
        let largest = sizes[sizes.len() - 1];
        // Every length up to 128 KiB, then both sides of every size and of every granule beyond.
        let borders = (0..=largest / GRANULE + 1).map(|granule| granule * GRANULE);
        let borders = borders.step_by(if largest > 1 << 20 { 97 } else { 1 });
        let near = borders.chain(sizes.iter().copied()).flat_map(|edge| edge.saturating_sub(2)..=edge + 2);
        for length in (0..=(largest + 2).min(128 << 10)).chain(near) {
            assert_eq!(classes.of(length), naive(sizes, length), "{length} in {sizes:?}");
            let quick = classes.quick().get(granule(length)).map(|&class| usize::from(class));
            if let Some(class) = quick.filter(|&class| class < sizes.len()) {
                assert_eq!(Some(class), naive(sizes, length), "{length} in {sizes:?}");
            }
        }
        for huge in usize::MAX - 70..=usize::MAX {
            assert_eq!(classes.of(huge), None);
            assert!(classes.quick().get(granule(huge)).is_none_or(|&c| usize::from(c) == sizes.len()));
        }
        assert_eq!(classes.count(), sizes.len());
    }

    #[test]
    fn every_length_goes_to_the_smallest_class_that_holds_it() {
        check(&DEFAULT_CLASSES);
        check(&[CLASS_BYTES_MIN]);
        check(&[CLASS_BYTES_MAX]);
        check(&[1500, 9000]);
        check(&[64, 65, 66, 67, 127, 128, 129, 16_777_215, 16_777_216]);
        check(&(0..32).map(|i| 100 + i).collect::<Vec<_>>());
        check(&(0..32).map(|i| 64 << (i / 2) | (i % 2) << (i / 2 + 5)).collect::<Vec<_>>());
        check(&(1..=32).map(|i| i * 524_288).collect::<Vec<_>>());
    }

    #[test]
    fn every_length_of_the_default_classes_is_found_quickly() {
        let classes = SizeClasses::new(&DEFAULT_CLASSES).unwrap();
        assert!((1..=65_536).all(|length| classes.quick()[granule(length)] < 6));
    }

    #[test]
    fn bad_sets_are_refused_with_what_was_expected() {
        for (sizes, words) in [
            (&[][..], "1 to 32"),
            (&[64; 33][..], "1 to 32"),
            (&[63][..], "64"),
            (&[CLASS_BYTES_MAX + 1][..], "16777216"),
            (&[128, 128][..], "ascending"),
            (&[256, 128][..], "ascending"),
        ] {
            let error = SizeClasses::new(sizes).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn capacities_share_the_limit_and_never_exceed_it_beyond_one_slot_each() {
        let classes = SizeClasses::new(&DEFAULT_CLASSES).unwrap();
        assert_eq!(classes.capacities(8 << 20, 60)[..6], [60; 6]);
        assert_eq!(classes.capacities(0, 60)[..6], [1; 6]);
        for limit in [1 << 18, 1 << 20, 3 << 20, 5_000_000] {
            let capacities = classes.capacities(limit, 60);
            let held: usize = (0..6).map(|c| usize::from(capacities[c]) * classes.bytes(c)).sum();
            assert!(held <= limit, "{held} of {limit}");
        }
    }
}
