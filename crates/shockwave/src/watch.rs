//! Watermarks: who is told when a pool's pressure rises above one mark or falls below another.
//!
//! Gets and puts that cells serve tell nobody, so what is known without asking is two bounds:
//!
//! ```text
//!     least  =  out - lying - spanned   <=   in use   <=   out - lying  =  most
//! ```
//!
//! *Out* is what was taken from the source, *lying* is what of it lies in depots, and *spanned* is
//! what the magazines in cells could hold. No get or put that a cell serves changes either bound:
//! it moves bytes between a cell and those in use. So as long as the next mark lies beyond its
//! bound, it cannot be crossed unseen; and whoever changes a bound comes by here. One that finds
//! the bound at the mark has all cells closed, which makes both bounds what is in use, and knows.
//!
//! The nearer a mark, the less are cells given to hold ([`Watch::leeway`]), so that this is not
//! done often; and at last nothing, so that each get and put comes by.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};

use crate::callback::contained;
use crate::limits::VISITS_TO_REST;
use crate::reentry::this_thread;

/// Which mark the pressure on a pool has crossed. See
/// [`on_pressure`](crate::BufferPoolBuilder::on_pressure).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pressure {
    /// It has risen to the high mark or above.
    High,
    /// It has fallen to the low mark or below, having been high.
    Low,
}

/// Two marks and who is told.
#[derive(Clone)]
pub(crate) struct Marks {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) tell: Arc<dyn Fn(Pressure) + Send + Sync>,
}

/// One pool's marks, and on which side of them it is.
pub(crate) struct Watch {
    tell: Arc<dyn Fn(Pressure) + Send + Sync>,
    /// Bytes in use from which on pressure that was low is high.
    rises: usize,
    /// Bytes in use below which pressure that was high is low.
    falls: usize,
    /// Rows of cells that are likely to be used at once, at least 1. Each is given its share.
    rows: usize,
    /// Bytes that lie in depots.
    lying: AtomicUsize,
    /// Bytes that the magazines in cells could hold.
    spanned: AtomicUsize,
    /// What was told last, `High` if set. Changed only by whoever is telling.
    is_high: AtomicBool,
    /// Visits that come by before cells may be given anything again.
    rest: AtomicUsize,
    /// The [thread](this_thread) that is telling, or looking whether there is something to tell;
    /// [`NOBODY`] if none is.
    teller: AtomicUsize,
}

/// No thread's number.
const NOBODY: usize = 0;

/// The one of the two bounds that the next mark is compared with.
enum Bound {
    /// Pressure was low: at most so many bytes are in use.
    Most(usize),
    /// Pressure was high: at least so many bytes are in use.
    Least(usize),
}

impl Watch {
    /// A watch over a pool with a budget of `limit` bytes, none of them in use, and with so many
    /// `rows` of cells.
    pub(crate) fn new(marks: Marks, limit: usize, rows: usize) -> Self {
        let Marks { low, high, tell } = marks;
        Self {
            tell,
            rises: first(limit, |in_use| share(in_use, limit) >= high),
            falls: first(limit, |in_use| share(in_use, limit) > low),
            rows: rows.max(1),
            lying: AtomicUsize::new(0),
            spanned: AtomicUsize::new(0),
            is_high: AtomicBool::new(false),
            rest: AtomicUsize::new(0),
            teller: AtomicUsize::new(NOBODY),
        }
    }

    /// Notes by how many bytes there is more in depots, and by how many cells could hold more.
    /// Less is what wraps around.
    ///
    /// `SeqCst`, as all here: see [`look`](Self::look).
    pub(crate) fn moved(&self, lying: usize, spanned: usize) {
        if lying != 0 {
            self.lying.fetch_add(lying, SeqCst);
        }
        if spanned != 0 {
            self.spanned.fetch_add(spanned, SeqCst);
        }
    }

    /// Bytes that a cell may be given to hold, where `out` bytes are out: all cells of a class
    /// together half of what the bound is away from the next mark. The other half is how much may
    /// be taken or come back before cells have to be closed to know. To be asked once in a visit:
    /// after cells were closed in vain, the next [`VISITS_TO_REST`] find that there is none.
    pub(crate) fn leeway(&self, out: usize) -> usize {
        // Relaxed: it orders nothing. Of visits that come by at once only one may count.
        let rest = self.rest.load(Relaxed);
        if rest > 0 {
            self.rest.store(rest - 1, Relaxed);
            return 0;
        }
        let away = match self.bound(out) {
            Bound::Most(most) => self.rises.saturating_sub(most),
            Bound::Least(least) => least.saturating_sub(self.falls),
        };
        away / 2 / self.rows
    }

    fn bound(&self, out: usize) -> Bound {
        let most = out.saturating_sub(self.lying.load(SeqCst));
        if self.is_high.load(SeqCst) {
            Bound::Least(most.saturating_sub(self.spanned.load(SeqCst)))
        } else {
            Bound::Most(most)
        }
    }

