//! Which CPUs this process may run on, and threads that stay on one.
#![expect(unsafe_code, reason = "sets a thread's affinity")]

use std::sync::OnceLock;

/// The CPUs that this process was allowed when this was first asked, ascending; never none.
pub(crate) fn allowed_cpus() -> &'static [usize] {
    static CPUS: OnceLock<Vec<usize>> = OnceLock::new();
    CPUS.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        list.and_then(parse_list).unwrap_or_else(|| {
            let count = std::thread::available_parallelism().map_or(1, usize::from);
            (0..count).collect()
        })
    })
}

/// The numbers of a list of ranges such as `0-3,8`; `None` if it is none.
fn parse_list(list: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for range in list.trim().split(',') {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        cpus.extend(from.parse().ok()?..=to.parse::<usize>().ok()?);
    }
    (!cpus.is_empty()).then_some(cpus)
}

/// Keeps the calling thread on one CPU from here on, where the system can.
#[cfg(target_os = "linux")]
pub(crate) fn pin(cpu: usize) {
    // SAFETY: all zeros is a set without CPUs.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    if cpu < libc::CPU_SETSIZE as usize {
        // SAFETY: the number is below the set's size.
        unsafe { libc::CPU_SET(cpu, &mut set) };
        // SAFETY: the set is of the size that is said. Should it fail, the thread runs anywhere,
        // and the figures of this run are noisier.
        unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    }
}

/// Keeps the calling thread on one CPU from here on, where the system can: it cannot.
#[cfg(not(target_os = "linux"))]
pub(crate) fn pin(_cpu: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_ranges_becomes_its_numbers() {
        assert_eq!(parse_list("\t0-3,8,10-11\n"), Some(vec![0, 1, 2, 3, 8, 10, 11]));
        assert_eq!(parse_list("0"), Some(vec![0]));
        assert_eq!(parse_list(""), None);
    }
}
