//! Recipes: what mergekit reads means the same here, and all else is refused by its line.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "recipes/bad.rs"]
mod bad;
#[path = "recipes/fixtures.rs"]
mod fixtures;
#[path = "recipes/methods.rs"]
mod methods;
#[path = "recipes/round_trip.rs"]
mod round_trip;
