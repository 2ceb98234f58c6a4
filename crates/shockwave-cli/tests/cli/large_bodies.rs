//! Bodies far larger than the memory that the server takes for them, over a real socket: the
//! server's own process is looked at, and not only its pool.
//!
//! 64 MiB, or as many MiB as `SHOCKWAVE_HTTP_LARGE_MIB` says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;

use crate::server::Server;
use crate::support::whole;

/// Bytes of what is sent and compared at once.
const PIECE: usize = 1 << 20;

/// Bytes by which the server may grow: for the stacks and arenas of threads that did nothing
/// before, and far below the smallest body.
const GROWTH_MAX: u64 = 4 << 20;

fn large() -> u64 {
    std::env::var("SHOCKWAVE_HTTP_LARGE_MIB").map_or(64, |mib| mib.parse().expect("MiB")) << 20
}

/// The server's largest resident memory so far, in bytes.
fn resident_max(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a maximum");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib << 10
}

/// The piece that begins at this byte of a body. Its number makes it like no other, and no two of
/// its blocks are alike either, since 23 goes into no power of two.
fn piece(at: u64) -> Vec<u8> {
    let words = b"as large as it is sent ";
    let mut piece = words.repeat(PIECE.div_ceil(words.len()));
    piece.truncate(PIECE);
    piece[..8].copy_from_slice(&at.to_le_bytes());
    piece
}

/// Reads the head of an answer with a body of this length.
fn head(answer: &mut impl BufRead, length: u64) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(answer.read_line(&mut head).expect("a head") > 0, "{head}");
    }
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains(&format!("content-length: {length}\r\n")), "{head}");
}

/// Sends a body and reads it back while it is sent.
fn echo(server: &Server, length: u64) {
    let stream = server.begin(&format!(
        "POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    ));
    let mut up: TcpStream = stream.try_clone().expect("a second handle");
    let sending = thread::spawn(move || {
        (0..length).step_by(PIECE).try_for_each(|at| up.write_all(&piece(at)))
    });
    let mut answer = BufReader::with_capacity(64 << 10, stream);
    head(&mut answer, length);
    let mut came = vec![0; PIECE];
    for at in (0..length).step_by(PIECE) {
        answer.read_exact(&mut came).expect("all of it");
        assert!(came == piece(at), "another piece came back at {at}");
    }
    assert_eq!(answer.read(&mut came).expect("an end"), 0, "and no more");
    sending.join().expect("no panic").expect("it takes all");
}

fn download(server: &Server, length: u64) {
    let stream = server.begin(&format!(
        "GET /bytes/{length} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    ));
    let mut answer = BufReader::with_capacity(64 << 10, stream);
    head(&mut answer, length);
    let dots = vec![b'.'; PIECE];
    let mut came = vec![0; PIECE];
    for at in (0..length).step_by(PIECE) {
        answer.read_exact(&mut came).expect("all of it");
        assert!(came == dots, "no dots at {at}");
    }
    assert_eq!(answer.read(&mut came).expect("an end"), 0, "and no more");
}

#[test]
fn large_bodies_go_through_a_server_that_does_not_grow() {
    let server = Server::start(&["--max-body", "4g", "--workers", "2"]);
    for _ in 0..4 {
        echo(&server, 4 << 20);
        download(&server, 4 << 20);
    }
    let before = resident_max(&server);
    for (what, pass) in [("up and back", echo as fn(&Server, u64)), ("down", download)] {
        pass(&server, large());
        let growth = resident_max(&server) - before;
        println!("{what}: {} MiB, and the server grew by {} KiB", large() >> 20, growth >> 10);
        assert!(growth <= GROWTH_MAX, "{what}: {growth} bytes beyond {before}");
    }
    let metrics = server.becomes(|metrics| whole(metrics, "/server/connections/open") == 1);
    assert_eq!(whole(&metrics, "/pool/oversize_gets"), 0);
}
