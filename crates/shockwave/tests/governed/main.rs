//! Contracts of budgets, waiting and giving back, each on both kinds of cells.
#![expect(unsafe_code, reason = "a source of memory, and a thread bound to a CPU")]

mod budget;
mod common;
mod crossing;
mod failing;
mod faulty;
mod given_back;
mod in_vain;
mod pressure;
#[path = "../common/quarantine.rs"]
mod quarantine;
#[path = "../common/random.rs"]
mod random;
mod waiting;
