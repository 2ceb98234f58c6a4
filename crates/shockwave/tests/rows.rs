//! There is a row of cells for every CPU number that the kernel can show, those of threads that are
//! not registered included: sequences do not compare it with anything.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
#![expect(unsafe_code, reason = "writes what only the kernel writes")]

use shockwave::{BufferPool, Cells, Sampling};

/// The signature that the C library registered its areas with.
const SIGNATURE: u32 = 0x5305_3053;
/// `RSEQ_FLAG_UNREGISTER`, and the length of the area as it was registered first: `rseq(2)`.
const UNREGISTER: libc::c_int = 1;
const AREA_BYTES: u32 = 32;

/// This thread's area.
fn area() -> *mut u32 {
    // SAFETY: looks a symbol up.
    let offset = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()) };
    assert!(!offset.is_null(), "the cells are there, so the C library has it");
    // SAFETY: glibc declares it as `const ptrdiff_t`, set before `main`.
    let offset = unsafe { offset.cast::<isize>().read() };
    let thread: *mut u8;
    // SAFETY: reads the thread pointer.
    unsafe { std::arch::asm!("mov {}, fs:[0]", out(reg) thread, options(nostack)) };
    thread.wrapping_offset(offset).cast()
}

#[test]
fn a_thread_that_shows_any_number_works_and_loses_nothing() {
    let sizes: Vec<usize> = (1..=32).map(|class| 64 * class).collect();
    let builder = || BufferPool::builder().cells(Cells::Rseq).classes(&sizes);
    if let Err(error) = builder().build() {
        assert!(error.is_rseq_unavailable(), "{error}");
        return;
    }
    for builder in [builder(), builder().track(Sampling::EACH)] {
        let pool = builder.build().expect("a pool");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let area = area();
                // SAFETY: takes this thread's area back from the kernel, which writes to it no more
                // and aborts no sequence on its account; this thread uses only what follows.
                let result = unsafe {
                    libc::syscall(libc::SYS_rseq, area, AREA_BYTES, UNREGISTER, SIGNATURE)
                };
                assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
                for cpu in [-2_i32, -1, 1023, 1024, 4096, 8191] {
                    // SAFETY: the second word of this thread's own area, the CPU's number.
                    unsafe { area.wrapping_add(1).write_volatile(cpu.cast_unsigned()) };
                    for &size in &sizes {
                        let mut held: Vec<_> = (0..60).map(|_| pool.get(size)).collect();
                        for buffer in &mut held {
                            buffer.push(1);
                        }
                        drop(held.pop().expect("one").freeze());
                    }
                    drop(pool.get(3000));
                }
                // SAFETY: as it is in a thread that is not registered.
                unsafe { area.wrapping_add(1).write_volatile(u32::MAX) };
            });
        });
        let metrics = pool.metrics();
        let gets = 6 * 60 * sizes.len() as u64;
        assert_eq!(
            (metrics.total_gets, metrics.total_puts, metrics.oversize_gets),
            (gets, gets, 6)
        );
        assert_eq!((metrics.in_use_bytes, pool.outstanding().len()), (0, 0));
    }
}
