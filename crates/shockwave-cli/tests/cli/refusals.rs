//! Bad values: refused before anything runs, with what was wrong and what was expected, and exit
//! code 2.

use crate::support::{Ran, run};

/// A flag, values that it refuses, and words of what is expected of it.
const REFUSED: [(&str, &str, &str); 8] = [
    ("--duration", "0|0s|10|-1s|+1s|1x||s|1.2.3s|25h|99999999999999999999s", "1m30s"),
    ("--sizes", "0|0k||,|4k,|4k,,8k|-4k|4q|1.5k|4g|x|4k 8k|0x10|1e3|4k;8k", "expected"),
    ("--sizes", "4k,4k|4k,4096|1m,1024k", "each size once"),
    ("--workers", "0|-1|+1||4097|1.5|1k|x|99999999999999999999|two", "1 to 4096"),
    ("--ops-per-buffer", "0|-1||1000001|1.5|1k|x|99999999999999999999", "1 to 1000000"),
    ("--warmup", "-1||1000001|1.5|1k|x|99999999999999999999|auto", "0 to 1000000"),
    ("--min-hit-rate", "-1|-0.1||100.1|101|NaN|inf|-inf|x|95%%|%", "0 to 100"),
    ("--scenario", "|Steady|gust|steady,burst|-1|0|none|stead", "handoff"),
];

/// The same of `serve`.
const REFUSED_BY_SERVE: [(&str, &str, &str); 16] = [
    ("--listen", "|8080|localhost:80|:80|1.2.3.4|1.2.3.4:x|1.2.3.4:65536|::1:80", "[::1]:8080"),
    ("--warmup", "-1||1000001|1.5|1k|x", "0 to 1000000"),
    ("--budget", "0|63|-1||x|1.5g|2000000g", "512m"),
    ("--classes", "0||4k,|4k,4096|x", "expected"),
    ("--workers", "0|-1||4097|x", "1 to 4096"),
    ("--max-connections", "0|-1||1000001|x", "1 to 1000000"),
    ("--max-body", "-1||x|1.5m", "as in 4096"),
    ("--root", "|/nowhere|/dev/null", "the path of a directory"),
    ("--log-interval", "0s|60||x", "1m30s"),
    ("--long-hold", "0s|60||x", "1m30s"),
    ("--track", "-1||1000001|1.5|x", "1 to 1000000"),
    ("--shutdown-timeout", "0s|60||x", "1m30s"),
    ("--log-format", "|xml", "json"),
    ("--over-budget", "|503|drop", "refuse"),
    ("--log-level", "|loud", "debug"),
    ("--allow-host", "|a:80|http://a/|*.a|a,", "or * for any"),
];

fn check(arguments: &[&str], words: &[&str]) {
    let Ran { code, stdout, stderr } = run(arguments);
    assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
    assert_eq!(stdout, "", "{arguments:?}");
    for word in words {
        assert!(stderr.contains(word), "{arguments:?}: {word:?} in {stderr}");
    }
}

#[test]
fn values_that_mean_nothing() {
    for (flag, values, expected) in REFUSED {
        for value in values.split('|') {
            check(&["loadtest", &format!("{flag}={value}")], &[flag, expected]);
        }
    }
    for (flag, values, expected) in REFUSED_BY_SERVE {
        for value in values.split('|') {
            check(&["serve", &format!("{flag}={value}")], &[flag, expected]);
        }
    }
    for value in ["", "https://localhost", "ftp://x", "a b", "localhost:99999"] {
        check(&["top", value], &["127.0.0.1:8080"]);
    }
    check(&["top", "--interval=0s"], &["--interval", "1m30s"]);
    for command in ["loadtest", "bench", "serve"] {
        for value in ["", "fast", "Rseq", "0", "auto,rseq"] {
            check(&[command, &format!("--cells={value}")], &["--cells", "locked"]);
        }
        check(&[command, "--color=pink"], &["--color", "always"]);
    }
}

#[test]
fn a_value_with_a_dash_is_a_value_and_not_a_flag() {
    check(&["loadtest", "--duration", "-1s"], &["a duration begins with a digit"]);
    check(&["loadtest", "--min-hit-rate", "-5"], &["out of range; expected 0 to 100"]);
    check(&["loadtest", "--workers", "-2"], &["not a whole number; expected 1 to 4096"]);
}

#[test]
fn arguments_that_do_not_exist() {
    check(&[], &["Usage"]);
    check(&["lodtest"], &["loadtest"]);
    check(&["loadtest", "--durations", "1s"], &["--duration"]);
    check(&["loadtest", "extra"], &["extra"]);
    check(&["loadtest", "--duration"], &["--duration"]);
    check(&["loadtest", "--json", "--json"], &["--json"]);
    check(&["completions"], &["SHELL"]);
    check(&["completions", "tcsh"], &["bash", "zsh", "fish"]);
    check(&["bench", "--duration", "1s"], &["--duration"]);
    check(&["plan"], &["FILE|URL"]);
}
