//! What the C library and the kernel have to offer: the area of each thread, the barrier that
//! aborts sequences from outside, and address space that takes no memory.
#![expect(unsafe_code, reason = "asks the C library and the kernel")]

use std::ptr::NonNull;
use std::sync::OnceLock;

use super::sequence::Area;
use crate::source::pages::PAGE_BYTES;

/// `MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ` and its registration, since Linux 5.10: `membarrier(2)`.
const PRIVATE_EXPEDITED_RSEQ: libc::c_int = 1 << 7;
const REGISTER_PRIVATE_EXPEDITED_RSEQ: libc::c_int = 1 << 8;

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: the commands used here take no memory of ours.
    let result = unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
    result == 0
}

/// Aborts every sequence that is under way in this process and orders memory on all CPUs.
///
/// Says whether it could. A process that has registered is refused only for want of kernel memory,
/// or if it forbade itself the system call later on; a forked child inherits the registration, but
/// is registered again if not.
pub(super) fn abort_sequences_under_way() -> bool {
    membarrier(PRIVATE_EXPEDITED_RSEQ)
        || (membarrier(REGISTER_PRIVATE_EXPEDITED_RSEQ) && membarrier(PRIVATE_EXPEDITED_RSEQ))
}

/// Finds out, once for the process, whether there are restartable sequences, and notes where the
/// areas are if there are any.
pub(super) fn register() -> Result<(), &'static str> {
    static REGISTERED: OnceLock<Result<(), &'static str>> = OnceLock::new();
    *REGISTERED.get_or_init(|| {
        // Looked up and not linked, because an older C library lacks them.
        let offset = symbol(c"__rseq_offset").ok_or("the C library is older than glibc 2.35")?;
        let size = symbol(c"__rseq_size").ok_or("the C library is older than glibc 2.35")?;
        // SAFETY: glibc declares it as `const unsigned int`, set before `main`.
        if unsafe { size.cast::<u32>().read() } == 0 {
            return Err("the C library has not registered them with the kernel");
        }
        if !membarrier(REGISTER_PRIVATE_EXPEDITED_RSEQ) {
            return Err("the kernel has no membarrier for them (Linux 5.10 and later do)");
        }
        // SAFETY: glibc declares it as `const ptrdiff_t`, set before `main`.
        Area::note(unsafe { offset.cast::<isize>().read() });
        Ok(())
    })
}

fn symbol(name: &std::ffi::CStr) -> Option<NonNull<libc::c_void>> {
    // SAFETY: the name is a C string, and looking a symbol up runs no code of its library.
    NonNull::new(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) })
}

/// Has the system take pages for sparsely used, so for no huge ones, and let those beyond the first
/// `written` bytes only be read, so that they count as nobody's memory. Where the system does not,
/// nothing but the memory it counts is lost.
///
/// # Safety
///
/// `memory` came from `pages::map(bytes)`, and nobody writes to pages that begin behind `written`.
pub(super) unsafe fn make_sparse(memory: NonNull<u8>, bytes: usize, written: usize) {
    let start = memory.as_ptr();
    // SAFETY: advice on a mapping of ours changes no content.
    unsafe { libc::madvise(start.cast(), bytes, libc::MADV_NOHUGEPAGE) };
    let written = written.next_multiple_of(PAGE_BYTES);
    if written < bytes {
        let tail = start.wrapping_add(written);
        // SAFETY: whole pages of a mapping of ours, which by the caller's word nobody writes to.
        unsafe { libc::mprotect(tail.cast(), bytes - written, libc::PROT_READ) };
    }
}
