// error: E0505
pub fn keeps(pool: &shockwave::BufferPool) {
    let buffer = pool.get_zeroed(100);
    let bytes: &[u8] = &buffer;
    let first = bytes[0];
    drop(buffer);
    assert_eq!(bytes[0], 0); // misuse
    assert_eq!(first, 0);
}
