//! A request's body: bytes of the connection in, data and the body's end out.

use std::ops::Range;

use http::HeaderMap;

use super::chunked::Chunked;
use super::framing::BodyLength;
use super::refusal::Refusal;
use crate::Limits;

/// Takes a body's bytes as they come. It keeps none of them, trailers apart, and has nothing on the
/// heap before those come.
///
/// ```
/// use shockwave_http::{Limits, h1::{BodyDecoder, BodyEvent, BodyLength}};
///
/// let mut decoder = BodyDecoder::new(BodyLength::Chunked, &Limits::default());
/// let mut bytes = &b"5\r\nHello\r\n0\r\n\r\nGET / HTTP/1.1\r\n"[..];
/// let mut data = Vec::new();
/// while !decoder.is_done() {
///     let decoded = decoder.decode(bytes)?;
///     match decoded.event {
///         BodyEvent::Data(range) => data.extend_from_slice(&bytes[range]),
///         BodyEvent::More => unreachable!("all has come already"),
///         BodyEvent::End(trailers) => assert!(trailers.is_none()),
///     }
///     bytes = &bytes[decoded.consumed..];
/// }
/// assert_eq!(data, b"Hello");
/// assert_eq!(bytes, b"GET / HTTP/1.1\r\n");
/// # Ok::<(), shockwave_http::h1::Refusal>(())
/// ```
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
}

#[derive(Debug)]
enum State {
    /// So many bytes are left.
    Exact(u64),
    Chunked(Chunked),
    Done,
    /// What was refused is refused again.
    Refused(Refusal),
}

/// What [`BodyDecoder::decode`] made of the bytes it was given.
#[derive(Debug)]
pub struct Decoded {
    /// How many of the bytes are done with, data included. The rest is to be given again.
    pub consumed: usize,
    /// What they were.
    pub event: BodyEvent,
}

/// What came of a body.
#[derive(Debug)]
pub enum BodyEvent {
    /// All that was given was framing, and consumed; more bytes are needed.
    More,
    /// This range of the bytes given is data, and not empty. It ends at or before `consumed`.
    Data(Range<usize>),
    /// The body's end, with its trailers if there were any.
    End(Option<Box<HeaderMap>>),
}

impl BodyDecoder {
    /// A decoder for a body of this length.
    ///
    /// An exact length is taken as it is: [`parse_head`](super::parse_head) held it against the
    /// limit. A chunked body is held against it here.
    #[must_use]
    pub fn new(length: BodyLength, limits: &Limits) -> Self {
        let state = match length {
            BodyLength::Empty | BodyLength::Exact(0) => State::Done,
            BodyLength::Exact(length) => State::Exact(length),
            BodyLength::Chunked => State::Chunked(Chunked::new(limits)),
        };
        Self { state }
    }

    /// Takes in bytes that follow those consumed before, up to the first data or the end.
    ///
    /// Once the body [is done](Self::is_done), the answer is `End` without trailers, of no bytes.
    /// What the pieces of data amount to does not depend on how the bytes were split over calls.
    ///
    /// # Errors
    ///
    /// 400 if what should be framing is not, or chunk extensions exceed their limit, 413 if chunks
    /// amount to more than the limit, 431 if the trailers exceed theirs. The same refusal from then
    /// on: there is nothing more to decode on this connection.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Decoded, Refusal> {
        match &mut self.state {
            State::Refused(refusal) => Err(refusal.clone()),
            State::Done => Ok(Decoded { consumed: 0, event: BodyEvent::End(None) }),
            State::Exact(_) if bytes.is_empty() => {
                Ok(Decoded { consumed: 0, event: BodyEvent::More })
            }
            State::Exact(left) => {
                let length =
                    usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= length as u64;
                if *left == 0 {
                    self.state = State::Done;
                }
                Ok(Decoded { consumed: length, event: BodyEvent::Data(0..length) })
            }
            State::Chunked(chunked) => {
                let decoded = chunked.decode(bytes);
                match &decoded {
                    Ok(Decoded { event: BodyEvent::End(_), .. }) => self.state = State::Done,
                    Ok(_) => {}
                    Err(refusal) => self.state = State::Refused(refusal.clone()),
                }
                decoded
            }
        }
    }

    /// Whether the body has ended: what follows on the connection does not belong to it. True after
    /// the last data of an exact length, and after the `End` of a chunked body.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// How many more bytes surely belong to this body, to size a read: never too many. 0 if unknown
    /// or done. Of an exact length it is what is left, which may be far more than one read should
    /// make room for.
    #[must_use]
    pub fn wanted(&self) -> usize {
        match &self.state {
            State::Exact(left) => usize::try_from(*left).unwrap_or(usize::MAX),
            State::Chunked(chunked) => chunked.wanted(),
            State::Done | State::Refused(_) => 0,
        }
    }

    /// Bytes of data still to come, if that is known: not for a chunked body that goes on.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match &self.state {
            State::Exact(left) => Some(*left),
            State::Chunked(_) | State::Refused(_) => None,
            State::Done => Some(0),
        }
    }
}

/// A connection that reads a body keeps a decoder, so it is small.
const _: () = assert!(size_of::<BodyDecoder>() <= 64);
