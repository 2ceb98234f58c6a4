//! Size classes: the arithmetic from a request's length to the class that serves it.
//!
//! A class set is any 1 to 32 ascending sizes. A table with one byte for each 64 bytes of length
//! says which class serves the lengths of these 64 bytes; a second one, with a byte for each 16
//! KiB, goes on where the first ends:
//!
//! ```text
//!   (length + 63) / 64     0     1 … 32   33 … 64   65 … 128   …   1024
//!   fine                │  –  │    0    │    1    │    2     │ … │   5  │ ──▶ coarse
//!   class bytes                  2048      4096       8192    …    65536
//! ```
//!
//! Five instructions, one of them a load, find the class so, and none of them waits for another get
//! or put. Finding the highest bit would do without the tables, but takes more instructions, and is
//! slow on processors that have no fast one for it or may not be assumed to. Of the tables' 2 KiB a
//! program touches the few lines that its sizes need.
//!
//! Where a class ends within a granule, its entry says so, and one comparison more tells on which
//! side of the end a length lies. Where two classes do, the length takes the slow path, which asks
//! [`SizeClasses::of`].

use crate::error::BuildError;
use crate::limits::{CLASS_BYTES_MAX, CLASS_BYTES_MIN, CLASSES_MAX, COLUMNS};

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

/// Bytes of length for each entry of the fine table, as a power of two, and of the coarse one.
const FINE_SHIFT: u32 = 6;
const COARSE_SHIFT: u32 = 14;
/// Entries of each table. The fine one reaches up to 64 KiB, the coarse one up to 16 MiB.
const GRANULES: usize = 1024 + 1;

const _: () = assert!((GRANULES - 1) << COARSE_SHIFT == CLASS_BYTES_MAX);

/// Part of an entry whose granule is split by the end of the class that the entry names.
const SPLIT: u8 = 0x80;
/// The entry of a granule that takes the slow path.
const SLOW: u8 = 0xff;

/// The sizes of a pool's classes, and the tables that find one.
#[derive(Clone)]
pub(crate) struct SizeClasses {
    /// Bytes of each class, ascending; 0 from `count` on.
    sizes: [u32; COLUMNS],
    /// Classes in use, `1..=32`.
    count: usize,
    fine: [u8; GRANULES],
    coarse: [u8; GRANULES],
}

impl SizeClasses {
    /// Checks a class set and lays out its tables.
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
        let mut padded = [0; COLUMNS];
        for (slot, &size) in padded.iter_mut().zip(sizes) {
            *slot = u32::try_from(size).unwrap_or(u32::MAX);
        }
        Ok(Self {
            sizes: padded,
            count: sizes.len(),
            fine: table(sizes, FINE_SHIFT),
            coarse: table(sizes, COARSE_SHIFT),
        })
    }

    /// The column of cells for `length` bytes, or `None` for the slow path: that of the smallest
    /// class that holds them, or the one behind the last class, which has no class and is always
    /// closed.
    #[inline(always)]
    pub(crate) fn column(&self, length: usize) -> Option<usize> {
        // Lengths within 64 bytes of `usize::MAX` wrap around to the first granule, which is slow.
        let granule = length.wrapping_add((1 << FINE_SHIFT) - 1) >> FINE_SHIFT;
        match self.fine.get(granule) {
            Some(&entry) if entry < SPLIT => Some(entry.into()),
            Some(&entry) => self.split(entry, length),
            None => self.coarse_column(length),
        }
    }

    /// The column of a length in a granule whose entry does not name it.
    #[inline]
    fn split(&self, entry: u8, length: usize) -> Option<usize> {
        if entry == SLOW {
            return None;
        }
        let class = usize::from(entry & !SPLIT) & (COLUMNS - 1);
        Some(class + usize::from(length > self.sizes[class] as usize))
    }

    /// The column of a length beyond the fine table.
    #[inline]
    fn coarse_column(&self, length: usize) -> Option<usize> {
        let granule = length.wrapping_add((1 << COARSE_SHIFT) - 1) >> COARSE_SHIFT;
        let entry = *self.coarse.get(granule)?;
        if entry < SPLIT { Some(entry.into()) } else { self.split(entry, length) }
    }

    /// The smallest class that holds `length` bytes, if one does.
    #[inline]
    pub(crate) fn of(&self, length: usize) -> Option<usize> {
        match self.column(length) {
            Some(column) => Some(column).filter(|&class| class < self.count),
            None => self.sizes[..self.count].iter().position(|&size| size as usize >= length),
        }
    }

    /// Bytes in each buffer of `class`.
    #[inline(always)]
    pub(crate) fn bytes(&self, class: usize) -> usize {
        self.sizes[class & (COLUMNS - 1)] as usize
    }

    /// Number of classes, `1..=32`.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Slots that a CPU's magazine of each class gets when all of them together may hold
    /// `per_core_bytes`: as many as fit into an even share, at most `slots_max`; what a class
    /// leaves of its share goes to the larger ones. Each class keeps one slot whatever the limit.
    pub(crate) fn capacities(&self, per_core_bytes: usize, slots_max: usize) -> [u8; CLASSES_MAX] {
        let mut left = per_core_bytes;
        let mut capacities = [0; CLASSES_MAX];
        for (class, capacity) in capacities.iter_mut().enumerate().take(self.count) {
            let share = left / (self.count - class);
            let slots = (share / self.bytes(class)).clamp(1, slots_max);
            left = left.saturating_sub(slots * self.bytes(class));
            *capacity = u8::try_from(slots).unwrap_or(u8::MAX);
        }
        capacities
    }
}

