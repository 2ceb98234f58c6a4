//! What each of the two makes of the first request in some bytes, after which no more come.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use shockwave_http::Limits;
use shockwave_http::h1::{BodyDecoder, BodyEvent};
use shockwave_http::http11::parse_request;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was read whole.
    Accepted { method: String, target: String, body: Vec<u8> },
    /// Its head was refused with this status.
    Refused(u16),
    /// Its head was accepted, and its body was not.
    BodyRefused,
    /// Its head or its body did not end.
    Incomplete,
}

/// A verdict without what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Accepted,
    Refused(u16),
    BodyRefused,
    Incomplete,
}

impl Verdict {
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Accepted { .. } => Class::Accepted,
            Self::Refused(status) => Class::Refused(*status),
            Self::BodyRefused => Class::BodyRefused,
            Self::Incomplete => Class::Incomplete,
        }
    }
}

pub(crate) fn by_us(bytes: &[u8]) -> Verdict {
    let (head, length) = match parse_request(bytes) {
        Err(refusal) => return Verdict::Refused(refusal.status().as_u16()),
        Ok(None) => return Verdict::Incomplete,
        Ok(Some(parsed)) => parsed,
    };
    let mut decoder = BodyDecoder::new(head.body, &Limits::default());
    let (mut body, mut rest) = (Vec::new(), &bytes[length..]);
    while !decoder.is_done() {
        let Ok(came) = decoder.decode(rest) else { return Verdict::BodyRefused };
        match came.event {
            BodyEvent::More => return Verdict::Incomplete,
            BodyEvent::Data(range) => body.extend_from_slice(&rest[range]),
            BodyEvent::End(_) => {}
        }
        rest = &rest[came.consumed..];
    }
    let (method, target) = (head.method.to_string(), head.uri.to_string());
    Verdict::Accepted { method, target, body }
}

pub(crate) fn by_hyper(bytes: &[u8]) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(serve(bytes))
}

async fn serve(bytes: &[u8]) -> Verdict {
    let first = Rc::new(RefCell::new(None));
    let seen = Rc::clone(&first);
    let service = service_fn(move |request| {
        let seen = Rc::clone(&seen);
        async move {
            let verdict = read(request).await;
            seen.borrow_mut().get_or_insert(verdict);
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let (mut client, server) = duplex(1 << 20);
    client.write_all(bytes).await.unwrap();
    client.shutdown().await.unwrap();
    let connection =
        http1::Builder::new().half_close(true).serve_connection(TokioIo::new(server), service);
    // That it ends with an error is seen by its client in what it wrote before.
    let _ended = connection.await;
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    if let Some(verdict) = first.take() {
        return verdict;
    }
    match answer.strip_prefix(b"HTTP/1.1 ").or_else(|| answer.strip_prefix(b"HTTP/1.0 ")) {
        Some(answer) => Verdict::Refused(str::from_utf8(&answer[..3]).unwrap().parse().unwrap()),
        None => Verdict::Incomplete,
    }
}

async fn read(request: Request<Incoming>) -> Verdict {
    let (method, target) = (request.method().to_string(), request.uri().to_string());
    match request.into_body().collect().await {
        Ok(body) => Verdict::Accepted { method, target, body: body.to_bytes().to_vec() },
        Err(error) if error.is_incomplete_message() => Verdict::Incomplete,
        Err(error) if is_end_of_file(&error) => Verdict::Incomplete,
        Err(_) => Verdict::BodyRefused,
    }
}

fn is_end_of_file(error: &hyper::Error) -> bool {
    let io = std::error::Error::source(error).and_then(|error| error.downcast_ref());
    io.is_some_and(|io: &std::io::Error| io.kind() == std::io::ErrorKind::UnexpectedEof)
}
