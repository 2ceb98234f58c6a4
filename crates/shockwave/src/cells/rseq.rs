//! Cells entered by restartable sequences: the only assembly in the crate.
//!
//! # What a restartable sequence is
//!
//! A thread may register an area with the kernel, and glibc 2.35 does it for every thread. In it the
//! kernel keeps the number of the CPU that the thread runs on, and the thread keeps the address of a
//! descriptor: where a sequence starts, where it has been committed, and where to go if it was not.
//! Whenever the kernel takes the thread off its CPU, moves it, or delivers a signal, and finds it
//! between start and commit, it sends the thread to the abort address instead of back to where it was.
//! So from reading the CPU's number to the one store that commits, either nobody else ran on this CPU
//! or nothing has happened. See `Documentation/userspace-api/rseq.rst` in the kernel's sources.
//!
//! # The three sequences
//!
//! | sequence | reads | commits by storing |
//! |---|---|---|
//! | take | CPU, its cell, the magazine's word, the next slot | `word + 257` |
//! | put | CPU, its cell, the magazine's word | `word - 1`, after the slot before the next |
//! | exchange | CPU, its cell | the new magazine's address |
//!
//! A put writes a slot before it commits. If it is aborted there, it has written a stale slot, which
//! nobody reads.
//!
//! # Why it is sound
//!
//! 1. *Two threads on one CPU* cannot both be between start and commit: one of them was taken off
//!    the CPU there, and will be aborted before it runs on.
//! 2. *Two CPUs* have different cells, and a magazine is in one cell at a time.
//! 3. *Exchange* runs under the class's lock, so cells change by one thread at a time; on its CPU it
//!    excludes take and put by 1.
//! 4. *Closing from outside* sets the cells of all CPUs to null and then runs
//!    `membarrier(PRIVATE_EXPEDITED_RSEQ)`, which aborts every sequence under way in the process and
//!    is a full barrier on every CPU. After it nobody can commit to the old magazines, and all that was
//!    committed to them is visible.
//! 5. *A thread that is not registered* has a CPU number of -1 or -2, which as an unsigned number is
//!    beyond every table, and leaves by the slow path, where there is "no cell".
//! 6. *Endless aborts*, as under a debugger that steps instruction by instruction, cannot be: an
//!    aborted sequence is not restarted, but leaves by the slow path, which tries a few times more.
//! 7. The area is addressed relative to the thread pointer within the sequence, so nothing about the
//!    thread is kept in a register or on the stack from before it, and a sequence that moves to another
//!    thread's code by inlining or to another stack by a coroutine switch stays correct.
//!
//! A process must not unload the code that holds the descriptors (`dlclose`) while threads that ran
//! them live on: the kernel may still look at the last descriptor.
#![expect(unsafe_code, reason = "restartable sequences cannot be written without assembly")]

