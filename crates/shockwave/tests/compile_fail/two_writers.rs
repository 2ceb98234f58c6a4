// error: E0499
pub fn writes(buffer: &mut shockwave::Buffer) {
    let spare = buffer.spare_capacity_mut();
    buffer.push(1); // misuse
    spare[0].write(2);
}
