//! `shockwave bench`: every case is there, and adds up.

use crate::support::{Ran, json, number, run, whole};

#[test]
fn every_case_is_measured_pooled_and_allocated() {
    for cells in ["auto", "locked"] {
        let benchmark = json(&run(&["bench", "--quick", "--json", "--cells", cells]));
        let rows = benchmark["rows"].as_array().expect("rows");
        for supply in ["pooled", "allocated"] {
            let of = |name: &str| {
                let rows = rows.iter().filter(|row| row["supply"] == supply);
                rows.filter(|row| row["benchmark"] == name).collect::<Vec<_>>()
            };
            let sizes: Vec<_> = of("get and put").iter().map(|row| whole(row, "/size")).collect();
            assert_eq!(sizes, [2048, 4096, 8192, 16384, 32768, 65536]);
            for name in ["parallel", "mixed sizes", "with reset"] {
                assert_eq!(of(name).len(), 1, "{supply} {name}");
            }
        }
        for row in rows {
            let (nanos, rate) =
                (number(row, "/ns_per_operation"), number(row, "/operations_per_second"));
            assert!(nanos > 0.0 && (nanos * rate / 1e9 - 1.0).abs() < 1e-6, "{row}");
            let allocations = number(row, "/allocations_per_operation");
            if row["supply"] == "allocated" {
                assert_eq!(allocations, 1.0, "{row}");
                if let Some(size) = row["size"].as_f64() {
                    assert_eq!(number(row, "/bytes_per_operation"), size, "{row}");
                }
            } else {
                assert_eq!((allocations, number(row, "/bytes_per_operation")), (0.0, 0.0), "{row}");
            }
        }
    }
}

#[test]
fn the_table_has_a_line_for_each_case() {
    let Ran { code, stdout, stderr } = run(&["bench", "--quick"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "no progress without a terminal");
    for words in ["ns/op", "operations/s", "bytes/op", "allocs/op", "64 KiB", "with reset", "mixed"]
    {
        assert!(stdout.contains(words), "{words} in {stdout}");
    }
    assert_eq!(stdout.lines().filter(|line| line.contains(" pooled ")).count(), 9, "{stdout}");
}
