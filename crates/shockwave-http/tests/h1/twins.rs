//! Properties: random bytes, made of what heads and bodies are made of, against naive twins that
//! are written for the eye, and split anywhere.

use http::HeaderMap;
use proptest::prelude::*;
use shockwave_http::Limits;
use shockwave_http::h1::BodyLength;

use crate::extensions::naive_extensions;
use crate::support::{decode_pieces, parse_pieces, parse_with, tell};

const LIMITS: Limits = Limits {
    request_line_bytes: 40,
    head_bytes: 200,
    fields: 4,
    method_bytes: 6,
    body_bytes: 40,
    chunk_extension_bytes: 12,
    trailer_bytes: 24,
};

/// Where bytes of this length may be split, in order, its end last.
fn ends(length: usize, mut at: Vec<prop::sample::Index>) -> Vec<usize> {
    let mut ends: Vec<_> = at.drain(..).map(|at| at.index(length + 1)).collect();
    ends.push(length);
    ends.sort_unstable();
    ends
}

/// How good parts are spoilt: another part put in, one left out, one byte changed.
#[derive(Debug, Clone)]
enum Edit {
    Insert(&'static [u8]),
    Remove,
    Change(u8),
}

/// `first`, some of `middle` and `last`, joined after some edits.
fn spoilt(first: Parts, middle: Parts, last: Parts, odd: Parts) -> impl Strategy<Value = Vec<u8>> {
    use prop::sample::select;
    let edit = prop_oneof![
        3 => select(odd).prop_map(Edit::Insert),
        1 => Just(Edit::Remove),
        1 => prop_oneof![select(odd).prop_map(|part| part[0]), any::<u8>()].prop_map(Edit::Change),
    ];
    let middle = prop::collection::vec(select(middle), 0..5);
    let edits = prop::collection::vec((any::<prop::sample::Index>(), edit), 0..4);
    (select(first), middle, select(last), edits).prop_map(|(first, middle, last, edits)| {
        let mut parts: Vec<_> = [first].into_iter().chain(middle).chain([last]).collect();
        let mut changes = Vec::new();
        for (at, edit) in edits {
            match edit {
                Edit::Insert(part) => parts.insert(at.index(parts.len() + 1), part),
                Edit::Remove if !parts.is_empty() => drop(parts.remove(at.index(parts.len()))),
                Edit::Remove => {}
                Edit::Change(byte) => changes.push((at, byte)),
            }
        }
        let mut bytes = parts.concat();
        if !bytes.is_empty() {
            for (at, byte) in changes {
                *at.get_mut(&mut bytes) = byte;
            }
        }
        bytes
    })
}

type Parts = &'static [&'static [u8]];

const CHUNKS: Parts = &[
    b"1\r\nx\r\n",
    b"5\r\nHello\r\n",
    b"a\r\n0123456789\r\n",
    b"2;a=b\r\nxx\r\n",
    b"3 ;c\r\nyyy\r\n",
];
const ENDS: Parts =
    &[b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"000;a\r\n\r\n", b"0\r\nHost: a\r\nX: y\r\n\r\n"];
const ODD_BODY: Parts = &[
    b"0\r\n\r\n",
    b"1\r\nx\r\n",
    b"5\r\nHello\r\n",
    b"a\r\n0123456789\r\n",
    b"0\r\n",
    b"\r\n",
    b"\r",
    b"\n",
    b"1",
    b"0",
    b"00000000",
    b"A",
    b";",
    b";a=b",
    b";a=\"",
    b"\"",
    b"\\",
    b"=",
    b" ",
    b"\t",
    b"X: y\r\n",
    b"Host: a\r\n",
    b" z\r\n",
    b":",
    b"x",
    b"\0",
    b"\xe9",
    b"10\r\n",
];

