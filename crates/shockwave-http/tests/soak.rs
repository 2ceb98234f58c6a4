//! A soak under faults: many connections, each of which is split, cut, reset, half closed or left
//! as chance has it. Nothing is lost, and all buffers come back.
//!
//! 2,000 connections, or as many as `SHOCKWAVE_HTTP_SOAK` says. `SHOCKWAVE_HTTP_SEED` repeats one.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use shockwave::BufferPool;
use shockwave_http::{Server, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Connections at once: enough to have buffers change hands, few enough for usual limits.
const AT_ONCE: usize = 64;

/// A generator of numbers, good enough for faults (xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % bound
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

fn router() -> Router {
    let panics = async |body: Bytes| -> () { assert!(body.is_empty(), "on purpose") };
    let later = async |body: Bytes| {
        tokio::time::sleep(Duration::from_millis(1)).await;
        body
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/later", post(later))
        .route("/stream", post(|body: Body| async move { body }))
        .route("/deaf", post(|_: Body| async { "deaf" }))
        .route("/panics", post(panics))
}

/// A body that says which connection and request it is of, so that a wrong one shows.
fn body(connection: usize, request: usize, length: usize) -> Vec<u8> {
    let unit = format!("<{connection}.{request}>");
    let mut body = unit.repeat(length.div_ceil(unit.len())).into_bytes();
    body.truncate(length);
    body
}

/// One request's bytes, and what its answer must be if it comes whole. `None`: anything.
fn request(chance: &mut Chance, connection: usize, number: usize) -> (Vec<u8>, Option<Vec<u8>>) {
    let length = match chance.below(4) {
        0 => 0,
        1 => chance.below(200),
        2 => chance.below(20_000),
        _ => chance.below(150_000),
    };
    let body = body(connection, number, length);
    let path = ["/echo", "/later", "/stream", "/deaf", "/panics"][chance.below(5)];
    let (path, answer) = match path {
        "/deaf" => (path, Some(b"deaf".to_vec())),
        "/panics" => (path, None),
        _ => (path, Some(body.clone())),
    };
    if length == 0 && chance.one_in(2) {
        return (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), Some(b"hello".to_vec()));
    }
    let mut bytes = format!("POST {path} HTTP/1.1\r\nHost: a\r\n").into_bytes();
    if chance.one_in(3) {
        bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        let mut rest = &body[..];
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(rest.len().min(1 + chance.below(9000)));
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
            rest = after;
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
    } else {
        bytes.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
        bytes.extend_from_slice(&body);
    }
    (bytes, answer)
}

/// Reads one answer: its status and body, or `None` if the connection ended before its end.
async fn answer(
    stream: &mut (impl AsyncReadExt + Unpin),
    read: &mut Vec<u8>,
) -> Option<(u16, Vec<u8>)> {
    let head = until(stream, read, b"\r\n\r\n").await?;
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 "), "{head}");
    let status = head[9..12].parse().unwrap();
    if let Some((_, after)) = head.split_once("content-length: ") {
        let length = after.split("\r\n").next().unwrap().parse().unwrap();
        return Some((status, exactly(stream, read, length).await?));
    }
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let mut body = Vec::new();
    loop {
        let size = String::from_utf8(until(stream, read, b"\r\n").await?).unwrap();
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        let chunk = exactly(stream, read, size + 2).await?;
        assert!(chunk.ends_with(b"\r\n"));
        if size == 0 {
            return Some((status, body));
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

async fn until(
    stream: &mut (impl AsyncReadExt + Unpin),
    read: &mut Vec<u8>,
    mark: &[u8],
) -> Option<Vec<u8>> {
    loop {
        if let Some(at) = read.windows(mark.len()).position(|window| window == mark) {
            return Some(read.drain(..at + mark.len()).collect());
        }
        more(stream, read).await?;
    }
}

async fn exactly(
    stream: &mut (impl AsyncReadExt + Unpin),
    read: &mut Vec<u8>,
    count: usize,
) -> Option<Vec<u8>> {
    while read.len() < count {
        more(stream, read).await?;
    }
    Some(read.drain(..count).collect())
}

async fn more(stream: &mut (impl AsyncReadExt + Unpin), read: &mut Vec<u8>) -> Option<()> {
    let more = tokio::time::timeout(Duration::from_secs(60), stream.read_buf(read)).await;
    (more.expect("the server answers or closes").ok()? > 0).then_some(())
}

/// One connection's life. Returns how many answers came whole and right.
async fn connection(address: SocketAddr, number: usize, seed: u64) -> usize {
    let mut chance = Chance(seed ^ (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let count = 1 + chance.below(6);
    let requests: Vec<_> = (0..count).map(|i| request(&mut chance, number, i)).collect();
    let mut bytes = requests.iter().map(|(bytes, _)| &bytes[..]).collect::<Vec<_>>().concat();
    // What goes wrong, if anything does.
    let fault = chance.below(8);
    let whole = match fault {
        0 => {
            bytes.truncate(chance.below(bytes.len()));
            false
        }
        1 => {
            let at = chance.below(bytes.len());
            bytes[at] ^= 0x55;
            false
        }
        _ => true,
    };
    let Ok(stream) = TcpStream::connect(address).await else { return 0 };
    let resets = fault == 2;
    let half_closes = fault == 3 || !whole;
    let leaves = fault == 4;
    if resets {
        stream.set_zero_linger().unwrap();
    }
    let (mut reader, mut writer) = stream.into_split();
    let splits = chance.below(3);
    let leave_after = if resets || leaves { chance.below(bytes.len()) } else { bytes.len() };
    let sending = tokio::spawn(async move {
        let mut rest = &bytes[..leave_after];
        while !rest.is_empty() {
            let most = match splits {
                0 => rest.len(),
                1 => 1 + chance.below(10_000),
                _ => 1 + chance.below(800),
            };
            let (now, after) = rest.split_at(rest.len().min(most));
            if writer.write_all(now).await.is_err() {
                break;
            }
            if chance.one_in(4) {
                tokio::task::yield_now().await;
            }
            rest = after;
        }
        if half_closes {
            let _ = writer.shutdown().await;
        }
        writer
    });
    if resets || leaves {
        let _ = sending.await;
        return 0;
    }
    let (mut right, mut read) = (0, Vec::new());
    for (i, (_, expected)) in requests.iter().enumerate() {
        let Some((status, body)) = answer(&mut reader, &mut read).await else {
            // A panic or an unread body ends a connection, and what follows it is not served.
            let may_end = !whole
                || requests[..i]
                    .iter()
                    .any(|(_, answer)| answer.as_ref().is_none_or(|answer| answer == b"deaf"));
            assert!(may_end, "connection {number}: no answer to request {i}");
            break;
        };
        if !whole {
            // What was changed may be anything, and what was cut is a 400.
            continue;
        }
        match expected {
            Some(expected) => {
                assert_eq!(status, 200, "connection {number}, request {i}");
                assert!(&body == expected, "connection {number}, request {i}: another's body");
                right += 1;
            }
            None => assert!(matches!(status, 200 | 500), "connection {number}, request {i}"),
        }
    }
    drop(reader);
    let _ = sending.await;
    right
}

async fn soak(server: Server, connections: usize, seed: u64) {
    println!("{connections} connections, seed {seed}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(listener, router()).await }
    });
    let next = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let clients: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let next = std::sync::Arc::clone(&next);
            tokio::spawn(async move {
                let mut right = 0;
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if number >= connections {
                        return right;
                    }
                    right += connection(address, number, seed).await;
                }
            })
        })
        .collect();
    let mut right = 0;
    for client in clients {
        right += client.await.unwrap();
    }
    assert!(right > connections / 2, "{right} answers came right");
    assert!(server.shutdown(Duration::from_secs(60)).await, "all connections end");
    serving.await.unwrap().unwrap();
    let (stats, metrics) = (server.stats(), server.pool().metrics());
    println!("{right} right; {stats:?}");
    assert_eq!((stats.open, stats.active), (0, 0));
    assert_eq!(metrics.in_use_bytes, 0, "all buffers came back");
    assert_eq!(metrics.total_gets, metrics.total_puts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_under_faults() {
    std::panic::set_hook(Box::new(|info| {
        let message = info.to_string();
        if !message.contains("on purpose") {
            eprintln!("{message}");
        }
    }));
    let seed = setting("SHOCKWAVE_HTTP_SEED", u64::from(std::process::id()) + 1);
    let connections = usize::try_from(setting("SHOCKWAVE_HTTP_SOAK", 2000)).unwrap();
    let timeouts = Timeouts { linger: Duration::from_millis(500), ..Timeouts::default() };
    let server = Server::builder().pool(BufferPool::new()).timeouts(timeouts).build();
    soak(server, connections, seed).await;
}
