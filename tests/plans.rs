//! Plans of small models in memory: which Gram matrix goes with which weight, what is refused
//! before anything is read, and what is warned of.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

#[path = "plans/adapters.rs"]
mod adapters;
#[path = "plans/fingerprints.rs"]
mod fingerprints;
#[path = "plans/heap.rs"]
mod heap;
#[path = "plans/lineage.rs"]
mod lineage;
#[path = "plans/names.rs"]
mod names;
#[path = "plans/pairing.rs"]
mod pairing;
#[path = "plans/sums.rs"]
mod sums;
#[path = "plans/warnings.rs"]
mod warnings;
