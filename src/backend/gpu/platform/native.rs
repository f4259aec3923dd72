//! The system's clock and threads.

use std::future::Future;
use std::sync::{LazyLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::backend::gpu::signal;

/// Time since the first call.
pub(in crate::backend::gpu) fn now_millis() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64() * 1e3
}

/// Work on a thread of its own. It is waited for when this is dropped: a program must not end
/// while a driver works for it.
#[derive(Debug)]
pub(in crate::backend::gpu) struct Beside(Option<JoinHandle<()>>);

/// Begins work beside other work.
pub(in crate::backend::gpu) fn beside<F: Future<Output = ()>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> Beside {
    Beside(Some(std::thread::spawn(|| pollster::block_on(work()))))
}

impl Drop for Beside {
    fn drop(&mut self) {
        // What went wrong there was told to whoever needed it.
        self.0.take().map(JoinHandle::join).transpose().ok();
    }
}

pub(super) async fn sleep(millis: u32) {
    let (sender, receiver) = signal::channel();
    // Lets the thread go when this future is dropped.
    let (_kept, dropped) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        dropped.recv_timeout(Duration::from_millis(millis.into())).ok();
        sender.send(());
    });
    receiver.await;
}
