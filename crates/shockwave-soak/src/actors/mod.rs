//! The actors: threads that each take one random step after the other.

mod hold;
mod system;
mod wait;

use fastrand::Rng;
use shockwave::BufferPool;

use crate::bag::Item;
use crate::generation::World;

/// One thread's hands and dice.
pub(crate) struct Actor<'a> {
    world: &'a World<'a>,
    pool: &'a BufferPool,
    random: Rng,
    number: usize,
    /// The CPUs that it may move to: those that it had before its first move.
    cpus: Vec<usize>,
}

/// How many buffers an actor holds before it must put some back.
const HELD_MAX: usize = 64;

/// Acts until the generation ends.
pub(crate) fn run(world: &World<'_>, pool: &BufferPool, random: Rng, number: usize) {
    let mut actor = Actor { world, pool, random, number, cpus: system::allowed() };
    world.act(|| actor.step());
}

impl Actor<'_> {
    fn step(&mut self) -> Result<(), String> {
        if self.world.bag(self.number).len() >= HELD_MAX {
            return self.put_many();
        }
        match self.random.u32(..10_000) {
            0..4_000 => self.take(),
            4_000..7_000 => self.put_one(),
            7_000..7_600 => self.freeze_or_thaw(),
            7_600..8_000 => self.grow(),
            8_000..8_300 => self.lend_or_claim(),
            8_300..9_000 => self.hand_over(),
            9_000..9_080 => self.wait(),
            9_080..9_400 => self.cancel(),
            9_400..9_500 => {
                self.disturb();
                Ok(())
            }
            9_500..9_520 => self.take_on_a_thread(),
            9_520 => self.fork(),
            _ => self.put_many(),
        }
    }

    /// Does something to the whole pool, or to where this thread runs.
    fn disturb(&mut self) {
        match self.random.u8(..10) {
            0..4 => self.trim(),
            4..6 if self.world.plan.resets => self.reset(),
            _ => self.move_elsewhere(),
        }
    }

    /// A size: mostly of a class, now and then beyond the largest.
    fn size(&mut self) -> usize {
        let largest = self.world.plan.classes.last().copied().unwrap_or(1);
        match self.random.u8(..20) {
            0 => self.random.usize(largest..3 * largest),
            1..6 => self.random.usize(..=largest),
            _ => {
                let classes = &self.world.plan.classes;
                classes[self.random.usize(..classes.len())]
            }
        }
    }

    /// Takes something out of the bag, if there is anything.
    fn pick(&mut self) -> Option<Item> {
        let mut bag = self.world.bag(self.number);
        let count = bag.len();
        (count > 0).then(|| bag.swap_remove(self.random.usize(..count)))
    }

    fn keep(&self, item: Item) {
        self.world.bag(self.number).push(item);
    }
}
