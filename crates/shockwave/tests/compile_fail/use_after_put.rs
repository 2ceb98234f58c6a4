// error: E0382
pub fn uses(pool: &shockwave::BufferPool) {
    let mut buffer = pool.get(100);
    buffer.push(1);
    pool.put_with_reset(buffer);
    buffer.push(2); // misuse
}
