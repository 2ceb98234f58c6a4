//! A header map to be used again: one for each thread, empty, and with room for what requests
//! mostly have.
//!
//! A map is two allocations. That of an answer whose head is written is of no use to anybody, and
//! the next request on the thread needs one. A connection keeps none.

use std::cell::Cell;

use http::HeaderMap;

/// Fields for which a spare map may have room. Larger ones are rare, and would only take memory.
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
