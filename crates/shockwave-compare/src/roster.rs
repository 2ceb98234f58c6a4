//! Who takes part, and what each of them does for its time: like is to be compared with like.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::contender::Contender;
use crate::contenders::{
    burdened::{Burdened, Instructions, TryLock},
    bytes_mut::PlainBytesMut,
    floor::Floor,
    handles::Handles,
    heap::FromHeap,
    opool::Opool,
    shockwave::{BUDGETED, FROM_HEAP, LOCKED, RSEQ, Shockwave, TRACKED, ZEROING},
    system::System,
    thread_local::ThreadLocal,
    vec::PlainVec,
    zeropool::Zeropool,
};
use crate::runner::{Bench, Runner};

/// A contender. The order is that of the tables.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[value(rename_all = "kebab-case")]
pub(crate) enum Id {
    /// This pool, cells entered by restartable sequences
    Rseq,
    /// This pool, cells entered by try-locks
    Locked,
    /// This pool, clearing what comes back
    Zeroing,
    /// This pool, recording one get in 128
    Tracked,
    /// This pool, with a budget
    Budgeted,
    /// This pool, with memory from the heap
    FromHeap,
    /// This pool, each buffer lent under a raw handle
    Handles,
    /// A thread-local pool with plain counters
    ThreadLocal,
    /// The C library's malloc
    Glibc,
    /// jemalloc
    Jemalloc,
    /// mimalloc
    Mimalloc,
    /// zeropool, not clearing
    Zeropool,
    /// opool
    Opool,
    /// `Vec::with_capacity`
    Vec,
    /// `BytesMut::with_capacity`
    BytesMut,
    /// A bare local `Vec` of pointers
    Floor,
    /// The same, entered by a try-lock
    LockedFloor,
    /// The floor with as many instructions as the pool has: a witness of the steady check
    #[value(skip)]
    Busy,
}

/// What a contender does for its time.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct About {
    pub(crate) counts: &'static str,
    pub(crate) clears: &'static str,
    pub(crate) keeps: &'static str,
}

