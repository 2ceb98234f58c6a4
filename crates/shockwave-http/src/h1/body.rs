//! A request's body: bytes of the connection in, data and the body's end out.

use std::ops::Range;

use http::HeaderMap;

use crate::Limits;
use crate::h1::{BodyLength, Refusal};

/// Takes a body's bytes as they come.
#[derive(Debug)]
pub struct BodyDecoder {}

/// What [`BodyDecoder::decode`] made of the bytes it was given.
#[derive(Debug)]
pub struct Decoded {
    /// How many of the bytes are done with, data included.
    pub consumed: usize,
    /// What they were.
    pub event: BodyEvent,
}

/// What came of a body.
#[derive(Debug)]
pub enum BodyEvent {
    /// All that was consumed was framing; more bytes are needed.
    More,
    /// This range of the bytes given is data. It ends at or before `consumed`.
    Data(Range<usize>),
    /// The body's end, with its trailers if there were any.
    End(Option<Box<HeaderMap>>),
}

#[expect(missing_docs, clippy::must_use_candidate, clippy::missing_errors_doc, reason = "to come")]
impl BodyDecoder {
    pub fn new(_length: BodyLength, _limits: &Limits) -> Self {
        todo!()
    }
    pub fn decode(&mut self, _bytes: &[u8]) -> Result<Decoded, Refusal> {
        todo!()
    }
    pub fn is_done(&self) -> bool {
        todo!()
    }
    pub fn wanted(&self) -> usize {
        todo!()
    }
    pub fn remaining(&self) -> Option<u64> {
        todo!()
    }
}
