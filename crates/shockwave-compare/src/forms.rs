//! The forms: the shapes in which servers use buffers, each measured at each size.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Buffers held in [`Form::Held16`].
pub(crate) const HELD_FEW: u64 = 16;

/// Buffers held in [`Form::Held256`]: more than a core's magazine ever holds, so through the depot.
pub(crate) const HELD_MANY: u64 = 256;

/// Bytes of the buffers in [`Form::Reset`], [`Form::Filled`] and [`Form::Zeroed`], all of which are
/// written.
pub(crate) const RESET_BYTES: usize = 4 << 10;

/// Bytes of the buffers in [`Form::ResetFew`] and [`Form::Few`].
pub(crate) const FEW_OF_BYTES: usize = 64 << 10;

/// Bytes written to them.
pub(crate) const FEW_BYTES: usize = 300;

/// Messages that the channel of [`Form::Handoff`] holds.
pub(crate) const CHANNEL_DEPTH: usize = 128;

/// A shape of use.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[value(rename_all = "kebab-case")]
pub(crate) enum Form {
    /// Get, write a byte, put
    AtOnce,
    /// As at-once, with the handle stored to memory and loaded again before the put
    Moved,
    /// Get 16, then put 16
    #[value(name = "held-16")]
    #[serde(rename = "held-16")]
    Held16,
    /// Get 256, then put 256
    #[value(name = "held-256")]
    #[serde(rename = "held-256")]
    Held256,
    /// As at-once, with sizes that change from get to get
    Mixed,
    /// Get 4 KiB, write them all, put them cleared
    Reset,
    /// Get 4 KiB, write them all, put them as they are
    Filled,
    /// Get 4 KiB of zeros, write them all, put them as they are
    Zeroed,
    /// Get 64 KiB, write 300 bytes, put them cleared
    ResetFew,
    /// Get 64 KiB, write 300 bytes, put them as they are
    Few,
    /// Get, write a byte, share the buffer between two who both let go of it
    Shared,
    /// As at-once, on all cores at the same time
    Cores,
    /// Got on one thread, put on another, over a bounded channel
    Handoff,
}

impl Form {
    /// All of them, in the order in which they are told.
    pub(crate) const ALL: [Self; 13] = [
        Self::AtOnce,
        Self::Moved,
        Self::Held16,
        Self::Held256,
        Self::Mixed,
        Self::Reset,
        Self::Filled,
        Self::Zeroed,
        Self::ResetFew,
        Self::Few,
        Self::Shared,
        Self::Cores,
        Self::Handoff,
    ];