/// A chunked body, the slow way: what it came to, or `None` if it has not ended.
fn naive_body(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize, usize)>, ()> {
    let (mut rest, mut data, mut extensions) = (bytes, Vec::new(), 0);
    loop {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits > 16 {
            return Err(());
        }
        let (size, after) = rest.split_at(digits);
        if after.is_empty() {
            return Ok(None);
        }
        let text = |byte: &&u8| **byte == b'\t' || (**byte >= b' ' && **byte != 0x7f);
        let (extension, after) = after.split_at(after.iter().take_while(text).count());
        extensions += extension.len();
        // Where the line goes on, it is right if something could make it whole.
        let ends: &[&[u8]] =
            if after.is_empty() { &[b"", b"a", b";a", b"\"", b"a\""] } else { &[b""] };
        let whole = |end: &&[u8]| naive_extensions(&[extension, end].concat()).is_some();
        if digits == 0 || extensions > 12 || !ends.iter().any(whole) {
            return Err(());
        }
        rest = match after {
            [] | [b'\r'] => return Ok(None),
            [b'\r', b'\n', rest @ ..] => rest,
            _ => return Err(()),
        };
        let size = usize::from_str_radix(str::from_utf8(size).unwrap(), 16).unwrap();
        if size > 40 - data.len() {
            return Err(());
        }
        if size == 0 {
            return Ok(naive_trailers(rest)?
                .map(|(trailers, length)| (data, trailers, bytes.len() - rest.len() + length)));
        }
        if rest.len() < size {
            return Ok(None);
        }
        data.extend_from_slice(&rest[..size]);
        rest = match &rest[size..] {
            [] | [b'\r'] => return Ok(None),
            [b'\r', b'\n', rest @ ..] => rest,
            _ => return Err(()),
        };
    }
}

/// How many trailers there are, and in how many bytes.
fn naive_trailers(bytes: &[u8]) -> Result<Option<(usize, usize)>, ()> {
    let (mut lines, mut length) = (Vec::new(), 0);
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if length + line.len() > 24 {
            return Err(());
        }
        if line.last() != Some(&b'\n') {
            return Ok(None);
        }
        length += line.len();
        match line.strip_suffix(b"\r\n") {
            None => return Err(()),
            Some([]) => {
                let fields = lines.into_iter().map(naive_field).collect::<Result<Vec<_>, _>>()?;
                let kept = fields.into_iter().filter(|(name, _)| name != "host").count();
                return Ok(Some((kept, length)));
            }
            Some(line) => lines.push(line),
        }
        if lines.len() > 4 {
            return Err(());
        }
    }
    Ok(None)
}

type Field = (String, Vec<u8>);

pub(crate) fn is_token(text: &[u8]) -> bool {
    let special = b"!#$%&'*+-.^_`|~";
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || special.contains(byte);
    !text.is_empty() && text.iter().all(token)
}

fn naive_field(line: &[u8]) -> Result<Field, ()> {
    let colon = line.iter().position(|&byte| byte == b':').ok_or(())?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let control = |&byte: &u8| (byte < b' ' && byte != b'\t') || byte == 0x7f;
    if !is_token(name) || value.iter().any(control) {
        return Err(());
    }
    let name = String::from_utf8(name.to_ascii_lowercase()).unwrap();
    Ok((name, value.trim_ascii().to_vec()))
}

const LINES: Parts = &[
    b"GET / HTTP/1.1\r\n",
    b"PUT /a?b HTTP/1.1\r\n",
    b"GET / HTTP/1.0\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
];
const FIELDS: Parts = &[
    b"Content-Length: 5\r\n",
    b"Connection: close\r\n",
    b"Expect: 100-continue\r\n",
    b"Accept: */*\r\n",
    b"A:\r\n",
    b"Transfer-Encoding: chunked\r\n",
];
const END: Parts = &[b"Host: a\r\n\r\n", b"Host: a:80\r\nB: c\r\n\r\n", b"\r\n"];
const ODD_HEAD: Parts = &[
    b"GET / HTTP/1.1\r\n",
    b"PUT /a?b HTTP/1.1\r\n",
    b"GET / HTTP/1.0\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"Host: a\r\n",
    b"Host: a\r\n",
    b"Host: a\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 41\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Expect: 100-continue\r\n",
    b"Accept: */*\r\n",
    b"A:\r\n",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b":",
    b"\0",
    b"\xe9",
    b"x",
    b"GET",
    b"/",
    b"HTTP/1.1",
    b",",
    b"#",
];

