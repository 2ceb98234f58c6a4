//! The machine, the system and the compiler, for a figure is of these as well.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::affinity::allowed_cpus;

/// Where and when a run was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) libc: String,
    pub(crate) rustc: String,
    /// The day, in UTC.
    pub(crate) date: String,
}

impl Machine {
    /// This one, now.
    pub(crate) fn here() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
        let model = model.and_then(|line| line.split_once(": "));
        let kernel = read("/proc/sys/kernel/osrelease");
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        Self {
            cpu: model.map_or(std::env::consts::ARCH, |(_, model)| model).to_owned(),
            cores: allowed_cpus().len(),
            kernel: format!("{} {}", std::env::consts::OS, kernel.trim()),
            libc: libc_version(),
            rustc: env!("COMPARE_RUSTC").to_owned(),
            date: date(seconds / 86_400),
        }
    }
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "asks the C library for its version")]
fn libc_version() -> String {
    // SAFETY: takes nothing and returns a string that lives as long as the library.
    let version = unsafe { libc::gnu_get_libc_version() };
    // SAFETY: a string with an end, as above.
    let version = unsafe { std::ffi::CStr::from_ptr(version) };
    format!("glibc {}", version.to_string_lossy())
}

#[cfg(not(target_env = "gnu"))]
fn libc_version() -> String {
    "not glibc".to_owned()
}

/// The date of a day counted from 1970-01-01, year by year and month by month.
fn date(mut days: u64) -> String {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (19_722, "2023-12-31"),
            (19_723, "2024-01-01"),
            (20_088, "2024-12-31"),
        ] {
            assert_eq!(date(day), expected);
        }
    }
}
