// error: E0382
pub fn puts(pool: &shockwave::BufferPool) {
    let buffer = pool.get(100);
    pool.put(buffer);
    pool.put(buffer); // misuse
}
