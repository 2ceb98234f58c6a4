//! Handlers that panic: they end their own connection, and no other.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::routing::{get, post};
use http::{Request, Response};
use http_body::Frame;
use shockwave_http::Incoming;
use tower::service_fn;

use crate::common::{Client, builder, connect, eventually, in_use, listen};

#[tokio::test]
async fn a_panic_is_a_500_and_others_go_on() {
    let panics = async |body: Bytes| -> &'static str {
        tokio::task::yield_now().await;
        panic!("on purpose, with {} bytes", body.len())
    };
    let router = Router::new().route("/", get(|| async { "hello" })).route("/panic", post(panics));
    let server = builder().build();
    let address = listen(&server, router).await;
    let mut other = Client::tcp(address).await;
    assert_eq!(other.get("/").await.text(), "hello");
    for _ in 0..3 {
        let mut client = Client::tcp(address).await;
        let answer = client.post("/panic", &[b'x'; 5000]).await;
        assert_eq!((answer.status, answer.closes()), (500, true));
        assert_eq!(client.all().await, b"");
        assert_eq!(other.get("/").await.text(), "hello");
    }
    let stats = server.stats();
    assert_eq!((stats.panics, stats.refused_total()), (3, 3));
    eventually(|| in_use(&server) == 0 && server.stats().open == 1).await;
}

#[tokio::test]
async fn a_panic_in_the_call_itself_is_a_500_too() {
    let service = service_fn(|request: Request<Incoming>| {
        assert!(request.uri() == "/", "on purpose");
        std::future::ready(Ok::<_, Infallible>(Response::new(String::from("fine"))))
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, service);
    assert_eq!(client.get("/").await.text(), "fine");
    assert_eq!(client.get("/elsewhere").await.status, 500);
}

/// Gives one piece, and panics at the next.
struct Panics(bool);

impl HttpBody for Panics {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        assert!(!std::mem::replace(&mut self.0, true), "on purpose");
        Poll::Ready(Some(Ok(Frame::data(Bytes::from("first")))))
    }
}

#[tokio::test]
async fn a_panic_in_an_answers_body_breaks_the_connection_off() {
    let service =
        service_fn(async |_: Request<Incoming>| Ok::<_, Infallible>(Response::new(Panics(false))));
    let server = builder().build();
    let (mut client, served) = connect(&server, service);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)).await;
    let all = client.all().await;
    assert!(!all.ends_with(b"0\r\n\r\n"), "what is not whole does not look it");
    assert!(served.await.unwrap().is_err());
    assert_eq!((server.stats().panics, in_use(&server)), (1, 0));
}
