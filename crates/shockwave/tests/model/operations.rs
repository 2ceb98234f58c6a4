//! What can be done to pools and buffers, and random sequences of it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// One of two pools that a world has.
pub(crate) type Which = bool;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    /// Takes this many buffers of a size.
    Get(Which, usize, usize),
    GetZeroed(Which, usize),
    /// Asks for more than there can be.
    GetTooMuch(Which, usize),
    Drop(Index),
    /// Puts a buffer into a pool, its own or not.
    Put(Which, Index),
    PutWithReset(Which, Index),
    IntoVec(Index),
    Push(Index, u8),
    Extend(Index, usize, u8),
    ExtendFromSlice(Index, usize, u8),
    Write(Index, usize, u8),
    ReadFrom(Index, usize, u8),
    Truncate(Index, usize),
    Clear(Index),
    Resize(Index, usize, u8),
    Reserve(Index, usize),
    ReserveTooMuch(Index, usize),
    ScrubOnDrop(Index),
    WarmUp(Which, usize),
    WarmUpClass(Which, usize, usize),
    ResetMetrics(Which),
    /// Drops the last handle of a pool; the next operation that needs one builds another.
    EndPool(Which),
}

/// Sizes about the edges of classes more often than elsewhere.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        0_usize..70,
        select(vec![64_usize, 100, 128, 1000, 2048, 4096, 8192, 65_536])
            .prop_flat_map(|size| size - 1..size + 2),
        0_usize..10_000,
        60_000_usize..140_000,
    ]
}

/// Sizes that nothing can serve.
fn too_much() -> impl Strategy<Value = usize> {
    select(vec![1_usize << 33, isize::MAX as usize, usize::MAX - 70_000, usize::MAX])
}

fn operations() -> impl Strategy<Value = Operation> {
    use Operation::{
        Clear, Drop, EndPool, Extend, ExtendFromSlice, Get, GetTooMuch, GetZeroed, IntoVec, Push,
        Put, PutWithReset, ReadFrom, Reserve, ReserveTooMuch, ResetMetrics, Resize, ScrubOnDrop,
        Truncate, WarmUp, WarmUpClass, Write,
    };
    let (which, index) = (any::<Which>, any::<Index>);
    let which_index = || (any::<Which>(), any::<Index>());
    let written = || (any::<Index>(), sizes(), any::<u8>());
    prop_oneof![
        12 => (which(), sizes(), 1_usize..4).prop_map(|(which, size, n)| Get(which, size, n)),
        2 => (which(), 0_usize..3000, 20_usize..90)
            .prop_map(|(which, size, n)| Get(which, size, n)),
        2 => (which(), sizes()).prop_map(|(which, size)| GetZeroed(which, size)),
        1 => (which(), too_much()).prop_map(|(which, size)| GetTooMuch(which, size)),
        8 => index().prop_map(Drop),
        6 => which_index().prop_map(|(which, index)| Put(which, index)),
        4 => which_index().prop_map(|(which, index)| PutWithReset(which, index)),
        2 => index().prop_map(IntoVec),
        2 => (index(), any::<u8>()).prop_map(|(index, byte)| Push(index, byte)),
        3 => written().prop_map(|(index, count, byte)| Extend(index, count % 3000, byte)),
        4 => written().prop_map(|(index, count, byte)| ExtendFromSlice(index, count, byte)),
        2 => written().prop_map(|(index, count, byte)| Write(index, count, byte)),
        3 => written().prop_map(|(index, count, byte)| ReadFrom(index, count, byte)),
        2 => (index(), sizes()).prop_map(|(index, len)| Truncate(index, len)),
        1 => index().prop_map(Clear),
        3 => written().prop_map(|(index, len, byte)| Resize(index, len, byte)),
        2 => (index(), sizes()).prop_map(|(index, additional)| Reserve(index, additional)),
        1 => (index(), too_much()).prop_map(|(index, more)| ReserveTooMuch(index, more)),
        1 => index().prop_map(ScrubOnDrop),
        1 => (which(), 0_usize..20).prop_map(|(which, count)| WarmUp(which, count)),
        1 => (which(), sizes(), 0_usize..90)
            .prop_map(|(which, size, count)| WarmUpClass(which, size, count)),
        1 => which().prop_map(ResetMetrics),
        1 => which().prop_map(EndPool),
    ]
}

/// A set of classes and what is done with it.
pub(crate) fn sequences() -> impl Strategy<Value = (Vec<usize>, Vec<Operation>)> {
    let classes = select(vec![
        vec![2048, 4096, 8192, 16_384, 32_768, 65_536],
        vec![64],
        vec![64, 100, 128, 1000],
        vec![1000, 1001, 70_000],
    ]);
    (classes, vec(operations(), 1..250))
}
