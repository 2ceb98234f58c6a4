//! What a connection holds: nothing while idle, little while busy, and what happens when the pool
//! has nothing left.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use http::Request;
use shockwave::BufferPool;
use shockwave_http::{Exhausted, Incoming, Server, ServerBuilder, Timeouts};

use crate::common::{
    Client, builder, connect, connect_through, eventually, in_use, listen, router,
};

#[tokio::test]
async fn a_thousand_idle_connections_hold_no_buffer() {
    let server = builder().build();
    let address = listen(&server, router()).await;
    let mut clients = Vec::new();
    // Half of them over sockets, half in memory, to stay below usual limits on descriptors.
    for _ in 0..400 {
        let mut client = Client::tcp(address).await;
        assert_eq!(client.get("/").await.status, 200);
        clients.push(client);
    }
    let mut in_memory = Vec::new();
    for _ in 0..600 {
        let (mut client, task) = connect(&server, router());
        assert_eq!(client.get("/").await.status, 200);
        in_memory.push((client, task));
    }
    eventually(|| server.stats().idle == 1000).await;
    assert_eq!((in_use(&server), server.pool().metrics().in_use_bytes), (0, 0));

    let body = vec![b'x'; 16 << 10];
    for client in &mut clients {
        assert_eq!(client.post("/echo", &body).await.body.len(), body.len());
    }
    for (client, _) in &mut in_memory {
        assert_eq!(client.post("/echo", &body).await.body.len(), body.len());
    }
    eventually(|| server.stats().idle == 1000).await;
    assert_eq!((in_use(&server), server.pool().metrics().in_use_bytes), (0, 0));
    let idle = server.pool().metrics().idle_bytes;
    assert!(idle < 2 << 20, "they took turns with a few, and not {idle} bytes");
}

#[tokio::test]
async fn a_connection_is_small() {
    // What a task holds while its connection is idle; the stream is some 40 bytes of it.
    fn size<F: Future>(_: &F) -> usize {
        size_of::<F>()
    }
    let server = builder().build();
    let (_client, stream) = tokio::io::duplex(100);
    let connection = server.serve_connection(stream, router());
    let bytes = size(&connection);
    assert!(bytes <= 768, "{bytes} bytes");
}

#[tokio::test]
async fn a_slow_reader_pins_few_buffers() {
    let server = builder().build();
    let (client, _task) = connect_through(100, &server, router());
    // Many answers, small and large, that nobody takes.
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let requests = [request("/bytes/10"), request("/bytes/30000")].concat().repeat(50);
    let (mut reader, mut writer) = tokio::io::split(client.io);
    let sending = tokio::spawn(async move {
        tokio::io::AsyncWriteExt::write_all(&mut writer, requests.as_bytes()).await.unwrap();
        writer
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(in_use(&server) <= 2, "one for what came, one for what goes: {}", in_use(&server));
    let mut client = Client::new(tokio::io::join(&mut reader, tokio::io::sink()));
    for i in 0..100 {
        let length = if i % 2 == 0 { 10 } else { 30_000 };
        assert_eq!(client.answer().await.body.len(), length);
    }
    sending.await.unwrap();
}

#[tokio::test]
async fn a_reader_that_stalls_pins_what_is_to_be_sent_and_nothing_else() {
    for close in ["", "Connection: close\r\n"] {
        let server = builder().build();
        let (mut client, _task) = connect_through(100, &server, router());
        client.send(format!("GET /bytes/3000 HTTP/1.1\r\nHost: a\r\n{close}\r\n")).await;
        // Some of it is there, and the rest does not get through.
        client.until(b"\r\n").await.unwrap();
        eventually(|| in_use(&server) == 1).await;
        client.read.splice(0..0, *b"HTTP/1.1 200 OK\r\n");
        assert_eq!(client.answer().await.body.len(), 3000);
        eventually(|| in_use(&server) == 0).await;
    }
}

#[tokio::test]
async fn a_slow_head_keeps_a_small_buffer() {
    let server = builder().build();
    let (mut client, _task) = connect(&server, router());
    // Makes the connection expect large requests.
    assert_eq!(client.post("/echo", &vec![b'x'; 30_000]).await.status, 200);
    client.send("GET / HT").await;
    eventually(|| in_use(&server) == 1).await;
    assert_eq!(server.pool().metrics().in_use_bytes, 2048);
    client.send("TP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "hello");
}

/// A server whose pool may hold this many bytes.
fn poor(bytes: usize) -> ServerBuilder {
    Server::builder().pool(BufferPool::builder().budget(bytes).build().unwrap())
}

#[tokio::test]
async fn without_memory_a_client_is_told_to_come_back() {
    let server = poor(8192).build();
    let (mut client, _task) = connect(&server, router());
    let (mut other, _task) = connect(&server, router());
    assert_eq!(client.get("/").await.status, 200);
    let held = server.pool().get(8192);
    for client in [&mut client, &mut other] {
        let answer = client.get("/").await;
        assert_eq!((answer.status, answer.closes()), (503, true));
        assert_eq!(answer.fields["retry-after"], "1");
    }
    drop(held);
    let (mut client, _task) = connect(&server, router());
    assert_eq!(client.get("/").await.status, 200);
    assert_eq!(server.stats().refused_total(), 2);
}

#[tokio::test]
async fn without_memory_what_is_essential_is_served_all_the_same() {
    let router = router()
        .route("/health", axum::routing::get(|| async { "well" }).post(|| async { "well" }))
        .route(
            "/later",
            axum::routing::get(async || {
                tokio::task::yield_now().await;
                "well"
            }),
        );
    let server = poor(8192)
        .essential(|method, uri| {
            method == "GET" && (uri.path() == "/health" || uri.path() == "/later")
        })
        .build();
    let (mut kept, _task) = connect(&server, router.clone());
    assert_eq!(kept.get("/health").await.text(), "well");
    eventually(|| in_use(&server) == 0).await;
    let held = server.pool().get(8192);
    let made = server.pool().metrics().taken_bytes;
    for _ in 0..10 {
        assert_eq!(kept.get("/health").await.text(), "well", "again and again");
        assert_eq!(kept.get("/later").await.text(), "well");
        let (mut client, _task) = connect(&server, router.clone());
        assert_eq!(client.get("/health").await.text(), "well", "on a new connection");
    }
    assert_eq!((in_use(&server), server.pool().metrics().taken_bytes), (1, made));
    let get = "GET /health HTTP/1.1\r\nHost: a\r\n";
    for refused in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".to_owned(),
        // With a body, in pieces, with another behind it, too long, and malformed.
        format!("{get}Content-Length: 1\r\n\r\nx"),
        get.to_owned(),
        format!("{get}\r\n{get}\r\n"),
        format!("{get}A: {}\r\n\r\n", "a".repeat(4096)),
        format!("{get}A : b\r\n\r\n"),
    ] {
        let (mut client, _task) = connect(&server, router.clone());
        client.send(&refused).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.closes()), (503, true), "{refused:?}");
    }
    drop(held);
    assert_eq!(kept.get("/").await.text(), "hello");
}

