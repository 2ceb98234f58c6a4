//! Graceful shutdown.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::common::{Client, builder, connect, eventually, in_use, listen, router};

fn slow(seconds: u64) -> Router {
    let wait = async move || {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        "done"
    };
    Router::new().route("/", get(wait))
}

#[tokio::test(start_paused = true)]
async fn idle_connections_close_at_once_and_busy_ones_finish() {
    let server = builder().build();
    let (mut idle, idle_served) = connect(&server, router());
    assert_eq!(idle.get("/").await.status, 200);
    let (mut fresh, fresh_served) = connect(&server, router());
    let (mut busy, _served) = connect(&server, slow(5));
    busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)).await;
    let (mut half, _served) = connect(&server, router());
    half.send("GET / HTTP/1.1\r\n").await;
    eventually(|| server.stats().active == 2).await;

    let start = Instant::now();
    let shutting = tokio::spawn({
        let server = server.clone();
        async move { server.shutdown(Duration::from_secs(30)).await }
    });
    assert_eq!(idle.all().await, b"");
    assert_eq!(fresh.all().await, b"");
    idle_served.await.unwrap().unwrap();
    fresh_served.await.unwrap().unwrap();
    assert_eq!(start.elapsed().as_secs(), 0);
    half.send("Host: a\r\n\r\n").await;
    let answer = half.answer().await;
    assert_eq!((answer.text(), answer.closes()), ("hello", true));
    let answer = busy.answer().await;
    assert_eq!((answer.text(), answer.closes()), ("done", true));
    drop((busy, half));
    assert!(shutting.await.unwrap());
    assert!((4..=5).contains(&start.elapsed().as_secs()));
    assert_eq!((server.stats().open, in_use(&server)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_by_the_deadline_is_broken_off() {
    let server = builder().build();
    let (mut client, served) = connect(&server, slow(100));
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually(|| server.stats().active == 1).await;
    let start = Instant::now();
    assert!(!server.shutdown(Duration::from_secs(7)).await);
    assert_eq!(start.elapsed().as_secs(), 7);
    assert_eq!(client.all().await, b"");
    let error = served.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
}

#[tokio::test]
async fn serving_ends_when_all_connections_have() {
    let server = builder().build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(listener, router()).await }
    });
    let mut client = Client::tcp(address).await;
    assert_eq!(client.get("/").await.text(), "hello");
    assert!(server.shutdown(Duration::from_secs(10)).await);
    serving.await.unwrap().unwrap();
    assert_eq!(client.all().await, b"");
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens");
}

#[tokio::test]
async fn a_server_that_was_shut_down_serves_nobody() {
    let server = builder().build();
    assert!(server.shutdown(Duration::ZERO).await);
    let address = listen(&server, router()).await;
    eventually(|| std::net::TcpStream::connect(address).is_err()).await;
    let (mut client, served) = connect(&server, router());
    assert_eq!(client.all().await, b"");
    served.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn shutting_down_twice_waits_twice() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, slow(5));
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually(|| server.stats().active == 1).await;
    let day = Duration::from_secs(86_400);
    let (first, second) = tokio::join!(server.shutdown(day), async {
        let answer = client.answer().await;
        drop(client);
        let again = server.shutdown(day).await;
        answer.status == 200 && again
    });
    assert!(first && second);
}
