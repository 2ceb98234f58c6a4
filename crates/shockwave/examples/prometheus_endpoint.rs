//! An endpoint for Prometheus: `/metrics` of two pools and of the server itself, in whichever
//! format the scraper prefers.
//!
//! `cargo run -p shockwave --features prometheus --example prometheus_endpoint -- 127.0.0.1:9100`
//! serves until Ctrl-C. The server is the plainest that does; what another would take from here is
//! `page`.
//!
//! With `SHOCKWAVE_EXAMPLE_BRIEF=1` it scrapes itself twice, the second time with the `Accept` that
//! may follow the address, prints that page and exits.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use shockwave::BufferPool;
use shockwave::prometheus::{Exposition, Format, Kind};

/// Upper bounds of the buckets of durations, in seconds.
const BOUNDS: [f64; 4] = [0.000_1, 0.001, 0.01, 0.1];

fn main() -> Result<(), Box<dyn Error>> {
    let brief = std::env::var_os("SHOCKWAVE_EXAMPLE_BRIEF").is_some_and(|value| value == "1");
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".into());
    let accept = arguments.next().unwrap_or_else(|| "*/*".into());
    let listener = TcpListener::bind(&address).map_err(|error| format!("{address}: {error}"))?;
    let address = listener.local_addr()?;
    eprintln!("http://{address}/metrics");

    let pools = [("requests", BufferPool::new()), ("archive", BufferPool::new())];
    work(&pools[0].1, &pools[1].1);
    if !brief {
        serve(&listener, &pools, usize::MAX);
        return Ok(());
    }
    thread::scope(|scope| {
        scope.spawn(|| serve(&listener, &pools, 2));
        scrape(address, "*/*")?;
        print!("{}", scrape(address, &accept)?);
        Ok(())
    })
}

/// Something to show.
fn work(requests: &BufferPool, archive: &BufferPool) {
    requests.warmup_class(4096, 8);
    for size in [100, 3000, 3000, 20_000] {
        drop(requests.get(size));
    }
    drop(archive.get(1 << 20));
}

/// What the server counts of its own.
#[derive(Debug, Default)]
struct Scrapes {
    /// Answers of 200, and of 404.
    answers: [u64; 2],
    /// Pages written, by the time that took: one count for each of `BOUNDS`, and one for all above.
    durations: [u64; BOUNDS.len() + 1],
    seconds: f64,
}

/// Answers so many connections, one request on each.
fn serve(listener: &TcpListener, pools: &[(&str, BufferPool)], connections: usize) {
    let mut scrapes = Scrapes::default();
    for stream in listener.incoming().take(connections) {
        if let Err(error) = stream.and_then(|stream| answer(stream, pools, &mut scrapes)) {
            eprintln!("{error}");
        }
    }
}

fn answer(
    mut stream: TcpStream,
    pools: &[(&str, BufferPool)],
    scrapes: &mut Scrapes,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    // A head longer than this has nothing to do with us.
    let head = BufReader::new((&stream).take(16 << 10)).lines();
    let head: Vec<String> = head
        .take_while(|line| !matches!(line, Ok(line) if line.is_empty()))
        .collect::<Result<_, _>>()?;
    let accept: Vec<&str> = head.iter().filter_map(|line| header(line, "accept")).collect();
    let target = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let (status, kind, body) = if target == "/metrics" {
        scrapes.answers[0] += 1;
        let accept = (!accept.is_empty()).then(|| accept.join(","));
        let format = Format::negotiate(accept.as_deref());
        ("200 OK", format.content_type(), page(format, pools, scrapes))
    } else {
        scrapes.answers[1] += 1;
        ("404 Not Found", "text/plain", "there is only /metrics\n".into())
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
}

/// The value of a header's line, if it is this header's.
fn header<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(':')?;
    found.eq_ignore_ascii_case(name).then_some(value.trim())
}

/// The page: the pools, and beside them what the server counts.
fn page(format: Format, pools: &[(&str, BufferPool)], scrapes: &mut Scrapes) -> String {
    let start = Instant::now();
    let snapshots: Vec<_> = pools.iter().map(|(name, pool)| (*name, pool.metrics())).collect();
    let snapshots: Vec<_> = snapshots.iter().map(|(name, metrics)| (*name, metrics)).collect();
    let mut page = String::new();
    let mut exposition = Exposition::new(format, &mut page);
    exposition.pools(&snapshots);
    exposition
        .family("endpoint_answers_total", Kind::Counter, "Answers, by their status.", "")
        .sample(&[("status", &200)], scrapes.answers[0])
        .sample(&[("status", &404)], scrapes.answers[1]);
    let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
    exposition
        .family("endpoint_page_seconds", Kind::Histogram, "Time to write a page.", "seconds")
        .histogram(&[], bounds.zip(scrapes.durations), scrapes.seconds);
    exposition.finish();
    // Shown from the next page on: this one is done.
    let seconds = start.elapsed().as_secs_f64();
    scrapes.durations[BOUNDS.partition_point(|&bound| bound < seconds)] += 1;
    scrapes.seconds += seconds;
    page
}

/// Asks for the page, as a scraper does.
fn scrape(address: SocketAddr, accept: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    body.ok_or_else(|| std::io::Error::other("an answer without a body"))
}
