//! What pools and buffers are to be, in plain vectors and counters.

/// What is to be known of one pool.
#[derive(Debug)]
pub(crate) struct PoolOracle {
    pub(crate) classes: Vec<usize>,
    /// One for each class, and one more for what is beyond them.
    pub(crate) counts: Vec<CountsOracle>,
    /// Bytes beyond the classes that were allocated since the last reset, and that are in use.
    pub(crate) oversize_bytes: (u64, u64),
    pub(crate) refused: u64,
    /// Whether a reset came while buffers were out, so that puts and gets count from different
    /// starts.
    pub(crate) reset_in_use: bool,
}

/// What is to be known of one class.
#[derive(Debug, Clone, Default)]
pub(crate) struct CountsOracle {
    /// Since the last reset.
    pub(crate) gets: u64,
    pub(crate) puts: u64,
    pub(crate) discards: u64,
    /// Of all time.
    pub(crate) in_use: u64,
    pub(crate) warmed: u64,
    /// Misses up to the last reset. Which gets miss depends on the CPU they run on, so this is not
    /// predicted, but what follows from it is.
    pub(crate) misses_before: u64,
}

/// What is to be known of one buffer.
#[derive(Debug)]
pub(crate) struct BufferOracle {
    /// Which of all pools that ever were it is of.
    pub(crate) pool: usize,
    /// Its class, or one more than the last for none.
    pub(crate) class: usize,
    pub(crate) capacity: usize,
    pub(crate) bytes: Vec<u8>,
}

impl PoolOracle {
    pub(crate) fn new(classes: &[usize]) -> Self {
        Self {
            classes: classes.to_vec(),
            counts: vec![CountsOracle::default(); classes.len() + 1],
            oversize_bytes: (0, 0),
            refused: 0,
            reset_in_use: false,
        }
    }

    /// The class that serves a size, and the capacity that a buffer for it has.
    pub(crate) fn class_of(&self, size: usize) -> (usize, usize) {
        let class = self.classes.iter().position(|&class| class >= size);
        class.map_or((self.classes.len(), size), |class| (class, self.classes[class]))
    }

    pub(crate) fn get(&mut self, pool: usize, size: usize) -> BufferOracle {
        let (class, capacity) = self.class_of(size);
        self.counts[class].gets += 1;
        self.counts[class].in_use += 1;
        if class == self.classes.len() {
            self.oversize_bytes.0 += capacity as u64;
            self.oversize_bytes.1 += capacity as u64;
        }
        BufferOracle { pool, class, capacity, bytes: Vec::new() }
    }

    pub(crate) fn put(&mut self, buffer: &BufferOracle) {
        self.counts[buffer.class].puts += 1;
        self.counts[buffer.class].in_use -= 1;
        if buffer.class == self.classes.len() {
            self.oversize_bytes.1 -= buffer.capacity as u64;
        }
    }

    pub(crate) fn discard(&mut self, capacity: usize) {
        let (class, _) = self.class_of(capacity);
        self.counts[class].discards += 1;
    }

    /// Makes room in a buffer, by moving to one at least twice as large.
    pub(crate) fn reserve(&mut self, buffer: &mut BufferOracle, additional: usize) {
        let needed = buffer.bytes.len() + additional;
        if needed > buffer.capacity {
            let mut larger = self.get(buffer.pool, needed.max(2 * buffer.capacity));
            larger.bytes = std::mem::take(&mut buffer.bytes);
            self.put(buffer);
            *buffer = larger;
        }
    }

    pub(crate) fn extend(&mut self, buffer: &mut BufferOracle, count: usize, byte: u8) {
        self.reserve(buffer, count);
        buffer.bytes.resize(buffer.bytes.len() + count, byte);
    }
}
