//! Every constant of the pool, with its unit, its range and its reason.

use std::time::Duration;

/// Size classes in one pool, at most. A class takes one cell of eight bytes in each CPU's row; a
/// set of eight or fewer stays on one cache line.
pub(crate) const CLASSES_MAX: usize = 32;

/// Cells in a CPU's row, a power of two: one for each class, and at least one that is always
/// closed.
pub(crate) const COLUMNS: usize = 64;

/// The column of the control blocks of frozen buffers: the last one, which no class can reach, nor
/// the always closed one behind the last class.
pub(crate) const CONTROL_COLUMN: usize = COLUMNS - 1;

/// Bytes in the smallest buffer a class may have: one cache line, so that two buffers never share.
pub(crate) const CLASS_BYTES_MIN: usize = 64;

/// Bytes in the largest buffer a class may have, 16 MiB. Beyond it one page fault per page costs
/// more than any pool can save, and the lookup table would grow.
pub(crate) const CLASS_BYTES_MAX: usize = 16 << 20;

/// Bytes in the largest buffer of all: a handle holds its length in 32 bits.
pub(crate) const BUFFER_BYTES_MAX: usize = u32::MAX as usize;

/// Bytes to which every buffer is aligned: a cache line, which also suits vector instructions.
pub(crate) const BUFFER_ALIGN: usize = 64;

/// Buffer addresses in one magazine, at most. With its header of four words and a null behind the
/// last that is 31 cache lines, of which a capacity of less touches fewer; two of them and a line
/// before each fill a page. The room in a magazine's word has eight bits, so 255 would be the end
/// in any case.
pub(crate) const SLOTS: usize = if cfg!(loom) { 2 } else { 243 };

/// Buffers that a magazine of a new pool may hold; what it comes to hold follows from how often
/// depots are visited. Sixteen held at a time, a server's usual few for each connection in hand,
/// visit none. For the six default classes these are half of what a CPU may have, which leaves the
/// other half to those classes that turn out to need it.
pub(crate) const SLOTS_FIRST: usize = if cfg!(loom) { 2 } else { 32 };

/// Exchanges in close succession after which a capacity doubles, so that it is at its largest after
/// a dozen. With one, a single pause in which buffers pile up would do; with sixteen, a program
/// that holds 256 at a time would go through eight rounds of it first, which takes two with four.
pub(crate) const EXCHANGES_TO_GROW: u32 = 4;

/// Gets for each slot that a magazine may have served in its cell and still count as exchanged in
/// close succession. An exchange costs some 60 ns: at eight gets for each of 32 slots it adds a
/// quarter of a nanosecond to each get, less than there is to gain.
pub(crate) const GETS_OFTEN: u64 = 8;

/// CPUs that x86-64 Linux may be built for, at most: `NR_CPUS` in the kernel's `arch/x86/Kconfig`.
/// Each pool has address space for as many rows of cells, 4 MiB, and memory for those of CPUs that
/// run; what is beyond the CPUs that there are is mapped to be read only.
pub(crate) const CPUS_MAX: usize = 1 << 13;

/// Rows of cells that are ever opened. A thread on a CPU with a number beyond works by the slow
/// path.
pub(crate) const ROWS: usize = 1 << 10;

/// Pools alive at once in one process, at most: a handle names its pool in eleven bits, and the
/// table that leads from there to a class's cells takes half a kilobyte of address space for each.
pub(crate) const POOLS_MAX: usize = 1 << 11;

/// Bytes of idle buffers that one CPU's cells may hold, unless the builder says otherwise. Of 8 MiB
/// the six default classes begin with 32 × (2 + 4 + … + 64 KiB) = 3.9 MiB; the rest is enough for
/// any one of the four smaller classes to grow to the end.
pub(crate) const PER_CORE_BYTES: usize = 8 << 20;

/// Tries that an exchange makes to get through its restartable sequence before it does without a
/// cell. A preemption aborts one try; only a debugger's single steps or a storm of signals abort
/// four.
pub(crate) const SEQUENCE_TRIES: u32 = 4;

/// Visits to depots after which cells that were closed in vain, to see whether the pressure has
/// crossed a mark, are given blocks again. A visit costs a lock, closing the cells of a class a
/// signal to every CPU that the program runs on. A loop that takes and returns a buffer almost as
/// large as what is left to the mark, and smaller ones in between, would close them every time
/// around. So many visits cost more than the closing did; with many more, those who were far from
/// the mark but for what other cells held would wait for it.
pub(crate) const VISITS_TO_REST: usize = 256;

/// Milliseconds after which what was of no use goes back, unless the builder says otherwise. Ten
/// seconds outlast the pauses of a busy server, and are short beside the life of a peak.
pub(crate) const TRIM_INTERVAL_MS: u64 = 10_000;

/// The shortest time that a maintainer rests between two rounds, whatever it was asked for. A round
/// takes a lock for each class, some microseconds; a thread that did nothing else would have a core
/// to itself and be in every depot's way.
pub(crate) const MAINTAIN_INTERVAL_MIN: Duration = Duration::from_millis(1);

/// Bytes of each class that a get or put that comes by at the end of an interval gives back, 4 MiB:
/// some hundreds of microseconds of the source's time, once in an interval.
pub(crate) const TRIM_STEP_BYTES: usize = 4 << 20;

/// Bytes that are taken out of a depot under one stay of its lock, 4 MiB: whole magazines, most of
/// them of 243 blocks. Until they are back at the source, a get for which the budget has no room
/// waits for them, some hundreds of microseconds.
pub(crate) const TRIM_VISIT_BYTES: usize = 4 << 20;

/// Blocks that a source is given back at once, at most, where that may be in a signal handler:
/// their addresses take a kilobyte of its stack.
pub(crate) const FREE_BLOCKS: usize = 128;

/// The same where it is not: eight kilobytes of stack. The more there are, the more are neighbors:
/// the spike of the load test, whose blocks come back in no order, takes mapped memory some 1,330
/// system calls; with 128 at once it takes 1,800, and one by one 2,060.
pub(crate) const FREE_BLOCKS_MAX: usize = 1024;

const _: () = assert!(ROWS <= CPUS_MAX, "rows that are opened are there");
const _: () = assert!(CLASSES_MAX < COLUMNS, "some column is always closed");
const _: () = assert!(CLASSES_MAX < CONTROL_COLUMN, "control blocks are in a column of their own");
const _: () = assert!(CLASS_BYTES_MAX <= BUFFER_BYTES_MAX);
const _: () = assert!(SLOTS < 1 << 8, "a magazine's word holds its room in eight bits");
const _: () = assert!(SLOTS_FIRST <= SLOTS);
const _: () = assert!(CLASS_BYTES_MIN >= size_of::<usize>(), "an idle buffer can hold a link");
