//! Feature `serde`: a buffer serializes as its bytes. Metrics derive their own.

use serde::{Serialize, Serializer};

use crate::buffer::Buffer;

/// As the bytes that were written.
///
/// ```
/// let mut buffer = shockwave::get_buffer(64);
/// buffer.extend_from_slice(&[1, 2, 3]);
/// assert_eq!(serde_json::to_string(&buffer).unwrap(), "[1,2,3]");
/// ```
impl Serialize for Buffer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}