/// A head, the slow way: its fields and length, for requests in origin form or `OPTIONS *`.
/// `None` if it has not ended, or is refused.
fn naive_head(bytes: &[u8]) -> Option<(Vec<Field>, usize)> {
    let text = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    let end = text.windows(4).position(|four| four == b"\r\n\r\n")?;
    let length = bytes.len() - text.len() + end + 4;
    let mut lines = Vec::new();
    let mut rest = &text[..end];
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    lines.push(rest);
    let request_line = str::from_utf8(lines.remove(0)).ok()?;
    let [method, target, version] = request_line.split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let fields = lines.iter().map(|line| naive_field(line)).collect::<Result<Vec<_>, ()>>().ok()?;
    let all = |name| {
        let named = fields.iter().filter(|(field, _)| field == name);
        named.map(|(_, value)| &value[..]).collect::<Vec<_>>()
    };
    let minor = version.strip_prefix("HTTP/1.")?;
    let hosts = all("host");
    let host = hosts.iter().all(|host| naive_host(host))
        && (hosts.len() == 1 || (hosts.is_empty() && minor == "0"));
    let (lengths, codings) = (all("content-length"), all("transfer-encoding"));
    let framing = match (&lengths[..], &codings[..]) {
        ([], []) => true,
        ([length], []) => {
            length.iter().all(u8::is_ascii_digit)
                && str::from_utf8(length).unwrap().parse::<u64>().is_ok_and(|length| length <= 40)
        }
        ([], [coding]) => minor != "0" && coding.eq_ignore_ascii_case(b"chunked"),
        _ => false,
    };
    let origin = target.starts_with('/')
        && method != "CONNECT"
        && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
        && target.parse::<http::Uri>().is_ok();
    let expect = all("expect");
    let expects = expect.iter().flat_map(|expect| expect.split(|&byte| byte == b','));
    let good = is_token(method.as_bytes())
        && (origin || (method == "OPTIONS" && target == "*"))
        && minor.len() == 1
        && minor.as_bytes()[0].is_ascii_digit()
        && expects
            .map(<[u8]>::trim_ascii)
            .all(|expect| expect.is_empty() || expect.eq_ignore_ascii_case(b"100-continue"))
        && host
        && framing
        && request_line.len() <= 40
        && length <= 200
        && fields.len() <= 4
        && method.len() <= 6;
    good.then_some((fields, length))
}

/// The hosts that the parts can make: a name, and perhaps a port. No address in brackets is one.
fn naive_host(host: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(host) else { return false };
    let (name, port) = text.split_once(':').unwrap_or((text, ""));
    let mut encoded = name.split('%');
    let plain = encoded.next().unwrap_or("").to_owned();
    let plain = encoded.try_fold(plain, |plain, part| {
        let hex = part.get(..2)?.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex.then(|| plain + &part[2..])
    });
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    !name.is_empty()
        && plain.is_some_and(|plain| plain.bytes().all(is_plain))
        && digits
        && (port.is_empty() || port.parse::<u16>().is_ok())
}

fn is_known(method: &[u8]) -> bool {
    !method.starts_with(b"CONNECT")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_chunked_body_is_what_its_twin_says(bytes in spoilt(&[b""], CHUNKS, ENDS, ODD_BODY)) {
        let decoded = decode_pieces(&bytes, &[bytes.len()], BodyLength::Chunked, &LIMITS);
        let count = |trailers: &Option<HeaderMap>| trailers.as_ref().map_or(0, HeaderMap::len);
        let said = decoded.map(|body| body.map(|body| {
            (body.data, count(&body.trailers), body.length)
        }));
        let said = said.map_err(|_refusal| ());
        prop_assert_eq!(said, naive_body(&bytes), "{}", bytes.escape_ascii());
    }

    #[test]
    fn a_chunked_body_is_the_same_however_it_is_split(
        bytes in spoilt(&[b""], CHUNKS, ENDS, ODD_BODY),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = decode_pieces(&bytes, &[bytes.len()], BodyLength::Chunked, &LIMITS);
        let split = decode_pieces(&bytes, &ends(bytes.len(), at), BodyLength::Chunked, &LIMITS);
        prop_assert_eq!(whole, split);
    }

    #[test]
    fn a_head_is_what_its_twin_says(bytes in spoilt(LINES, FIELDS, END, ODD_HEAD)) {
        prop_assume!(is_known(&bytes));
        let said = parse_with(&bytes, &LIMITS).ok().flatten().map(|(head, length)| {
            let mut fields: Vec<_> = head.headers.iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect();
            fields.sort();
            (fields, length)
        });
        let twin = naive_head(&bytes).map(|(mut fields, length)| {
            fields.sort();
            (fields, length)
        });
        prop_assert_eq!(said, twin, "{}", bytes.escape_ascii());
    }

    #[test]
    fn a_head_is_the_same_however_it_is_split(
        bytes in spoilt(LINES, FIELDS, END, ODD_HEAD),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = parse_with(&bytes, &LIMITS);
        let split = parse_pieces(&bytes, &ends(bytes.len(), at), &LIMITS);
        prop_assert_eq!(tell(&whole), tell(&split));
    }
}
