//! Room that was lent: to readers that fail, to code that writes by address, to foreign hands.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{SECRET, check};

#[test]
fn spare_room_that_was_lent() {
    check(|pool| {
        let mut buffer = pool.get(4096);
        for byte in buffer.spare_capacity_mut() {
            byte.write(SECRET);
        }
    });
    check(|pool| {
        let mut buffer = pool.get(4096);
        // SAFETY: within the capacity.
        unsafe { buffer.as_mut_ptr().wrapping_add(4095).write(SECRET) };
    });
}

#[test]
fn a_reader_that_fails_half_way() {
    struct WritesAndFails;

    impl Read for WritesAndFails {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let half = room.len() / 2;
            room[..half].fill(SECRET);
            Err(io::Error::other("half way"))
        }
    }

    check(|pool| {
        let mut buffer = pool.get(4096);
        assert!(buffer.read_from(&mut WritesAndFails).is_err());
        assert!(buffer.is_empty());
    });
}

#[test]
fn a_reader_that_panics_or_lies_half_way() {
    /// Writes to all of the room, and then does as it is told.
    struct Reader(fn(&[u8]) -> usize);

    impl Read for Reader {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            room.fill(SECRET);
            Ok((self.0)(room))
        }
    }

    check(|pool| {
        let mut buffer = pool.get(4096);
        let mut reader = Reader(|_| std::panic::resume_unwind(Box::new("on purpose")));
        let read = AssertUnwindSafe(|| buffer.read_from(&mut reader));
        assert!(catch_unwind(read).is_err());
    });
    check(|pool| {
        let mut buffer = pool.get(4096);
        assert!(buffer.read_from(&mut Reader(|room| room.len() + 1)).is_err());
    });
    check(|pool| {
        // Claims less than it wrote.
        let mut buffer = pool.get(4096);
        assert_eq!(buffer.read_from(&mut Reader(|_| 3)).unwrap(), 3);
        buffer.clear();
    });
}

#[test]
fn lent_to_foreign_hands() {
    check(|pool| {
        let raw = pool.get(4096).into_raw();
        // SAFETY: on loan, with room for 4096 bytes.
        unsafe { raw.data().write_bytes(SECRET, 4096) };
        drop(pool.from_raw(raw).unwrap());
    });
}