    /// Tells what was crossed since it last told, one after the other and never two at once: who
    /// comes while somebody else is telling leaves it to that one to look again. `in_use` has all
    /// cells closed, and is asked only where the bound of what is `out` does not say enough, and
    /// nobody else is telling.
    ///
    /// `SeqCst`, in three places. Whoever moves bytes says so before it looks, so of all who move
    /// some at once the last one sees the bound that all have made. Who leaves has found the teller
    /// there before that one went, so the teller, who looks again after that, sees what it took or
    /// gave. And the side is set before the teller looks again, and looked at by others after they
    /// took or gave, so that nobody goes by a side that is no longer true unseen.
    pub(crate) fn look(&self, out: impl Fn() -> usize, in_use: impl Fn() -> usize) {
        let may_be_high = || match self.bound(out()) {
            Bound::Most(most) => (most >= self.rises).then_some(true),
            Bound::Least(least) => (least < self.falls).then_some(false),
        };
        let is_high = || {
            let is_high = may_be_high()?;
            let crossed = if is_high { in_use() >= self.rises } else { in_use() < self.falls };
            if !crossed {
                self.rest.store(VISITS_TO_REST, Relaxed);
            }
            crossed.then_some(is_high)
        };
        let thread = this_thread();
        let begin = || self.teller.compare_exchange(NOBODY, thread, SeqCst, SeqCst).is_ok();
        // Each round after the first is for those who came meanwhile.
        while may_be_high().is_some() && begin() {
            // Only now is it certain that nobody else has told of it.
            let crossed = is_high();
            if let Some(is_high) = crossed {
                self.is_high.store(is_high, SeqCst);
                let pressure = if is_high { Pressure::High } else { Pressure::Low };
                contained(|| (self.tell)(pressure));
            }
            self.teller.store(NOBODY, SeqCst);
            // Where the system lets no cells be closed, the bound alone would not end this.
            if crossed.is_none() && is_high().is_none() {
                return;
            }
        }
    }

    /// Forgets a thread of the parent that was telling when this process was forked from it. What
    /// it was about to tell counts as told.
    #[cfg(unix)]
    pub(crate) fn after_fork_in_child(&self) {
        if self.teller.load(SeqCst) != this_thread() {
            self.teller.store(NOBODY, SeqCst);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rises, falls, lying, spanned, is_high, .. } = self;
        f.debug_struct("Watch")
            .field("rises", rises)
            .field("falls", falls)
            .field("lying", lying)
            .field("spanned", spanned)
            .field("is_high", is_high)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, high, .. } = self;
        f.debug_struct("Marks").field("low", low).field("high", high).finish_non_exhaustive()
    }
}

/// `part` of a budget, `0.0..=1.0`; 0 of one that is not limited.
#[expect(clippy::cast_precision_loss, reason = "a share is for people and for thresholds")]
pub(crate) fn share(part: usize, limit: usize) -> f64 {
    match limit {
        usize::MAX => 0.0,
        0 => 1.0,
        limit => part.min(limit) as f64 / limit as f64,
    }
}

