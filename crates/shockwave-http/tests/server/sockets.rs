//! Real sockets: what a handler learns of them, and how they end.

use axum::Router;
use axum::routing::get;
use http::Request;
use shockwave_http::{Address, ConnectionInfo};
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};

use crate::common::{Client, builder, connect, eventually, in_use, listen, router};

fn info() -> Router {
    let tell = async |request: Request<axum::body::Body>| {
        let info = request.extensions().get::<ConnectionInfo>().unwrap();
        let told = |end: Option<&Address>| end.map_or("nobody".into(), ToString::to_string);
        format!("{} {} {}", told(info.peer()), told(info.local()), info.requests())
    };
    Router::new().route("/", get(tell))
}

#[tokio::test]
async fn a_handler_learns_of_its_connection() {
    let server = builder().build();
    let address = listen(&server, info()).await;
    let mut client = Client::tcp(address).await;
    let own = client.io.local_addr().unwrap();
    for count in 1..=3 {
        let told = client.get("/").await;
        assert_eq!(told.text(), format!("{own} {address} {count}"));
    }
    let (mut client, _task) = connect(&server, info());
    assert_eq!(client.get("/").await.text(), "nobody nobody 1");
}

#[tokio::test]
async fn unix_sockets_are_served() {
    let path = std::env::temp_dir().join(format!("shockwave-http-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let server = builder().build();
    tokio::spawn({
        let server = server.clone();
        async move { server.serve(listener, info().merge(Router::new())).await }
    });
    let mut client = Client::new(UnixStream::connect(&path).await.unwrap());
    let told = client.get("/").await;
    assert_eq!(told.text(), format!("unix:unnamed unix:{} 1", path.display()));
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_half_closed_client_gets_its_answer() {
    let server = builder().build();
    let address = listen(&server, router()).await;
    let mut client = Client::tcp(address).await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3)).await;
    client.io.shutdown().await.unwrap();
    for _ in 0..3 {
        assert_eq!(client.answer().await.text(), "hello");
    }
    assert_eq!(client.all().await, b"");
    eventually(|| server.stats().open == 0).await;
}

/// A handler that never answers, and says when it is dropped.
fn endless(dropped: tokio::sync::mpsc::Sender<()>) -> Router {
    struct Tells(tokio::sync::mpsc::Sender<()>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.try_send(()).unwrap();
        }
    }
    let handler = move || {
        let tells = Tells(dropped.clone());
        async move {
            std::future::pending::<()>().await;
            drop(tells);
        }
    };
    Router::new().route("/", get(handler))
}

#[tokio::test]
async fn a_handler_of_a_peer_that_reset_is_dropped() {
    let (sender, mut dropped) = tokio::sync::mpsc::channel(1);
    let server = builder().build();
    let address = listen(&server, endless(sender)).await;
    let mut client = Client::tcp(address).await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually(|| server.stats().active == 1).await;
    client.io.set_zero_linger().unwrap();
    drop(client);
    dropped.recv().await.unwrap();
    eventually(|| server.stats().open == 0 && in_use(&server) == 0).await;
}

#[tokio::test]
async fn an_answer_to_a_peer_that_reset_is_dropped_though_nothing_is_sent() {
    let (sender, mut dropped) = tokio::sync::mpsc::channel(1);
    let handler = move || {
        let (frames, receiver) = tokio::sync::mpsc::channel(1);
        let sender = sender.clone();
        tokio::spawn(async move {
            frames.closed().await;
            sender.send(()).await.unwrap();
        });
        async { axum::body::Body::new(crate::common::Fed(receiver)) }
    };
    let server = builder().build();
    let address = listen(&server, Router::new().route("/", get(handler))).await;
    let mut client = Client::tcp(address).await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.until(b"\r\n\r\n").await.unwrap();
    client.io.set_zero_linger().unwrap();
    drop(client);
    dropped.recv().await.unwrap();
}

#[tokio::test]
async fn a_handler_of_a_peer_that_half_closed_is_dropped_if_that_is_asked() {
    let (sender, mut dropped) = tokio::sync::mpsc::channel(1);
    let server = builder().cancel_on_half_close(true).build();
    let address = listen(&server, endless(sender)).await;
    let mut client = Client::tcp(address).await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually(|| server.stats().active == 1).await;
    client.io.shutdown().await.unwrap();
    dropped.recv().await.unwrap();
    eventually(|| server.stats().open == 0).await;
}
