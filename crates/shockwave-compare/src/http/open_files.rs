//! How many files a process may have open, raised for it and for those it starts.
#![expect(unsafe_code, reason = "asks the kernel for a limit, and sets it")]

/// Raises the limit to what is needed, as far as this process may; an error says how to help.
pub(crate) fn allow(needed: u64) -> Result<(), String> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: valid: the pointer is to a limit on this stack, which nobody else has.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(format!("cannot read the limit of open files: {}", last_error()));
    }
    if limit.rlim_cur >= needed {
        return Ok(());
    }
    let wanted = libc::rlimit { rlim_cur: needed, rlim_max: limit.rlim_max.max(needed) };
    // SAFETY: valid: the pointer is to a limit on this stack, which is only read.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wanted) } == 0 {
        return Ok(());
    }
    Err(format!(
        "{needed} open files are needed, and {} is the limit ({}); see ulimit -n, or ask for \
         fewer connections by --idle",
        limit.rlim_max,
        last_error()
    ))
}

fn last_error() -> std::io::Error {
    std::io::Error::last_os_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_already_stays_allowed_and_the_impossible_is_refused_with_advice() {
        assert_eq!(allow(1), Ok(()));
        assert!(allow(u64::MAX - 1).is_err_and(|why| why.contains("--idle")));
    }
}
