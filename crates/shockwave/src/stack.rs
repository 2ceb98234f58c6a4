//! Stacks of magazines that are in no cell, linked through their own memory.
#![expect(unsafe_code, reason = "follows links in the memory of magazines")]

use crate::magazine::Magazine;

/// Magazines that lie on each other.
#[derive(Debug, Default)]
pub(crate) struct Stack(Option<Magazine>);

impl Stack {
    /// None.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Lays a magazine on top.
    pub(crate) fn push(&mut self, magazine: Magazine) {
        let below = self.0.take();
        // SAFETY: the holder of `magazine` alone has its link.
        magazine.slots().next.with_mut(|next| unsafe { *next = below });
        self.0 = Some(magazine);
    }

    /// Takes the top one off.
    pub(crate) fn pop(&mut self) -> Option<Magazine> {
        let magazine = self.0.take()?;
        // SAFETY: the holder of `magazine` alone has its link.
        self.0 = magazine.slots().next.with_mut(|next| unsafe { (*next).take() });
        Some(magazine)
    }

    /// The top one, to look at or to change in place.
    pub(crate) fn top(&mut self) -> Option<&mut Magazine> {
        self.0.as_mut()
    }
}
