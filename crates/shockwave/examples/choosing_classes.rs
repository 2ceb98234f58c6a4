//! Choosing classes: finds, for a histogram of request sizes, the classes that waste the least
//! memory, and compares them with the default ones.
//!
//! `cargo run -p shockwave --example choosing_classes -- [FILE [COUNT]]` reads lines of `size
//! count` from a file and chooses COUNT classes, 6 by default. Without a file it takes a web
//! server's sizes that it has built in.

use std::process::ExitCode;

use shockwave::BufferPool;

/// Classes are chosen at multiples of this many bytes: a cache line, to which buffers are aligned
/// anyway.
const STEP: usize = 64;

/// The largest size that a class may have.
const SIZE_MAX: usize = 16 << 20;

/// Distinct sizes, after rounding up to `STEP`, that a histogram may have.
const SIZES_MAX: usize = 1024;

/// How often a size is asked for: sizes ascending and distinct, counts above zero.
type Histogram = Vec<(usize, u64)>;

/// A web server's buffers: heads, small answers, JSON, TLS records, pieces of files.
const BUILT_IN: &str = "\
    380 9000\n 640 21000\n 900 17000\n 1460 26000\n 2900 8000\n 5100 6500\n 9000 3000\n
    16640 12000\n 24000 900\n 33000 2500\n 65000 700\n";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("{complaint}");
            eprintln!("usage: choosing_classes [FILE [COUNT]]; each line of FILE is `size count`");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.len() > 2 {
        return Err("at most a file and a number of classes were expected".into());
    }
    let text = match arguments.first() {
        None => BUILT_IN.to_owned(),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?,
    };
    let count = match arguments.get(1) {
        None => 6,
        Some(count) => match count.to_str().and_then(|text| text.parse().ok()) {
            Some(count @ 1..=32) => count,
            _ => return Err(format!("{} is no number of classes from 1 to 32", count.display())),
        },
    };
    let histogram = parse(&text)?;

    let chosen = choose(&histogram, count);
    let tailored = BufferPool::builder().classes(&chosen).build().map_err(|e| e.to_string())?;
    report("default classes", &BufferPool::new(), &histogram);
    report("chosen classes", &tailored, &histogram);
    println!("in code:\n    BufferPool::builder().classes(&{chosen:?}).build()?");
    Ok(())
}

/// Reads lines of `size count`. Sizes may come in any order and more than once.
fn parse(text: &str) -> Result<Histogram, String> {
    let mut histogram = Histogram::new();
    for (number, line) in (1..).zip(text.lines()) {
        let words: Vec<_> = line.split_whitespace().collect();
        let (size, count) = match words[..] {
            [] => continue,
            [size, count] => (size.parse::<usize>(), count.parse::<u32>()),
            _ => return Err(format!("line {number}: `size count` was expected, not {line:?}")),
        };
        match (size, count) {
            (Ok(size @ 1..=SIZE_MAX), Ok(count @ 1..)) => histogram.push((size, count.into())),
            (Ok(1..=SIZE_MAX), _) => {
                return Err(format!(
                    "line {number}: {} is no count from 1 to {}",
                    words[1],
                    u32::MAX
                ));
            }
            _ => {
                return Err(format!("line {number}: {} is no size from 1 to {SIZE_MAX}", words[0]));
            }
        }
    }
    histogram.sort_unstable();
    histogram.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        earlier.1 += if same { later.1 } else { 0 };
        same
    });
    if histogram.is_empty() {
        return Err("there are no sizes to choose classes for".into());
    }
    Ok(histogram)
}

/// The `count` classes or fewer that give out the fewest bytes for a histogram, ascending.
///
/// An optimal set has each class at a size that is asked for, rounded up. Let `best[j]` be the
/// fewest bytes by which `k` classes serve the first `j` sizes with the last class at size `j`;
/// then the last class serves all sizes after some `i < j`, and `best[i]` with `k - 1` classes
/// serves the rest.
fn choose(histogram: &[(usize, u64)], count: usize) -> Vec<usize> {
    let steps = rounded(histogram);
    let sizes = steps.len();
    // Requests among the first `j` sizes.
    let mut requests = vec![0; sizes + 1];
    for (j, &(_, count)) in steps.iter().enumerate() {
        requests[j + 1] = requests[j] + u128::from(count);
    }
    let bytes = |i: usize, j: usize| (requests[j] - requests[i]) * steps[j - 1].0 as u128;

    let mut best: Vec<_> = (0..=sizes).map(|j| if j == 0 { 0 } else { bytes(0, j) }).collect();
    // For each number of classes beyond the first: where the last class begins, for each `j`.
    let mut begins: Vec<Vec<usize>> = Vec::new();
    for _ in 1..count.min(sizes) {
        let mut next = best.clone();
        let mut begin = vec![0; sizes + 1];
        for j in 1..=sizes {
            for (i, before) in best.iter().enumerate().take(j).skip(1) {
                let total = before + bytes(i, j);
                if total < next[j] {
                    (next[j], begin[j]) = (total, i);
                }
            }
        }
        best = next;
        begins.push(begin);
    }
    let mut classes = Vec::new();
    let mut j = sizes;
    while j > 0 {
        classes.push(steps[j - 1].0);
        j = begins.pop().map_or(0, |begin| begin[j]);
    }
    classes.reverse();
    classes
}

/// The histogram with sizes rounded up to `STEP`, or to more if there are too many distinct ones.
fn rounded(histogram: &[(usize, u64)]) -> Histogram {
    let mut step = STEP;
    loop {
        let mut steps = Histogram::new();
        for &(size, count) in histogram {
            let size = size.next_multiple_of(step);
            match steps.last_mut() {
                Some(last) if last.0 == size => last.1 += count,
                _ => steps.push((size, count)),
            }
        }
        if steps.len() <= SIZES_MAX {
            return steps;
        }
        step *= 2;
    }
}

/// Asks a pool for one buffer of each size and says what a histogram of such requests would waste.
#[expect(clippy::cast_precision_loss, reason = "percentages are for people")]
fn report(name: &str, pool: &BufferPool, histogram: &[(usize, u64)]) {
    let (mut asked, mut given, mut oversize) = (0, 0, 0);
    for &(size, count) in histogram {
        asked += size as u128 * u128::from(count);
        given += pool.get(size).capacity() as u128 * u128::from(count);
        oversize += if pool.class_sizes().all(|class| class < size) { count } else { 0 };
    }
    let classes: Vec<_> = pool.class_sizes().collect();
    println!("{name}: {classes:?}");
    println!("  asked for {asked} bytes, given {given}");
    println!("  wasted {:.1} % of what was given", (given - asked) as f64 / given as f64 * 100.0);
    println!("  {oversize} requests beyond the largest class, each of which allocates\n");
}
