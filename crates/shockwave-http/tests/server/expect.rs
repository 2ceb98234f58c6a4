//! `Expect: 100-continue`: said when the handler asks for the body, and not otherwise.

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use http::StatusCode;

use crate::common::{builder, connect, router};

fn head(path: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_client_is_told_to_go_on_when_the_handler_reads() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, router());
    for _ in 0..2 {
        client.send(head("/echo", 5)).await;
        assert_eq!(client.until(b"\r\n\r\n").await.unwrap(), b"HTTP/1.1 100 Continue\r\n\r\n");
        client.send("hello").await;
        let answer = client.answer().await;
        assert_eq!((answer.text(), answer.closes()), ("hello", false));
    }
}

#[tokio::test]
async fn a_client_that_has_sent_something_is_not_told() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, router());
    for (first, then) in [("hello", ""), ("he", "llo")] {
        client.send([&head("/echo", 5), first].concat()).await;
        tokio::task::yield_now().await;
        client.send(then).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.text()), (200, "hello"));
    }
}

#[tokio::test]
async fn a_handler_that_does_not_read_answers_at_once_and_closes() {
    let refuse = async |_: Body| StatusCode::FORBIDDEN;
    let server = builder().build();
    let (mut client, _served) = connect(&server, Router::new().route("/", post(refuse)));
    client.send(head("/", 5)).await;
    // Whether the body follows is up to the client, so what follows cannot be told apart.
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.closes()), (403, true));
    assert_eq!(client.all().await, b"");
}

#[tokio::test]
async fn an_answer_before_is_out_before() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, router());
    client.send(["GET / HTTP/1.1\r\nHost: a\r\n\r\n", &head("/echo", 2)].concat()).await;
    assert_eq!(client.answer().await.text(), "hello");
    assert_eq!(client.answer().await.status, 100);
    client.send("ok").await;
    assert_eq!(client.answer().await.text(), "ok");
}

#[tokio::test]
async fn an_unknown_expectation_is_refused() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, router());
    client.send(head("/echo", 5).replace("100-continue", "a-miracle")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.closes()), (417, true));
}
