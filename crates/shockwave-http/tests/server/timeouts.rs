//! Each timeout, with time that only passes when everybody waits.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use http::{Request, Response};
use shockwave_http::{Incoming, Timeouts};
use tokio::time::Instant;
use tower::service_fn;

use crate::common::{builder, connect, connect_through, in_use, router};

const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(10),
    idle: Duration::from_secs(60),
    body: Duration::from_secs(20),
    write: Duration::from_secs(30),
    handler: Duration::from_secs(40),
    linger: Duration::from_secs(2),
};

/// Seconds since then.
fn seconds(since: Instant) -> u64 {
    since.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_without_a_word() {
    let server = builder().timeouts(TIMEOUTS).build();
    let (mut client, served) = connect(&server, router());
    let start = Instant::now();
    assert_eq!(client.all().await, b"");
    assert_eq!(seconds(start), 60);
    served.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_begins_the_idle_time_anew() {
    let server = builder().timeouts(TIMEOUTS).build();
    let (mut client, _served) = connect(&server, router());
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(50)).await;
        assert_eq!(client.get("/").await.status, 200);
    }
    let start = Instant::now();
    assert_eq!(client.all().await, b"");
    assert_eq!(seconds(start), 60);
}

#[tokio::test(start_paused = true)]
async fn a_head_must_come_in_time_however_busily_it_comes() {
    let server = builder().timeouts(TIMEOUTS).build();
    let (mut client, served) = connect(&server, router());
    tokio::time::sleep(Duration::from_secs(30)).await;
    let start = Instant::now();
    client.send("GET / HTTP/1.1\r\n").await;
    for i in 0.. {
        if served.is_finished() || seconds(start) >= 9 {
            break;
        }
        client.send(format!("X-{i}: y\r\n")).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(server.pool().metrics().in_use_bytes <= 2048, "no more than it needs");
    }
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.closes(), seconds(start)), (408, true, 10));
}

#[tokio::test(start_paused = true)]
async fn a_body_must_go_on_in_time() {
    let server = builder().timeouts(TIMEOUTS).build();
    let (mut client, _served) = connect(&server, router());
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n").await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(15)).await;
        client.send("x").await; // slowly, but it goes on
    }
    let start = Instant::now();
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.closes(), seconds(start)), (408, true, 20));
    assert_eq!(in_use(&server), 0);
}

#[tokio::test(start_paused = true)]
async fn a_handler_must_answer_in_time() {
    let never = async || std::future::pending::<&str>().await;
    let server = builder().timeouts(TIMEOUTS).build();
    let (mut client, _served) = connect(&server, Router::new().route("/", get(never)));
    let start = Instant::now();
    let answer = client.get("/").await;
    assert_eq!((answer.status, answer.closes(), seconds(start)), (503, true, 40));
    assert_eq!(answer.fields["retry-after"], "1");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_for_a_slow_body_is_not_late() {
    let server = builder().timeouts(TIMEOUTS).build();
    let (mut client, _served) = connect(&server, router());
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n").await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(15)).await;
        client.send("x").await;
    }
    assert_eq!(client.answer().await.text(), "xxxxxxxxxx");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_broken_off() {
    let server = builder().timeouts(TIMEOUTS).build();
    let (mut client, served) = connect_through(1000, &server, router());
    let start = Instant::now();
    client.send("GET /bytes/100000 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let error = served.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), seconds(start)), (std::io::ErrorKind::TimedOut, 30));
    assert_eq!(in_use(&server), 0);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_is_waited_for() {
    let server = builder().timeouts(TIMEOUTS).build();
    let (mut client, _served) = connect_through(1000, &server, router());
    client.send("GET /bytes/20000 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.until(b"\r\n\r\n").await.unwrap();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(25)).await;
        client.exactly(1000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn lingering_has_its_time() {
    let server = builder().timeouts(TIMEOUTS).build();
    let (mut client, served) = connect(&server, router());
    client.send("nonsense\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 400);
    let start = Instant::now();
    served.await.unwrap().ok();
    assert_eq!(seconds(start), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_take_its_time_once_it_has_begun() {
    let service = service_fn(async |_: Request<Incoming>| {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(600)).await;
            let piece = http_body::Frame::data(axum::body::Bytes::from("late"));
            sender.send(piece).await.unwrap();
        });
        Ok::<_, Infallible>(Response::new(crate::common::Fed(receiver)))
    });
    let server = builder().timeouts(TIMEOUTS).build();
    let (mut client, served) = connect(&server, service);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.until(b"\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(601)).await;
    assert!(!served.is_finished());
    assert_eq!(client.exactly(9).await, b"4\r\nlate\r\n");
}

#[tokio::test(start_paused = true)]
async fn without_timeouts_all_is_waited_for() {
    let never = Duration::MAX;
    let timeouts = Timeouts {
        head: never,
        idle: never,
        body: never,
        write: never,
        handler: never,
        linger: never,
    };
    let server = builder().timeouts(timeouts).build();
    let hour = Duration::from_secs(3600);
    let slow = post(async |body: String| {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        body
    });
    let (mut client, _served) = connect(&server, Router::new().route("/", slow));
    tokio::time::sleep(hour).await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\n").await;
    tokio::time::sleep(hour).await;
    client.send("Content-Length: 2\r\n\r\n").await;
    tokio::time::sleep(hour).await;
    client.send("ok").await;
    tokio::time::sleep(hour).await;
    assert_eq!(client.answer().await.text(), "ok");
}
