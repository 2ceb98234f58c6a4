//! When bytes go out, and in which buffers: small pieces of an answer gathered, and an answer whose
//! request turns out to be malformed withdrawn while it can be.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use http::{Request, Response};
use http_body::Frame;
use shockwave_http::{Exhausted, Incoming, Limits, Server};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tower::service_fn;

use crate::common::{Fed, builder, connect, eventually, frames, in_use};

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A peer that has sent some pieces, and its end; keeps what is written to it, write by write.
struct Peer {
    sent: VecDeque<Vec<u8>>,
    written: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl AsyncRead for Peer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(piece) = self.sent.pop_front() {
            buffer.put_slice(&piece);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written.lock().unwrap().push(bytes.to_vec());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: Vec<_> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let length = bytes.len();
        self.written.lock().unwrap().push(bytes);
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Has a request body echoed that comes in these pieces, and returns what was written.
async fn echoed(server: &Server, pieces: &[&str]) -> String {
    let service = service_fn(async |request: Request<Incoming>| {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let written = Arc::default();
    let sent = pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect();
    let peer = Peer { sent, written: Arc::clone(&written) };
    let _ended = server.serve_connection(peer, service).await;
    assert_eq!(in_use(server), 0);
    String::from_utf8(written.lock().unwrap().concat()).unwrap()
}

#[tokio::test]
async fn a_malformed_body_is_answered_so_if_no_other_answer_was_begun() {
    for exhausted in [Exhausted::Refuse503, Exhausted::Backpressure] {
        let limits = Limits { body_bytes: 100, ..Limits::default() };
        let server = builder().limits(limits).when_exhausted(exhausted).build();
        for (status, body) in [
            ("400", "x\r\n"),
            ("400", "1\nx\r\n"),
            ("400", "1;\0\r\nx\r\n"),
            ("400", "1\r\nxy\r\n0\r\n\r\n"),
            ("400", "5\r\nHello\r\ng\r\n"),
            ("400", CUT),
            ("400", ""),
            ("413", "65\r\n"),
            ("400", "0\r\nX y\r\n\r\n"),
        ] {
            for pieces in [&[&[CHUNKED, body].concat()[..]][..], &[CHUNKED, body]] {
                let answer = echoed(&server, pieces).await;
                // That the end follows is only seen by a second look.
                let status = if body == CUT && pieces.len() > 1 { "200" } else { status };
                assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{body:?}: {answer}");
                assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
                assert!(!answer.ends_with("0\r\n\r\n"), "never as if it were whole: {answer}");
                if status != "200" {
                    let empty = answer.contains("content-length: 0\r\nconnection: close\r\n");
                    assert!(empty && answer.ends_with("\r\n\r\n"), "{answer}");
                }
            }
        }
        assert_eq!(server.stats().refused_total(), 17);
    }
}

/// A body that the stream's end cuts short.
const CUT: &str = "5\r\nHel";

#[tokio::test]
async fn an_answer_that_is_withdrawn_takes_none_before_it_along() {
    let server = builder().build();
    let whole = [CHUNKED, "2\r\nab\r\n0\r\n\r\n"].concat();
    let broken = [CHUNKED, "2\r\ncd\r\nx\r\n"].concat();
    let answer = echoed(&server, &[&[&whole[..], &whole, &broken].concat()]).await;
    let statuses: Vec<_> = answer.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "200", "400"], "{answer}");
    assert_eq!(answer.matches("2\r\nab\r\n0\r\n\r\n").count(), 2, "{answer}");
    assert!(!answer.contains("cd"), "{answer}");
}

#[tokio::test]
async fn an_answer_goes_out_while_its_request_is_still_to_come() {
    let service = service_fn(async |request: Request<Incoming>| {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let server = builder().build();
    let (mut client, task) = connect(&server, service);
    client.send(CHUNKED).await;
    let head = client.until(b"\r\n\r\n").await.unwrap();
    assert!(head.starts_with(b"HTTP/1.1 200 "), "nothing is held back for what may come");
    client.send("1\r\na\r\nx\r\n").await;
    let rest = client.all().await;
    assert!(!rest.ends_with(b"0\r\n\r\n") && task.await.unwrap().is_err(), "it is broken off");
}

/// Buffers of more than this many bytes that were ever taken.
fn taken_above(server: &Server, bytes: usize) -> u64 {
    let pools = server.pool().metrics().pools;
    pools.iter().filter(|class| class.size > bytes).map(|class| class.gets).sum()
}

#[tokio::test]
async fn a_piece_takes_a_buffer_of_its_size() {
    let (sender, receiver) = mpsc::channel(1);
    let receiver = Mutex::new(Some(receiver));
    let service = service_fn(move |_: Request<Incoming>| {
        let body = Fed(receiver.lock().unwrap().take().unwrap());
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let server = builder().build();
    let (mut client, _task) = connect(&server, service);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.until(b"\r\n\r\n").await.unwrap();
    for length in [1, 100, 2000, 3000, 4000, 10_000, 3000] {
        sender.send(Frame::data(Bytes::from(vec![b'x'; length]))).await.unwrap();
        let framed = format!("{length:x}\r\n{}\r\n", "x".repeat(length));
        assert_eq!(client.exactly(framed.len()).await, framed.as_bytes());
        eventually(|| in_use(&server) == 0).await;
        assert_eq!(taken_above(&server, 4096), 0, "for {length} bytes");
    }
    drop(sender);
    assert_eq!(client.exactly(5).await, b"0\r\n\r\n");
}

#[tokio::test]
async fn pieces_that_come_at_once_go_out_together() {
    let service = service_fn(async |_: Request<Incoming>| {
        let pieces = (0..1000).map(|_| Frame::data(Bytes::from(vec![b'x'; 100])));
        Ok::<_, Infallible>(Response::new(frames(pieces)))
    });
    let server = builder().build();
    let written = Arc::<Mutex<Vec<_>>>::default();
    let sent = [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()].into();
    let peer = Peer { sent, written: Arc::clone(&written) };
    let serving = server.serve_connection(peer, service);
    let _ended = tokio::time::timeout(Duration::from_secs(100), serving).await.unwrap();
    let written = written.lock().unwrap();
    let writes = written.len();
    assert!(writes <= 12, "106,000 bytes in pieces of 16 KiB or a little less, not {writes}");
    let all = written.concat();
    let body = format!("64\r\n{}\r\n", "x".repeat(100)).repeat(1000) + "0\r\n\r\n";
    assert!(all.ends_with(body.as_bytes()), "whole and in order");
}
