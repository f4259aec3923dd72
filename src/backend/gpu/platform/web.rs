//! The worker's clock and event loop.

use std::future::Future;

use js_sys::{Function, Reflect, global};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::backend::gpu::signal;

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

/// A timer, which ends when it is dropped.
struct Timer {
    id: Option<JsValue>,
    _ring: Closure<dyn FnMut()>,
}

impl Timer {
    fn new(millis: u32, ring: Closure<dyn FnMut()>) -> Self {
        let set_timeout = function(&global(), "setTimeout");
        // Without a clock nothing is cut short.
        let set = |set: Function| set.call2(&global(), ring.as_ref(), &millis.into()).ok();
        Self { id: set_timeout.and_then(set), _ring: ring }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let clear_timeout = function(&global(), "clearTimeout");
        if let Some((clear, id)) = clear_timeout.zip(self.id.as_ref()) {
            clear.call1(&global(), id).ok();
        }
    }
}

pub(super) async fn sleep(millis: u32) {
    let (sender, receiver) = signal::channel();
    let _timer = Timer::new(millis, Closure::once(move || sender.send(())));
    receiver.await;
}
