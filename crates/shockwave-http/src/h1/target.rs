//! A request's target: origin, absolute, authority for CONNECT alone, `*` for OPTIONS alone.

use bytes::Bytes;
use http::{HeaderValue, Method, Uri};

use super::host::{is_host_and_port, is_host_with_port};
use super::refusal::{Refusal, Why};

/// The target as a URI, and the authority that stands in for `Host` if the target is absolute.
pub(super) fn parse(method: &Method, target: Bytes) -> Result<(Uri, Option<HeaderValue>), Refusal> {
    // No early return, so that the loop is one over vectors.
    let mut outside = false;
    for &byte in &*target {
        outside |= (byte == b'#') | !byte.is_ascii_graphic();
    }
    if outside {
        return Err(Why::TargetBytes.into());
    }
    let authority = match (&*target, *method == Method::CONNECT) {
        ([b'/', ..], false) => None,
        (authority, true) => {
            if !is_host_with_port(authority) {
                let form = matches!(authority, [b'/', ..] | b"*");
                return Err(if form { Why::TargetForm } else { Why::Authority }.into());
            }
            None
        }
        (b"*", false) if *method == Method::OPTIONS => None,
        (b"*", false) => return Err(Why::TargetForm.into()),
        (absolute, false) => Some(authority(absolute)?),
    };
    let host = authority.map(|authority| {
        HeaderValue::from_maybe_shared(target.slice_ref(authority))
            .map_err(|_visible| Refusal::from(Why::Authority))
    });
    let long = target.len() > usize::from(u16::MAX - 1);
    let uri = Uri::from_maybe_shared(target)
        .map_err(|_invalid| if long { Why::TargetTooLong } else { Why::Target })?;
    Ok((uri, host.transpose()?))
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
