//! The sequences themselves: a column of cells, and how to take from it, put into it and exchange
//! it.
//!
//! Why they are sound is told in the [module above](super), by numbers that are referred to here.
#![expect(unsafe_code, reason = "restartable sequences cannot be written without assembly")]

use std::arch::asm;
use std::ptr::{NonNull, null, null_mut};
use std::sync::atomic::{AtomicIsize, AtomicPtr, Ordering::Relaxed};

use super::ROW_SHIFT;
use crate::limits::{COLUMNS, POOLS_MAX};
use crate::magazine::{Block, Slots, WORD_GET, WORD_PUT};

/// A whole sequence around its body. In numbers: 77 is the descriptor, 33 the start, 44 the commit,
/// 55 the abort, 66 "not done", 88 the end. The body begins with this CPU's row in `{t}`, as an
/// offset from CPU 0's, and ends with its commit; it may jump to 66 before that. What leaves the
/// sequence from there is written before the body, after `else`.
///
/// What rarely runs lies in a section of its own, so that a sequence that succeeds falls through
/// from its first instruction to its last. The abort stands behind the signature that the C library
/// registered; it is written as the operand of an undefined instruction, as librseq does it, so
/// that disassemblers stay in step.
macro_rules! sequence {
    (else $not_done:expr; $($body:expr),+ $(,)?) => {
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
            "movsxd {t}, dword ptr fs:[{area} + 4]\n", // this CPU, or -1, or -2
            "shl {t}, {shift}\n",
            $($body, "\n",)+
            "44:\n",
            "88:\n",
            ".pushsection .text.unlikely.rseq, \"ax\", @progbits\n",
            ".byte 0x0f, 0xb9, 0x3d\n",
            ".long 0x53053053\n",
            "55:\n",
            "66:\n",
            $not_done, "\n",
            ".popsection\n",
        )
    };
}

/// Leaves a sequence with nothing in `{o}`.
macro_rules! nothing {
    () => {
        "xor {o:e}, {o:e}\njmp 88b"
    };
}

/// The part of a body that finds what a take takes: this CPU's magazine in `{t}`, its word in
/// `{w}`, and its next block in `{o}`. "Not done" if the cell is closed or the magazine empty.
macro_rules! next_block {
    () => {
        concat!(
            "mov {t}, qword ptr [{column} + {t}]\n", // the magazine
            "test {t}, {t}\n",                       // null if the cell is closed
            "jz 66f\n",
            "mov {w}, qword ptr [{t}]\n",              // its word
            "movzx {o:e}, {w:l}\n",                    // its room
            "mov {o}, qword ptr [{t} + {o}*8 + 32]\n", // blocks[room], null if it is empty
            "test {o}, {o}\n",
            "jz 66f",
        )
    };
}

/// What a put needs to know besides its buffer, in one place.
struct Process {
    /// Where the C library put each thread's area, relative to the thread pointer. Set before the
    /// first cells are made, and the same from then on.
    area: AtomicIsize,
    /// Where each class of each pool has its column; the index is
    /// [`Meta::place`](crate::meta::Meta::place). It takes a put from its buffer's second word to
    /// the cells in one load.
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
    /// Notes where it was found, before the first cells are made.
    pub(super) fn note(offset: isize) {
        PROCESS.area.store(offset, Relaxed);
    }

    /// As it was found when the first cells were made.
    #[inline(always)]
    pub(crate) fn known() -> Self {
        Self(PROCESS.area.load(Relaxed))
    }
}

