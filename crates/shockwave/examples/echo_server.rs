//! A blocking TCP echo server on pooled buffers: a thread for each connection, and a buffer only
//! while there are bytes to echo.
//!
//! `cargo run -p shockwave --example echo_server -- 127.0.0.1:7007`, then `nc 127.0.0.1 7007`.
//!
//! With `SHOCKWAVE_EXAMPLE_BRIEF=1` it listens on a free port, talks to itself, prints what was
//! said and the pool's metrics, and exits.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use shockwave::{BUFFER_SIZE_4KB, BufferPool};

/// Connections served at once. Each is a thread; beyond this many, newcomers are turned away.
const CONNECTIONS_MAX: usize = 1000;

/// How long a peer may take to accept what is echoed to it before it is given up.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let result = if std::env::var_os("SHOCKWAVE_EXAMPLE_BRIEF").is_some_and(|value| value == "1") {
        talk_to_itself()
    } else {
        match address_from_arguments() {
            Ok(address) => serve_at(address),
            Err(complaint) => {
                eprintln!("{complaint}");
                eprintln!("usage: echo_server [ADDRESS:PORT], by default 127.0.0.1:7007");
                return ExitCode::from(2);
            }
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo_server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn address_from_arguments() -> Result<SocketAddr, String> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    if let Some(extra) = arguments.next() {
        return Err(format!("one address was expected, but {} follows it", extra.display()));
    }
    let Some(first) = first else { return Ok(SocketAddr::from(([127, 0, 0, 1], 7007))) };
    first.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
        format!("{} is no address with a port, such as 127.0.0.1:7007", first.display())
    })
}

fn serve_at(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen at {address}: {error}"))
    })?;
    println!("echoing at {}; Ctrl-C ends it", listener.local_addr()?);
    serve(&listener, &BufferPool::new())
}

/// Accepts for ever, a thread for each connection.
fn serve(listener: &TcpListener, pool: &BufferPool) -> io::Result<()> {
    let connections = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                // Out of file descriptors, say: wait for some to be closed instead of spinning.
                eprintln!("not accepted: {error}");
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        let place = Place::among(&connections);
        if connections.load(Relaxed) > CONNECTIONS_MAX {
            continue; // Dropping the stream closes it, and dropping the place frees it.
        }
        let pool = pool.clone();
        thread::Builder::new().name("connection".into()).spawn(move || {
            let _place = place;
            if let Err(error) = echo(stream, &pool) {
                eprintln!("connection ended: {error}");
            }
        })?;
    }
    Ok(())
}

/// One of the connections served, counted for as long as it lives.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn among(connections: &Arc<AtomicUsize>) -> Self {
        connections.fetch_add(1, Relaxed);
        Self(Arc::clone(connections))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Sends back what comes until the peer has no more to say.
fn echo(mut stream: TcpStream, pool: &BufferPool) -> io::Result<()> {
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;
    loop {
        // Waits for bytes without holding a buffer, so that a thousand idle connections hold none.
        if stream.peek(&mut [0])? == 0 {
            return Ok(());
        }
        let mut buffer = pool.get(BUFFER_SIZE_4KB);
        buffer.read_from(&mut stream)?;
        stream.write_all(&buffer)?;
        // Here the buffer goes back, before the next wait.
    }
}

/// The brief mode: a server on a free port, one client, a few messages.
fn talk_to_itself() -> io::Result<()> {
    let pool = BufferPool::new();
    pool.warmup_class(BUFFER_SIZE_4KB, 4);
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    println!("echoing at {address}");
    let served = pool.clone();
    // Ends with the program.
    thread::spawn(move || serve(&listener, &served));

    let mut client = TcpStream::connect(address)?;
    client.set_read_timeout(Some(Duration::from_secs(2)))?;
    for message in ["hello", "a pool has no favorites", &"z".repeat(10_000)] {
        client.write_all(message.as_bytes())?;
        let mut answer = vec![0; message.len()];
        client.read_exact(&mut answer)?;
        if answer != message.as_bytes() {
            return Err(io::Error::other("the echo differs from what was said"));
        }
        let shown = &message[..message.len().min(32)];
        println!("said and heard {} bytes: {shown}", message.len());
    }
    // The server closes its end when it has heard ours, and has no buffer by then.
    client.shutdown(Shutdown::Write)?;
    client.read_to_end(&mut Vec::new())?;
    println!("{}", pool.metrics());
    Ok(())
}
