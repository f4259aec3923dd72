//! What differs between a system and a browser's worker: time, and work beside other work.

#[cfg_attr(target_arch = "wasm32", path = "web.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "native.rs")]
mod own;

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

pub(super) use own::{Beside, beside, now_millis};

/// What the future says, or `None` if it has said nothing for so long.
pub async fn within<T>(millis: u32, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut end) = (pin!(future), pin!(own::sleep(millis)));
    std::future::poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        end.as_mut().poll(context).map(|()| None)
    })
    .await
}
