//! What is refused, with which status, and that nothing after it is served.

use std::convert::Infallible;

use axum::Router;
use http::{Request, Response};
use http_body_util::BodyExt;
use shockwave_http::{BodyError, Incoming, Limits};
use tokio::io::AsyncWriteExt;
use tower::service_fn;

use crate::common::{Client, builder, connect, eventually, in_use, listen, router};

const LIMITS: Limits = Limits {
    request_line_bytes: 100,
    head_bytes: 400,
    fields: 5,
    method_bytes: 10,
    body_bytes: 50,
    chunk_extension_bytes: 20,
    trailer_bytes: 40,
};

const CHUNKED: &str = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Requests, and the status that refuses each.
fn refused() -> Vec<(u16, String)> {
    let with = |line: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n");
    vec![
        (400, "GET / HTTP/1.1\r\n\r\n".into()),
        (400, with("Host: b")),
        (400, with("Content-Length: 1\r\nContent-Length: 1")),
        (400, with("Content-Length: 1\r\nTransfer-Encoding: chunked")),
        (400, with(" folded: yes")),
        (400, with("space : before")),
        (400, "GET / HTTP/1.1\nHost: a\n\n".into()),
        (400, "\x16\x03\x01\x02\x00\x01".into()),
        (414, format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(200))),
        (431, with(&format!("X: {}", "x".repeat(500)))),
        (431, with(&["X: 1"; 8].join("\r\n"))),
        (413, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 51\r\n\r\n".into()),
        (413, [CHUNKED, "33\r\n", &"x".repeat(51), "\r\n0\r\n\r\n"].concat()),
        (400, [CHUNKED, "xyz\r\n"].concat()),
        (400, [CHUNKED, "1\r\nab\r\n"].concat()),
        (400, [CHUNKED, "1;", &"e".repeat(100), "\r\na\r\n"].concat()),
        (431, [CHUNKED, "0\r\nX: ", &"x".repeat(100), "\r\n\r\n"].concat()),
        (417, with("Expect: more")),
        (501, with("Transfer-Encoding: gzip")),
        (501, "PROPPATCHPROPPATCH / HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        (505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n".into()),
    ]
}

#[tokio::test]
async fn each_refusal_has_its_status_and_ends_the_connection() {
    let server = builder().limits(LIMITS).build();
    let address = listen(&server, router()).await;
    for (i, (status, request)) in (1_u64..).zip(refused()) {
        let mut client = Client::tcp(address).await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.send(&request).await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.answer().await.text(), "hello");
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.closes()), (status, true), "{request:?}");
        assert_eq!(client.all().await, b"", "{request:?}");
        assert_eq!(server.stats().refused_total(), i, "{request:?}");
    }
    let stats = server.stats();
    for status in [400, 413, 414, 417, 431, 501, 505] {
        assert!(stats.refused.iter().any(|&(counted, _)| counted.as_u16() == status), "{status}");
    }
    eventually(|| in_use(&server) == 0 && server.stats().open == 0).await;
}

#[tokio::test]
async fn a_handler_never_sees_a_broken_body_as_a_whole_one() {
    let service = service_fn(async |request: Request<Incoming>| {
        // Swallows the error, and would answer 200.
        let whole = request.into_body().collect().await.is_ok();
        assert!(!whole);
        Ok::<_, Infallible>(Response::new(String::from("fine")))
    });
    for broken in ["1\r\nab", "1\r\na\r\nx", "ffffffffffffffffff\r\n"] {
        let server = builder().build();
        let (mut client, _served) = connect(&server, service);
        client.send([CHUNKED, broken].concat()).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.closes()), (400, true));
    }
}

#[tokio::test]
async fn a_truncated_body_is_a_400_to_whoever_still_listens() {
    for request in [
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello",
        &[CHUNKED, "5\r\nhello\r\n"].concat(),
        &[CHUNKED, "5\r\nhel"].concat(),
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Le",
    ] {
        let server = builder().build();
        let (mut client, served) = connect(&server, router());
        client.send(request).await;
        client.io.shutdown().await.unwrap();
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.closes()), (400, true), "{request}");
        served.await.unwrap().unwrap();
        assert_eq!(in_use(&server), 0);
    }
}

#[tokio::test]
async fn a_body_error_says_what_it_was() {
    let (sender, mut errors) = tokio::sync::mpsc::channel::<BodyError>(1);
    let service = service_fn(move |request: Request<Incoming>| {
        let sender = sender.clone();
        // In a task of its own, so that it outlives the refusal.
        tokio::spawn(async move {
            let error = request.into_body().collect().await.unwrap_err();
            sender.send(error).await.unwrap();
        });
        std::future::pending::<Result<Response<String>, Infallible>>()
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, service.clone());
    client.send([CHUNKED, "nonsense\r\n"].concat()).await;
    let error = errors.recv().await.unwrap();
    assert!(error.is_refused() && error.status() == 400, "{error}");

    let (mut client, _served) = connect(&server, service.clone());
    client.send([CHUNKED, "5\r\nhel"].concat()).await;
    client.io.shutdown().await.unwrap();
    let error = errors.recv().await.unwrap();
    assert!(error.is_truncated(), "{error}");

    let (mut client, served) = connect(&server, service);
    client.send([CHUNKED, "5\r\nhel"].concat()).await;
    eventually(|| server.stats().requests == 3).await;
    served.abort();
    let error = errors.recv().await.unwrap();
    assert!(error.is_connection(), "{error}");
}

#[tokio::test]
async fn a_service_that_fails_is_a_500() {
    let service = service_fn(async |_: Request<Incoming>| {
        Err::<Response<String>, _>(std::io::Error::other("out of luck"))
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, service);
    let answer = client.get("/").await;
    assert_eq!((answer.status, answer.closes()), (500, true));
    assert!(!client.all().await.windows(4).any(|window| window == b"luck"));
}

#[tokio::test]
async fn a_refusal_leaves_answers_before_it_alone() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, router());
    client.send("GET /bytes/100000 HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3)).await;
    client.send("nonsense\r\n\r\n").await;
    for _ in 0..3 {
        assert_eq!(client.answer().await.body.len(), 100_000);
    }
    assert_eq!(client.answer().await.status, 400);
}

#[tokio::test]
async fn a_router_without_routes_is_served_all_the_same() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, Router::new());
    let answer = client.get("/nowhere").await;
    assert_eq!((answer.status, answer.closes()), (404, false));
}
