//! Rust types to plain JavaScript objects and back.

use js_sys::{Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use crate::protocol::{Request, Response};
use crate::{Error, Result};

/// A plain object: maps as objects, nothing as `null`.
pub(super) fn to_js(value: &impl Serialize) -> JsValue {
    // Only a map with keys that are no strings could fail, and no message holds one.
    value.serialize(&Serializer::json_compatible()).unwrap_or(JsValue::NULL)
}

/// A message of the page.
///
/// # Errors
/// `Usage` if it is not one of the protocol's.
pub(super) fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T> {
    serde_wasm_bindgen::from_value(value)
        .map_err(|error| Error::usage(format!("a message of the page is not understood ({error})")))
}

/// A request by its `type`. Serde's own tags need a copy of the message, and twice the code.
///
/// # Errors
/// As [`from_js`].
pub(super) fn request(message: JsValue) -> Result<Request> {
    let tagged = Object::new();
    let tag = Reflect::get(&message, &"type".into());
    let is_set = tag.and_then(|tag| Reflect::set(&tagged, &tag, &message));
    is_set.map_err(|_| Error::usage("a message of the page has no type"))?;
    from_js(tagged.into())
}

/// The `failed` message for an error.
pub(super) fn failed(error: Error) -> JsValue {
    let message = error.to_string();
    to_js(&Response::Failed { error, message })
}
