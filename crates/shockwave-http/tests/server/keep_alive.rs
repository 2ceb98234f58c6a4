//! Connections that stay, and requests that follow one another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

use crate::common::{Client, builder, connect, eventually, in_use, listen, router};

#[tokio::test]
async fn an_axum_router_is_served_over_tcp_with_keep_alive() {
    let server = builder().build();
    let mut client = Client::tcp(listen(&server, router()).await).await;
    for round in 1..=3 {
        let answer = client.get("/").await;
        assert_eq!((answer.status, answer.text()), (200, "hello"), "round {round}");
        assert!(answer.fields.contains_key("date") && !answer.closes());

        let body = vec![b'x'; 16 << 10];
        let answer = client.post("/echo", &body).await;
        assert_eq!((answer.status, &answer.body), (200, &body));
    }
    let stats = server.stats();
    assert_eq!((stats.open, stats.connections, stats.requests), (1, 1, 6));
    eventually(|| in_use(&server) == 0).await;
    drop(client);
    eventually(|| server.stats().open == 0).await;
}

#[tokio::test]
async fn requests_in_one_piece_are_answered_in_order() {
    let server = builder().build();
    let (mut client, _task) = connect(&server, router());
    let request = |i| format!("GET /bytes/{i} HTTP/1.1\r\nHost: a\r\n\r\n");
    client.send((0..200).map(request).collect::<Vec<_>>().concat()).await;
    for i in 0..200 {
        assert_eq!(client.answer().await.body.len(), i);
    }
}

#[tokio::test(start_paused = true)]
async fn slow_handlers_do_not_change_the_order() {
    let sleep = async |Path(ms): Path<u64>| {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        ms.to_string()
    };
    let server = builder().build();
    let (mut client, _task) = connect(&server, Router::new().route("/{ms}", get(sleep)));
    for ms in [300, 5, 0, 100, 0] {
        client.send(format!("GET /{ms} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    }
    for ms in ["300", "5", "0", "100", "0"] {
        assert_eq!(client.answer().await.text(), ms);
    }
}

#[tokio::test]
async fn bodies_are_told_from_the_requests_behind_them() {
    let server = builder().build();
    let (mut client, _task) = connect(&server, router());
    let mut bytes = Vec::new();
    for i in 0..20_usize {
        let body = "GET / HTTP/1.1\r\n\r\n".repeat(i * 20);
        let length = body.len();
        let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(body.as_bytes());
    }
    let (mut reader, mut writer) = tokio::io::split(client.io);
    let sending = tokio::spawn(async move {
        tokio::io::AsyncWriteExt::write_all(&mut writer, &bytes).await.unwrap();
        writer
    });
    client = {
        let mut answers = Client::new(tokio::io::join(&mut reader, tokio::io::sink()));
        for i in 0..20 {
            assert_eq!(answers.answer().await.body.len(), i * 20 * 18);
        }
        Client::new(reader.unsplit(sending.await.unwrap()))
    };
    assert_eq!(client.get("/").await.text(), "hello");
}

#[tokio::test]
async fn an_old_client_is_closed_on_unless_it_asks_to_stay() {
    let server = builder().build();
    let (mut client, task) = connect(&server, router());
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.fields["connection"], "keep-alive");
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!((answer.text(), answer.closes()), ("hello", true));
    assert_eq!(client.all().await, b"");
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_says_close_is_closed_on() {
    let server = builder().build();
    let (mut client, task) = connect(&server, router());
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(client.answer().await.closes());
    assert_eq!(client.all().await, b"");
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_follows_a_request_that_closes_is_not_served() {
    let server = builder().build();
    let (mut client, _task) = connect(&server, router());
    let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    client.send([last, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat()).await;
    assert!(client.answer().await.closes());
    assert_eq!(client.all().await, b"");
    assert_eq!(server.stats().requests, 1);
}

#[tokio::test]
async fn the_last_request_of_a_connection_says_so() {
    let server = builder().requests_max(3).build();
    let (mut client, _task) = connect(&server, router());
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(request.repeat(5)).await;
    for closes in [false, false, true] {
        assert_eq!(client.answer().await.closes(), closes);
    }
    assert_eq!(client.all().await, b"");
    assert_eq!(server.stats().requests, 3);
}

#[tokio::test]
async fn an_answer_to_head_has_the_length_and_no_body() {
    let server = builder().build();
    let (mut client, _task) = connect(&server, router());
    client.send("HEAD /bytes/1000 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.answer_to(true).await;
    assert_eq!((answer.status, &answer.fields["content-length"][..]), (200, "1000"));
    assert_eq!(client.get("/").await.text(), "hello"); // nothing came in between
}

#[tokio::test]
async fn a_request_that_is_split_at_every_byte_is_served() {
    let server = builder().build();
    let (mut client, _task) = connect(&server, router());
    let request = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    for at in 1..request.len() {
        client.send(&request[..at]).await;
        tokio::task::yield_now().await;
        client.send(&request[at..]).await;
        assert_eq!(client.answer().await.text(), "hello", "split at {at}");
    }
    for byte in request {
        client.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.answer().await.text(), "hello");
}

#[tokio::test]
async fn a_peer_with_many_requests_does_not_keep_the_thread_to_itself() {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = {
        let count = Arc::clone(&count);
        get(async move || _ = count.fetch_add(1, Relaxed))
    };
    let server = builder().build();
    let (mut client, _task) = connect(&server, Router::new().route("/", counting));
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(500)).await;
    // In line behind the connection, and before it comes to its second turn.
    let handled = tokio::spawn(async move { count.load(Relaxed) }).await.unwrap();
    assert!((1..=64).contains(&handled), "{handled} requests in one turn");
    for _ in 0..500 {
        assert_eq!(client.answer().await.status, 200);
    }
}
