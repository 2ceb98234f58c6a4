//! Bodies in both directions: chunked, with trailers, large, slow, and handed to other tasks.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::post;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Body as _;
use http_body::Frame;
use http_body_util::BodyExt;
use shockwave_http::{BodyError, Incoming, Limits};
use tokio::sync::{mpsc, oneshot};
use tower::service_fn;

use crate::common::{Fed, builder, connect, eventually, frames, in_use, router};

const CHUNKED: &str = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn chunks_come_in_whatever_way_they_are_cut() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, router());
    let bytes = [CHUNKED, "5;a=b\r\nhello\r\n1\r\n \r\n00005\r\nworld\r\n0\r\n\r\n"].concat();
    for at in 1..bytes.len() {
        client.send(&bytes[..at]).await;
        tokio::task::yield_now().await;
        client.send(&bytes[at..]).await;
        assert_eq!(client.answer().await.text(), "hello world", "split at {at}");
    }
}

#[tokio::test]
async fn small_chunks_are_handed_over_together() {
    let count = service_fn(async |mut request: Request<Incoming>| {
        let mut pieces = Vec::new();
        while let Some(frame) = request.body_mut().frame().await {
            pieces.push(frame?.into_data().unwrap().len().to_string());
        }
        Ok::<_, BodyError>(Response::new(pieces.join(" ")))
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, count);
    let large = format!("1388\r\n{}\r\n", "x".repeat(5000));
    let body = ["1\r\na\r\n".repeat(100), large, "2\r\nbc\r\n".repeat(10), "0\r\n\r\n".into()];
    client.send([CHUNKED, &body.concat()].concat()).await;
    let answer = client.answer().await;
    let pieces: Vec<usize> = answer.text().split(' ').map(|n| n.parse().unwrap()).collect();
    assert_eq!(pieces.iter().sum::<usize>(), 5120);
    assert!(pieces.len() <= 3, "{pieces:?}");
}

#[tokio::test]
async fn trailers_come_in_and_go_out() {
    let service = service_fn(async |request: Request<Incoming>| {
        let collected = request.into_body().collect().await?;
        let mut trailers = collected.trailers().cloned().unwrap_or_default();
        trailers.insert("x-count", HeaderValue::from(collected.to_bytes().len()));
        let body = frames([Frame::data(Bytes::from("done")), Frame::trailers(trailers)]);
        Ok::<_, BodyError>(Response::new(body))
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, service);
    let head = CHUNKED.replace("Host", "TE: trailers\r\nHost");
    client.send([&head, "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n"].concat()).await;
    let answer = client.answer().await;
    assert_eq!(answer.text(), "done");
    assert_eq!((&answer.trailers["x-sum"][..], &answer.trailers["x-count"][..]), ("7", "3"));
}

#[tokio::test]
async fn a_body_of_unknown_length_goes_out_as_it_comes() {
    let (sender, receiver) = mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let service = service_fn(move |_: Request<Incoming>| {
        let body = Fed(receiver.lock().unwrap().take().unwrap());
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, service);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = client.until(b"\r\n\r\n").await.unwrap();
    assert!(head.windows(26).any(|window| window == b"transfer-encoding: chunked"));
    for piece in ["one", "two"] {
        sender.send(Frame::data(Bytes::from(piece))).await.unwrap();
        assert_eq!(client.exactly(8).await, format!("3\r\n{piece}\r\n").as_bytes());
        eventually(|| in_use(&server) == 0).await; // nothing is held while nothing comes
    }
    sender.send(Frame::data(Bytes::from(vec![b'x'; 20_000]))).await.unwrap();
    drop(sender);
    assert_eq!(client.exactly(6).await, b"4e20\r\n");
    assert_eq!(client.exactly(20_000).await, vec![b'x'; 20_000]);
    assert_eq!(client.exactly(7).await, b"\r\n0\r\n\r\n");
}

#[tokio::test]
async fn an_old_client_gets_a_body_of_unknown_length_up_to_the_close() {
    let service = service_fn(async |_: Request<Incoming>| {
        Ok::<_, Infallible>(Response::new(frames([Frame::data(Bytes::from("all of it"))])))
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, service);
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
    let answer = client.answer().await;
    assert!(!answer.fields.contains_key("transfer-encoding") && answer.closes());
    assert_eq!(answer.text(), "all of it");
}

#[tokio::test]
async fn a_request_body_may_be_the_answer() {
    let service = service_fn(async |request: Request<Incoming>| {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let limits = Limits { body_bytes: u64::MAX, ..Limits::default() };
    let server = builder().limits(limits).build();
    let (mut client, _served) = connect(&server, service);
    // With a length, without one, and each with a request behind it on the same connection.
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc").await;
    let head = client.until(b"\r\n\r\n").await.unwrap();
    assert!(head.windows(17).any(|window| window == b"content-length: 6"));
    assert_eq!(client.exactly(3).await, b"abc");
    client.send("def").await;
    assert_eq!(client.exactly(3).await, b"def");
    client.send([CHUNKED, "3\r\nabc\r\n"].concat()).await;
    client.until(b"\r\n\r\n").await.unwrap();
    assert_eq!(client.exactly(8).await, b"3\r\nabc\r\n");
    client.send("0\r\n\r\n").await;
    assert_eq!(client.exactly(5).await, b"0\r\n\r\n");
    assert_eq!(client.post("/", b"again").await.text(), "again");
}

/// A body that gives zeros, and how many it was asked for.
struct Zeros(u64);

impl http_body::Body for Zeros {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        let count = self.0.min(ZEROS.len() as u64);
        self.0 -= count;
        let piece = Bytes::from_static(&ZEROS[..usize::try_from(count).unwrap()]);
        std::task::Poll::Ready((count > 0).then(|| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0)
    }
}

/// Bytes that go up and down: 64 MiB, or what the environment says, such as 1 GiB.
fn large() -> u64 {
    std::env::var("SHOCKWAVE_HTTP_LARGE_MIB").map_or(64, |mib| mib.parse().unwrap()) << 20
}

#[tokio::test]
async fn large_bodies_go_up_and_down_in_constant_memory() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let service = service_fn(async |mut request: Request<Incoming>| {
        let mut count = 0;
        while let Some(frame) = request.body_mut().frame().await {
            count += frame?.into_data().map_or(0, |data| data.len() as u64);
        }
        Ok::<_, BodyError>(Response::new(Zeros(count)))
    });
    let limits = Limits { body_bytes: u64::MAX, ..Limits::default() };
    let server = builder().limits(limits).build();
    let (mut client, _served) = connect(&server, service);
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", large())).await;
    let piece = vec![0; 1 << 20];
    for _ in 0..large() >> 20 {
        client.io.write_all(&piece).await.unwrap();
    }
    client.until(b"\r\n\r\n").await.unwrap();
    let mut left = large() - client.read.len() as u64;
    let mut piece = vec![0; 1 << 20];
    while left > 0 {
        left -= client.io.read(&mut piece).await.unwrap() as u64;
    }
    let metrics = server.pool().metrics();
    let held = metrics.in_use_bytes + metrics.idle_bytes;
    assert!(held < 512 << 10, "the pool never needed more than a few buffers, and has {held}");
    assert_eq!(metrics.oversize_gets, 0);
}

#[tokio::test]
async fn a_body_that_comes_slowly_takes_no_buffer_of_its_declared_length() {
    let service = service_fn(async |request: Request<Incoming>| {
        let length = request.into_body().collect().await?.to_bytes().len();
        Ok::<_, BodyError>(Response::new(length.to_string()))
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, service);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n").await;
    for _ in 0..20 {
        client.send([b'x'; 100]).await;
        tokio::task::yield_now().await;
    }
    eventually(|| in_use(&server) == 0).await; // what came is with the handler, copied
    assert_eq!(server.pool().metrics().oversize_gets, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_may_be_read_by_another_task_even_after_the_answer() {
    let (sender, mut counts) = mpsc::channel(1);
    let service = service_fn(move |request: Request<Incoming>| {
        let sender = sender.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let length = request.into_body().collect().await.unwrap().to_bytes().len();
            sender.send(length).await.unwrap();
        });
        async { Ok::<_, Infallible>(Response::new(String::from("taken"))) }
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, service);
    for round in 1..20 {
        let length = round * 10_000;
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        client.send(head).await;
        assert_eq!(client.answer().await.text(), "taken");
        client.send(vec![b'x'; length]).await;
        assert_eq!(counts.recv().await, Some(length));
    }
    eventually(|| in_use(&server) == 0).await;
}

#[tokio::test]
async fn nothing_is_read_that_the_handler_does_not_ask_for() {
    let (go, wait) = oneshot::channel::<()>();
    let wait = std::sync::Mutex::new(Some(wait));
    let service = service_fn(move |request: Request<Incoming>| {
        let wait = wait.lock().unwrap().take().unwrap();
        async move {
            wait.await.unwrap();
            let length = request.into_body().collect().await?.to_bytes().len();
            Ok::<_, BodyError>(Response::new(length.to_string()))
        }
    });
    let server = builder().build();
    let (client, _served) = crate::common::connect_through(16 << 10, &server, service);
    let (mut reader, mut writer) = tokio::io::split(client.io);
    let mut sending = tokio::spawn(async move {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut writer, head.as_bytes()).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut writer, &[0; 500_000]).await.unwrap();
    });
    let early = tokio::time::timeout(Duration::from_millis(50), &mut sending).await;
    assert!(early.is_err(), "the peer is held up");
    assert!(server.pool().metrics().in_use_bytes <= 64 << 10);
    go.send(()).unwrap();
    sending.await.unwrap();
    let mut answers = crate::common::Client::new(tokio::io::join(&mut reader, tokio::io::sink()));
    assert_eq!(answers.answer().await.text(), "500000");
}

#[tokio::test]
async fn a_body_knows_its_length_as_far_as_it_is_known() {
    let service = service_fn(async |mut request: Request<Incoming>| {
        let body = request.body_mut();
        let mut told = format!("{:?} {}", body.size_hint().exact(), body.is_end_stream());
        while let Some(frame) = body.frame().await {
            let _ = frame?;
        }
        told += &format!(" {:?} {}", body.size_hint().exact(), body.is_end_stream());
        Ok::<_, BodyError>(Response::new(told))
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, service);
    assert_eq!(client.get("/").await.text(), "Some(0) true Some(0) true");
    assert_eq!(client.post("/", b"abc").await.text(), "Some(3) false Some(0) true");
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na").await;
    tokio::task::yield_now().await;
    client.send("bc").await;
    assert_eq!(client.answer().await.text(), "Some(3) false Some(0) true");
    client.send([CHUNKED, "1\r\na\r\n0\r\n\r\n"].concat()).await;
    assert_eq!(client.answer().await.text(), "None false None true");
}

#[tokio::test]
async fn an_answer_that_breaks_its_promise_ends_the_connection_and_is_seen_to() {
    for (declared, sent) in [("10", 5), ("3", 5)] {
        let service = service_fn(move |_: Request<Incoming>| {
            let mut response = Response::new(frames([Frame::data(Bytes::from(vec![b'x'; sent]))]));
            response.headers_mut().insert("content-length", HeaderValue::from_static(declared));
            async { Ok::<_, Infallible>(response) }
        });
        let server = builder().build();
        let (mut client, served) = connect(&server, service);
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)).await;
        let all = client.all().await;
        assert!(served.await.unwrap().is_err());
        let heads = all.windows(9).filter(|window| window == b"HTTP/1.1 ").count();
        assert!(heads <= 1, "nothing follows that might be taken for the rest");
    }
}

#[tokio::test]
async fn an_answer_that_contradicts_itself_is_a_500() {
    let service = service_fn(async |_: Request<Incoming>| {
        let mut response = Response::new(String::from("hello"));
        response.headers_mut().insert("content-length", HeaderValue::from_static("7"));
        Ok::<_, Infallible>(response)
    });
    let server = builder().build();
    let (mut client, _served) = connect(&server, service);
    let answer = client.get("/").await;
    assert_eq!((answer.status, answer.closes()), (500, true));
}

#[tokio::test]
async fn trailers_of_a_router_go_out() {
    let handler = async |body: Bytes| {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-length", HeaderValue::from(body.len()));
        Body::new(frames([Frame::data(body), Frame::trailers(trailers)]))
    };
    let server = builder().build();
    let (mut client, _served) = connect(&server, Router::new().route("/", post(handler)));
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nContent-Length: 2\r\n\r\nok").await;
    let answer = client.answer().await;
    assert_eq!((answer.text(), &answer.trailers["x-length"][..]), ("ok", "2"));
}
