// error: E0133
pub fn claims(buffer: &mut shockwave::Buffer) {
    buffer.set_len(10); // misuse
    buffer.clear();
}
