//! A header map to be used again: one for each thread, empty, and with room for what requests
//! mostly have.
//!
//! A map is two allocations. That of an answer whose head is written is of no use to anybody, and
//! the next request on the thread needs one. A connection keeps none.

use std::cell::Cell;

use http::HeaderMap;

/// Fields for which a spare map may have room: as many as browsers send, twice over. With 96 of
/// them it takes some 10 KiB; larger ones are rare, and would be kept for one request in many.
const FIELDS_MAX: usize = 96;

thread_local! {
    static SPARE: Cell<Option<HeaderMap>> = const { Cell::new(None) };
}

/// The spare map, or a new one without room. It is empty.
pub(super) fn take() -> HeaderMap {
    SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default()
}

/// Leaves a map to the next request on this thread, without what is in it.
pub(crate) fn give(mut map: HeaderMap) {
    if (1..=FIELDS_MAX).contains(&map.capacity()) {
        map.clear();
        // At the thread's end there is no next request.
        let _ = SPARE.try_with(|spare| spare.set(Some(map)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::SET_COOKIE;

    fn with_room(fields: usize) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(fields);
        for secret in ["a=1", "b=2"] {
            map.append(SET_COOKIE, HeaderValue::from_static(secret));
        }
        map
    }

    #[test]
    fn a_map_comes_back_empty_and_once() {
        give(with_room(6));
        let map = take();
        assert!(map.is_empty() && map.capacity() >= 6 && !map.contains_key(SET_COOKIE));
        assert_eq!(take().capacity(), 0, "the same map for two requests");
    }

    #[test]
    fn large_maps_and_those_without_room_are_not_kept() {
        give(with_room(500));
        assert_eq!(take().capacity(), 0);
        give(with_room(6));
        give(HeaderMap::new());
        assert!(take().capacity() > 0, "replaced by one without room");
    }

    #[test]
    fn threads_share_none() {
        give(with_room(6));
        std::thread::spawn(|| assert_eq!(take().capacity(), 0)).join().unwrap();
    }
}
