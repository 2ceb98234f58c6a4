//! Every contender against the trait's contract: all bytes that were asked for, and nobody else's.
#![expect(unsafe_code, reason = "writes to buffers by address")]

use super::*;
use crate::contender::{Contender, touch};

/// Holds several buffers of several sizes, marks each in full, and finds each mark untouched.
fn check<C: Contender>() {
    let name = std::any::type_name::<C>();
    if let Some(reason) = C::missing() {
        eprintln!("{name}: {reason}");
        return;
    }
    let mut contender = C::attach();
    for round in 0..3 {
        let mut held = Vec::new();
        for (mark, size) in (1..=u8::MAX).zip([1, 2048, 4096, 16 << 10, 64 << 10].repeat(4)) {
            let mut buffer = contender.get(size);
            touch::<C>(&mut buffer);
            let address = C::address(&mut buffer);
            // SAFETY: the contract under test: `size` bytes that are this buffer's alone.
            unsafe { address.write_bytes(mark ^ round, size) };
            held.push((buffer, mark ^ round, size));
        }
        for (mut buffer, mark, size) in held {
            let address = C::address(&mut buffer);
            // SAFETY: as above, and written in full.
            let bytes = unsafe { std::slice::from_raw_parts(address, size) };
            assert!(bytes.iter().all(|&byte| byte == mark), "{name} {size}");
            contender.put(buffer);
        }
    }
    let mut buffer = contender.get(4096);
    C::fill(&mut buffer, &[7; 4096]);
    contender.put_with_reset(buffer, 4096);

    for _ in 0..3 {
        let mut buffer = contender.get_zeroed(4096);
        let address = C::address(&mut buffer);
        // SAFETY: as above, and zero, which is under test.
        let bytes = unsafe { std::slice::from_raw_parts(address, 4096) };
        assert!(bytes.iter().all(|&byte| byte == 0), "{name}");
        C::overwrite(&mut buffer, &[7; 4096]);
        let address = C::address(&mut buffer);
        // SAFETY: as above, and written in full.
        let bytes = unsafe { std::slice::from_raw_parts(address, 4096) };
        assert!(bytes.iter().all(|&byte| byte == 7), "{name}");
        contender.put(buffer);
    }

    for _ in 0..3 {
        let mut buffer = contender.get(4096);
        C::fill(&mut buffer, &[7]);
        contender.share(buffer);
    }

    let buffer = contender.get_to_send(4096);
    std::thread::scope(|scope| {
        scope.spawn(|| C::attach().put_received(buffer));
    });
}

#[test]
fn every_contender_gives_out_what_it_promises() {
    check::<shockwave::Shockwave<{ shockwave::RSEQ }>>();
    check::<shockwave::Shockwave<{ shockwave::LOCKED }>>();
    check::<shockwave::Shockwave<{ shockwave::ZEROING }>>();
    check::<shockwave::Shockwave<{ shockwave::TRACKED }>>();
    check::<shockwave::Shockwave<{ shockwave::BUDGETED }>>();
    check::<handles::Handles>();
    check::<thread_local::ThreadLocal>();
    check::<heap::FromHeap<system::System>>();
    #[cfg(feature = "jemalloc")]
    check::<heap::FromHeap<jemalloc::Jemalloc>>();
    #[cfg(feature = "mimalloc")]
    check::<heap::FromHeap<mimalloc::Mimalloc>>();
    check::<zeropool::Zeropool>();
    check::<opool::Opool>();
    check::<vec::PlainVec>();
    check::<bytes_mut::PlainBytesMut>();
    check::<floor::Floor>();
}
