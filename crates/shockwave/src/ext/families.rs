//! The families of metrics that are told to others: a name for each, what it means, and where in a
//! snapshot it is read. Every exporter reads this one table, so all of them say the same.

use crate::ext::family::{Family, Number, Read, row};

/// All there are, in the order in which they are shown. To add one, add a row.
pub(crate) const FAMILIES: &[Family] = &[
    row(
        "shockwave_pool_gets_total",
        "Buffers given out, by where they were found: a CPU's own cell, the depot, fresh from the \
         source, or beyond the largest class.",
        Read::ClassPath(
            &[
                ("cell", |class| class.gets_cell),
                ("depot", |class| class.gets_depot),
                ("fresh", |class| class.misses),
            ],
            |pool| pool.oversize_gets,
        ),
    ),
    row(
        "shockwave_pool_puts_total",
        "Buffers that came back, by where they went: a CPU's own cell, the depot, or, from beyond \
         the largest class, to the source.",
        Read::ClassPath(
            &[("cell", |class| class.puts_cell), ("depot", |class| class.puts_depot)],
            |pool| pool.oversize_puts,
        ),
    ),
    row("shockwave_pool_hits_total", "Gets that found a buffer.", Read::Class(|class| class.hits)),
    row(
        "shockwave_pool_misses_total",
        "Gets that had to make a buffer of a class.",
        Read::Class(|class| class.misses),
    ),
    row(
        "shockwave_pool_discards_total",
        "Buffers that a pool did not take; foreign ones belong to another pool, and went there.",
        Read::Reason(&[("foreign", |pool| pool.total_discards)]),
    ),
    row(
        "shockwave_pool_refused_total",
        "Gets that got nothing.",
        Read::ClassAndBeyond(
            |class| class.refused,
            |pool| {
                let of_classes: u64 = pool.pools.iter().map(|class| class.refused).sum();
                pool.refused.saturating_sub(of_classes)
            },
        ),
    ),
    row(
        "shockwave_pool_over_budget_total",
        "Gets that got nothing because the budget was used up.",
        Read::Pool(|pool| Some(Number::Whole(pool.over_budget))),
    ),
    row(
        "shockwave_pool_waits_total",
        "Requests that have had to wait for a buffer.",
        Read::Pool(|pool| Some(Number::Whole(pool.waits))),
    ),
    row(
        "shockwave_pool_bytes_allocated_total",
        "Bytes of buffers made for gets.",
        Read::ClassAndBeyond(|class| class.allocated, |pool| pool.oversize_allocated),
    ),
    row(
        "shockwave_pool_bytes_reused_total",
        "Bytes of buffers found by gets.",
        Read::Class(|class| class.reused),
    ),
    row(
        "shockwave_pool_bytes_released_total",
        "Bytes of idle buffers given back to the source.",
        Read::Class(|class| class.trimmed * class.size as u64),
    ),
    row(
        "shockwave_pool_writes_after_return_total",
        "Idle buffers found written to, by the sampled check of zeroed pools.",
        Read::Pool(|pool| Some(Number::Whole(pool.writes_after_return))),
    ),
    row(
        "shockwave_pool_tracking_lost_total",
        "Sampled gets that tracking had no room to record.",
        Read::Pool(|pool| Some(Number::Whole(pool.tracking_lost))),
    ),
    row(
        "shockwave_pool_long_holds_total",
        "Tracked buffers that were told of for being held for longer than the pool's threshold, \
         each once.",
        Read::Pool(|pool| Some(Number::Whole(pool.long_holds))),
    ),
    row(
        "shockwave_pool_in_use_bytes",
        "Bytes of buffers that are out now.",
        Read::ClassAndBeyond(
            |class| class.in_use * class.size as u64,
            |pool| pool.oversize_in_use_bytes,
        ),
    ),
    row(
        "shockwave_pool_idle_bytes",
        "Bytes of buffers that lie idle now.",
        Read::Class(|class| class.idle * class.size as u64),
    ),
    row(
        "shockwave_pool_taken_bytes",
        "Bytes that the pool has from its source now: in use, idle, and headers of oversize ones.",
        Read::Pool(|pool| Some(Number::Whole(pool.taken_bytes))),
    ),
    row(
        "shockwave_pool_budget_bytes",
        "Bytes that the pool may take from its source; not there without a budget.",
        Read::Pool(|pool| Some(pool.budget_bytes).filter(|&bytes| bytes > 0).map(Number::Whole)),
    ),
    row(
        "shockwave_pool_pinned_bytes",
        "Bytes of buffers that are frozen now, whole, however little of each is still shown.",
        Read::Pool(|pool| Some(Number::Whole(pool.pinned_bytes))),
    ),
    row(
        "shockwave_pool_in_use_buffers",
        "Buffers that are out now.",
        Read::Class(|class| class.in_use),
    ),
    row(
        "shockwave_pool_idle_buffers",
        "Buffers that lie idle now.",
        Read::Class(|class| class.idle),
    ),
    row(
        "shockwave_pool_waiters",
        "Requests that wait for a buffer now.",
        Read::Pool(|pool| Some(Number::Whole(pool.waiters))),
    ),
    row(
        "shockwave_pool_hit_ratio",
        "Gets of a class that found a buffer, of all of them since the start or the last reset; 0 \
         before the first.",
        Read::Pool(|pool| Some(Number::Real(pool.global_hit_rate / 100.0))),
    ),
    row(
        "shockwave_pools_ended_in_use_total",
        "Pools of the process that ended while buffers of theirs were out.",
        Read::Process(|any| any.pools_ended_in_use),
    ),
    row(
        "shockwave_raw_handles",
        "Raw handles of the process that are out now.",
        Read::Process(|any| any.raw_handles.out),
    ),
    row(
        "shockwave_raw_returns_refused_total",
        "Raw handles of the process that were refused: returned before, returned before and \
         another's since, or of no buffer of that pool.",
        Read::ProcessReason(&[
            ("double", |any| any.raw_handles.double_returns),
            ("stale", |any| any.raw_handles.stale),
            ("foreign", |any| any.raw_handles.foreign),
        ]),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_there_once_and_each_help_is_a_sentence() {
        for (index, family) in FAMILIES.iter().enumerate() {
            assert!(FAMILIES[..index].iter().all(|other| other.name != family.name));
            assert!(family.help.ends_with('.') && !family.help.contains("  "), "{}", family.name);
        }
    }
}