#[tokio::test]
async fn without_memory_in_the_middle_of_a_body_too() {
    let server = poor(64 << 10).build();
    let (mut client, _task) = connect(&server, router());
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n").await;
    eventually(|| server.stats().active == 1 && in_use(&server) == 0).await;
    let held = server.pool().get(64 << 10);
    client.send([b'x'; 100]).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.closes()), (503, true));
    drop(held);
}

#[tokio::test]
async fn with_backpressure_clients_wait_for_memory_and_all_are_served() {
    let server = poor(64 << 10).when_exhausted(Exhausted::Backpressure).build();
    let address = listen(&server, router()).await;
    let held = server.pool().get(64 << 10);
    let mut clients = Vec::new();
    for i in 0..50 {
        let mut client = Client::tcp(address).await;
        clients.push(tokio::spawn(async move {
            let body = vec![b'x'; 100 + 300 * i];
            for _ in 0..5 {
                let answer = client.post("/echo", &body).await;
                assert_eq!((answer.status, answer.body.len()), (200, body.len()), "{answer:?}");
            }
        }));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(clients.iter().all(|client| !client.is_finished()));
    drop(held);
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(server.stats().refused_total(), 0);
    eventually(|| in_use(&server) == 0).await;
    assert_eq!(server.pool().metrics().in_use_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_memory_has_its_time() {
    let timeouts = Timeouts { write: Duration::from_secs(15), ..Timeouts::default() };
    let server = poor(32 << 10).timeouts(timeouts).when_exhausted(Exhausted::Backpressure).build();
    let wait = async |body: Bytes| body.len().to_string();
    let (mut client, _task) = connect(&server, Router::new().route("/", post(wait)));
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n").await;
    eventually(|| server.stats().requests == 1 && in_use(&server) == 0).await;
    let held = server.pool().get(32 << 10);
    let start = tokio::time::Instant::now();
    client.send(vec![b'x'; 10_000]).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, start.elapsed().as_secs()), (503, 15));
    drop(held);
}

#[tokio::test]
async fn what_a_handler_keeps_of_a_body_is_all_that_stays() {
    let kept = std::sync::Arc::new(std::sync::Mutex::new(Vec::<Bytes>::new()));
    let keep = {
        let kept = std::sync::Arc::clone(&kept);
        move |request: Request<axum::body::Body>| async move {
            let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
            kept.lock().unwrap().push(body);
            "kept"
        }
    };
    let server = builder().build();
    let (mut client, _task) = connect(&server, Router::new().route("/", post(keep)));
    for length in [10, 2000, 10_000, 30_000] {
        assert_eq!(client.post("/", &vec![b'x'; length]).await.text(), "kept");
    }
    eventually(|| server.stats().idle == 1).await;
    assert!(in_use(&server) <= 2, "the small ones were copied: {}", in_use(&server));
    kept.lock().unwrap().clear();
    assert_eq!(in_use(&server), 0);
}

#[tokio::test]
async fn the_service_is_not_boxed_in_by_its_bounds() {
    // A service whose future and body are neither Send nor Sync can serve a connection.
    let service = tower::service_fn(|_: Request<Incoming>| async {
        let text = std::rc::Rc::new(String::from("local"));
        tokio::task::yield_now().await;
        Ok::<_, std::convert::Infallible>(http::Response::new(text.as_ref().clone()))
    });
    let server = builder().build();
    let (client, stream) = tokio::io::duplex(1000);
    let mut client = Client::new(client);
    let serving = server.serve_connection(stream, service);
    let asking = async {
        let answer = client.get("/").await;
        drop(client);
        answer
    };
    let (task, answer) = tokio::join!(serving, asking);
    task.unwrap();
    assert_eq!(answer.text(), "local");
}