use std::arch::asm;
use std::ptr::{NonNull, null, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{
    AtomicIsize, AtomicPtr,
    Ordering::{Acquire, Relaxed, SeqCst},
};

use super::{Enter, Exchange};
use crate::depot::Stock;
use crate::limits::{COLUMNS, POOLS_MAX, ROWS, SEQUENCE_TRIES};
use crate::magazine::{Block, Magazine, Slots, WORD_GET, WORD_PUT, Word};
use crate::source::pages;

/// A whole sequence around its body. In numbers: 77 is the descriptor, 33 the start, 44 the commit,
/// 55 the abort, 66 "not done", 88 the end. The body begins with this CPU's row in `{t}`, as an offset
/// from CPU 0's, and ends with its commit; it may jump to 66 before that.
///
/// What rarely runs lies in a section of its own, so that a sequence that succeeds falls through from
/// its first instruction to its last. The abort stands behind the signature that the C library
/// registered; it is written as the operand of an undefined instruction, as librseq does it, so that
/// disassemblers stay in step.
macro_rules! sequence {
    ($($body:literal),+ $(,)?) => {
        concat!(
            ".pushsection __rseq_cs, \"aw\"\n",
            ".balign 32\n",
            "77:\n",
            ".long 0, 0\n",                           // version, flags
            ".quad 33f, 44f - 33f, 55f\n",            // start, length, abort
            ".popsection\n",
            "lea {t}, [rip + 77b]\n",
            "mov qword ptr fs:[{area} + 8], {t}\n",   // armed
            "33:\n",
            "mov {t:e}, dword ptr fs:[{area} + 4]\n", // this CPU, or -1, or -2
            "cmp {t}, {rows}\n",
            "jae 66f\n",
            "shl {t}, {shift}\n",
            $($body, "\n",)+
            "44:\n",
            "88:\n",
            ".pushsection .text.unlikely.rseq, \"ax\", @progbits\n",
            ".byte 0x0f, 0xb9, 0x3d\n",
            ".long 0x53053053\n",
            "55:\n",
            "66:\n",
            "xor {o:e}, {o:e}\n",
            "jmp 88b\n",
            ".popsection\n",
        )
    };
}

/// One CPU's cells.
#[repr(C, align(512))]
struct Row([AtomicPtr<Slots>; COLUMNS]);

/// Rows lie this power of two apart; the assembly shifts a CPU's number by it.
const ROW_SHIFT: u32 = 9;
const _: () = assert!(size_of::<Row>() == 1 << ROW_SHIFT);

/// What a put needs to know besides its buffer, in one place.
struct Process {
    /// Where the C library put each thread's area, relative to the thread pointer. Set before the first
    /// cells are made, and the same from then on.
    area: AtomicIsize,
    /// Where each class of each pool has its column; the index is
    /// [`Meta::place`](crate::meta::Meta::place). It takes a put from its buffer's second word to the
    /// cells in one load.
    places: [AtomicPtr<AtomicPtr<Slots>>; POOLS_MAX * COLUMNS],
}

static PROCESS: Process = Process {
    area: AtomicIsize::new(0),
    places: [const { AtomicPtr::new(null_mut()) }; POOLS_MAX * COLUMNS],
};

/// Where each thread's area lies relative to its thread pointer; the same in the whole process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area(isize);

impl Area {
    /// As it was found when the first cells were made.
    #[inline(always)]
    pub(crate) fn known() -> Self {
        Self(PROCESS.area.load(Relaxed))
    }
}

/// One class's cells of one pool: where CPU 0's is. Those of other CPUs lie `cpu << ROW_SHIFT` bytes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column(*const AtomicPtr<Slots>);

// SAFETY: an address; what lies there is atomic, and entering it is where the conditions are.
unsafe impl Send for Column {}
// SAFETY: as above.
unsafe impl Sync for Column {}

impl Column {
    /// No column. Not to be entered.
    pub(crate) const NONE: Self = Self(null());

    /// Whether this is [`NONE`](Self::NONE).
    #[inline(always)]
    pub(crate) fn is_none(self) -> bool {
        self.0.is_null()
    }

    /// The column `classes` further on in the same rows.
    #[inline(always)]
    pub(crate) fn plus(self, classes: usize) -> Self {
        Self(self.0.wrapping_add(classes))
    }

    /// The column at a place.
    #[inline(always)]
    pub(crate) fn at(place: usize) -> Self {
        // Relaxed: whoever got the buffer that names the place did so after the table was written, and
        // passed it on by means that order memory.
        Self(PROCESS.places[place].load(Relaxed))
    }

    /// Takes a block from this CPU's magazine and counts a get, or does nothing if it is empty.
    ///
    /// # Safety
    ///
    /// The column's pool is alive.
    #[inline(always)]
    pub(crate) unsafe fn take(self, area: Area) -> Option<Block> {
        let memory: *mut u8;
        // SAFETY: valid: `area` is where this thread's area lies, whichever thread it is; a cell
        // within the rows is null or points at a magazine, whose `blocks[room]` is within its slots. Exclusive: the commit happens only if nothing else ran on this CPU since the
        // start (points 1 to 4 above). Effects: declared to touch memory, uses no stack.
        unsafe {
            asm!(
                sequence!(
                    "mov {t}, qword ptr [{column} + {t}]",   // the magazine
                    "test {t}, {t}",                         // null if the cell is closed
                    "jz 66f",
                    "mov {w}, qword ptr [{t}]",              // its word
                    "movzx {o:e}, {w:l}",                    // its room
                    "mov {o}, qword ptr [{t} + {o}*8 + 32]", // blocks[room], null if it is empty
                    "test {o}, {o}",
                    "jz 66f",
                    "add {w}, {get}",
                    "mov qword ptr [{t}], {w}",              // commit: one get more, one block less
                ),
                column = in(reg) self.0,
                area = in(reg) area.0,
                rows = const ROWS,
                t = out(reg) _,
                w = out(reg_abcd) _,
                o = out(reg) memory,
                shift = const ROW_SHIFT,
                get = const WORD_GET,
                options(nostack),
            );
        }
        // SAFETY: the commit took the block out of its magazine for this caller alone.
        NonNull::new(memory).map(|memory| unsafe { Block::from_raw(memory) })
    }

    /// Puts a block into this CPU's magazine, or hands it back if that is full.
    ///
    /// # Safety
    ///
    /// The column's pool is alive, and the block is of its class.
    #[inline(always)]
    pub(crate) unsafe fn put(self, area: Area, block: Block) -> Result<(), Block> {
        let memory = block.into_raw();
        let room: u64;
        // SAFETY: as in `take`; the slot that is written lies before the first block, and before the
        // commit nobody reads it.
        unsafe {
            asm!(
                sequence!(
                    "mov {t}, qword ptr [{column} + {t}]",   // the magazine
                    "test {t}, {t}",                         // null if the cell is closed
                    "jz 66f",
                    "mov {w}, qword ptr [{t}]",              // its word
                    "movzx {o:e}, {w:l}",                    // its room
                    "test {o:e}, {o:e}",
                    "jz 66f",
                    "mov qword ptr [{t} + {o}*8 + 24], {b}", // blocks[room - 1]
                    "sub {w}, {put}",
                    "mov qword ptr [{t}], {w}",              // commit: one block more
                ),
                column = in(reg) self.0,
                area = in(reg) area.0,
                rows = const ROWS,
                b = in(reg) memory.as_ptr(),
                t = out(reg) _,
                w = out(reg_abcd) _,
                o = out(reg) room,
                shift = const ROW_SHIFT,
                put = const WORD_PUT,
                options(nostack),
            );
        }
        // SAFETY: there was no room, or the sequence did not commit; the right to the block is still here.
        if room == 0 { Err(unsafe { Block::from_raw(memory) }) } else { Ok(()) }
    }

    /// Swaps what this CPU's cell points at, unless it was aborted or the CPU's number is not below `cpus`.
    /// Only here are cells opened, so those of rows beyond stay closed.
    ///
    /// # Safety
    ///
    /// The column's pool is alive, and the class's lock is held.
    unsafe fn swap(self, new: NonNull<Slots>, cpus: usize) -> Option<*mut Slots> {
        let old: *mut Slots;
        let done: u64;
        // SAFETY: as in `take`; the class's lock keeps all other exchanges and closings of this class
        // away.
        unsafe {
            asm!(
                sequence!(
                    "add {t}, {column}",
                    "mov {old}, qword ptr [{t}]",
                    "mov {o:e}, 1",
                    "mov qword ptr [{t}], {new}",            // commit
                ),
                column = in(reg) self.0,
                area = in(reg) PROCESS.area.load(Relaxed),
                new = in(reg) new.as_ptr(),
                old = out(reg) old,
                t = out(reg) _,
                o = out(reg) done,
                shift = const ROW_SHIFT,
                rows = in(reg) cpus,
                options(nostack),
            );
        }
        (done != 0).then_some(old)
    }
}

/// Cells entered by restartable sequences.
pub(crate) struct RseqCells {
    /// [`ROWS`] rows in pages that the system provides when they are touched, which is only those of CPUs
    /// that run. Zero bytes are closed cells.
    rows: NonNull<Row>,
    /// Rows that may ever have been touched: one more than the highest CPU number, at most [`ROWS`].
    cpus: usize,
}

// SAFETY: cells are atomic.
unsafe impl Send for RseqCells {}
// SAFETY: cells are atomic.
unsafe impl Sync for RseqCells {}

impl RseqCells {
    /// Makes closed cells, or says why sequences are not to be had.
    pub(crate) fn new() -> Result<Self, &'static str> {
        register()?;
        let rows = pages::map(ROWS << ROW_SHIFT).ok_or("the system has no memory for the cells")?;
        Ok(Self { rows: rows.cast(), cpus: super::cpus().unwrap_or(ROWS).min(ROWS) })
    }

    /// The rows of all CPUs.
    fn rows(&self) -> &[Row] {
        // SAFETY: mapped in `new` for more than that, aligned to a page, zeroed, which is a valid row;
        // shared references to atomics are all that is ever made.
        unsafe { std::slice::from_raw_parts(self.rows.as_ptr(), self.cpus) }
    }

    /// The column of a class. Any number below [`COLUMNS`] has one; those that are no class's stay closed.
    #[inline(always)]
    pub(crate) fn column(&self, class: usize) -> Column {
        debug_assert!(class < COLUMNS);
        Column(self.rows.as_ptr().cast_const().cast()).plus(class)
    }

    /// Enters the columns of these cells into the table of places, as those of a pool number.
    pub(crate) fn publish(&self, pool: usize) {
        for class in 0..COLUMNS {
            let column = self.column(class).0.cast_mut();
            PROCESS.places[pool * COLUMNS + class].store(column, Relaxed);
        }
    }
}