impl Id {
    /// All of them, in order.
    pub(crate) fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// As a table has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rseq => "shockwave",
            Self::Locked => "shockwave, locked cells",
            Self::Zeroing => "shockwave, zero_on_return",
            Self::Tracked => "shockwave, tracking 1 in 128",
            Self::Budgeted => "shockwave, with a budget",
            Self::FromHeap => "shockwave, from the heap",
            Self::Handles => "shockwave, by raw handles",
            Self::ThreadLocal => "thread-local pool",
            Self::Glibc => "glibc malloc",
            Self::Jemalloc => "jemalloc",
            Self::Mimalloc => "mimalloc",
            Self::Zeropool => "zeropool, alloc_uninit",
            Self::Opool => "opool",
            Self::Vec => "Vec::with_capacity",
            Self::BytesMut => "BytesMut",
            Self::Floor => "floor: bare local Vec",
            Self::LockedFloor => "floor, behind a try-lock",
            Self::Busy => "busy floor",
        }
    }

    /// Whether this is the pool that the comparison is for, in either kind.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Rseq | Self::Locked)
    }

    /// Whether this is that pool with something more, to be held against it without.
    pub(crate) fn is_mode(self) -> bool {
        matches!(
            self,
            Self::Zeroing | Self::Tracked | Self::Budgeted | Self::FromHeap | Self::Handles
        )
    }

    /// Whether this is no pool, but a part of what any costs.
    fn is_floor(self) -> bool {
        matches!(self, Self::Floor | Self::LockedFloor | Self::Busy)
    }

    /// Whether this is someone to win or lose against: neither ours nor a floor.
    pub(crate) fn is_peer(self) -> bool {
        !self.is_ours() && !self.is_mode() && !self.is_floor()
    }

    /// The crate that a peer comes from, for its version.
    pub(crate) fn package(self) -> Option<&'static str> {
        match self {
            Self::Rseq
            | Self::Locked
            | Self::Zeroing
            | Self::Tracked
            | Self::Budgeted
            | Self::FromHeap
            | Self::Handles => Some("shockwave"),
            Self::Jemalloc => Some("tikv-jemalloc-sys"),
            Self::Mimalloc => Some("libmimalloc-sys"),
            Self::Zeropool => Some("zeropool"),
            Self::Opool => Some("opool"),
            Self::BytesMut => Some("bytes"),
            Self::ThreadLocal
            | Self::Glibc
            | Self::Vec
            | Self::Floor
            | Self::LockedFloor
            | Self::Busy => None,
        }
    }

    /// What this contender counts, clears and keeps.
    pub(crate) fn about(self) -> About {
        const OUR_COUNTS: &str =
            "gets, hits, misses, puts of each class, exactly, over all threads";
        const OUR_CLEARING: &str = "nothing; shows no stale byte; a reset clears what was written";
        const MALLOC_COUNTS: &str = "nothing for each call";
        const MALLOC_CLEARING: &str = "nothing; a reset is a memset by hand";
        let (counts, clears, keeps) = match self {
            Self::Rseq | Self::Locked => {
                (OUR_COUNTS, OUR_CLEARING, "8 MiB for each core, the rest for all to share")
            }
            Self::Zeroing => (
                OUR_COUNTS,
                "what was written, on each put; a get of zeros clears nothing",
                "as without",
            ),
            Self::Tracked => (
                "as without; who holds what, and since when, for one get in 128",
                OUR_CLEARING,
                "as without",
            ),
            Self::Budgeted => (OUR_COUNTS, OUR_CLEARING, "as without, within 1 GiB in all"),
            Self::FromHeap => (
                OUR_COUNTS,
                OUR_CLEARING,
                "as without; buffers begin at no page, and so share no place in a cache",
            ),
            Self::Handles => (
                "as without; double, stale and foreign returns",
                "nothing; a reset clears all, since what was written is not known",
                "as without",
            ),
            Self::ThreadLocal => (
                "gets, hits, puts of each class, in each thread for itself",
                MALLOC_CLEARING,
                "all that a thread ever put, until it exits; nothing is shared",
            ),
            Self::Glibc | Self::Vec => (MALLOC_COUNTS, MALLOC_CLEARING, "what the C library does"),
            Self::BytesMut => (
                MALLOC_COUNTS,
                "nothing; shows no stale byte; a reset is a memset by hand",
                "what the C library does",
            ),
            Self::Jemalloc => (
                MALLOC_COUNTS,
                MALLOC_CLEARING,
                "thread caches to 32 KiB, then arenas; gives back over time",
            ),
            Self::Mimalloc => {
                (MALLOC_COUNTS, MALLOC_CLEARING, "pages of each thread; gives back over time")
            }
            Self::Zeropool => (
                "nothing, by default",
                "nothing by alloc_uninit; a reset is a memset by hand",
                "256 of a class for each thread and 1024 for all, as set here (default 2 and 32 up)",
            ),
            Self::Opool => (
                "nothing",
                MALLOC_CLEARING,
                "1024 of a class, as set here, in one queue for all threads",
            ),
            Self::Floor | Self::LockedFloor | Self::Busy => {
                ("nothing", "nothing; a reset is a memset by hand", "all, one thread's")
            }
        };
        About { counts, clears, keeps }
    }

    /// A contender ready to be measured, or why it cannot take part here.
    pub(crate) fn enter(self) -> Result<Box<dyn Bench>, String> {
        fn enter<C: Contender>() -> Result<Box<dyn Bench>, String> {
            match C::missing() {
                None => Ok(Box::new(Runner::<C>::new())),
                Some(reason) => Err(reason),
            }
        }
        match self {
            Self::Rseq => enter::<Shockwave<RSEQ>>(),
            Self::Locked => enter::<Shockwave<LOCKED>>(),
            Self::Zeroing => enter::<Shockwave<ZEROING>>(),
            Self::Tracked => enter::<Shockwave<TRACKED>>(),
            Self::Budgeted => enter::<Shockwave<BUDGETED>>(),
            Self::FromHeap => enter::<Shockwave<FROM_HEAP>>(),
            Self::Handles => enter::<Handles>(),
            Self::ThreadLocal => enter::<ThreadLocal>(),
            Self::Glibc => enter::<FromHeap<System>>(),
            #[cfg(feature = "jemalloc")]
            Self::Jemalloc => enter::<FromHeap<crate::contenders::jemalloc::Jemalloc>>(),
            #[cfg(feature = "mimalloc")]
            Self::Mimalloc => enter::<FromHeap<crate::contenders::mimalloc::Mimalloc>>(),
            #[cfg(not(feature = "jemalloc"))]
            Self::Jemalloc => Err("built without the feature jemalloc".to_owned()),
            #[cfg(not(feature = "mimalloc"))]
            Self::Mimalloc => Err("built without the feature mimalloc".to_owned()),
            Self::Zeropool => enter::<Zeropool>(),
            Self::Opool => enter::<Opool>(),
            Self::Vec => enter::<PlainVec>(),
            Self::BytesMut => enter::<PlainBytesMut>(),
            Self::Floor => enter::<Floor>(),
            Self::LockedFloor => enter::<Burdened<TryLock>>(),
            Self::Busy => enter::<Burdened<Instructions>>(),
        }
    }
}

/// The version of a package that this program was built with, from the lock file.
pub(crate) fn version_of(package: &str) -> Option<&'static str> {
    let lock = include_str!("../../../Cargo.lock");
    let after = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?.1;
    let version = after.split_once('"')?.0;
    // jemalloc's own version comes after a plus, and a commit after that.
    Some(version.split_once("-0-g").map_or(version, |(version, _)| version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_a_version() {
        for package in Id::all().iter().filter_map(|id| id.package()) {
            let version = version_of(package).unwrap();
            assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{package} {version}");
        }
        assert_eq!(version_of("no-such-package"), None);
    }
}
