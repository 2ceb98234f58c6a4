//! A host and perhaps a port, as `Host` has them, and a target's authority.

use std::net::Ipv6Addr;

use super::token::is_name_byte;

/// Whether `bytes` are a host and perhaps a port: `uri-host [ ":" port ]` (RFC 9110, 7.2), the host
/// not empty, the port, if there is any digit of it, at most 65535.
pub(super) fn is_host_and_port(bytes: &[u8]) -> bool {
    // Nearly all are a plain name, which one look at each byte tells.
    let name = bytes.iter().position(|&byte| !is_name_byte(byte)).unwrap_or(bytes.len());
    match bytes.split_at(name) {
        ([_, ..], []) => true,
        ([_, ..], [b':', port @ ..]) => is_port(port),
        _ => split(bytes).is_some_and(|(host, port)| is_host(host) && port.is_none_or(is_port)),
    }
}

/// Whether `bytes` are a host and a port that is not empty, as CONNECT asks for.
pub(super) fn is_host_with_port(bytes: &[u8]) -> bool {
    split(bytes).is_some_and(|(host, port)| {
        is_host(host) && port.is_some_and(|port| !port.is_empty() && is_port(port))
    })
}

/// Splits at the colon before the port, which is not one of those in an IPv6 address.
fn split(bytes: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let host = match bytes {
        [b'[', ..] => bytes.iter().position(|&byte| byte == b']')? + 1,
        _ => bytes.iter().position(|&byte| byte == b':').unwrap_or(bytes.len()),
    };
    match bytes.split_at(host) {
        (host, []) => Some((host, None)),
        (host, [b':', port @ ..]) => Some((host, Some(port))),
        _ => None,
    }
}

fn is_host(host: &[u8]) -> bool {
    match host {
        [] => false,
        [b'[', literal @ .., b']'] => is_literal(literal),
        _ => is_name(host),
    }
}

/// A name, or an IPv4 address, which looks like one.
fn is_name(name: &[u8]) -> bool {
    name.iter().all(|&byte| is_name_byte(byte)) || is_encoded_name(name)
}

/// A name with percent-encoded bytes.
#[cold]
fn is_encoded_name(mut name: &[u8]) -> bool {
    loop {
        match name {
            [] => return true,
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                name = rest;
            }
            [byte, rest @ ..] if is_name_byte(*byte) => name = rest,
            _ => return false,
        }
    }
}

/// What stands in brackets: an IPv6 address without a zone. Addresses of versions to come, which
/// the grammar foresees, are none that this server could be asked for.
fn is_literal(literal: &[u8]) -> bool {
    str::from_utf8(literal).is_ok_and(|literal| literal.parse::<Ipv6Addr>().is_ok())
}

fn is_port(port: &[u8]) -> bool {
    let value = port.iter().try_fold(0_u32, |value, digit| match digit {
        b'0'..=b'9' => Some((value * 10 + u32::from(digit - b'0')).min(1 << 16)),
        _ => None,
    });
    value.is_some_and(|value| value < 1 << 16)
}
