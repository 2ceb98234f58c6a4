//! What was to be scrubbed is scrubbed, through freezing, sharing, copying and recovering.
#![expect(unsafe_code, reason = "looks at memory that buffers do not show")]

use shockwave::{Buffer, BufferPool, BufferPoolBuilder, Shared};

use crate::check_at_rest;
use crate::pinned::pinned;

both_cells! {
    a_secret_is_scrubbed_whichever_way_its_last_handle_goes,
    a_secret_that_is_recovered_is_scrubbed_to_where_it_reached,
    a_copy_of_a_secret_is_scrubbed_as_the_original_is,
    what_is_not_a_secret_stays_as_it_is,
}

const SECRET: u8 = 0xa5;

/// Whether any byte of the buffer that a pool gives out next is the secret. That must be the one at
/// `expected`.
fn shows_a_secret(pool: &BufferPool, size: usize, expected: *const u8) -> bool {
    let buffer = pool.get(size);
    assert_eq!(buffer.as_ptr(), expected, "the buffer that was put last is the one that is got");
    // SAFETY: a buffer has `capacity` bytes, which are initialized, as pools promise of all memory.
    let memory = unsafe { std::slice::from_raw_parts(buffer.as_ptr(), buffer.capacity()) };
    memory.contains(&SECRET)
}

/// A buffer with 3000 bytes of secret, to be scrubbed or not.
fn secret(pool: &BufferPool, scrub: bool) -> Buffer {
    let mut buffer = pool.get(4096);
    if scrub {
        buffer.scrub_on_drop();
    }
    buffer.resize(3000, SECRET);
    buffer
}

/// Ways to have had a frozen buffer.
const WAYS: [fn(Shared); 6] = [
    drop,
    |shared| drop([shared.clone(), shared.clone(), shared]),
    |shared| {
        let slice = shared.slice(2000..2001);
        drop(shared);
        drop(slice);
    },
    |mut shared| {
        shared.truncate(3);
        drop(shared.try_into_mut().unwrap());
    },
    |mut shared| {
        shared.advance(2999);
        drop(shared.try_into_mut().unwrap().freeze());
    },
    |shared| {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _held = shared;
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(panic.is_err());
    },
];

fn a_secret_is_scrubbed_whichever_way_its_last_handle_goes(builder: BufferPoolBuilder) {
    pinned(|| {
        let pool = builder.build().unwrap();
        for way in WAYS {
            let buffer = secret(&pool, true);
            let address = buffer.as_ptr();
            way(buffer.freeze());
            assert!(!shows_a_secret(&pool, 4096, address));
        }
        check_at_rest(&pool);
    });
}

fn what_is_not_a_secret_stays_as_it_is(builder: BufferPoolBuilder) {
    pinned(|| {
        let pool = builder.build().unwrap();
        for way in WAYS {
            let buffer = secret(&pool, false);
            let address = buffer.as_ptr();
            way(buffer.freeze());
            assert!(shows_a_secret(&pool, 4096, address), "so the other tests can fail");
        }
    });
}

fn a_secret_that_is_recovered_is_scrubbed_to_where_it_reached(builder: BufferPoolBuilder) {
    pinned(|| {
        let pool = builder.build().unwrap();
        let mut buffer = secret(&pool, false);
        let address = buffer.as_ptr();
        buffer.truncate(10);
        let mut shared = buffer.freeze();
        shared.advance(5);
        // Asked for only now: the mark of what was written has come through.
        let mut buffer = shared.try_into_mut().unwrap();
        buffer.scrub_on_drop();
        drop(buffer);
        assert!(!shows_a_secret(&pool, 4096, address));

        let buffer = secret(&pool, false).freeze().try_into_mut().unwrap();
        pool.put_with_reset(buffer);
        assert!(!shows_a_secret(&pool, 4096, address));
    });
}

fn a_copy_of_a_secret_is_scrubbed_as_the_original_is(builder: BufferPoolBuilder) {
    pinned(|| {
        let pool = builder.build().unwrap();
        let buffer = secret(&pool, true);
        let address = buffer.as_ptr();
        let copy = buffer.freeze().slice(..100).compact(4);
        assert_eq!((copy.pinned_bytes(), &copy[..]), (2048, &[SECRET; 100][..]));
        assert!(!shows_a_secret(&pool, 4096, address));
        let address = copy.as_ptr();
        drop(copy);
        assert!(!shows_a_secret(&pool, 2048, address));
    });
}