/// The first number up to `last` of which something is true that is true of all beyond it, or the
/// one behind the last.
fn first(last: usize, is_true: impl Fn(usize) -> bool) -> usize {
    let (mut from, mut to) = (0, last.saturating_add(1));
    while from < to {
        let middle = from + (to - from) / 2;
        if is_true(middle) { to = middle } else { from = middle + 1 }
    }
    from
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Pressure::{High, Low};
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn high_and_low_are_told_in_turn_and_once_each() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let tell = Arc::new(move |pressure| tell.lock().unwrap().push(pressure));
        let watch = Watch::new(Marks { low: 0.5, high: 0.8, tell }, 100, 1);
        for in_use in [10, 79, 80, 95, 60, 51, 50, 10, 70, 100, 100, 0] {
            watch.look(|| in_use, || in_use);
        }
        assert_eq!(*told.lock().unwrap(), [High, Low, High, Low]);
    }

    #[test]
    fn nobody_is_asked_where_the_bounds_say_enough() {
        let watch = Watch::new(Marks { low: 0.2, high: 0.8, tell: Arc::new(|_| ()) }, 100, 1);
        let never = || panic!("not to be asked");
        watch.look(|| 79, never);
        watch.moved(40, 10);
        watch.look(|| 119, never); // at most 79
        assert_eq!((watch.leeway(60), watch.leeway(100), watch.leeway(200)), (30, 10, 0));
        watch.look(|| 120, || 79); // 80 at most, but 79 in fact
        watch.look(|| 140, || 95);
        watch.look(|| 71, never); // 31 at most, and 21 at least
        watch.rest.store(0, Relaxed);
        assert_eq!((watch.leeway(110), watch.leeway(91), watch.leeway(10)), (19, 10, 0));
        watch.moved(5_usize.wrapping_neg(), 6);
        watch.look(|| 61, || 20);
        assert_eq!(watch.leeway(61), 27, "it has fallen");
    }

    #[test]
    fn each_row_has_its_share_of_the_leeway() {
        for (rows, share) in [(1, 400), (2, 200), (128, 3), (1024, 0), (0, 400)] {
            let marks = Marks { low: 0.2, high: 0.8, tell: Arc::new(|_| ()) };
            assert_eq!(Watch::new(marks, 1000, rows).leeway(0), share);
        }
    }

    #[test]
    fn cells_that_were_closed_in_vain_are_given_nothing_for_some_visits() {
        let watch = Watch::new(Marks { low: 0.2, high: 0.8, tell: Arc::new(|_| ()) }, 100, 1);
        for (out, in_use) in [(79, 79), (80, 80)] {
            watch.look(|| out, || in_use);
            assert_ne!(watch.leeway(60), 0, "nobody was asked, or not in vain");
        }
        watch.moved(0, 60);
        watch.look(|| 79, || 79); // at least 19, but 79 in fact
        assert_eq!((0..1000).find(|_| watch.leeway(100) != 0), Some(VISITS_TO_REST));
    }

    #[test]
    fn whoever_is_told_may_panic_and_may_look_again_itself() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let watch: Arc<std::sync::OnceLock<Watch>> = Arc::default();
        let (log, inner) = (Arc::clone(&told), Arc::clone(&watch));
        let tell = Arc::new(move |pressure| {
            log.lock().unwrap().push(pressure);
            inner.get().unwrap().look(|| 0, || 0);
            panic!("on purpose");
        });
        let watch = watch.get_or_init(|| Watch::new(Marks { low: 0.5, high: 0.8, tell }, 100, 1));
        for in_use in [90, 90, 10, 90] {
            watch.look(|| in_use, || in_use);
        }
        assert_eq!(*told.lock().unwrap(), [High, Low, High]);
    }

    #[test]
    fn nobody_is_asked_by_those_who_come_while_somebody_tells() {
        let (asked, in_use) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(90)));
        let watch: Arc<std::sync::OnceLock<Watch>> = Arc::default();
        let (count, now, inner) = (Arc::clone(&asked), Arc::clone(&in_use), Arc::clone(&watch));
        let look = move || {
            let asked = || {
                count.fetch_add(1, SeqCst);
                now.load(SeqCst)
            };
            inner.get().unwrap().look(|| now.load(SeqCst), asked);
        };
        let (again, back) = (look.clone(), Arc::clone(&in_use));
        let tell = Arc::new(move |_| {
            back.store(10, SeqCst);
            (0..100).for_each(|_| again());
        });
        watch.get_or_init(|| Watch::new(Marks { low: 0.5, high: 0.8, tell }, 100, 1));
        look();
        assert_eq!(asked.load(SeqCst), 2, "once for each mark");
        assert!(!watch.get().unwrap().is_high.load(SeqCst));
    }

    #[test]
    fn what_is_crossed_while_somebody_tells_is_told_after_it_and_never_twice() {
        let (told, in_use) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let log = Arc::clone(&told);
        let tell = Arc::new(move |pressure| {
            std::thread::yield_now();
            log.lock().unwrap().push(pressure);
        });
        let watch = Watch::new(Marks { low: 0.25, high: 0.75, tell }, 100, 1);
        let look = || watch.look(|| in_use.load(SeqCst), || in_use.load(SeqCst));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        in_use.fetch_add(25, SeqCst);
                        look();
                        in_use.fetch_sub(25, SeqCst);
                        look();
                    }
                });
            }
        });
        let told = told.lock().unwrap();
        assert!(told.iter().step_by(2).all(|it| *it == High), "in turn, from High on");
        assert!(told.iter().skip(1).step_by(2).all(|it| *it == Low), "in turn");
        assert_eq!(told.len() % 2, 0, "at rest, the last word is Low");
    }

    #[test]
    fn marks_in_bytes_are_where_the_share_crosses_them() {
        for limit in [0, 1, 7, 100, 655_360, 1 << 40, (1 << 60) + 1] {
            for mark in [0.0, 0.29, 0.55, 0.57, 0.7, 0.8, 1.0] {
                let rises = first(limit, |in_use| share(in_use, limit) >= mark);
                assert!(share(rises, limit) >= mark && rises <= limit);
                assert!(rises == 0 || share(rises - 1, limit) < mark);
            }
        }
        assert_eq!(first(10, |_| false), 11);
    }

    #[test]
    fn a_share_lies_between_0_and_1() {
        for (part, limit, expected) in
            [(0, 10, 0.0), (5, 10, 0.5), (20, 10, 1.0), (0, 0, 1.0), (7, usize::MAX, 0.0)]
        {
            assert!((share(part, limit) - expected).abs() < 1e-9);
        }
    }
}