/// A table of granules of `1 << shift` bytes: entry `n` is for the lengths from `(n - 1) << shift`,
/// exclusive, to `n << shift`, inclusive.
fn table(sizes: &[usize], shift: u32) -> [u8; GRANULES] {
    let mut table = [SLOW; GRANULES];
    // The smallest class for the length that comes next, as lengths and classes ascend together.
    let mut class = 0;
    for (granule, entry) in table.iter_mut().enumerate().skip(1) {
        let (first, last) = (class, granule << shift);
        while sizes.get(class).is_some_and(|&size| size < last) {
            class += 1;
        }
        *entry = match (u8::try_from(first), class - first) {
            (Ok(only), 0) => only,
            (Ok(lower), 1) => lower | SPLIT,
            _ => SLOW,
        };
        if sizes.get(class) == Some(&last) {
            class += 1;
        }
    }
    table
}

impl std::fmt::Debug for SizeClasses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.sizes[..self.count]).finish()
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
        let borders = (0..=largest >> FINE_SHIFT).map(|granule| granule << FINE_SHIFT).step_by(97);
        let borders = borders.chain((0..GRANULES).map(|granule| granule << COARSE_SHIFT));
        let near =
            borders.chain(sizes.iter().copied()).flat_map(|edge| edge.saturating_sub(2)..=edge + 2);
        for length in (0..=(largest + 2).min(128 << 10)).chain(near) {
            assert_eq!(classes.of(length), naive(sizes, length), "{length} in {sizes:?}");
            if let Some(column) = classes.column(length) {
                assert_eq!(
                    column,
                    naive(sizes, length).unwrap_or(sizes.len()),
                    "{length} in {sizes:?}"
                );
            }
        }
        for huge in usize::MAX - (1 << 15)..=usize::MAX {
            assert_eq!(classes.of(huge), None);
            assert!(classes.column(huge).is_none_or(|column| column == sizes.len()));
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
        check(&[70_000, 72_000, 72_001, 99_999, 100_000, 1_000_000]);
        check(&(0..32).map(|i| 100 + i).collect::<Vec<_>>());
        check(&(0..32).map(|i| 64 << (i / 2) | (i % 2) << (i / 2 + 5)).collect::<Vec<_>>());
        check(&(1..=32).map(|i| i * 524_288).collect::<Vec<_>>());
    }

    #[test]
    fn sets_of_classes_that_keep_apart_are_served_without_the_slow_path() {
        for sizes in [&DEFAULT_CLASSES[..], &[1500, 9000], &[1 << 20, 3_000_000, 16 << 20]] {
            let classes = SizeClasses::new(sizes).unwrap();
            let largest = sizes[sizes.len() - 1];
            assert!((1..=largest).all(|length| classes.column(length) == naive(sizes, length)));
        }
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
