//! Which bytes may stand where: tokens, lists of them, and the bytes of a host.

/// Which bytes a token consists of (RFC 9110, 5.6.2).
const TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// Which bytes a host's name consists of, percent-encoding apart: unreserved characters and
/// sub-delimiters (RFC 3986, 3.2.2).
const NAME: [bool; 256] = table(b"-._~!$&'()*+,;=");

/// Letters, digits, and what else is given.
const fn table(also: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < also.len() {
        table[also[at] as usize] = true;
        at += 1;
    }
    table
}

pub(super) fn is_token_byte(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

pub(super) fn is_name_byte(byte: u8) -> bool {
    NAME[usize::from(byte)]
}

pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_byte(byte))
}

/// The elements of a list, split at commas, space and tab around them left out. Empty ones are
/// there.
pub(super) fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').map(trim)
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
