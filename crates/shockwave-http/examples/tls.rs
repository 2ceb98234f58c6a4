//! An axum router over TLS, with a certificate made on the spot.
//!
//! `cargo run -p shockwave-http --example tls -- 127.0.0.1:8443`, then
//! `curl --insecure https://127.0.0.1:8443/`.
//!
//! With `SHOCKWAVE_EXAMPLE_BRIEF=1` it listens on a free port, asks itself over TLS, and ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, routing::get};
use shockwave_http::{Ends, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> io::Result<()> {
    let brief = std::env::var_os("SHOCKWAVE_EXAMPLE_BRIEF").is_some_and(|value| value == "1");
    let given = std::env::args().nth(1);
    let address =
        given.unwrap_or_else(|| if brief { "127.0.0.1:0" } else { "127.0.0.1:8443" }.into());

    let own =
        rcgen::generate_simple_self_signed(vec!["localhost".into()]).map_err(io::Error::other)?;
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).map_err(io::Error::other)?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];

    let listener = TcpListener::bind(&address).await?;
    let address = listener.local_addr()?;
    println!("listening on https://{address}");
    let router: Router = Router::new().route("/", get(|| async { "hello over TLS\n" }));
    let server = Server::builder().build();
    let accepting = tokio::spawn({
        let server = server.clone();
        accept(server, listener, TlsAcceptor::from(Arc::new(config)), router)
    });

    if brief {
        println!("{}", ask(address, certificate).await?);
    } else {
        tokio::signal::ctrl_c().await?;
    }
    accepting.abort();
    server.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

/// Each handshake has a task of its own, so that a slow one keeps nobody waiting.
async fn accept(server: Server, listener: TcpListener, tls: TlsAcceptor, router: Router) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                eprintln!("accepting failed: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (server, tls, router) = (server.clone(), tls.clone(), router.clone());
        tokio::spawn(async move {
            let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else {
                return; // no TLS, or too slow
            };
            let ends = Ends::default().with_peer(peer);
            if let Err(error) = server.serve_connection_between(ends, stream, router).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

async fn ask(address: SocketAddr, trusted: CertificateDer<'static>) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted).map_err(io::Error::other)?;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let mut stream = connector.connect(name, TcpStream::connect(address).await?).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?; // an end without a goodbye would be an error
    Ok(answer)
}
