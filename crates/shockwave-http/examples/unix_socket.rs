//! An axum router on a Unix socket, as behind a proxy on the same machine.
//!
//! `cargo run -p shockwave-http --example unix_socket -- /tmp/hello.sock`, then
//! `curl --unix-socket /tmp/hello.sock http://localhost/`.
//!
//! With `SHOCKWAVE_EXAMPLE_BRIEF=1` it asks itself, and ends.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use axum::{Router, routing::get};
use shockwave_http::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

#[tokio::main]
async fn main() -> io::Result<()> {
    let brief = std::env::var_os("SHOCKWAVE_EXAMPLE_BRIEF").is_some_and(|value| value == "1");
    let own = || std::env::temp_dir().join(format!("hello-{}.sock", std::process::id()));
    let path = std::env::args_os().nth(1).map_or_else(own, PathBuf::from);

    let listener = UnixListener::bind(&path)?;
    println!("listening on {}", path.display());
    let router: Router = Router::new().route("/", get(|| async { "hello from a socket\n" }));
    let server = Server::builder().build();
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(listener, router).await }
    });

    if brief {
        let mut stream = UnixStream::connect(&path).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        println!("{answer}");
    } else {
        tokio::signal::ctrl_c().await?;
    }
    server.shutdown(Duration::from_secs(10)).await;
    std::fs::remove_file(&path)?;
    serving.await.map_err(io::Error::other)?
}
