//! The format layer against the safetensors crate, and against itself: what is written is read
//! back, whatever the size of the pieces.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

#[path = "format/differential.rs"]
mod differential;
#[path = "format/grams.rs"]
mod grams;
#[path = "format/round_trip.rs"]
mod round_trip;
#[path = "format/shards.rs"]
mod shards;
