//! A request's target: origin, absolute, authority for CONNECT alone, `*` for OPTIONS alone.

use http::Method;

use super::host::{is_host_and_port, is_host_with_port};
use super::refusal::{Refusal, Why};

/// Bytes of the longest URI that its type holds.
const URI_BYTES_MAX: usize = u16::MAX as usize - 1;

/// Whether the target has a form that its method has, and the authority that stands in for `Host`
/// if it is absolute.
pub(super) fn check<'a>(method: &Method, target: &'a [u8]) -> Result<Option<&'a [u8]>, Refusal> {
    if target == b"/" && *method != Method::CONNECT {
        return Ok(None);
    }
    // No early return, so that the loop is one over vectors.
    let mut outside = false;
    for &byte in target {
        outside |= (byte == b'#') | !byte.is_ascii_graphic();
    }
    if outside {
        return Err(Why::TargetBytes.into());
    }
    match (target, *method == Method::CONNECT) {
        ([b'/', ..], false) => Ok(None),
        (b"*", false) if *method == Method::OPTIONS => Ok(None),
        ([b'/', ..], true) | (b"*", _) => Err(Why::TargetForm.into()),
        (absolute, false) => authority(absolute).map(Some),
        (authority, true) if is_host_with_port(authority) => Ok(None),
        (_, true) => Err(Why::Authority.into()),
    }
}

/// Why a target that was checked is no URI.
#[cold]
pub(super) fn not_a_uri(target: &str) -> Why {
    if target.len() > URI_BYTES_MAX { Why::TargetTooLong } else { Why::Target }
}

/// The authority of an absolute target. Userinfo in one is a trick played on readers (RFC 9110,
/// 4.2.4), and no host.
fn authority(absolute: &[u8]) -> Result<&[u8], Refusal> {
    let colon = absolute.iter().position(|&byte| byte == b':');
    let Some((scheme, rest)) = colon.map(|colon| absolute.split_at(colon)) else {
        return Err(Why::TargetForm.into());
    };
    let Some(rest) = rest.strip_prefix(b"://") else { return Err(Why::TargetForm.into()) };
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return Err(Why::TargetScheme.into());
    }
    let end = rest.iter().position(|&byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    if is_host_and_port(&rest[..end]) { Ok(&rest[..end]) } else { Err(Why::Authority.into()) }
}
