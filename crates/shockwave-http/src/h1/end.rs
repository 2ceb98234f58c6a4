//! Where does a head end?

use crate::Limits;
use crate::h1::Refusal;

/// Remembers where a search for the end of a head stopped, so that no byte is searched twice.
#[derive(Debug, Default, Clone)]
pub struct HeadEnd {}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "to come")]
impl HeadEnd {
    pub fn find(&mut self, _bytes: &[u8], _limits: &Limits) -> Result<Option<usize>, Refusal> {
        todo!()
    }
}