impl Enter for RseqCells {
    #[inline]
    fn take(&self, class: usize) -> Option<Block> {
        // SAFETY: the cells are borrowed, so they live.
        unsafe { self.column(class).take(Area::known()) }
    }

    #[inline]
    fn put(&self, class: usize, block: Block) -> Result<(), Block> {
        // SAFETY: the cells are borrowed, so they live; whoever has a block puts it to its own class.
        unsafe { self.column(class).put(Area::known(), block) }
    }

    fn exchange(&self, class: usize, magazine: Magazine, _stock: &mut Stock) -> Exchange {
        let new = magazine.into_raw();
        let column = self.column(class);
        // SAFETY: the cells are borrowed, so they live; `_stock` proves that the lock is held.
        let old = (0..SEQUENCE_TRIES).find_map(|_| unsafe { column.swap(new, self.cpus) });
        match old.map(NonNull::new) {
            // SAFETY: out of its cell by the commit. No thread of this CPU can still commit to it (1), and
            // threads of other CPUs never could (2).
            Some(Some(old)) => Exchange::For(unsafe { Magazine::from_raw(old) }),
            Some(None) => Exchange::Opened,
            // SAFETY: no sequence committed, so the right to the magazine is still here.
            None => Exchange::NoCell(unsafe { Magazine::from_raw(new) }),
        }
    }

