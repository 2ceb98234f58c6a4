//! How it works: a tour from the picture of the whole down to the store that commits a get.
//!
//! There is nothing to call here. Read it once before reading the code, or instead of it.
//!
//! # The whole
//!
//! ```text
//!              CPU 0          CPU 1          CPU 2
//!            ┌───┬───┬─ ─   ┌───┬───┬─ ─   ┌───┬───┬─ ─    cells: one for each CPU and class,
//!            │ ● │ ● │      │ ● │ ○ │      │ ● │ ● │       a pointer to a magazine,
//!            └─┼─┴─┼─┴─ ─   └─┼─┴───┴─ ─   └─┼─┴─┼─┴─ ─    or ○ closed
//!              ▼   ▼          ▼              ▼   ▼
//!            ┌──┐┌──┐       ┌──┐           ┌──┐┌──┐        magazines: 32 idle buffers or more each
//!            │▒▒││  │       │▒▒│           │▒▒││▒▒│
//!            │▒▒││  │       │  │           │  ││▒▒│
//!            └──┘└──┘       └──┘           └──┘└──┘
//!              │ ▲
//!      empty ──┘ └── half a magazine
//!              ▼ │
//!            ┌─────────────────────────┐
//!            │ depot of class 0        │   one for each class, behind a lock:
//!            │ ┌──┐┌──┐┌──┐  ┌──┐┌──┐  │   magazines full of buffers, and empty ones
//!            │ │▒▒││▒▒││▒▒│  │  ││  │  │
//!            │ └──┘└──┘└──┘  └──┘└──┘  │
//!            └─────────────────────────┘
//!              │ ▲
//!  nothing idle┘ └── a new buffer
//!              ▼ │
//!            the source: mapped memory, or the program's allocator
//! ```
//!
//! A get looks for a buffer from the top down, and a put leaves one at the top. Nearly always, the
//! top is as far as either goes. A magazine that is spent is changed as a whole, so that the depot,
//! which costs a lock, is visited once for many gets and not for each.
//!
//! # One word in each magazine
//!
//! ```text
//!          word                  addresses of idle buffers, from the end
//!        ┌──────────────┬──────┬────┬─ ─ ─┬────┬────┬─ ─ ─┬────┬──────┐
//!        │ gets served  │ room │    │     │  b │  b │     │  b │ null │
//!        └──────────────┴──────┴────┴─ ─ ─┴────┴────┴─ ─ ─┴────┴──────┘
//!          56 bits        8 bits             ▲ the room leads here
//! ```
//!
//! A magazine is addresses of idle buffers, and one word with two numbers in it. A get reads the
//! address that the room leads to and stores the word with one get more and one slot of room more.
//! Since both numbers lie in one word, that is one addition and a single store. A put writes an
//! address before that one and stores the word with less room. So a magazine goes from one valid
//! state to the next by **one store**, and the count of gets is right in every one of them.
//! Counting costs nothing, as the store is needed anyway. A get that finds the null knows that the
//! magazine is empty, and a put that finds no room that it is full.
//!
//! # Restartable sequences
//!
//! The store is safe only if nobody else changes the magazine between the load of the word and the
//! store. Other CPUs cannot: they have other cells. Another thread on this CPU can, if this one is
//! interrupted half way. One could lock, which costs some ten nanoseconds even when nobody else
//! wants the lock. Or one could ask to be told of the interruption, and that is what Linux offers.
//!
//! Each thread shares an area of memory with the kernel. In it the kernel keeps up to date which
//! CPU the thread is on. The thread stores there the address of a small descriptor that says: *my
//! sequence starts here, it is committed there, and if you have to interrupt me in between, send me
//! to that other place*. When the kernel takes the thread off its CPU, moves it, or delivers a
//! signal to it, it looks. If the thread is between start and commit, it does not resume where it
//! was, but at that other place.
//!
//! ```text
//!    start ──▶ this CPU's number ──▶ its cell ──▶ the word ──▶ the slot ──▶ store the word: commit
//!      │                                                                          │
//!      └──────────── interrupted anywhere in here: nothing has happened ──────────┘
//!                                          │
//!                                          ▼
//!                                     the slow path
//! ```
//!
//! The sequence ends with its only store that matters. So whoever is interrupted has not taken
//! anything, and whoever has stored was not interrupted: it is as if the whole of it were one
//! instruction. There is no lock to wait for, and nothing for the processor to synchronize.
//!
//! In many programs that use these sequences an aborted one starts again. Here it goes to the slow
//! path, which tries the cell once more before anything else. That is rare, at most once for each
//! time the thread is interrupted, and it keeps a loop out of the code that is inlined into every
//! caller; a debugger that steps through a sequence, aborting it each time, gets its buffer from
//! the depot.
//!
//! # A get, step by step
//!
//! `pool.get(3000)`, with the default classes:
//!
//! 1. **The class.** Lengths are looked up 64 bytes at a time: `(3000 + 63) / 64 = 47`, and entry
//!    47 of a table of bytes says 1, the class of 4 KiB. Where a class ends between two multiples
//!    of 64, the entry says that too, and one comparison decides. A length beyond the largest class
//!    finds a column that is closed for good, or none; the slow path makes its buffer to measure.
//! 2. **The cell.** The sequence begins. It reads the CPU's number, say 2, and from row 2, column 1
//!    the address of a magazine. A row is 512 bytes, its 64 columns lie eight to a cache line, and
//!    no other CPU writes to it but to take it away.
//! 3. **The word.** It says that twenty buffers are there. Had it said none, the sequence would
//!    leave for the slow path. So it would had the count of gets come to the magazine's limit,
//!    which is how a pool that tracks samples one get in so many; other pools set none.
//! 4. **The buffer.** Its address is loaded, the word is stored with one get more and more room:
//!    committed.
//! 5. **The handle.** The address and a second word make a [`Buffer`](crate::Buffer): length 0,
//!    class 1, nothing dirty, and the pool's number. No reference is counted. That is all.
//!
//! A drop goes the same way. The pool's number and the class, both in the handle, index a static
//! table of columns, so a drop reads nothing of the pool itself. One bit in the handle marks all
//! that is special (made to measure, to be scrubbed), and one test of it sends those out of line.
//!
//! # When the cell is empty or full
//!
//! Then the class's lock is taken, and under it:
//!
//! ```text
//!   get, cell empty:   depot ── half magazine ──────▶ cell     the get is served from it
//!                      depot ◀── empty magazine ───── cell     its count of gets is harvested
//!
//!   put, cell full:    depot ── empty magazine ─────▶ cell     the put is its first buffer
//!                      depot ◀── full magazine ────── cell     filed with the others
//! ```
//!
//! Why halves? If a get brought a full magazine, the next two puts could find it full and exchange
//! it for an empty one, and the next two gets the other way around. With halves, a CPU visits the
//! depot at most twice in as many gets and puts as half a magazine holds, whatever their order: in
//! any sixteen where it holds 32 or more. A class of large buffers may be given fewer, down to one,
//! and then most gets and puts may visit it.
//!
//! How many buffers a magazine may hold is not fixed. A class begins with 32, and doubles up to 243
//! where one exchange follows closely on another and the depot has enough to fill what is doubled.
//! What all classes together may hold on one CPU stays within a limit in bytes, and a class in
//! which nothing happens is halved again, interval by interval. The fast path knows nothing of it:
//! full and empty look the same wherever the null may lie.
//!
//! If the depot has nothing either, the get lets go of the lock and asks the source for a new
//! buffer. That is a *miss*, and nothing else is. Idle buffers in the cells of other CPUs are left
//! there; that is at most a magazine of each class for each CPU.
//!
//! # Closed cells
//!
//! A cell is *closed* when there is nothing behind it to take from and no room to put to. To the
//! fast path that looks like empty to a get and like full to a put, so both leave by the slow path.
//! All cells of a new pool are closed, and the first exchange opens them. A pool that ends closes
//! them again. So the fast path never tests whether a pool is starting or ending: it finds a buffer
//! or room for one, or it goes the other way.
//!
//! Nor does it test whether somebody waits for memory. While someone does, all cells stay closed,
//! so each put passes by the slow path and wakes the first in line; when nobody waits any more,
//! cells open again as they are used. And a get that finds the
//! [budget](crate::BufferPoolBuilder::budget) used up closes all cells for a moment, to see all
//! that is idle in one place before it says no.
//!
//! # What a drain does
//!
//! To take what lies in the cells of other CPUs, while threads there get and put:
//!
//! ```text
//!   lock the class         nobody else exchanges magazines of this class now
//!   cell ◀── closed        for each CPU, by one atomic exchange; keep what came out
//!   membarrier(…_RSEQ)     the kernel aborts every sequence under way in this process
//!   file the magazines     nobody can commit to them any more
//! ```
//!
//! Between the second step and the third, a thread may still be inside a sequence that loaded the
//! old magazine. It may even commit; that is fine, for the magazine has not been looked at yet. The
//! third step ends this: a sequence that is under way is aborted, and one that starts later sees
//! the closed cell. One system call does for all CPUs, and gets and puts pay nothing for being
//! interruptible in this way.
//!
//! # Why the counts are exact
//!
//! | count | is |
//! |---|---|
//! | `created` | counted under the lock, where buffers are made and freed |
//! | `idle` | the sum over all magazines, in cells and in the depot |
//! | `in_use` | `created - idle` |
//! | `gets` | what was harvested from magazines that left their cells, and what is in the words of the rest |
//! | `misses` | counted under the lock |
//! | `hits` | `gets - misses` |
//! | `puts` | `gets - in_use`, as each buffer out was got and not yet put |
//!
//! No count is kept twice, so none can disagree with another. Every number is either changed under
//! the lock or part of a magazine's word, whose one store moves buffer and count together. While
//! threads run, words are read one after the other and a buffer that moves meanwhile may be seen
//! twice or not at all; as soon as none is moving, all is exact to the unit. A reset does not write
//! to any of this: it notes what the counts are, and snapshots subtract it.
//!
//! # The life of a pool
//!
//! ```text
//!   build ──▶ cells closed ──▶ in use ──▶ last handle dropped ──▶ last buffer dropped ──▶ freed
//!                                          cells close, idle ones    each put frees its
//!                                          are freed, those out      buffer and counts
//!                                          are counted               itself out
//! ```
//!
//! While there are handles, a buffer that is out counts nowhere: its number in the table finds the
//! pool, and the handles keep the pool. When the last one goes, all cells close. Since each buffer
//! is then either in the depot or out, `in_use` says how many are still to come, and those that
//! come take the slow path, since the cells are closed. The last one frees the pool and its number.
//!
//! # Locked cells
//!
//! Where there are no restartable sequences, a cell is entered by setting the lowest bit of its
//! pointer with a compare-and-exchange, and left by storing the pointer without it. A thread goes
//! to the row that it was dealt, and never waits: if somebody is in the cell, it goes to the depot
//! this time and to the next row from then on. Magazines, exchanges, drains and counts are the same
//! code. The fast path is compiled for sequences only; a pool with locked cells goes out of line
//! for each get and put.
//!
//! # Signals and forks
//!
//! A signal handler may get or put while its own thread is half way through a get. On the fast path
//! the kernel has aborted that get's sequence, so nothing is half done. On the slow path the thread
//! may hold the class's lock; the handler notices that it is nested, and takes no lock that is
//! held. Its put leaves the buffer on a list through the waiting buffers themselves, and its thread
//! takes it home, and wakes whoever waits for it, as soon as it is out of its slow path. Its get,
//! if it must, maps pages of its own instead of entering an allocator.
//!
//! A fork copies one thread and all memory. Were another thread in the depot just then, the child
//! would have its lock held for ever; so a fork first takes the locks of all classes of all pools,
//! and lets them go on both sides. Buffers that other threads held exist in the child as in use,
//! and stay so.
