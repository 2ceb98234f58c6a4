//! A client that does one thing at a time, so that it is known what the server holds meanwhile.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Bytes of an uploaded body.
pub(crate) const BODY_BYTES: usize = 16 << 10;

/// How long a server may take for an answer before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes of an answer's head that is still believed.
const HEAD_BYTES_MAX: usize = 4 << 10;

/// A keep-alive connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self, String> {
        let connect = || {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok::<_, std::io::Error>(Self { stream })
        };
        connect().map_err(|error| format!("cannot connect to {address}: {error}"))
    }

    /// Sends a small request without a body.
    pub(crate) fn send_get(&mut self) -> Result<(), String> {
        self.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: shockwave-compare\r\n\r\n")
    }

    /// Sends the head of an upload and the first bytes of its body.
    pub(crate) fn send_head(&mut self, path: &str, body: &[u8]) -> Result<(), String> {
        let mut bytes = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: shockwave-compare\r\n\
             Content-Length: {BODY_BYTES}\r\n\r\n"
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        self.send(&bytes)
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).map_err(|error| format!("the server takes no more: {error}"))
    }

    /// Reads an answer to its end into `body`, which grows as needed and is cleared before.
    pub(crate) fn receive(&mut self, body: &mut Vec<u8>) -> Result<(), String> {
        body.clear();
        let end = loop {
            let from = body.len();
            body.resize(from + HEAD_BYTES_MAX, 0);
            let read = self.stream.read(&mut body[from..]);
            let read = read.map_err(|error| format!("no answer: {error}"))?;
            body.truncate(from + read);
            if let Some(end) = body.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if read == 0 || body.len() > HEAD_BYTES_MAX {
                return Err(format!("no answer: {:?}", String::from_utf8_lossy(body)));
            }
        };
        let length = body_length(&String::from_utf8_lossy(&body[..end]))?;
        body.drain(..end);
        let had = body.len();
        if had > length {
            return Err(format!("an answer of {length} bytes has {had}"));
        }
        body.resize(length, 0);
        self.stream.read_exact(&mut body[had..]).map_err(|error| format!("half an answer: {error}"))
    }
}

/// The length that a head of an answer declares, if the answer is a good one.
fn body_length(head: &str) -> Result<usize, String> {
    let unwanted = || format!("not the answer that was expected: {head:?}");
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(unwanted());
    }
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().and_then(|(_, value)| value.trim().parse().ok()).ok_or_else(unwanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_length_or_with_a_bad_status_is_refused() {
        assert_eq!(body_length("HTTP/1.1 200 OK\r\nContent-length: 13\r\n\r\n"), Ok(13));
        assert!(body_length("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(body_length("HTTP/1.1 500 No\r\nContent-Length: 13\r\n\r\n").is_err());
    }
}
