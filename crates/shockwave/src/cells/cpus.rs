//! How many CPUs there are, and how many of them this process may use at once.
#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "asks where threads may run"))]

use std::thread::available_parallelism;

/// How many CPUs this system may ever have, if it says so: one more than their highest number.
/// Numbers may have gaps. A quota on CPU time does not matter here, since it does not say which
/// CPUs a process runs on.
pub(super) fn possible() -> Option<usize> {
    let possible = std::fs::read_to_string("/sys/devices/system/cpu/possible").ok()?;
    highest_number(&possible).map(|highest| highest + 1)
}

/// How many CPUs run now, if the system says so. A virtual machine may have numbers for many more.
#[cfg(target_os = "linux")]
pub(super) fn online() -> Option<usize> {
    // SAFETY: asks for a number.
    let online = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(online).ok().filter(|&online| online > 0)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn online() -> Option<usize> {
    None
}

/// How many cells of a class are enough where they do not belong to CPUs.
pub(super) fn useful_rows() -> usize {
    let parallelism = available_parallelism().map_or(1, usize::from);
    rows_for(possible().unwrap_or(parallelism), allowed(), parallelism)
}

/// As many as there are CPUs, but where a container's quota allows the time of fewer, twice these:
/// threads share the time, and may all the same run on more CPUs for a moment. That this thread is
/// bound to a few is no reason, since others may not be.
fn rows_for(possible: usize, allowed: Option<usize>, parallelism: usize) -> usize {
    match allowed {
        Some(allowed) if parallelism < allowed => (2 * parallelism).min(possible),
        _ => possible,
    }
}

/// How many CPUs this thread may run on, if the system says so.
#[cfg(target_os = "linux")]
fn allowed() -> Option<usize> {
    // SAFETY: a set of CPUs is plain bits.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: writes a set of that size.
    let result = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    // SAFETY: counts the bits of a set.
    let count = unsafe { libc::CPU_COUNT(&set) };
    usize::try_from(count).ok().filter(|_| result == 0)
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> Option<usize> {
    None
}

/// The last number in a list of ranges such as `0-3,8-11`.
fn highest_number(ranges: &str) -> Option<usize> {
    ranges.trim().rsplit([',', '-']).next()?.parse().ok()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_highest_cpu_is_found_in_every_form_of_list() {
        assert_eq!(highest_number("0\n"), Some(0));
        assert_eq!(highest_number("0-1\n"), Some(1));
        assert_eq!(highest_number("0-3,8-11\n"), Some(11));
        assert_eq!(highest_number("0,2,5\n"), Some(5));
        assert_eq!(highest_number(""), None);
    }

    #[test]
    fn a_quota_makes_rows_fewer_and_a_binding_does_not() {
        // Sixty-four CPUs, all allowed: without a quota, and with one of two, a half and fifty.
        assert_eq!(rows_for(64, Some(64), 64), 64);
        assert_eq!(rows_for(64, Some(64), 2), 4);
        assert_eq!(rows_for(64, Some(64), 1), 2);
        assert_eq!(rows_for(64, Some(64), 50), 64);
        // Bound to one of them; and to eight, with a quota of two.
        assert_eq!(rows_for(64, Some(1), 1), 64);
        assert_eq!(rows_for(64, Some(8), 2), 4);
        assert_eq!(rows_for(64, None, 2), 64, "nobody knows why two");
    }

    #[test]
    fn this_system_has_a_cpu_for_this_thread() {
        assert!(useful_rows() >= 1);
        assert!(allowed().is_none_or(|allowed| allowed >= 1));
        assert!(
            online().is_none_or(|online| online >= 1 && online <= possible().unwrap_or(online))
        );
    }
}
