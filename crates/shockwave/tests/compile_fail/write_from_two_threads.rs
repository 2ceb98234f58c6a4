// error: E0499
pub fn writes(buffer: &mut shockwave::Buffer) {
    std::thread::scope(|scope| {
        scope.spawn(|| buffer.push(1));
        scope.spawn(|| buffer.push(2)); // misuse
    });
}
