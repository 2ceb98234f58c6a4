//! Feature `prometheus`: pages for scrapers, to the letter and through a strict reader.
#![cfg(feature = "prometheus")]

mod additions;
mod deploy;
mod golden;
mod page;
mod pools;
