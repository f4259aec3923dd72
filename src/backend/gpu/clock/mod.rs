//! Time: how long something took, and how long to wait for what may never come.

#[cfg_attr(target_arch = "wasm32", path = "web.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "native.rs")]
mod platform;

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

pub(super) use platform::now_millis;

/// What the future says, or `None` if it has said nothing for so long.
pub async fn within<T>(millis: u32, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut end) = (pin!(future), pin!(platform::sleep(millis)));
    std::future::poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        end.as_mut().poll(context).map(|()| None)
    })
    .await
}
