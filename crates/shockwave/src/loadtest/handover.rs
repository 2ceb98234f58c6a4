//! A bounded queue from one thread to another that allocates nothing once it is made.
//!
//! The channels of the standard library allocate when a thread waits, which would show in the count
//! of allocations for each operation.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue between one giver and one receiver.
#[derive(Debug)]
pub(super) struct Handover<T> {
    queue: Mutex<Queue<T>>,
    /// There is something, or there will be no more.
    filled: Condvar,
    /// There is room.
    emptied: Condvar,
}

#[derive(Debug)]
struct Queue<T> {
    /// At most `capacity` of them.
    items: VecDeque<T>,
    capacity: usize,
    closed: bool,
}

impl<T> Handover<T> {
    /// A queue for `capacity` items.
    pub(super) fn new(capacity: usize) -> Self {
        let queue = Queue { items: VecDeque::with_capacity(capacity), capacity, closed: false };
        Self { queue: Mutex::new(queue), filled: Condvar::new(), emptied: Condvar::new() }
    }

    /// Appends an item; waits while there is no room.
    pub(super) fn give(&self, item: T) {
        let mut queue = self.lock();
        while queue.items.len() >= queue.capacity && !queue.closed {
            queue = self.emptied.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.items.push_back(item);
        // The receiver waits only for an empty queue, and waking it is a system call.
        if queue.items.len() == 1 {
            self.filled.notify_one();
        }
    }

    /// Swaps all items into `taken`, which is empty and as large; waits while there are none. Says
    /// whether there were any: if not, there will be no more.
    pub(super) fn take_all(&self, taken: &mut VecDeque<T>) -> bool {
        let mut queue = self.lock();
        while queue.items.is_empty() && !queue.closed {
            queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut queue.items, taken);
        if taken.len() >= queue.capacity {
            self.emptied.notify_one();
        }
        !taken.is_empty()
    }

    /// Says that there will be no more. Nobody waits from here on.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
        self.emptied.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes a queue when dropped, so that the other side never waits for a thread that has ended.
#[derive(Debug)]
pub(super) struct CloseOnDrop<'a, T>(pub(super) &'a Handover<T>);

impl<T> Drop for CloseOnDrop<'_, T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn everything_that_is_given_is_taken_once_and_in_order() {
        for capacity in [1, 3, 64] {
            let handover = Handover::new(capacity);
            thread::scope(|scope| {
                scope.spawn(|| {
                    let _close = CloseOnDrop(&handover);
                    (0..10_000).for_each(|item| handover.give(item));
                });
                let mut taken = VecDeque::with_capacity(capacity);
                let mut expected = 0;
                while handover.take_all(&mut taken) {
                    assert!(taken.len() <= capacity);
                    for item in taken.drain(..) {
                        assert_eq!(item, expected);
                        expected += 1;
                    }
                }
                assert_eq!(expected, 10_000);
            });
        }
    }
}
