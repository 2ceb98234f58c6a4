//! Resident memory: of idle connections, and at the peak of many uploads at once.

use std::thread::sleep;
use std::time::Duration;

use serde::Serialize;

use super::child::Server;
use super::client::{BODY_BYTES, Client};
use super::open_files;
use super::server::Kind;
use super::wrk::{Load, Wrk};

/// Connections that upload at once.
pub(crate) const UPLOADS: u32 = 1000;

/// Requests that are in flight at once before connections fall idle.
const AT_ONCE: usize = 64;

/// How long a server has to settle before it is weighed.
const SETTLE: Duration = Duration::from_millis(500);

/// Open files of a process besides its connections, with room to spare.
const OTHER_FILES: u32 = 100;

/// What an idle connection keeps resident in the server, in bytes, after what it did last.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Idle {
    pub(crate) after_get: f64,
    pub(crate) after_post: f64,
}

/// What a server's resident memory grew by at most while all connections uploaded, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Peak {
    /// Each body in two halves, the second once the first of all connections was sent.
    pub(crate) halves: f64,
    /// By wrk, as fast as it goes.
    pub(crate) wrk: f64,
}

/// Weighs a fresh server with many idle connections, each after one small GET and again after one
/// upload. The connection of a client is its process's own and is not counted.
pub(crate) fn idle(kind: Kind, workers: u16, connections: u32) -> Result<Idle, String> {
    open_files::allow((connections + OTHER_FILES).into())?;
    let server = Server::start(kind, workers)?;
    // Code and the allocator's first pages are no connection's.
    let mut first = clients(&server, 16)?;
    get(&mut first)?;
    upload(&mut first)?;
    let before = weigh(&server)?;
    let mut clients = clients(&server, connections)?;
    let each = |now: f64| (now - before) / f64::from(connections);
    get(&mut clients)?;
    let after_get = each(weigh(&server)?);
    upload(&mut clients)?;
    let after_post = each(weigh(&server)?);
    Ok(Idle { after_get, after_post })
}

/// Finds the peaks of fresh servers.
pub(crate) fn peak(kind: Kind, workers: u16, wrk: &Wrk, seconds: u32) -> Result<Peak, String> {
    open_files::allow((UPLOADS + OTHER_FILES).into())?;
    Ok(Peak {
        halves: peak_of(kind, workers, halves)?,
        wrk: peak_of(kind, workers, |server| {
            wrk.run(Load::Echo, &server.url(""), UPLOADS, seconds).map(drop)
        })?,
    })
}

fn peak_of(
    kind: Kind,
    workers: u16,
    load: impl FnOnce(&Server) -> Result<(), String>,
) -> Result<f64, String> {
    let server = Server::start(kind, workers)?;
    upload(&mut clients(&server, 1)?)?;
    let before = weigh(&server)?;
    server.forget_peak()?;
    load(&server)?;
    Ok(server.peak()? as f64 - before)
}

fn clients(server: &Server, count: u32) -> Result<Vec<Client>, String> {
    (0..count).map(|_| Client::connect(server.address)).collect()
}

/// One small GET on each connection.
fn get(clients: &mut [Client]) -> Result<(), String> {
    let mut answer = Vec::new();
    for some in clients.chunks_mut(AT_ONCE) {
        some.iter_mut().try_for_each(Client::send_get)?;
        some.iter_mut().try_for_each(|client| client.receive(&mut answer))?;
    }
    Ok(())
}

/// One upload on each connection, echoed.
fn upload(clients: &mut [Client]) -> Result<(), String> {
    let body = body();
    for some in clients.chunks_mut(AT_ONCE) {
        some.iter_mut().try_for_each(|client| client.send_head("/echo", &body))?;
        receive(some, &body)?;
    }
    Ok(())
}

/// An upload on all connections at once, several times over.
fn halves(server: &Server) -> Result<(), String> {
    let mut clients = clients(server, UPLOADS)?;
    let body = body();
    let (first, second) = body.split_at(BODY_BYTES / 2);
    for _ in 0..4 {
        clients.iter_mut().try_for_each(|client| client.send_head("/echo", first))?;
        sleep(SETTLE);
        clients.iter_mut().try_for_each(|client| client.send(second))?;
        receive(&mut clients, &body)?;
    }
    Ok(())
}

fn receive(clients: &mut [Client], expected: &[u8]) -> Result<(), String> {
    let mut answer = Vec::new();
    for client in clients {
        client.receive(&mut answer)?;
        if answer != expected {
            return Err("an echo is not what was sent".to_owned());
        }
    }
    Ok(())
}

/// No two bytes in a row are alike, so that a piece in the wrong place is noticed.
fn body() -> Vec<u8> {
    (0..=u8::MAX).cycle().take(BODY_BYTES).collect()
}

fn weigh(server: &Server) -> Result<f64, String> {
    sleep(SETTLE);
    Ok(server.resident()? as f64)
}
