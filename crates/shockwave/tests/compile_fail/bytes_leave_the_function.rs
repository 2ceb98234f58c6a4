// error: E0515
pub fn leaves(pool: &shockwave::BufferPool) -> &[u8] {
    let buffer = pool.get_zeroed(100);
    return buffer.as_slice(); // misuse
    drop(buffer);
    &[]
}
