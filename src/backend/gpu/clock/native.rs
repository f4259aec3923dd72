//! The system's clock.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::backend::gpu::signal;

/// Time since the first call.
pub(in crate::backend::gpu) fn now_millis() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64() * 1e3
}

pub(super) async fn sleep(millis: u32) {
    let (sender, receiver) = signal::channel();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(millis.into()));
        sender.send(());
    });
    receiver.await;
}
