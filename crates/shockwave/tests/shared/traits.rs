//! The traits of a frozen buffer: those of its bytes.

use std::collections::{BTreeMap, HashMap};

use shockwave::{BufferPoolBuilder, Shared};

use crate::frozen;

both_cells! {
    a_frozen_buffer_compares_and_hashes_as_its_bytes,
    debug_shows_lengths_and_no_content,
}

const fn is_send_and_sync<T: Send + Sync + 'static>() {}
const _: () = is_send_and_sync::<Shared>();
const _: () = assert!(size_of::<Shared>() <= 3 * size_of::<usize>());

fn a_frozen_buffer_compares_and_hashes_as_its_bytes(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    let line = frozen(&pool, b"host: a, host: b");
    let (one, other) = (line.slice(..4), line.slice(9..13));
    assert_eq!(one, other);
    assert_ne!(one, line);
    assert!(one < line && line.slice(6..) < one);
    assert_eq!(one, b"host");
    assert_eq!(one, b"host"[..]);
    assert_eq!(one, &b"host"[..]);
    let by_hash = HashMap::from([(one.clone(), 1)]);
    let by_order = BTreeMap::from([(one, 1)]);
    assert_eq!((by_hash.get(&b"host"[..]), by_order.get(&b"host"[..])), (Some(&1), Some(&1)));
    assert_eq!(by_hash.get(&other), Some(&1));
    let bytes: &[u8] = line.as_ref();
    assert_eq!(bytes, b"host: a, host: b");
    assert_eq!(Shared::from(pool.get_zeroed(3)), [0; 3]);
}

fn debug_shows_lengths_and_no_content(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    let text = format!("{:?}", frozen(&pool, b"AAAAAAA"));
    assert_eq!(text, "Shared { len: 7, pinned_bytes: 2048, .. }");
}

#[cfg(feature = "bytes")]
mod bytes {
    use super::{BufferPoolBuilder, Shared, frozen};
    use ::bytes::{Buf, Bytes};
    use std::io::IoSlice;

    use crate::check_at_rest;

    both_cells! {
        bytes_of_a_frozen_buffer_are_its_memory_and_send_it_home,
        reading_takes_from_the_front_across_a_chain,
        reading_too_far_panics,
    }

    fn bytes_of_a_frozen_buffer_are_its_memory_and_send_it_home(builder: BufferPoolBuilder) {
        let pool: shockwave::BufferPool = builder.build().unwrap();
        let shared = frozen(&pool, b"hello, world");
        let address = shared.as_ptr();
        let bytes = Bytes::from(shared.slice(7..));
        assert_eq!(bytes.as_ptr(), address.wrapping_add(7));
        drop(shared);
        let slice = bytes.slice(1..3);
        drop(bytes);
        assert_eq!(pool.metrics().pinned_bytes, 2048);
        std::thread::spawn(move || assert_eq!(slice, &b"or"[..])).join().unwrap();
        check_at_rest(&pool);
    }

    fn reading_takes_from_the_front_across_a_chain(builder: BufferPoolBuilder) {
        let pool = builder.build().unwrap();
        let mut shared = frozen(&pool, b"\x12\x34abc");
        assert_eq!(
            (shared.get_u16(), shared.remaining(), shared.chunk()),
            (0x1234, 3, &b"abc"[..])
        );
        let address = shared.as_ptr();
        let bytes = shared.copy_to_bytes(2);
        assert_eq!((&bytes[..], bytes.as_ptr()), (&b"ab"[..], address));
        assert_eq!(shared, b"c");

        let mut chain = shared.chain(frozen(&pool, b"defg"));
        let mut slices = [IoSlice::new(&[]); 3];
        assert_eq!(chain.chunks_vectored(&mut slices), 2);
        assert_eq!((&*slices[0], &*slices[1]), (&b"c"[..], &b"defg"[..]));
        chain.advance(3);
        assert_eq!(chain.chunk(), b"fg");
        drop((chain, bytes));
        check_at_rest(&pool);
    }

    fn reading_too_far_panics(builder: BufferPoolBuilder) {
        let pool = builder.build().unwrap();
        let shared = frozen(&pool, b"abc");
        let reads: [fn(Shared); 2] =
            [|mut shared| Buf::advance(&mut shared, 4), |mut shared| drop(shared.copy_to_bytes(4))];
        for read in reads {
            let shared = shared.clone();
            assert!(std::panic::catch_unwind(move || read(shared)).is_err());
        }
        assert!(shared.is_unique());
    }
}
