//! The shelf of one class: magazines with blocks, and magazines without.

use crate::arena::Arena;
use crate::limits::SLOTS;
use crate::magazine::{Block, Magazine};
use crate::stack::Stack;

use super::capacity::batch;

/// What lies in a depot. Not counted here: who made a block, or gave it out.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Magazines that hold at least one block. All are of full capacity, and those below the top
    /// are full, so that what lies here takes no more of them than it must.
    stocked: Stack,
    /// Magazines that hold none.
    empty: Stack,
    /// Where magazines come from.
    arena: Arena,
    /// Blocks in `stocked`.
    blocks: usize,
}

impl Shelf {
    /// Blocks that lie here.
    pub(super) fn blocks(&self) -> usize {
        self.blocks
    }

    /// A magazine without blocks, or `None` where there is no memory for one.
    pub(super) fn spare(&mut self, capacity: usize) -> Option<Magazine> {
        let mut magazine = self.empty.pop().or_else(|| self.arena.spare())?;
        magazine.set_capacity(capacity);
        Some(magazine)
    }

    /// Takes in what a magazine holds, on the top one as far as that has room; then the magazine
    /// itself, as a new top or as an empty one.
    pub(super) fn shelve(&mut self, mut magazine: Magazine) {
        self.blocks += magazine.len();
        if let Some(top) = self.stocked.top() {
            magazine.pour(SLOTS, top);
        }
        if magazine.len() == 0 {
            self.empty.push(magazine);
        } else {
            magazine.set_capacity(SLOTS);
            self.stocked.push(magazine);
        }
    }

    /// Takes a batch of blocks, or as many as there are, into an empty magazine. What would be left
    /// comes along if it is less than a quarter of a batch, rather than be visited for alone.
    pub(super) fn unshelve(&mut self, magazine: &mut Magazine) {
        let batch = batch(magazine.capacity());
        let batch = if self.blocks < batch + batch / 4 { self.blocks } else { batch };
        while magazine.len() < batch {
            let Some(top) = self.stocked.top() else { break };
            top.pour(batch - magazine.len(), magazine);
            self.clear_top();
        }
        self.blocks -= magazine.len();
    }

    /// Takes in a single block, or hands it back where there is no memory for a magazine to hold
    /// it.
    pub(super) fn file(&mut self, block: Block) -> Result<(), Block> {
        let block = match self.stocked.top() {
            Some(top) => match top.push(block) {
                Ok(()) => {
                    self.blocks += 1;
                    return Ok(());
                }
                Err(block) => block,
            },
            None => block,
        };
        let Some(mut magazine) = self.spare(SLOTS) else { return Err(block) };
        magazine.push(block)?;
        self.shelve(magazine);
        Ok(())
    }

    /// Takes out a single block.
    pub(super) fn unfile(&mut self) -> Option<Block> {
        let block = self.stocked.top()?.pop()?;
        self.blocks -= 1;
        self.clear_top();
        Some(block)
    }

    /// Puts the top magazine among the empty ones if it has become one.
    fn clear_top(&mut self) {
        if self.stocked.top().is_some_and(|top| top.len() == 0) {
            self.stocked.pop().into_iter().for_each(|top| self.empty.push(top));
        }
    }

    /// Takes `count` blocks out, or all if there are fewer, in their magazines. Returns these and
    /// the number. A few more may come where there is no memory to split a magazine.
    pub(super) fn take_out(&mut self, count: usize) -> (Stack, usize) {
        let (mut out, mut taken) = (Stack::new(), 0);
        let count = count.min(self.blocks);
        while taken < count {
            let Some(mut magazine) = self.stocked.pop() else { break };
            self.blocks -= magazine.len();
            let excess = (taken + magazine.len()).saturating_sub(count);
            if excess > 0
                && let Some(mut part) = self.spare(SLOTS)
            {
                magazine.pour(magazine.len() - excess, &mut part);
                self.shelve(std::mem::replace(&mut magazine, part));
            }
            taken += magazine.len();
            out.push(magazine);
        }
        (out, taken)
    }

    /// Hands over all that lies here, and its number.
    pub(super) fn clear(&mut self) -> (Stack, usize) {
        (std::mem::take(&mut self.stocked), std::mem::take(&mut self.blocks))
    }

    /// Where magazines come from.
    pub(super) fn arena(&mut self) -> &mut Arena {
        &mut self.arena
    }
}
