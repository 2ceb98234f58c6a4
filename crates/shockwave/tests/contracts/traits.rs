//! A buffer is what a byte vector is: to sets and maps, to iterators, to threads and to debuggers.

use std::borrow::{Borrow, BorrowMut};
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use shockwave::{
    Buffer, BufferPool, BufferPoolBuilder, BufferPoolMetrics, BuildError, Cells, GetError,
    SizedPoolMetrics,
};

both_cells! {
    a_buffer_hashes_and_compares_as_its_bytes_do,
    a_buffer_is_found_by_its_bytes,
    a_buffer_extends_from_bytes_and_from_references,
    a_size_hint_is_a_hint,
    all_views_are_of_the_same_bytes,
    debug_shows_length_and_capacity_and_no_content,
}

const fn travels<T: Send + Sync + Unpin + 'static>() {}
const fn is_an_error<T: std::error::Error>() {}
const fn may_be_used_after_a_panic<T: std::panic::UnwindSafe>() {}

const _: () = {
    travels::<Buffer>();
    travels::<BufferPool>();
    travels::<BufferPoolBuilder>();
    travels::<BufferPoolMetrics>();
    travels::<SizedPoolMetrics>();
    travels::<GetError>();
    travels::<BuildError>();
    travels::<Cells>();
    is_an_error::<GetError>();
    is_an_error::<BuildError>();
    may_be_used_after_a_panic::<Buffer>();
    may_be_used_after_a_panic::<&Buffer>();
    may_be_used_after_a_panic::<BufferPool>();
    may_be_used_after_a_panic::<&BufferPool>();
    assert!(size_of::<Buffer>() == 2 * size_of::<usize>());
    assert!(size_of::<Option<Buffer>>() == size_of::<Buffer>());
};

fn a_buffer_hashes_and_compares_as_its_bytes_do(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let texts: [&[u8]; 5] = [b"", b"a", b"a\0", b"ab", b"b"];
    for one in texts {
        for two in texts {
            // Another capacity and another past make no difference.
            let (mut left, mut right) = (pool.get(1), pool.get(5000));
            left.extend_from_slice(b"something else");
            left.clear();
            left.extend_from_slice(one);
            right.extend_from_slice(two);
            assert_eq!(left == right, one == two);
            assert_eq!(left.cmp(&right), one.cmp(two));
            assert_eq!(left.partial_cmp(&right), one.partial_cmp(two));
            assert_eq!(hasher.hash_one(&left), hasher.hash_one(one));
            assert_eq!((left == *one, left == one), (true, true));
        }
    }
}

fn a_buffer_is_found_by_its_bytes(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut map = HashMap::new();
    let mut set = BTreeSet::new();
    for number in 0..500_u32 {
        let mut key = pool.get(4);
        key.extend_from_slice(&number.to_be_bytes());
        map.insert(key, number);
        let mut key = pool.get(4);
        key.extend_from_slice(&number.to_be_bytes());
        set.insert(key);
    }
    for number in 0..600_u32 {
        let key = &number.to_be_bytes()[..];
        assert_eq!(map.get(key).copied(), (number < 500).then_some(number));
        assert_eq!(set.contains(key), number < 500);
    }
    assert!(set.iter().is_sorted());
}

fn a_buffer_extends_from_bytes_and_from_references(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(0);
    buffer.extend(0..=255_u8);
    buffer.extend(&[1, 2, 3]);
    buffer.extend(vec![9; 5000]);
    buffer.extend(std::iter::empty::<u8>());
    let expected: Vec<u8> = (0..=255).chain([1, 2, 3]).chain(vec![9; 5000]).collect();
    assert_eq!(buffer.into_vec(), expected);
}

/// Claims what it likes about how many bytes are to come.
struct Claims(usize, std::ops::Range<u8>);

impl Iterator for Claims {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.1.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0, None)
    }
}

fn a_size_hint_is_a_hint(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for claim in [0, 1, 100, 5000, 100_000] {
        let mut buffer = pool.get(64);
        buffer.extend(Claims(claim, 0..200));
        assert_eq!(buffer.into_vec(), (0..200).collect::<Vec<u8>>());
    }
}

fn all_views_are_of_the_same_bytes(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(100);
    buffer.extend_from_slice(b"abc");
    buffer[0] = b'1';
    buffer.as_mut()[1] = b'2';
    let bytes: &mut [u8] = buffer.borrow_mut();
    bytes[2] = b'3';
    buffer.as_mut_slice().reverse();
    let borrowed: &[u8] = buffer.borrow();
    assert_eq!(
        (borrowed, buffer.as_ref(), buffer.as_slice()),
        (&b"321"[..], &b"321"[..], &b"321"[..])
    );
    assert_eq!((buffer.len(), buffer.is_empty(), buffer.as_ptr()), (3, false, buffer[..].as_ptr()));
}

fn debug_shows_length_and_capacity_and_no_content(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(100);
    buffer.extend_from_slice(b"secret");
    let shown = format!("{buffer:?}");
    assert!(shown.contains("len: 6") && shown.contains("capacity: 2048"), "{shown}");
    assert!(!shown.contains("secret") && !shown.contains("115"), "{shown}");
    assert!(!format!("{pool:?}").is_empty());
}
