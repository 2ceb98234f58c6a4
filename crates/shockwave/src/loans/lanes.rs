//! Free slots, in lanes: each lane has slots of its own and a list of those that are free, and each
//! thread lends from a lane of its own as long as that has any. Threads that lend and claim at once
//! so write to lines of their own.
//!
//! ```text
//!     chunk 0   ┌ 64 slots of lane 0 ┬ 64 slots of lane 1 ┬ … ┬ 64 slots of lane 63 ┐
//!     chunk 1   ┌ 64 slots of lane 0 ┬ 64 slots of lane 1 ┬ … ┬ 64 slots of lane 63 ┐
//!
//!     lane 1    free ─▶ slot ─▶ slot ─▶ 0      the list, last in first out
//!               used    slots that were ever lent, from the front
//! ```
//!
//! A slot that is claimed goes back to its own lane, whichever thread claims it: so a thread that
//! lends what another claims finds its slots again, and uses no others up.

use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

use super::slots::{CHUNK, SLOTS_MAX, Slot, ensure, slot};
use crate::sync::thread_word;

const LANES: u32 = 64;
/// Slots of one lane that lie side by side: 2 KiB, so that no two lanes share a line.
const BLOCK: u32 = CHUNK / LANES;
/// Slots of one lane.
pub(super) const LANE_SLOTS: u32 = SLOTS_MAX / LANES;

/// Two lines to each, since processors fetch lines in pairs.
#[repr(align(128))]
struct Lane {
    /// The list's head: a slot's index and one, or 0, below a number that goes up with each change,
    /// so that a head which went and came back is not taken for one that stayed.
    free: AtomicU64,
    /// Slots that were ever lent, `0..=LANE_SLOTS`.
    used: AtomicU32,
}

static LANES_OF_SLOTS: [Lane; LANES as usize] =
    [const { Lane { free: AtomicU64::new(0), used: AtomicU32::new(0) } }; LANES as usize];

/// Slots that are through all their generations, and in no list.
static RETIRED: AtomicU64 = AtomicU64::new(0);

thread_word! {
    /// This thread's lane, or `LANES` until it has one.
    static LANE: u32 = LANES
}

/// A free slot for the caller alone, of this thread's lane if it has one. `None` where all slots
/// are taken, or the system has no memory for more.
pub(super) fn take() -> Option<(u32, &'static Slot)> {
    let mine = LANE.with(|lane| if lane.get() == LANES { deal(lane) } else { lane.get() });
    (mine..mine + LANES).find_map(|number| {
        let number = number % LANES;
        let lane = &LANES_OF_SLOTS[number as usize];
        pop(lane).or_else(|| fresh(number, lane))
    })
}

/// Gives a slot back, of which the caller is the only holder.
pub(super) fn give(index: u32, slot: &Slot) {
    push(&LANES_OF_SLOTS[lane_of(index) as usize], index, slot);
}

/// Notes that the caller keeps a slot for good.
pub(super) fn retire() {
    RETIRED.fetch_add(1, Relaxed);
}

/// Slots that are neither free nor retired. Exact if none is taken or given meanwhile.
pub(super) fn taken() -> u64 {
    let of_lane = |lane: &Lane| {
        // Acquire: what is left from the head on; pairs with the exchange in `push`.
        let free = left_from(low(lane.free.load(Acquire)));
        // Afterwards, so that what is free was used.
        u64::from(lane.used.load(Relaxed).saturating_sub(free))
    };
    LANES_OF_SLOTS.iter().map(of_lane).sum::<u64>().saturating_sub(RETIRED.load(Relaxed))
}

/// Gives this thread a lane. Lanes are dealt out in turn.
#[cold]
fn deal(lane: &std::cell::Cell<u32>) -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    lane.set(NEXT.fetch_add(1, Relaxed) % LANES);
    lane.get()
}

/// The lane of a slot.
fn lane_of(index: u32) -> u32 {
    index / BLOCK % LANES
}

/// The index of a lane's slot, by how many of the lane lie before it.
fn nth(lane: u32, before: u32) -> u32 {
    before / BLOCK * CHUNK + lane * BLOCK + before % BLOCK
}

/// A slot of the lane that was never lent.
fn fresh(number: u32, lane: &Lane) -> Option<(u32, &'static Slot)> {
    loop {
        let used = lane.used.load(Relaxed);
        if used == LANE_SLOTS {
            return None;
        }
        let index = nth(number, used);
        // The chunk first, so that a refusal by the system uses no slot up.
        ensure(index)?;
        if lane.used.compare_exchange_weak(used, used + 1, Relaxed, Relaxed).is_ok() {
            return Some((index, slot(index)?));
        }
    }
}

/// Takes a slot off the lane's list.
fn pop(lane: &Lane) -> Option<(u32, &'static Slot)> {
    // Acquire: the link of the slot at the head; pairs with the exchange in `push`.
    let mut head = lane.free.load(Acquire);
    loop {
        let index = low(head).checked_sub(1)?;
        let slot = slot(index)?;
        let next = changed(head) | u64::from(slot.next.load(Relaxed));
        match lane.free.compare_exchange_weak(head, next, AcqRel, Acquire) {
            Ok(_) => return Some((index, slot)),
            Err(now) => head = now,
        }
    }
}

/// Puts a slot on the lane's list.
fn push(lane: &Lane, index: u32, slot: &Slot) {
    // Acquire: what is left from the head on, which the slot is put before.
    let mut head = lane.free.load(Acquire);
    loop {
        let first = low(head);
        slot.next.store(first, Relaxed);
        // If the head has changed since, this may be wrong, and the exchange fails.
        slot.left.store(1 + left_from(first), Relaxed);
        let next = changed(head) | u64::from(index + 1);
        // Release: publishes the link and what is left.
        match lane.free.compare_exchange_weak(head, next, AcqRel, Acquire) {
            Ok(_) => return,
            Err(now) => head = now,
        }
    }
}

/// Slots on a list from the one of this index and one on.
fn left_from(head: u32) -> u32 {
    head.checked_sub(1).and_then(slot).map_or(0, |slot| slot.left.load(Relaxed))
}

/// The index part of a head.
#[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
fn low(head: u64) -> u32 {
    head as u32
}

/// The other part of a head, one up.
fn changed(head: u64) -> u64 {
    ((head >> 32) + 1) << 32
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn lanes_share_out_all_slots() {
        let mut seen = vec![false; SLOTS_MAX as usize];
        for lane in 0..LANES {
            for before in 0..LANE_SLOTS {
                let index = nth(lane, before);
                assert_eq!(lane_of(index), lane);
                assert!(!std::mem::replace(&mut seen[index as usize], true), "{lane} {before}");
            }
        }
        assert!(seen.iter().all(|&seen| seen));
    }
}
