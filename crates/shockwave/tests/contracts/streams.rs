//! Reading into a buffer and writing to it as to a stream, with readers of every kind.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};

use shockwave::BufferPoolBuilder;

use crate::identities;

both_cells! {
    a_read_adds_what_the_reader_wrote,
    a_full_buffer_grows_so_that_0_is_the_end,
    a_reader_that_claims_more_than_the_room_is_an_error,
    a_reader_that_fails_leaves_the_buffer_as_it_was,
    an_interrupted_read_is_the_callers_to_repeat,
    a_reader_that_panics_leaves_the_buffer_as_it_was,
    a_buffer_is_a_writer_of_bytes,
    a_buffer_is_a_writer_of_text,
}

/// A reader that does as the function says.
struct By<F>(F);

impl<F: FnMut(&mut [u8]) -> io::Result<usize>> Read for By<F> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        (self.0)(room)
    }
}

fn a_read_adds_what_the_reader_wrote(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(100);
    buffer.extend_from_slice(b"head ");
    let mut source: Box<dyn Read> = Box::new(&b"tail"[..]); // also of a type without a size
    assert_eq!(buffer.read_from(&mut *source).expect("a read"), 4);
    assert_eq!(buffer.read_from(&mut *source).expect("a read"), 0);
    assert_eq!(buffer, b"head tail");

    let mut room_seen = 0;
    let mut half = By(|room: &mut [u8]| {
        room_seen = room.len();
        room[..10].fill(b'x');
        Ok(3) // wrote ten, claims three
    });
    assert_eq!(buffer.read_from(&mut half).expect("a read"), 3);
    assert_eq!(buffer, b"head tailxxx");
    assert_eq!(room_seen, 2048 - 9, "all the spare room is lent");
}

fn a_full_buffer_grows_so_that_0_is_the_end(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let bytes: Vec<u8> = (0..200_000_u32).map(|i| i.to_le_bytes()[i as usize % 3]).collect();
    let mut source = &bytes[..];
    let mut buffer = pool.get(0);
    let mut reads = 0;
    while buffer.read_from(&mut source).expect("a read") > 0 {
        reads += 1;
    }
    assert_eq!(buffer, bytes[..]);
    assert_eq!(reads, 8); // fills 2, 4, … 256 KiB in turn
    assert_eq!(buffer.read_from(&mut io::empty()).expect("a read"), 0);
    drop(buffer);
    identities::check(&pool.metrics());
}

fn a_reader_that_claims_more_than_the_room_is_an_error(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for claim in [2049, 4096, usize::MAX, usize::MAX - 2047] {
        let mut buffer = pool.get(2048);
        let error = buffer.read_from(&mut By(|_: &mut [u8]| Ok(claim))).expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains(&claim.to_string()), "{error}");
        assert!(buffer.is_empty());
    }
    let mut buffer = pool.get(2048);
    buffer.resize(2000, 1);
    assert!(buffer.read_from(&mut By(|_: &mut [u8]| Ok(49))).is_err());
    assert_eq!(buffer.len(), 2000);
    let mut exactly = By(|room: &mut [u8]| {
        room.fill(2);
        Ok(48)
    });
    assert_eq!(buffer.read_from(&mut exactly).expect("a read"), 48);
    assert_eq!((buffer.len(), buffer[2000], buffer[2047]), (2048, 2, 2));
}

fn a_reader_that_fails_leaves_the_buffer_as_it_was(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(100);
    buffer.extend_from_slice(b"before");
    let mut fails = By(|room: &mut [u8]| {
        room[..50].fill(b'!'); // errs half way
        Err(io::Error::new(ErrorKind::ConnectionReset, "half way"))
    });
    let error = buffer.read_from(&mut fails).expect_err("an error");
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::ConnectionReset, "half way")
    );
    assert_eq!(buffer, b"before");

    let mut first = true;
    let mut twice = By(|room: &mut [u8]| {
        if std::mem::take(&mut first) {
            (&b"+some"[..]).read(room)
        } else {
            Err(ErrorKind::TimedOut.into())
        }
    });
    assert_eq!(buffer.read_from(&mut twice).expect("a read"), 5);
    assert_eq!(buffer.read_from(&mut twice).expect_err("an error").kind(), ErrorKind::TimedOut);
    assert_eq!(buffer, b"before+some");
}

fn an_interrupted_read_is_the_callers_to_repeat(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(100);
    let mut calls = 0;
    let mut interrupted = By(|room: &mut [u8]| {
        calls += 1;
        if calls == 1 { Err(ErrorKind::Interrupted.into()) } else { (&b"ok"[..]).read(room) }
    });
    let error = buffer.read_from(&mut interrupted).expect_err("an error");
    assert_eq!((error.kind(), buffer.len()), (ErrorKind::Interrupted, 0));
    assert_eq!(buffer.read_from(&mut interrupted).expect("a read"), 2);
    assert_eq!(buffer, b"ok");
}

fn a_reader_that_panics_leaves_the_buffer_as_it_was(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(2048);
    buffer.resize(2048, 3);
    let mut panics = By(|_: &mut [u8]| std::panic::resume_unwind(Box::new("as a test")));
    let read = std::panic::AssertUnwindSafe(|| buffer.read_from(&mut panics));
    assert!(std::panic::catch_unwind(read).is_err());
    assert_eq!(buffer, [3; 2048]);
    drop(buffer);
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.in_use_bytes, 0);
}

fn a_buffer_is_a_writer_of_bytes(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(10);
    assert_eq!(buffer.write(b"").expect("a write"), 0);
    assert_eq!(buffer.write(&[1; 3000]).expect("a write"), 3000, "all of it, by growing");
    buffer.write_all(&vec![2; 100_000]).expect("a write");
    buffer.flush().expect("nothing to flush");
    let copied = io::copy(&mut [3; 500].as_slice(), &mut buffer).expect("a copy");
    assert_eq!((copied, buffer.len()), (500, 103_500));
    assert_eq!((buffer[2999], buffer[3000], buffer[103_499]), (1, 2, 3));
}

fn a_buffer_is_a_writer_of_text(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(0);
    let code = 200;
    std::fmt::Write::write_fmt(&mut buffer, format_args!("HTTP/1.1 {code} OK")).expect("a write");
    buffer.write_str("\r\nä").expect("a write");
    buffer.write_char('€').expect("a write");
    assert_eq!(buffer, "HTTP/1.1 200 OK\r\nä€".as_bytes());
    Write::write_fmt(&mut buffer, format_args!("{:>3000}", 7)).expect("a write");
    assert_eq!((buffer.len(), buffer.last()), (22 + 3000, Some(&b'7')));
}
