//! Rust types to plain JavaScript objects and back.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use crate::protocol::Response;
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

/// The `failed` message for an error.
pub(super) fn failed(error: Error) -> JsValue {
    let message = error.to_string();
    to_js(&Response::Failed { error, message })
}
