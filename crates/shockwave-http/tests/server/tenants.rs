//! What one connection sent never shows on another, whichever way its requests end.
//!
//! One tenant fills every buffer it can with its marker and drives its connections into each error;
//! the other speaks on connections of its own, in between, and looks at every byte it gets. Both
//! use one pool with few buffers, so that each buffer of the one was the other's just before.

mod attacks;
mod parties;

use std::time::Duration;

use shockwave::{Buffer, BufferPool};
use shockwave_http::{Exhausted, Server};
use tokio::io::AsyncWriteExt;

use crate::common::{Client, eventually, in_use, listen};
use attacks::{attacks, halves, head, marked};
use parties::{BUFFER_BYTES, First, MODES, ask, builder, look, pool, pool_of_sizes, router};

/// Longer than all timeouts together.
const LONG: Duration = Duration::from_secs(3);

/// Bytes that may be under way: more than any request has, and so few that answers get stuck.
const WIDE: usize = 1 << 20;
const NARROW: usize = 700;

#[tokio::test(start_paused = true)]
async fn a_marker_never_shows_on_another_connection() {
    let pools = [pool(), pool_of_sizes()];
    let cases = pools.into_iter().flat_map(|pool| MODES.map(|mode| (pool.clone(), mode)));
    for (pool, exhausted) in cases {
        let pool = pool.build().unwrap();
        let server = builder(&pool, exhausted).build();
        for attack in attacks() {
            let case = format!("{exhausted:?}, shuts: {}, {attack}", attack.shuts);
            let mut first = First::new(&server, WIDE, &attack.request, attack.shuts);
            first.read(usize::MAX).await;
            let (end, bytes) = lives_on(first, &server).await;
            assert_eq!(end, attack.end, "{case}");

            // Once more, and only some of the answers is taken: the rest stays with the server.
            let mut first = First::new(&server, NARROW, &attack.request, attack.shuts);
            first.read(100).await;
            let (end, _) = lives_on(first, &server).await;
            let stuck = bytes > 100 + NARROW;
            assert_eq!(end, if stuck { "200 TimedOut" } else { &attack.end }, "{case}");
        }
        let metrics = pool.metrics();
        assert_eq!(metrics.in_use_bytes, 0);
        // On many cores there are some for each; still each buffer changed hands many times.
        let buffers = metrics.idle_bytes / BUFFER_BYTES as u64;
        assert!(metrics.total_gets > 20 * buffers, "the tenants shared few buffers: {metrics}");
    }
}

/// Lets a connection come to its end, which is returned with how many bytes it got, and has the
/// second tenant look all the while.
async fn lives_on(mut first: First, server: &Server) -> (String, usize) {
    look(server).await;
    tokio::time::sleep(LONG).await;
    look(server).await;
    let end = (first.end().await, first.seen.len());
    look(server).await;
    first.leave().await;
    look(server).await;
    end
}

#[tokio::test]
async fn a_reset_connection_leaves_nothing_to_the_next() {
    for exhausted in MODES {
        let pool = pool().build().unwrap();
        let server = builder(&pool, exhausted).build();
        let address = listen(&server, router()).await;
        for attack in attacks() {
            let mut client = Client::tcp(address).await;
            let _ = client.io.write_all(attack.request.as_bytes()).await;
            // The server gets some of it, and a chance to answer.
            let answered = client.io.readable();
            let _ = tokio::time::timeout(Duration::from_millis(5), answered).await;
            look(&server).await;
            client.io.set_zero_linger().unwrap();
            drop(client);
            look(&server).await;
        }
        eventually(|| server.stats().open == 0).await;
        assert_eq!((in_use(&server), pool.metrics().in_use_bytes), (0, 0));
    }
}

/// A server whose pool has one buffer, and that buffer, full of the marker.
fn spent(exhausted: Exhausted) -> (Server, Buffer) {
    let pool = pool().budget(BUFFER_BYTES).build().unwrap();
    let server = builder(&pool, exhausted).essential(|_, uri| uri.path() == "/essential").build();
    (server, spend(&pool))
}

/// Takes a pool's only buffer, and fills it.
fn spend(pool: &BufferPool) -> Buffer {
    let mut held = pool.get(BUFFER_BYTES);
    held.extend_from_slice(marked(held.capacity()).as_bytes());
    assert!(pool.try_get(1).is_err(), "the budget is spent");
    held
}

