// error: E0502
pub fn grows(buffer: &mut shockwave::Buffer) -> usize {
    let bytes = &buffer[..];
    buffer.reserve(100_000); // misuse
    bytes.len()
}
