//! Bodies that nobody reads: short ones are read past, long ones cost the connection, and the
//! answer arrives either way.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{Client, builder, connect, eventually, in_use, listen};

fn deaf() -> Router {
    Router::new().route("/", post(async |_: Body| "heard nothing"))
}

fn head(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

#[tokio::test]
async fn a_short_body_is_read_past() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, deaf());
    for length in [1, 1000, 60_000] {
        client.send(head(length)).await;
        let answer = client.answer().await;
        assert_eq!((answer.text(), answer.closes()), ("heard nothing", false));
        client.send(vec![b'G'; length]).await;
    }
    client.send([head(3), "abc".into(), head(3), "abc".into()].concat()).await;
    assert_eq!(client.answer().await.text(), "heard nothing");
    assert_eq!(client.answer().await.text(), "heard nothing");
    eventually(|| in_use(&server) == 0).await;
}

#[tokio::test]
async fn a_long_body_costs_the_connection_and_the_answer_arrives() {
    let server = builder().build();
    let address = listen(&server, deaf()).await;
    for _ in 0..20 {
        let mut client = Client::tcp(address).await;
        client.send(head(8 << 20)).await;
        // Sends much of it before it looks for an answer, as most clients do.
        client.io.write_all(&vec![b'x'; 600 << 10]).await.unwrap();
        let answer = client.answer().await;
        assert_eq!((answer.text(), answer.closes()), ("heard nothing", true));
    }
    eventually(|| in_use(&server) == 0 && server.stats().open == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_goes_on_sending_is_not_listened_to_for_ever() {
    let server = builder().build();
    let (mut client, served) = connect(&server, deaf());
    client.send(head(16 << 20)).await;
    let (mut reader, mut writer) = tokio::io::split(client.io);
    let drained = tokio::spawn(async move {
        let mut sent = 0_usize;
        while writer.write_all(&[b'x'; 1024]).await.is_ok() {
            sent += 1024;
            tokio::time::sleep(Duration::from_micros(1)).await;
        }
        sent
    });
    let mut answer = Vec::new();
    reader.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    served.await.unwrap().ok();
    let sent = drained.await.unwrap();
    assert!(sent <= 3 << 20, "{sent} bytes were taken");
}

#[tokio::test]
async fn chunks_that_nobody_reads_cost_the_connection() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, deaf());
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        .await;
    let answer = client.answer().await;
    assert_eq!((answer.text(), answer.closes()), ("heard nothing", true));
    client.send("0\r\n\r\nGET / HTTP/1.1\r\n\r\n").await;
    client.io.shutdown().await.unwrap();
    assert_eq!(client.all().await, b"");
    assert_eq!(server.stats().requests, 1);
}