const GET: &str = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
const ESSENTIAL: &str = "GET /essential HTTP/1.1\r\nHost: b\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn nor_where_there_is_no_buffer_and_the_server_refuses() {
    let (server, mut held) = spent(Exhausted::Refuse503);
    for attack in attacks() {
        let mut first = First::new(&server, WIDE, &attack.request, attack.shuts);
        first.read(usize::MAX).await;
        assert_eq!(ask(&server, GET).await, "503");
        let essential = head("GET /essential", "TE: trailers");
        let mut other = First::new(&server, WIDE, &essential, attack.shuts);
        other.read(usize::MAX).await;
        assert_eq!(ask(&server, ESSENTIAL).await, "200");
        assert_eq!(first.end().await, "503 closed", "{attack}");
        let end = if attack.shuts { "200 closed" } else { "200 open" };
        assert_eq!(other.end().await, end);
        let mirrored = other.seen.windows(1000).any(|window| window == marked(1000).as_bytes());
        assert!(mirrored, "it went through the buffers beyond the budget");
        assert_eq!(ask(&server, ESSENTIAL).await, "200");
        assert_eq!(ask(&server, GET).await, "503");
        first.leave().await;
        other.leave().await;
        drop(held);
        look(&server).await;
        held = spend(server.pool());
    }
}

#[tokio::test(start_paused = true)]
async fn nor_where_there_is_no_buffer_and_both_wait_for_one() {
    let (server, mut held) = spent(Exhausted::Backpressure);
    for attack in attacks() {
        let mut first = First::new(&server, WIDE, &attack.request, attack.shuts);
        first.read(usize::MAX).await;
        assert_eq!(first.seen, b"", "it waits");
        let second = [GET, ESSENTIAL].map(|request| {
            let server = server.clone();
            tokio::spawn(async move { ask(&server, request).await })
        });
        tokio::time::sleep(LONG).await;
        assert!(second.iter().all(|asking| !asking.is_finished()), "these wait too");
        drop(held);
        for asking in second {
            assert_eq!(asking.await.unwrap(), "200");
        }
        tokio::time::sleep(LONG).await;
        // Whoever lingers needs a buffer, and gives up without.
        assert_eq!(first.end().await, attack.end, "{attack}");
        first.leave().await;
        look(&server).await;
        held = spend(server.pool());
    }
}

#[tokio::test(start_paused = true)]
async fn nor_where_the_last_buffer_goes_in_the_middle_of_a_request() {
    let cases = MODES.into_iter().flat_map(|mode| [(mode, false), (mode, true)]);
    for (exhausted, comes_back) in cases {
        let refuses = exhausted == Exhausted::Refuse503;
        for (half, rest, begun) in halves() {
            let (server, held) = spent(exhausted);
            drop(held);
            let mut first = First::new(&server, WIDE, &half, false);
            first.read(usize::MAX).await;
            eventually(|| server.stats().active == 1 && in_use(&server) == 0).await;
            let held = spend(server.pool());
            let mut first = first.then(&rest);
            first.read(usize::MAX).await;
            if refuses {
                assert_eq!(ask(&server, GET).await, "503");
                assert_eq!(ask(&server, ESSENTIAL).await, "200");
            }
            if !comes_back {
                tokio::time::sleep(LONG).await;
            }
            // What is refused is so at once, unless an answer has begun. What waits has its time.
            let begun = !begun.is_empty();
            let end = match (refuses, comes_back, begun) {
                (true, _, false) | (false, false, false) => "503 closed",
                (_, false, true) => "200 TimedOut",
                (_, true, true) | (false, true, false) => "200 open",
            };
            if !comes_back {
                assert_eq!(first.end().await, end, "{exhausted:?}, {half}");
            }
            drop(held);
            look(&server).await;
            assert_eq!(first.end().await, end, "{exhausted:?}, {half}");
            first.leave().await;
            look(&server).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nor_on_a_connection_beyond_the_most_there_may_be() {
    for exhausted in MODES {
        let pool = pool().build().unwrap();
        let server = builder(&pool, exhausted).connections_max(2).build();
        for attack in attacks() {
            let [(half, ..), _, (other, ..), _] = halves();
            let open = [half, other].map(|half| First::new(&server, WIDE, &half, false));
            let mut beyond = First::new(&server, WIDE, &attack.request, attack.shuts);
            assert_eq!(beyond.end().await, "503 closed");
            assert_eq!(ask(&server, GET).await, "503");
            let [one, other] = open;
            one.leave().await;
            look(&server).await;
            other.leave().await;
            beyond.leave().await;
            look(&server).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nor_when_a_shutdown_breaks_off_what_is_half_way() {
    let cases = MODES.into_iter().flat_map(|mode| halves().map(|halves| (mode, halves)));
    for (exhausted, (half, _, begun)) in cases {
        let pool = pool().build().unwrap();
        let server = builder(&pool, exhausted).build();
        let other = builder(&pool, exhausted).build();
        let mut first = First::new(&server, WIDE, &half, false);
        assert_eq!(first.end().await, format!("{begun}open"));
        let shutting = tokio::spawn({
            let server = server.clone();
            async move { server.shutdown(Duration::from_millis(100)).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(ask(&server, GET).await, "", "nobody is served");
        look(&other).await;
        assert!(!shutting.await.unwrap(), "not all had ended");
        look(&other).await;
        assert_eq!(first.end().await, format!("{begun}ConnectionAborted"));
        first.leave().await;
        look(&other).await;
        assert_eq!(pool.metrics().in_use_bytes, 0);
    }
}
