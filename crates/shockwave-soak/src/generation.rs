//! One generation: a pool from its first buffer to its last.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use shockwave::BufferPool;

use crate::actors;
use crate::bag::Item;
use crate::judge::Judge;
use crate::plan::{Plan, Told};
use crate::source::Failing;
use crate::tally::Tally;

/// What a generation's threads share.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) tally: &'a Tally,
    pub(crate) source: &'a Failing,
    /// What was told of the pool's pressure.
    told: &'a Told,
    /// Gets that were served by each class, and behind them those by none.
    served: Vec<AtomicU64>,
    /// What each actor has out.
    bags: Vec<Mutex<Vec<Item>>>,
    /// Read for each step, written for a verdict.
    gate: RwLock<()>,
    stop: AtomicBool,
    /// Whether the metrics were reset while others took and gave back.
    pub(crate) was_reset: AtomicBool,
    /// The first thing that was wrong.
    wrong: Mutex<Option<String>>,
}

/// A lock whose holder may have panicked: what it guards is a list, which is whole at all times.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World<'_> {
    /// An actor's bag.
    pub(crate) fn bag(&self, actor: usize) -> MutexGuard<'_, Vec<Item>> {
        lock(&self.bags[actor % self.bags.len()])
    }

    /// Counts a get that gave a buffer of `capacity`.
    pub(crate) fn count_get(&self, capacity: usize) {
        let classes = &self.plan.classes;
        let class = classes.binary_search(&capacity).unwrap_or(classes.len());
        self.served[class].fetch_add(1, Relaxed);
    }

    /// Takes steps until the generation ends or something is wrong.
    pub(crate) fn act(&self, mut step: impl FnMut() -> Result<(), String>) {
        while !self.stop.load(Relaxed) {
            let _gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
            if let Err(wrong) = step() {
                lock(&self.wrong).get_or_insert(wrong);
                self.stop.store(true, Relaxed);
            }
        }
    }

    /// Compares the books once, with nobody in a step.
    fn verdict(&self, judge: &mut Judge, pool: &BufferPool, reset: bool) -> Result<(), String> {
        let _gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(wrong) = lock(&self.wrong).take() {
            return Err(wrong);
        }
        if self.was_reset.swap(false, Relaxed) {
            judge.lose_count();
        }
        let pressure = pool.pressure();
        if self.plan.marks.is_some_and(|marks| !self.told.is_true(pressure, marks)) {
            return Err(format!("at {pressure} the last word was {:?}", self.told));
        }
        let metrics = pool.metrics();
        let bags: Vec<_> = self.bags.iter().map(lock).collect();
        let items = bags.iter().flat_map(|bag| bag.iter());
        let served: Vec<_> = self.served.iter().map(|count| count.load(Relaxed)).collect();
        judge.judge(self.plan, &metrics, self.source, &served, items)?;
        self.tally.verdicts.one();
        if reset || !judge.knows_last_reset() {
            pool.reset_metrics();
            self.tally.resets.one();
            judge.was_reset(&metrics, &served);
        }
        Ok(())
    }

    /// Judges once a second, and has the source fail for a while now and then.
    fn watch(&self, pool: &BufferPool, life: Duration, random: &mut Rng) -> Result<(), String> {
        let mut judge = Judge::new(self.plan.classes.len());
        let end = Instant::now() + life;
        let mut found = Ok(());
        while found.is_ok() && !self.stop.load(Relaxed) && Instant::now() < end {
            self.source.set_down(random.u8(..4) == 0);
            let left = end.saturating_duration_since(Instant::now());
            thread::sleep(left.min(Duration::from_millis(300)));
            self.source.set_down(false);
            let left = end.saturating_duration_since(Instant::now());
            thread::sleep(left.min(Duration::from_millis(700)));
            found = self.verdict(&mut judge, pool, random.bool());
        }
        self.stop.store(true, Relaxed);
        found?;
        self.verdict(&mut judge, pool, false)
    }
}

/// Lets one pool live for `life`, and end. Says how it was configured, or what was wrong.
pub(crate) fn run(seed: u64, life: Duration, tally: &Tally) -> Result<Plan, String> {
    let mut random = Rng::with_seed(seed);
    let plan = Plan::new(&mut random);
    let (pool, source, told) = plan.build().map_err(|error| error.to_string())?;
    pool.warmup(plan.warm_up);
    let maintainer = plan.maintainer().map(|interval| pool.start_maintainer(interval));
    let cores = thread::available_parallelism().map_or(2, usize::from);
    let bags: Vec<_> = (0..2 * cores + 4).map(|_| Mutex::default()).collect();
    let world = World {
        plan: &plan,
        tally,
        source: &source,
        told: &told,
        served: (0..=plan.classes.len()).map(|_| AtomicU64::new(0)).collect(),
        bags,
        gate: RwLock::new(()),
        stop: AtomicBool::new(false),
        was_reset: AtomicBool::new(false),
        wrong: Mutex::new(None),
    };
    let found = thread::scope(|scope| {
        for actor in 0..world.bags.len() {
            let (world, pool, random) = (&world, pool.clone(), random.fork());
            scope.spawn(move || actors::run(world, &pool, random, actor));
        }
        world.watch(&pool, life, &mut random)
    });
    found
        .and_then(|()| lock(&world.wrong).take().map_or(Ok(()), Err))
        .map_err(|wrong| format!("{wrong}\n{plan:#?}"))?;

    // The pool ends with buffers out, and its maintainer may end before or after it.
    if random.bool() {
        drop(maintainer);
        drop(pool);
    } else {
        drop(pool);
        drop(maintainer);
    }
    let orphans = world.bags.into_iter().map(|bag| bag.into_inner().unwrap_or_default());
    let orphans: Vec<Item> = orphans.flatten().collect();
    tally.orphans.add(orphans.len());
    let freed = thread::spawn(move || orphans.into_iter().try_for_each(|item| item.put(None, 3)));
    freed.join().unwrap_or_else(|_| Err("the last drop panicked".into()))?;
    tally.generations.one();
    tally.source_refused.add(source.refused());
    match source.out() {
        0 => Ok(plan),
        out => Err(format!("the pool has ended, and {out} bytes never came back\n{plan:#?}")),
    }
}
