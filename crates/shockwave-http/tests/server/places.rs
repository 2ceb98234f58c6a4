//! How many connections there may be, and how accepting copes with failures.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use shockwave_http::{Ends, Listener};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use crate::common::{Client, builder, connect, eventually, listen, router};

#[tokio::test]
async fn beyond_the_most_nothing_is_accepted_until_one_ends() {
    let server = builder().connections_max(2).build();
    let address = listen(&server, router()).await;
    let mut first = Client::tcp(address).await;
    let mut second = Client::tcp(address).await;
    assert_eq!(first.get("/").await.status, 200);
    assert_eq!(second.get("/").await.status, 200);
    let mut third = Client::tcp(address).await; // by the kernel
    third.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let early = tokio::time::timeout(Duration::from_millis(50), third.answer()).await;
    assert!(early.is_err());
    assert_eq!(server.stats().open, 2);
    drop(first);
    assert_eq!(third.answer().await.status, 200);
    assert_eq!(second.get("/").await.status, 200);
    assert_eq!((server.stats().open, server.stats().connections), (2, 3));
}

#[tokio::test]
async fn a_connection_too_many_that_was_accepted_elsewhere_is_told_so() {
    let server = builder().connections_max(1).build();
    let (mut first, _served) = connect(&server, router());
    assert_eq!(first.get("/").await.status, 200);
    let (mut second, served) = connect(&server, router());
    let answer = second.answer().await;
    assert_eq!((answer.status, answer.closes()), (503, true));
    served.await.unwrap().unwrap();
    assert_eq!(first.get("/").await.status, 200);
}

/// Fails as told, and then accepts what it is sent.
struct Flaky {
    failures: VecDeque<i32>,
    streams: mpsc::Receiver<DuplexStream>,
}

impl Listener for Flaky {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Ends)> {
        if let Some(number) = self.failures.pop_front() {
            return Err(io::Error::from_raw_os_error(number));
        }
        match self.streams.recv().await {
            Some(stream) => Ok((stream, Ends::default())),
            None => Err(io::Error::from_raw_os_error(9)), // EBADF
        }
    }
}

#[tokio::test(start_paused = true)]
async fn accepting_goes_on_after_failures_and_waits_where_something_is_short() {
    let (sender, streams) = mpsc::channel(1);
    // ECONNABORTED, EMFILE, ENFILE, EPROTO, ENOBUFS, ENOMEM
    let failures = VecDeque::from([103, 24, 23, 71, 105, 12]);
    let server = builder().build();
    let start = tokio::time::Instant::now();
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(Flaky { failures, streams }, router()).await }
    });
    let (client, stream) = tokio::io::duplex(1000);
    sender.send(stream).await.unwrap();
    let mut client = Client::new(client);
    assert_eq!(client.get("/").await.text(), "hello");
    assert_eq!(server.stats().accept_failures, 4);
    assert!(start.elapsed() >= Duration::from_millis(400), "no busy loop");
    drop(sender);
    let error = serving.await.unwrap().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(9), "a listener that is broken ends it");
}

#[tokio::test]
async fn stats_tell_idle_from_active() {
    let (go, wait) = tokio::sync::watch::channel(false);
    let handler = move || {
        let mut wait = wait.clone();
        async move {
            wait.wait_for(|go| *go).await.unwrap();
            "done"
        }
    };
    let router = router().route("/wait", axum::routing::get(handler));
    let server = builder().build();
    let address = listen(&server, router).await;
    let mut clients = Vec::new();
    for i in 0..5 {
        let mut client = Client::tcp(address).await;
        assert_eq!(client.get("/").await.status, 200);
        if i < 2 {
            client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
        }
        clients.push(client);
    }
    eventually(|| server.stats().active == 2).await;
    let stats = server.stats();
    assert_eq!((stats.open, stats.idle, stats.active, stats.requests), (5, 3, 2, 7));
    go.send(true).unwrap();
    for client in &mut clients[..2] {
        assert_eq!(client.answer().await.text(), "done");
    }
    eventually(|| server.stats().idle == 5).await;
    drop(clients);
    eventually(|| server.stats().open == 0).await;
    assert_eq!(server.stats().active, 0);
}
