//! An axum router on pooled buffers, with graceful shutdown.
//!
//! `cargo run -p shockwave-http --example hello_axum -- 127.0.0.1:8080`, then
//! `curl 127.0.0.1:8080/` and `curl --data-binary @file 127.0.0.1:8080/echo`. Ctrl-C ends it.
//!
//! With `SHOCKWAVE_EXAMPLE_BRIEF=1` it listens on a free port, asks itself, and ends.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::routing::{get, post};
use shockwave::BufferPool;
use shockwave_http::{ConnectionInfo, Limits, Server, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> io::Result<()> {
    let brief = std::env::var_os("SHOCKWAVE_EXAMPLE_BRIEF").is_some_and(|value| value == "1");
    let given = std::env::args().nth(1);
    let address =
        given.unwrap_or_else(|| if brief { "127.0.0.1:0" } else { "127.0.0.1:8080" }.into());

    // Nothing in the router knows what serves it.
    let router = Router::new()
        .route("/", get(|| async { "hello\n" }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/whoami", get(whoami));

    let pool = BufferPool::new();
    pool.warmup(16); // so that the first requests cause no page faults
    let server = Server::builder()
        .pool(pool)
        .limits(Limits { body_bytes: 64 << 20, ..Default::default() })
        .timeouts(Timeouts { handler: Duration::from_secs(30), ..Default::default() })
        .connections_max(10_000)
        .build();

    let listener = TcpListener::bind(&address).await?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}");
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(listener, router).await }
    });

    if brief {
        for path in ["/", "/whoami"] {
            println!("GET {path}: {}", ask(address, path).await?);
        }
    } else {
        tokio::signal::ctrl_c().await?;
        println!("ending");
    }
    let all_ended = server.shutdown(Duration::from_secs(10)).await;
    println!("all connections ended: {all_ended}; {:?}", server.stats());
    println!("{}", server.pool().metrics());
    serving.await.map_err(io::Error::other)?
}

async fn whoami(request: Request) -> String {
    match request.extensions().get::<ConnectionInfo>() {
        Some(info) => {
            let peer = info.peer().map_or("somebody".into(), ToString::to_string);
            format!("{peer}, request {} on this connection\n", info.requests())
        }
        None => "somebody\n".into(), // served by something else
    }
}

/// The body of an answer.
async fn ask(address: std::net::SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok(body.trim_end().into())
}
