//! The part of the tasks that the browser tests use too: the static server.

pub mod server;
