//! Huge pages, by the system's own word: whether it knows that a mapping is to have them.

use std::path::Path;
use std::ptr::NonNull;

use shockwave::Map;

use crate::{free, taken};

/// The flags that the system has for the mapping at an address, or `None` where it tells none.
fn flags(memory: NonNull<u8>) -> Option<Vec<String>> {
    let address = memory.as_ptr().addr();
    let maps = std::fs::read_to_string("/proc/self/smaps").ok()?;
    let is_start_of = |line: &str| {
        let range = line.split(' ').next()?.split_once('-')?;
        let bound = |text| usize::from_str_radix(text, 16).ok();
        Some((bound(range.0)?..bound(range.1)?).contains(&address))
    };
    let mut lines = maps.lines().skip_while(|line| is_start_of(line) != Some(true));
    let flags = lines.find_map(|line| line.strip_prefix("VmFlags:"))?;
    Some(flags.split_whitespace().map(String::from).collect())
}

#[test]
fn mappings_are_for_huge_pages_if_asked_and_spans_for_none_if_not() {
    if !Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
        eprintln!("left out: this kernel has no transparent huge pages");
        return;
    }
    // A part of a page, a page and a block of pages in spans, and a mapping of its own.
    for size in [1024, 4096, 65_536, 4 << 20] {
        for huge in [true, false] {
            let map = Map::new().huge_pages(huge);
            let block = taken(&map, size);
            let Some(flags) = flags(block) else {
                eprintln!("left out: this kernel tells no flags of mappings");
                return free(&map, block, size);
            };
            let has = |flag| flags.iter().any(|one| one == flag);
            assert_eq!(has("hg"), huge, "{size}: {flags:?}");
            // What is mapped alone is left to the system's own setting.
            assert_eq!(has("nh"), !huge && size <= 65_536, "{size}: {flags:?}");
            free(&map, block, size);
        }
    }
}
