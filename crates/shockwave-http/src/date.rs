//! The date, as the field `Date` has it: formatted once a second on each thread.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A date in the fixed form of RFC 9110 section 5.6.7.
pub(crate) type Date = [u8; 29];

/// A date, and until when it is the right one.
#[derive(Clone, Copy)]
struct Cached {
    date: Date,
    until: Instant,
}

thread_local! {
    static CACHED: Cell<Option<Cached>> = const { Cell::new(None) };
}

/// The date at `now`. Cost: a load and a comparison, and once a second some 100 ns.
pub(crate) fn date(now: Instant) -> Date {
    match CACHED.get() {
        Some(cached) if now < cached.until => cached.date,
        _ => format(now),
    }
}

#[cold]
fn format(now: Instant) -> Date {
    let time = SystemTime::now();
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let rest = Duration::from_nanos(1_000_000_000 - u64::from(since.subsec_nanos()));
    let mut date = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    let text = httpdate::fmt_http_date(time);
    if text.len() == date.len() {
        date.copy_from_slice(text.as_bytes());
    }
    CACHED.set(Some(Cached { date, until: now + rest }));
    date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_stays_for_its_second_and_then_is_made_anew() {
        let now = Instant::now();
        let first = date(now);
        assert_eq!(date(now), first);
        let text = std::str::from_utf8(&first).unwrap();
        let said = httpdate::parse_http_date(text).unwrap();
        assert!(SystemTime::now().duration_since(said).unwrap() < Duration::from_secs(60));

        let until = CACHED.get().unwrap().until;
        date(until);
        assert!(CACHED.get().unwrap().until > until, "made anew");
    }
}
