//! What one connection sent never shows on another, whichever way its requests end.
//!
//! One tenant fills every buffer it can with its marker and drives its connections into each error;
//! the other speaks on connections of its own, in between, and looks at every byte it gets. Both
//! use one pool with few buffers, so that each buffer of the one was the other's just before.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use http::StatusCode;
use shockwave::BufferPool;
use shockwave_http::{Limits, Server, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{Client, Fed, connect, connect_through};

/// What nobody but its sender may see.
const MARKER: &str = "TENANT-A-SECRET-";

fn marked(bytes: usize) -> String {
    MARKER.repeat(bytes / MARKER.len() + 1)[..bytes].into()
}

fn limits() -> Limits {
    Limits { head_bytes: 8192, body_bytes: 100_000, ..Limits::default() }
}

fn server(pool: &BufferPool) -> Server {
    let short = Duration::from_secs(1);
    let timeouts =
        Timeouts { head: short, body: short, handler: short, write: short, ..Timeouts::default() };
    Server::builder().pool(pool.clone()).limits(limits()).timeouts(timeouts).build()
}

fn router() -> Router {
    let slow = async |_: Bytes| std::future::pending::<()>().await;
    let fails = async || {
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        sender.try_send(http_body::Frame::data(Bytes::from("begun"))).unwrap();
        std::mem::forget(sender); // never ends
        Body::new(Fed(receiver))
    };
    let panics = async |body: Bytes| -> StatusCode { panic!("with {} bytes", body.len()) };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/slow", post(slow))
        .route("/fails", get(fails))
        .route("/panics", post(panics))
        .route("/deaf", post(|_: Body| async { "deaf" }))
}

/// What the first tenant sends, and whether it then closes its write side.
fn attacks() -> Vec<(String, bool)> {
    let head = |path: &str, fields: &str| {
        let secret = marked(3000);
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nX-Secret: {secret}\r\n{fields}\r\n\r\n")
    };
    let with = |path: &str, fields: &str, body: &str| head(path, fields) + body;
    let length = "Content-Length: 20000";
    let chunked = "Transfer-Encoding: chunked";
    let body = marked(20_000);
    let chunk = format!("4e20\r\n{body}\r\n");
    let mut attacks = Vec::new();
    for ended in [false, true] {
        for request in [
            with("/echo", length, &body),                        // in good order
            with("/echo", length, &body[..10_000]),              // truncated, or late
            with("/echo", chunked, &chunk[..9000]),              // truncated in a chunk
            with("/echo", chunked, &(chunk.clone() + "zz\r\n")), // a bad chunk
            with("/echo", chunked, &chunk.repeat(6)),            // 413 in the middle
            with("/echo", "Content-Length: 200000", &body),      // 413 by its head
            with("/echo", "Content-Length: 1\r\nContent-Length: 1", &body), // a bad head
            with("/echo", "bad field", &body),
            with("/echo", "Expect: miracles", &body),
            head("/echo", &format!("X-Much: {}", marked(9000))), // 431
            format!("GET /{} HTTP/1.1\r\n", marked(9000)),       // 414
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", marked(5000)), // a head that stops
            marked(5000).replace('-', " "),                      // no HTTP at all
            with("/panics", length, &body),
            with("/slow", length, &body),
            with("/deaf", length, &body),
            with("/deaf", "Content-Length: 90000", &body),
            with("/deaf", chunked, &chunk),
            with("/deaf", "Content-Length: 20000\r\nExpect: 100-continue", ""),
            with("/nowhere", length, &body),
            with("/echo", length, &body) + &with("/fails", "Content-Length: 0", ""),
            with("/echo", length, &body).repeat(3),
        ] {
            attacks.push((request, ended));
        }
    }
    attacks
}

/// The second tenant: looks at all it gets, in as many ways as there are to get something.
async fn look(server: &Server) {
    let (mut client, task) = connect(server, router());
    let body = "b".repeat(3000);
    let requests = [
        "GET / HTTP/1.1\r\nHost: b\r\n\r\n".to_owned(),
        format!("POST /echo HTTP/1.1\r\nHost: b\r\nContent-Length: 3000\r\n\r\n{body}"),
        "POST /echo HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbb\r\n0\r\n\r\n"
            .into(),
        "HEAD / HTTP/1.1\r\nHost: b\r\n\r\n".into(),
        "GET /nowhere HTTP/1.1\r\nHost: b\r\n\r\n".into(),
        "POST /panics HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\n\r\nb".into(),
        "GET / HTTP/1.1\r\n\r\n".into(),
    ];
    client.send(requests.concat()).await;
    client.io.shutdown().await.unwrap();
    let seen = client.all().await;
    assert!(seen.windows(5).any(|window| window == b"hello"));
    assert!(!seen.windows(7).any(|window| window == b"TENANT-"), "{}", seen.escape_ascii());
    task.await.unwrap().ok();
}

#[tokio::test(start_paused = true)]
async fn a_marker_never_shows_on_another_connection() {
    // The largest class alone, so that requests of all sizes get the same buffers.
    let pool = BufferPool::builder().classes(&[64 << 10]).build().unwrap();
    let server = server(&pool);
    for (request, ended) in attacks() {
        for small in [false, true] {
            let pipe = if small { 700 } else { 1 << 20 };
            let (client, task) = connect_through(pipe, &server, router());
            let (mut reader, mut writer) = tokio::io::split(client.io);
            let bytes = request.clone();
            let sending = tokio::spawn(async move {
                let _ = writer.write_all(bytes.as_bytes()).await;
                if ended {
                    let _ = writer.shutdown().await;
                }
                writer
            });
            // Some of the answer is taken, so that the rest stays with the server.
            let mut some = [0; 100];
            let taken = tokio::time::timeout(Duration::from_millis(10), reader.read(&mut some));
            let _ = taken.await;
            look(&server).await;
            tokio::time::sleep(Duration::from_secs(2)).await; // whatever timeout there is
            look(&server).await;
            sending.abort();
            drop((reader, sending));
            look(&server).await;
            task.abort();
            let _ = task.await;
            look(&server).await;
        }
    }
    let metrics = pool.metrics();
    assert_eq!(metrics.in_use_bytes, 0);
    // On many cores there are some for each; still each buffer changed hands many times.
    let buffers = metrics.idle_bytes / (64 << 10);
    assert!(metrics.total_gets > 20 * buffers, "the tenants shared few buffers: {metrics}");
}

#[tokio::test]
async fn a_reset_connection_leaves_nothing_to_the_next() {
    let pool = BufferPool::builder().classes(&[64 << 10]).build().unwrap();
    let server = server(&pool);
    let address = crate::common::listen(&server, router()).await;
    for (request, _) in attacks() {
        let mut client = Client::tcp(address).await;
        let _ = client.io.write_all(request.as_bytes()).await;
        client.io.set_zero_linger().unwrap();
        drop(client);
        look(&server).await;
    }
}
