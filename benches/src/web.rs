//! The entries for a browser's worker.

use std::collections::BTreeMap;

use js_sys::Uint8Array;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::bert::{Bert, Found, Held, Tensor};
use crate::case::{self, Ready};
use crate::layer::precision_named;

/// Which kernels this build runs.
#[wasm_bindgen]
pub fn kernels() -> String {
    case::kernels().into()
}

/// A case that is ready to run.
#[wasm_bindgen]
pub struct Case {
    run: Ready,
}

#[wasm_bindgen]
impl Case {
    /// Makes it ready; refuses a name that this build has no case for.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str) -> Result<Self, String> {
        case::prepare(name).map(|run| Self { run }).ok_or_else(|| format!("no case `{name}` here"))
    }

    /// Runs it once; answers with what was done, as JSON.
    pub fn run(&mut self) -> Result<String, String> {
        (self.run)().map_err(|error| error.to_string()).map(|work| json(&work))
    }
}

/// A case on the graphics card.
#[cfg(feature = "gpu")]
#[wasm_bindgen]
pub struct CardCase(crate::gpu::CardCase);

#[cfg(feature = "gpu")]
#[wasm_bindgen]
impl CardCase {
    /// Opens the card and makes it ready.
    pub async fn open(name: String) -> Result<Self, String> {
        crate::gpu::CardCase::open(&name).await.map(Self).map_err(|error| error.to_string())
    }

    /// Which card.
    pub fn card(&self) -> String {
        self.0.card()
    }

    /// Makes anew what a run uses up.
    pub async fn renew(&mut self) -> Result<(), String> {
        self.0.renew().await.map_err(|error| error.to_string())
    }

    /// Runs it once; answers with what was done, as JSON.
    pub async fn run(&mut self) -> Result<String, String> {
        self.0.run().await.map_err(|error| error.to_string()).map(|work| json(&work))
    }
}

/// How many tensors a share of the merge has.
#[wasm_bindgen]
pub fn count_tensors(n_models: usize, share: usize, of: usize) -> usize {
    Tensor::share(n_models, share, of).len()
}

/// Makes one of them, outside this instance's memory.
#[wasm_bindgen]
pub fn make_tensor(n_models: usize, share: usize, of: usize, index: usize) -> Uint8Array {
    let tensor = Tensor::share(n_models, share, of)[index];
    Uint8Array::from(&tensor.make()[..])
}

/// A share of the merge.
#[wasm_bindgen]
pub struct Share {
    bert: Bert,
    jobs: Vec<usize>,
}

#[wasm_bindgen]
impl Share {
    /// Plans it; `tensors` are those of [`make_tensor`], in order, of at least `n_models` models.
    #[wasm_bindgen(constructor)]
    pub fn new(
        tensors: Vec<Uint8Array>,
        n_models: usize,
        share: usize,
        of: usize,
        precision: &str,
    ) -> Result<Self, String> {
        let precision = precision_named(precision).ok_or("no such precision")?;
        let named = Tensor::share(n_models, share, of).into_iter().zip(tensors);
        let held: BTreeMap<_, _> = named.map(|(tensor, bytes)| (tensor, Held(bytes))).collect();
        let bert = Bert::new(&held, n_models, precision).map_err(|error| error.to_string())?;
        let jobs = bert.jobs(share, of);
        Ok(Self { bert, jobs })
    }

    /// Runs all its jobs; answers with what was found, as JSON.
    pub fn run(&self) -> Result<String, String> {
        let mut found = Found::default();
        for job in &self.jobs {
            found.add(&self.bert.run(*job).map_err(|error| error.to_string())?);
        }
        Ok(json(&found))
    }
}

pub(crate) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| error.to_string())
}