    /// As a heading has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "at once",
            Self::Moved => "moved through memory",
            Self::Held16 => "16 held",
            Self::Held256 => "256 held",
            Self::Mixed => "mixed sizes",
            Self::Reset => "with reset",
            Self::Filled => "written in full",
            Self::Zeroed => "zeros written in full",
            Self::ResetFew => "with reset of 300 bytes",
            Self::Few => "300 bytes written",
            Self::Shared => "shared by two",
            Self::Cores => "all cores at once",
            Self::Handoff => "producer to consumer",
        }
    }

    /// What one operation is.
    pub(crate) fn is(self) -> &'static str {
        match self {
            Self::AtOnce => "Get, write one byte, put; ns for each.",
            Self::Moved => {
                "Get, write one byte, store the handle to memory, load it again, put; ns for each."
            }
            Self::Held16 => {
                "Get 16 buffers, write one byte to each, then put all 16; ns for one of them."
            }
            Self::Held256 => {
                "Get 256 buffers, write one byte to each, then put all 256; ns for one of them."
            }
            Self::Mixed => {
                "Get, write one byte, put, over a fixed sequence of 256 sizes from 1 byte to 64 KiB; \
                 ns for each."
            }
            Self::Reset => {
                "Get 4 KiB, write all of them, put them so that they are cleared; ns for each. \
                 Contenders without a reset are cleared by hand."
            }
            Self::Filled => {
                "Get 4 KiB, write all of them, put them as they are; ns for each. What is less than with \
                 reset is what the reset costs; of the floor's, what a memset costs."
            }
            Self::Zeroed => {
                "Get 4 KiB of zeros, write all of them, put them as they are; ns for each. Contenders \
                 without zeros to give are cleared by hand."
            }
            Self::ResetFew => {
                "Get 64 KiB, write 300 bytes, put them so that these are cleared; ns for each. \
                 Contenders without a reset are cleared by hand, by one who knows how many to clear."
            }
            Self::Few => "Get 64 KiB, write 300 bytes, put them as they are; ns for each.",
            Self::Shared => {
                "Get, write one byte, freeze, clone, let go of both; ns for each. Contenders whose buffers \
                 nobody shares are put into an Arc, and put as they are by its last holder."
            }
            Self::Cores => {
                "Get, write one byte, put, on all cores at the same time, one pinned thread on each; ns \
                 on each core, and how many times the throughput of one core alone."
            }
            Self::Handoff => {
                "One thread gets and writes one byte, another puts, over a bounded channel for 128 \
                 buffers (crossbeam's ArrayQueue; who has to wait spins, then yields); ns for each. The \
                 floor is the channel alone."
            }
        }
    }

    /// The cases of this form for these sizes; some forms bring their own.
    fn cases(self, sizes: &[usize]) -> impl Iterator<Item = Case> + use<'_> {
        let sizes = match self {
            Self::Mixed => &[0],
            Self::Reset | Self::Filled | Self::Zeroed => &[RESET_BYTES],
            Self::ResetFew | Self::Few => &[FEW_OF_BYTES],
            _ => sizes,
        };
        sizes.iter().copied().map(move |bytes| Case { form: self, bytes })
    }
}

/// A form at a size: what one figure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) form: Form,
    /// Bytes asked for, 0 for mixed sizes.
    pub(crate) bytes: usize,
}

impl Case {
    /// As a sentence has it.
    pub(crate) fn name(self) -> String {
        match self.form {
            Form::Mixed => self.form.name().to_owned(),
            _ => format!("{}, {}", self.form.name(), size_name(self.bytes)),
        }
    }
}

/// All cases of some forms at some sizes, in order.
pub(crate) fn cases(forms: &[Form], sizes: &[usize]) -> Vec<Case> {
    let mut cases: Vec<_> = forms.iter().flat_map(|form| form.cases(sizes)).collect();
    cases.sort_unstable();
    cases.dedup();
    cases
}

/// `4 KiB`, or `1500 B` where that is not whole.
pub(crate) fn size_name(bytes: usize) -> String {
    match bytes {
        0 => "mixed".to_owned(),
        _ if bytes.is_multiple_of(1024) => format!("{} KiB", bytes / 1024),
        _ => format!("{bytes} B"),
    }
}

/// 256 sizes from 1 byte to 64 KiB, each power of two as likely as the next, and always the same
/// ones.
pub(crate) fn mixed_sizes() -> [usize; 256] {
    let mut state = 0x9e37_79b9_u32;
    std::array::from_fn(|_| {
        // Marsaglia's xorshift, whose low bits are good enough to spread sizes.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let top = 1_usize << ((state >> 8) % 17);
        top - (state as usize >> 16) % top.div_ceil(2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_with_a_size_of_their_own_come_once() {
        let cases = cases(&Form::ALL, &[2048, 4096]);
        assert_eq!(cases.len(), 7 * 2 + 6);
        assert_eq!(cases.iter().filter(|case| case.form == Form::Mixed).count(), 1);
    }

    #[test]
    fn mixed_sizes_are_of_every_class_and_of_no_other() {
        let sizes = mixed_sizes();
        assert!(sizes.iter().all(|size| (1..=64 << 10).contains(size)));
        for class in 0..crate::contenders::CLASSES {
            assert!(
                sizes.iter().any(|&size| crate::contenders::class_of(size) == class),
                "{class}"
            );
        }
    }

    #[test]
    fn sizes_are_named_as_people_do() {
        assert_eq!([size_name(2048), size_name(1500)], ["2 KiB", "1500 B"]);
    }
}
