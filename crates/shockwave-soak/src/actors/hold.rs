//! Steps with buffers in hand.

use shockwave::Buffer;

use super::Actor;
use crate::bag::Item;

impl Actor<'_> {
    pub(super) fn take(&mut self) -> Result<(), String> {
        let size = self.size();
        match self.pool.try_get(size) {
            Ok(buffer) => self.got(buffer, size),
            Err(error) if error.is_over_budget() || error.is_out_of_memory() => {
                self.world.tally.refused.one();
                Ok(())
            }
            Err(error) => Err(format!("a get of {size}: {error}")),
        }
    }

    /// Fills a buffer of at least `size` bytes, and keeps it.
    pub(super) fn got(&mut self, buffer: Buffer, size: usize) -> Result<(), String> {
        if buffer.capacity() < size {
            return Err(format!("asked for {size} bytes, got {}", buffer.capacity()));
        }
        self.world.tally.gets.one();
        self.world.count_get(buffer.capacity());
        let len = self.random.usize(..=buffer.capacity().min(4096));
        let item = Item::new(buffer, len, self.random.u8(1..))?;
        self.keep(item);
        Ok(())
    }

    pub(super) fn put_one(&mut self) -> Result<(), String> {
        let way = self.random.u8(..);
        self.pick().map_or(Ok(()), |item| item.put(Some(self.pool), way))
    }

    pub(super) fn put_many(&mut self) -> Result<(), String> {
        let keep = self.random.usize(..16);
        while self.world.bag(self.number).len() > keep {
            self.put_one()?;
        }
        Ok(())
    }

    pub(super) fn freeze_or_thaw(&mut self) -> Result<(), String> {
        let Some(item) = self.pick() else { return Ok(()) };
        item.check()?;
        let item = item.freeze_or_thaw();
        if item.is_frozen() {
            self.world.tally.frozen.one();
        }
        self.keep(item);
        Ok(())
    }

    pub(super) fn grow(&mut self) -> Result<(), String> {
        let Some(mut item) = self.pick() else { return Ok(()) };
        if item.grow() {
            self.world.count_get(item.capacity());
            self.world.tally.grown.one();
        }
        item.check()?;
        self.keep(item);
        Ok(())
    }

    pub(super) fn lend_or_claim(&mut self) -> Result<(), String> {
        let Some(item) = self.pick() else { return Ok(()) };
        let item = if item.is_lent() {
            self.world.tally.raw.one();
            self.world.tally.faults.one();
            item.claim(self.pool)?
        } else {
            item.lend()
        };
        item.check()?;
        self.keep(item);
        Ok(())
    }

    pub(super) fn hand_over(&mut self) -> Result<(), String> {
        let Some(item) = self.pick() else { return Ok(()) };
        item.check()?;
        self.world.bag(self.random.usize(..1 << 16)).push(item);
        self.world.tally.hand_overs.one();
        Ok(())
    }
}
