//! Each test twice: on cells entered by restartable sequences, and on cells entered by try-locks.

/// Makes two tests, `name::rseq` and `name::locked`, of each function named. The function takes the
/// builder of a pool with such cells. One that is not named here is reported by the compiler as
/// unused.
macro_rules! both_cells {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[test]
            fn rseq() {
                crate::cells::on_rseq(super::$name);
            }

            #[test]
            fn locked() {
                crate::cells::on_locked(super::$name);
            }
        }
    )+};
}
