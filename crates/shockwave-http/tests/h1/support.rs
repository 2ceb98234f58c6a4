//! What the tables share: a head parsed whole and in pieces, a body came in pieces.

use http::HeaderMap;
use shockwave_http::Limits;
use shockwave_http::h1::{
    BodyDecoder, BodyEvent, BodyLength, HeadEnd, Refusal, RequestHead, parse_head,
};

/// A head and its length, or that more is needed.
pub(crate) type Parsed = Result<Option<(RequestHead, usize)>, Refusal>;

/// Parses bytes that come all at once.
pub(crate) fn parse_with(bytes: &[u8], limits: &Limits) -> Parsed {
    parse_pieces(bytes, &[bytes.len()], limits)
}

/// Parses bytes of which so many have come at each look.
pub(crate) fn parse_pieces(bytes: &[u8], looks: &[usize], limits: &Limits) -> Parsed {
    let mut end = HeadEnd::default();
    for &look in looks {
        if let Some(length) = end.find(&bytes[..look], limits)? {
            return Ok(Some((parse_head(&bytes[..length], limits)?, length)));
        }
    }
    Ok(None)
}

/// Parses bytes whole, split at every byte, and byte by byte, and holds that it is all the same.
pub(crate) fn parse_every_way(bytes: &[u8], limits: &Limits) -> Parsed {
    let whole = parse_with(bytes, limits);
    let one_by_one: Vec<_> = (0..=bytes.len()).collect();
    let splits = (0..bytes.len()).map(|at| vec![at, bytes.len()]);
    for looks in splits.chain([one_by_one]) {
        let pieces = parse_pieces(bytes, &looks, limits);
        assert_eq!(tell(&pieces), tell(&whole), "{:?} by {looks:?}", bytes.escape_ascii());
    }
    whole
}

/// All there is to tell of a head.
pub(crate) fn tell(parsed: &Parsed) -> String {
    format!("{parsed:?}")
}

pub(crate) fn head(bytes: impl AsRef<[u8]>) -> RequestHead {
    let bytes = bytes.as_ref();
    match parse_every_way(bytes, &Limits::default()) {
        Ok(Some((head, length))) => {
            assert_eq!(length, bytes.len(), "{}", bytes.escape_ascii());
            head
        }
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    }
}

pub(crate) fn refusal(bytes: impl AsRef<[u8]>) -> Refusal {
    refusal_with(bytes, &Limits::default())
}

pub(crate) fn refusal_with(bytes: impl AsRef<[u8]>, limits: &Limits) -> Refusal {
    let bytes = bytes.as_ref();
    match parse_every_way(bytes, limits) {
        Err(refusal) => refusal,
        Ok(accepted) => panic!("{}: {accepted:?}", bytes.escape_ascii()),
    }
}

/// Holds a table of heads against the statuses and sentences that they are to be refused with.
pub(crate) fn refused(table: &[(&str, u16, &str)]) {
    for &(bytes, status, sentence) in table {
        let refusal = refusal(bytes);
        assert_eq!(refusal.status(), status, "{bytes:?}: {refusal}");
        let said = refusal.to_string();
        assert!(said.contains(sentence), "{bytes:?}: {said:?} does not say {sentence:?}");
    }
}

/// What a body came to: its data, its trailers, and how many bytes it took.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) struct Body {
    pub(crate) data: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) length: usize,
}

/// Decodes bytes that come in pieces which end at these places. `None` if the body does not end.
pub(crate) fn decode_pieces(
    bytes: &[u8],
    ends: &[usize],
    length: BodyLength,
    limits: &Limits,
) -> Result<Option<Body>, Refusal> {
    let mut decoder = BodyDecoder::new(length, limits);
    let (mut data, mut at) = (Vec::new(), 0);
    for &end in ends {
        loop {
            let wanted = decoder.wanted();
            assert!(decoder.is_done() == (decoder.remaining() == Some(0)));
            let given = &bytes[at..end];
            let came = decoder.decode(given)?;
            assert!(came.consumed <= given.len());
            at += came.consumed;
            match came.event {
                BodyEvent::Data(range) => {
                    assert!(!range.is_empty() && range.end <= came.consumed);
                    data.extend_from_slice(&given[range]);
                }
                BodyEvent::More => {
                    assert_eq!(came.consumed, given.len(), "more only when all was consumed");
                    break;
                }
                BodyEvent::End(trailers) => {
                    assert!(decoder.is_done());
                    assert_eq!(decoder.wanted(), 0);
                    assert!(wanted <= came.consumed || at == 0, "wanted more than there was");
                    let trailers = trailers.map(|trailers| *trailers);
                    return Ok(Some(Body { data, trailers, length: at }));
                }
            }
        }
    }
    Ok(None)
}

/// Decodes a body whole, split at every byte, and byte by byte, and holds that it is all the same.
pub(crate) fn decode(
    bytes: &[u8],
    length: BodyLength,
    limits: &Limits,
) -> Result<Option<Body>, Refusal> {
    let whole = decode_pieces(bytes, &[bytes.len()], length, limits);
    let one_by_one: Vec<_> = (0..=bytes.len()).collect();
    let splits = (0..bytes.len()).map(|at| vec![at, bytes.len()]);
    for ends in splits.chain([one_by_one]) {
        let pieces = decode_pieces(bytes, &ends, length, limits);
        assert_eq!(pieces, whole, "{:?} by {ends:?}", bytes.escape_ascii());
    }
    whole
}

pub(crate) fn decode_chunked(bytes: impl AsRef<[u8]>) -> Result<Option<Body>, Refusal> {
    decode(bytes.as_ref(), BodyLength::Chunked, &Limits::default())
}
