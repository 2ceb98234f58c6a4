// error: E0599
pub fn doubles(buffer: shockwave::Buffer) {
    drop(buffer.clone()); // misuse
    drop(buffer);
}
