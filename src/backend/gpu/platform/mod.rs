//! What differs between a system and a browser's worker: time, and work beside other work.

#[cfg_attr(target_arch = "wasm32", path = "web.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "native.rs")]
mod own;

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

pub(super) use own::{Beside, beside, now_millis};

/// Time is measured by so many timers in a row: one that fires late, since the computer slept or the tab
/// was frozen, takes no more than its share.
const TURNS: u32 = 10;

/// What the future says, or `None` if it has said nothing for so long.
pub async fn within<T>(millis: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..TURNS {
        let mut end = pin!(own::sleep(millis / TURNS));
        let turn = std::future::poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => end.as_mut().poll(context).map(|()| None),
        });
        if let Some(value) = turn.await {
            return Some(value);
        }
    }
    None
}
