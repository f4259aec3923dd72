//! The worker's clock and event loop.

use std::future::Future;

use js_sys::{Function, Promise, Reflect, global};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

fn function(object: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(object, &name.into()).ok()?.dyn_into().ok()
}

/// Time since the worker began.
pub(in crate::backend::gpu) fn now_millis() -> f64 {
    let performance = Reflect::get(&global(), &"performance".into()).unwrap_or(JsValue::NULL);
    let now = function(&performance, "now").and_then(|now| now.call0(&performance).ok());
    now.and_then(|now| now.as_f64()).unwrap_or(0.0)
}

/// Work that goes on whenever nothing else runs.
#[derive(Debug)]
pub(in crate::backend::gpu) struct Beside;

/// Begins work beside other work.
pub(in crate::backend::gpu) fn beside<F: Future<Output = ()> + 'static>(
    work: impl FnOnce() -> F + 'static,
) -> Beside {
    wasm_bindgen_futures::spawn_local(async { work().await });
    Beside
}

pub(super) async fn sleep(millis: u32) {
    let promise = Promise::new(&mut |resolve, _| {
        if let Some(set_timeout) = function(&global(), "setTimeout") {
            // Without a clock nothing is cut short.
            set_timeout.call2(&global(), &resolve, &millis.into()).ok();
        }
    });
    JsFuture::from(promise).await.ok();
}