    fn close(
        &self,
        class: usize,
        stock: &mut Stock,
        mut take: impl FnMut(&mut Stock, Magazine),
    ) -> bool {
        // SeqCst: the swaps come before the barrier in every order that matters; on this processor
        // an exchange is a full barrier anyway.
        let mut taken: Vec<(usize, NonNull<Slots>)> = Vec::with_capacity(self.cpus);
        for (cpu, row) in self.rows().iter().enumerate() {
            if let Some(old) = NonNull::new(row.0[class].swap(null_mut(), SeqCst)) {
                taken.push((cpu, old));
            }
        }
        if taken.is_empty() {
            return true;
        }
        if !abort_sequences_under_way() {
            // Sequences may still commit to what was taken, so it goes back. The class's lock has kept
            // everyone from putting another magazine there.
            for (cpu, old) in taken {
                self.rows()[cpu].0[class].store(old.as_ptr(), SeqCst);
            }
            return false;
        }
        for (_, old) in taken {
            // SAFETY: out of its cell, and by the barrier nobody can still commit to it.
            take(stock, unsafe { Magazine::from_raw(old) });
        }
        true
    }

    fn sum(&self, class: usize, _stock: &Stock) -> Word {
        let mut sum = Word::default();
        for row in self.rows() {
            // SAFETY: cells of this class change only under its lock, which `_stock` proves, and
            // magazines live as long as the stock's arena.
            let slots = unsafe { row.0[class].load(Acquire).as_ref() };
            let word = slots.map_or_else(Word::default, Slots::look);
            sum.gets += word.gets;
            sum.len += word.len;
        }
        sum
    }
}

