//! Reads merged files again for their digests. Needs no engine, so that it keeps none from working.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{AbortSignal, File};

use super::message::{failed, to_js};
use crate::io::Source;
use crate::io::web::WebFile;
use crate::protocol::Response;
use crate::report::WrittenFile;
use crate::{Error, Result};

/// Answers a `digest` request, until the signal ends it.
#[wasm_bindgen]
pub async fn digest(files: Vec<File>, signal: AbortSignal) -> JsValue {
    match written(files, &signal).await {
        Ok(files) => to_js(&Response::Digest { files }),
        Err(error) => failed(error),
    }
}

async fn written(files: Vec<File>, signal: &AbortSignal) -> Result<Vec<WrittenFile>> {
    let go_on = || match signal.aborted() {
        true => Err(Error::usage("another merge has begun")),
        false => Ok(()),
    };
    let mut written = Vec::new();
    for file in files {
        let source = WebFile::new(file.name(), file)?;
        written.push(WrittenFile::of(source.name(), &source, go_on).await?);
    }
    Ok(written)
}
