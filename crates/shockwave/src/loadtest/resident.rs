//! Resident memory: what of this process lies in the machine's memory now.

/// Resident bytes of the process around the measured time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Resident {
    /// After warm-up, before the workers were let go.
    pub before: u64,
    /// The most that was seen at any sample; no less than the other two.
    pub peak: u64,
    /// After the last worker was done, the pool still there.
    pub after: u64,
}

/// Bytes of this process that are resident now; `None` where there is no `/proc/self/statm`.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(resident_pages(&statm)? * page_bytes()?)
}

/// The second number: pages that are resident.
fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "asks the system for the size of its pages")]
fn page_bytes() -> Option<u64> {
    // SAFETY: `sysconf` only reads its argument.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).ok()
}

#[cfg(not(unix))]
fn page_bytes() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_is_the_resident_one() {
        assert_eq!(resident_pages("2204 563 430 12 0 190 0\n"), Some(563));
        assert_eq!(resident_pages("2204"), None);
        assert_eq!(resident_pages("2204 many"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_that_is_touched_becomes_resident() {
        let before = resident_bytes().unwrap();
        let touched = std::hint::black_box(vec![1_u8; 64 << 20]);
        // Half of it leaves room for what else the process gives back meanwhile.
        assert!(resident_bytes().unwrap() > before + (32 << 20));
        drop(touched);
    }
}