impl Drop for RseqCells {
    fn drop(&mut self) {
        // SAFETY: mapped in `new` with this size; whoever drops the cells says that nobody is in one.
        unsafe { pages::unmap(self.rows.cast(), ROWS << ROW_SHIFT) };
    }
}

impl std::fmt::Debug for RseqCells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RseqCells").field("cpus", &self.cpus).finish_non_exhaustive()
    }
}

/// `MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ` and its registration, since Linux 5.10: `membarrier(2)`.
const PRIVATE_EXPEDITED_RSEQ: libc::c_int = 1 << 7;
const REGISTER_PRIVATE_EXPEDITED_RSEQ: libc::c_int = 1 << 8;

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: the commands used here take no memory of ours.
    let result = unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
    result == 0
}

/// Restarts every sequence that is under way in this process and orders memory on all CPUs.
///
/// Says whether it could. A process that has registered is refused only for want of kernel memory,
/// or if it forbade itself the system call later on; a forked child inherits the registration, but is
/// registered again if not.
fn abort_sequences_under_way() -> bool {
    membarrier(PRIVATE_EXPEDITED_RSEQ)
        || (membarrier(REGISTER_PRIVATE_EXPEDITED_RSEQ) && membarrier(PRIVATE_EXPEDITED_RSEQ))
}

/// Finds out, once for the process, whether there are restartable sequences, and notes where the
/// areas are if there are any.
fn register() -> Result<(), &'static str> {
    static REGISTERED: OnceLock<Result<(), &'static str>> = OnceLock::new();
    *REGISTERED.get_or_init(|| {
        // Looked up and not linked, because an older C library lacks them.
        let offset = symbol(c"__rseq_offset").ok_or("the C library is older than glibc 2.35")?;
        let size = symbol(c"__rseq_size").ok_or("the C library is older than glibc 2.35")?;
        // SAFETY: glibc declares it as `const unsigned int`, set before `main`.
        if unsafe { size.cast::<u32>().read() } == 0 {
            return Err("the C library has not registered them with the kernel");
        }
        if !membarrier(REGISTER_PRIVATE_EXPEDITED_RSEQ) {
            return Err("the kernel has no membarrier for them (Linux 5.10 and later do)");
        }
        // SAFETY: glibc declares it as `const ptrdiff_t`, set before `main`.
        PROCESS.area.store(unsafe { offset.cast::<isize>().read() }, Relaxed);
        Ok(())
    })
}

fn symbol(name: &std::ffi::CStr) -> Option<NonNull<libc::c_void>> {
    // SAFETY: the name is a C string, and looking a symbol up runs no code of its library.
    NonNull::new(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) })
}