/// One class's cells of one pool: where CPU 0's is. Those of other CPUs lie `cpu << ROW_SHIFT`
/// bytes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column(pub(super) *const AtomicPtr<Slots>);

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

    /// Enters this column into the table of places.
    pub(super) fn publish(self, place: usize) {
        PROCESS.places[place].store(self.0.cast_mut(), Relaxed);
    }

    /// The column at a place.
    #[inline(always)]
    pub(crate) fn at(place: usize) -> Self {
        // Relaxed: whoever got the buffer that names the place did so after the table was written,
        // and passed it on by means that order memory.
        Self(PROCESS.places[place].load(Relaxed))
    }

    /// Takes a block from this CPU's magazine and counts a get, or does nothing if it is empty or
    /// has reached its limit.
    ///
    /// # Safety
    ///
    /// The column's pool is alive.
    #[inline(always)]
    pub(crate) unsafe fn take(self, area: Area) -> Option<Block> {
        let memory: *mut u8;
        // SAFETY: valid: `area` is where this thread's area lies, whichever thread it is; there is
        // a row for each number that it may show (point 5 above); a cell is null or points at a
        // magazine, whose `blocks[room]` is within its slots. Exclusive: the commit happens only if
        // nothing else ran on this CPU since the start (points 1 to 4). Effects: declared to touch
        // memory, uses no stack.
        unsafe {
            asm!(
                sequence!(
                    else nothing!();
                    next_block!(),
                    "cmp {w}, qword ptr [{t} + 24]",         // its limit
                    "jae 66f",
                    "add {w}, {get}",
                    "mov qword ptr [{t}], {w}",              // commit: one get more, one block less
                ),
                column = in(reg) self.0,
                area = in(reg) area.0,
                t = out(reg) _,
                w = out(reg) _,
                o = out(reg) memory,
                shift = const ROW_SHIFT,
                get = const WORD_GET,
                options(nostack),
            );
        }
        // SAFETY: the commit took the block out of its magazine for this caller alone.
        NonNull::new(memory).map(|memory| unsafe { Block::from_raw(memory) })
    }

    /// As [`take`](Self::take), whatever the limit says. If it was reached, this is said, and the
    /// next one is `gap` gets further on; with 0 it stays reached.
    ///
    /// # Safety
    ///
    /// The column's pool is alive.
    #[inline]
    pub(super) unsafe fn take_sampled(self, area: Area, gap: u64) -> Option<(Block, bool)> {
        let memory: *mut u8;
        let (word, limit): (u64, u64);
        // SAFETY: as in `take`. Whoever is aborted between the two stores has changed nothing but
        // when a get is next looked at.
        unsafe {
            asm!(
                sequence!(
                    else nothing!();
                    next_block!(),
                    "mov {l}, qword ptr [{t} + 24]",         // its limit
                    "cmp {w}, {l}",
                    "jb 22f",
                    "add {n}, {w}",                          // the next: so many gets from here,
                    "xor {n:l}, {n:l}",                      // whatever the room will be
                    "mov qword ptr [{t} + 24], {n}",
                    "22:",
                    "add {w}, {get}",
                    "mov qword ptr [{t}], {w}",              // commit: one get more, one block less
                ),
                column = in(reg) self.0,
                area = in(reg) area.0,
                t = out(reg) _,
                w = out(reg) word,
                o = out(reg) memory,
                l = out(reg) limit,
                n = inout(reg) gap << 8 => _,
                shift = const ROW_SHIFT,
                get = const WORD_GET,
                options(nostack),
            );
        }
        let memory = NonNull::new(memory)?;
        // SAFETY: the commit took the block out of its magazine for this caller alone.
        Some((unsafe { Block::from_raw(memory) }, word - WORD_GET >= limit))
    }

    /// Puts a block into this CPU's magazine, or hands it back if that is full.
    ///
    /// # Safety
    ///
    /// The column's pool is alive, and the block is of its class.
    #[inline(always)]
    pub(crate) unsafe fn put(self, area: Area, block: Block) -> Result<(), Block> {
        let memory = block.into_raw();
        // SAFETY: as in `take`; the slot that is written lies before the first block, and before
        // the commit nobody reads it.
        unsafe {
            asm!(
                sequence!(
                    else "jmp {full}";
                    "mov {t}, qword ptr [{column} + {t}]",   // the magazine
                    "test {t}, {t}",                         // null if the cell is closed
                    "jz 66f",
                    "mov {w}, qword ptr [{t}]",              // its word
                    "movzx {r:e}, {w:l}",                    // its room
                    "test {r:e}, {r:e}",
                    "jz 66f",
                    "mov qword ptr [{t} + {r}*8 + 24], {b}", // blocks[room - 1]
                    "sub {w}, {put}",
                    "mov qword ptr [{t}], {w}",              // commit: one block more
                ),
                column = in(reg) self.0,
                area = in(reg) area.0,
                b = in(reg) memory.as_ptr(),
                t = out(reg) _,
                w = out(reg) _,
                r = out(reg) _,
                shift = const ROW_SHIFT,
                put = const WORD_PUT,
                full = label {
                    // SAFETY: nothing was committed; the right to the block is still here.
                    return Err(unsafe { Block::from_raw(memory) });
                },
                options(nostack),
            );
        }
        Ok(())
    }

    /// Swaps what this CPU's cell points at, unless it was aborted or the CPU's number is not below
    /// `rows`. Only here are cells opened, so those of rows beyond stay closed.
    ///
    /// # Safety
    ///
    /// The column's pool is alive, and the class's lock is held.
    pub(super) unsafe fn swap(self, new: NonNull<Slots>, rows: usize) -> Option<*mut Slots> {
        let old: *mut Slots;
        let done: u64;
        // SAFETY: as in `take`; the class's lock keeps all other exchanges and closings of this
        // class away.
        unsafe {
            asm!(
                sequence!(
                    else nothing!();
                    "cmp {t}, {end}",                        // whatever is less than 0 is not below
                    "jae 66f",
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
                end = in(reg) rows << ROW_SHIFT,
                options(nostack),
            );
        }
        (done != 0).then_some(old)
    }
}
