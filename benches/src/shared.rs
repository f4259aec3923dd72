//! One layer that several workers solve together, by the product's own way of sharing it.
//!
//! Every worker holds the layer's inputs. [`Lead`] factorises, computes the first rows and judges
//! the whole; [`Help`] computes other rows when the factor comes. The judgement must be the one that
//! a worker alone comes to.

use gramerge::engine::CpuEngines;
use gramerge::methods::regmean::crew::help;
use gramerge::methods::regmean::{LayerGroup, solve};
use gramerge::recipe::Precision;
use gramerge::run::{LayerSize, sharing};
use gramerge::web::crew::{Helpers, WebCrew, arriving};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::case::Work;
use crate::layer;
use crate::web::json;

/// The leader's part.
#[wasm_bindgen]
pub struct Lead {
    group: LayerGroup,
    precision: Precision,
    n_helpers: usize,
    alone: Work,
}

#[wasm_bindgen]
impl Lead {
    /// Makes the inputs, and solves once alone.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str, n_helpers: usize) -> Result<Self, String> {
        let (group, precision) = named(name)?;
        let alone = layer::run(&group, precision).map_err(said)?;
        Ok(Self { group, precision, n_helpers, alone })
    }

    /// Solves it with the helpers; answers with what was done, as JSON.
    pub async fn run(&self, helpers: Helpers) -> Result<String, String> {
        let own = sharing::rows(size(&self.group), self.n_helpers, 0);
        let crew = WebCrew::new(helpers, Some(own.len()));
        let solved = solve(&CpuEngines::default(), &self.group, self.precision, &crew).await;
        let work = layer::work(&self.group, &solved.map_err(said)?);
        match same(&work, &self.alone) {
            true => Ok(json(&work)),
            false => Err(format!("together it is {work:?}, alone {:?}", self.alone)),
        }
    }
}

/// A helper's part.
#[wasm_bindgen]
pub struct Help {
    group: LayerGroup,
    precision: Precision,
    n_helpers: usize,
    place: usize,
}

#[wasm_bindgen]
impl Help {
    /// Makes the inputs of the helper at `place`, which counts from 1.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str, n_helpers: usize, place: usize) -> Result<Self, String> {
        let (group, precision) = named(name)?;
        Ok(Self { group, precision, n_helpers, place })
    }

    /// Computes its rows, once `factor` has come.
    pub async fn run(&self, factor: Promise) -> Result<Uint8Array, String> {
        let rows = sharing::rows(size(&self.group), self.n_helpers, self.place);
        let engines = CpuEngines::default();
        let helped = help(&engines, &self.group, rows, self.precision, arriving(factor)).await;
        helped.map(|rows| Uint8Array::from(&rows[..])).map_err(said)
    }
}

fn named(name: &str) -> Result<(LayerGroup, Precision), String> {
    layer::named(name).ok_or_else(|| format!("no layer `{name}` here"))
}

fn size(group: &LayerGroup) -> LayerSize {
    LayerSize { n: group.n(), n_rows: group.n_rows(), n_models: group.grams.len() }
}

/// Whether both took the same way and estimate the same error, to the bit.
fn same(one: &Work, other: &Work) -> bool {
    let judged = |work: &Work| (work.path.clone(), work.error_estimate.map(f64::to_bits));
    judged(one) == judged(other)
}

fn said(error: gramerge::Error) -> String {
    error.to_string()
}
