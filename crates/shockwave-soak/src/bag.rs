//! What an actor has out: buffers in every form that they take, each with the byte that fills it.

use shockwave::{Buffer, BufferPool, RawBuffer, Shared};

/// One buffer that is out.
#[derive(Debug)]
pub(crate) struct Item {
    form: Form,
    /// Every byte of it that was written is this one.
    mark: u8,
}

/// A buffer, whoever has it.
#[derive(Debug)]
enum Form {
    /// As it was taken.
    Whole(Buffer),
    /// Frozen, by all of its handles.
    Frozen(Vec<Shared>),
    /// On loan under a raw handle, with its capacity.
    Raw(RawBuffer, usize),
}

impl Item {
    /// Fills a fresh buffer, which must be empty, up to `len` bytes of `mark`.
    pub(crate) fn new(mut buffer: Buffer, len: usize, mark: u8) -> Result<Self, String> {
        if !buffer.is_empty() {
            return Err(format!("a buffer came with {} bytes in it", buffer.len()));
        }
        buffer.resize(len.min(buffer.capacity()), mark);
        Ok(Self { form: Form::Whole(buffer), mark })
    }

    /// Bytes of the buffer's capacity.
    pub(crate) fn capacity(&self) -> usize {
        match &self.form {
            Form::Whole(buffer) => buffer.capacity(),
            Form::Frozen(handles) => handles[0].pinned_bytes(),
            Form::Raw(_, capacity) => *capacity,
        }
    }

    /// Whether it is frozen, and so counts as pinned.
    pub(crate) fn is_frozen(&self) -> bool {
        matches!(self.form, Form::Frozen(_))
    }

    /// Whether nobody else has written to it.
    pub(crate) fn check(&self) -> Result<(), String> {
        let whole = |bytes: &[u8]| bytes.iter().all(|byte| *byte == self.mark);
        let holds = match &self.form {
            Form::Whole(buffer) => whole(buffer),
            Form::Frozen(handles) => handles.iter().all(|handle| whole(handle)),
            Form::Raw(..) => true,
        };
        if holds { Ok(()) } else { Err(format!("a buffer of {:#04x} has other bytes", self.mark)) }
    }

    /// Freezes it and cuts it to pieces, or makes it whole again.
    pub(crate) fn freeze_or_thaw(self) -> Self {
        let form = match self.form {
            Form::Whole(buffer) if !buffer.is_empty() => {
                let shared = buffer.freeze();
                let half = shared.slice(..shared.len() / 2);
                Form::Frozen(vec![shared.clone(), half, shared])
            }
            Form::Frozen(mut handles) => {
                handles.truncate(1);
                match handles.pop().map(Shared::try_into_mut) {
                    Some(Ok(buffer)) => Form::Whole(buffer),
                    Some(Err(shared)) => Form::Frozen(vec![shared]),
                    None => unreachable!("a frozen item has a handle"),
                }
            }
            other => other,
        };
        Self { form, ..self }
    }

    /// Grows it by a byte more than it has room for, if the pool has what that takes.
    pub(crate) fn grow(&mut self) -> bool {
        let Form::Whole(buffer) = &mut self.form else { return false };
        let room = buffer.capacity() - buffer.len();
        let grown = buffer.try_reserve(room + 1).is_ok();
        if grown {
            buffer.push(self.mark);
        }
        grown
    }

    /// Hands it across a foreign interface.
    pub(crate) fn lend(self) -> Self {
        let form = match self.form {
            Form::Whole(buffer) => {
                let capacity = buffer.capacity();
                Form::Raw(buffer.into_raw(), capacity)
            }
            other => other,
        };
        Self { form, ..self }
    }

    /// Brings it back from there, and tries to do so once more.
    pub(crate) fn claim(self, pool: &BufferPool) -> Result<Self, String> {
        let Form::Raw(raw, _) = self.form else { return Ok(self) };
        let buffer = pool.from_raw(raw).map_err(|error| format!("a live handle: {error}"))?;
        match pool.from_raw(raw) {
            Ok(_) => Err("a raw handle was returned twice".into()),
            Err(_) => Ok(Self { form: Form::Whole(buffer), ..self }),
        }
    }

    /// Whether it is on loan.
    pub(crate) fn is_lent(&self) -> bool {
        matches!(self.form, Form::Raw(..))
    }

    /// Gives it back, the way `way` says; without a pool, by a drop.
    pub(crate) fn put(self, pool: Option<&BufferPool>, way: u8) -> Result<(), String> {
        self.check()?;
        match self.form {
            Form::Whole(buffer) => match (way % 4, pool) {
                (0, Some(pool)) => pool.put(buffer),
                (1, Some(pool)) => pool.put_with_reset(buffer),
                (2, _) => drop(buffer.into_vec()),
                _ => drop(buffer),
            },
            Form::Frozen(handles) => drop(handles),
            Form::Raw(raw, _) => {
                drop(raw.try_into_buffer().map_err(|error| format!("a live handle: {error}"))?);
            }
        }
        Ok(())
    }
}
