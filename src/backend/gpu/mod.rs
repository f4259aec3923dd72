//! A graphics card, by WebGPU: through wgpu natively, by the browser's own in a page. f32 only.
//!
//! - [`shaders`]: the kernels in `shaders/*.wgsl`, put together from their parts.
//! - `adapter`, `device`: opening a card; buffers, pipelines, and whether it still lives.
//! - `dispatch`: runs of kernels, none longer than a watchdog bears.
//! - `matrix`, `assembly`, `cholesky`, `factor`, `gram`: matrices in tiles, how they are put together of
//!   what files store, and what is computed with them.
//! - `tune`: the fastest register tile of this card.
//!
//! The same inputs give the same bytes on the same card, whatever runs beside it and whichever
//! tile was fastest: all tiles add in one order.

mod adapter;
mod assembly;
mod cholesky;
mod device;
mod dispatch;
mod factor;
mod gram;
mod matrix;
mod params;
mod platform;
mod pool;
pub mod shaders;
mod signal;
mod tune;

use std::sync::Arc;

pub use adapter::Settings;
pub use factor::Factor;
pub use matrix::Matrix;
pub use params::{Assembly as AssemblyParams, Params};
pub use platform::within;

use super::stored::Assembly;
use super::{Backend, NotPositive};
use crate::Result;
use crate::tensor::extremes::smaller;
use device::Device;
use dispatch::{Product, Recorder};
use shaders::Kernel;

/// A graphics card. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Gpu {
    device: Arc<Device>,
}

impl Gpu {
    /// Opens the best card and gets it ready; `None` if there is none.
    ///
    /// # Errors
    /// `Device` if it does not answer, cannot be used, or refuses a shader.
    pub async fn open(settings: Settings) -> Result<Option<Self>> {
        let opened = Device::open(settings).await?;
        Ok(opened.map(|device| Self { device: Arc::new(device) }))
    }

    /// An error once the card was lost. It never comes back: open another.
    ///
    /// # Errors
    /// `Device`, with the reason.
    pub fn check(&self) -> Result<()> {
        self.device.check()
    }

    /// Waits until all that was asked for is done.
    ///
    /// # Errors
    /// `Device` if the card was lost.
    pub async fn finish(&self) -> Result<()> {
        self.device.finish().await
    }

    /// The register tile in use, for measurements.
    pub fn tile(&self) -> String {
        format!("tile {}", self.device.tile)
    }

    /// The rate at which that tile multiplies, for measurements.
    pub fn flops_per_second(&self) -> f64 {
        self.device.flops_per_milli * 1e3
    }

    /// Gives the card up: what follows fails as on a lost one.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Lets it answer no more, and waits for answers only so long, as tests want it.
    pub fn fall_silent(&self, patience_millis: u32) {
        self.device.fall_silent(patience_millis);
    }
}

impl Backend for Gpu {
    type Scalar = f32;
    type Matrix = Matrix;
    type Factor = Factor;
    // Whole matrices are uploaded once and multiplied at once.
    const PANEL: usize = usize::MAX;

    fn name(&self) -> &str {
        &self.device.name
    }

    async fn upload(&self, rows: usize, cols: usize, values: Vec<f32>) -> Result<Matrix> {
        assert_eq!(values.len(), rows * cols, "matrix of another size than its shape");
        Matrix::upload(&self.device, rows, cols, &values).await
    }

    async fn zeros(&self, rows: usize, cols: usize) -> Result<Matrix> {
        Matrix::zeros(&self.device, rows, cols).await
    }

    async fn assemble<'a>(
        &self,
        [rows, cols]: [usize; 2],
        stored: impl FnOnce() -> Option<Assembly<'a>>,
        in_memory: impl FnOnce() -> Vec<f32>,
    ) -> Result<Matrix> {
        match stored() {
            Some(Assembly::Sum(sum)) => assembly::scaled_sum(&self.device, &sum).await,
            Some(Assembly::Difference(own)) => {
                assembly::scaled_difference(&self.device, &own).await
            }
            None => self.upload(rows, cols, in_memory()).await,
        }
    }

    async fn norm_bound(&self, matrix: &Matrix) -> Result<f64> {
        let [largest, frobenius] = assembly::norms(&self.device, matrix).await?;
        Ok(smaller(largest, frobenius))
    }

    async fn download(&self, matrix: Matrix) -> Result<Vec<f32>> {
        matrix.download(&self.device).await
    }

    async fn multiply_add(&self, c: &mut Matrix, a: &Matrix, b: &Matrix) -> Result<()> {
        assert!(
            a.rows == c.rows && b.rows == a.cols && b.cols == c.cols,
            "shapes of C, A and B disagree"
        );
        let mut recorder = Recorder::new(&self.device);
        for (c, a) in c.tiles.iter().zip(&a.tiles) {
            for (a, b) in a.iter().zip(&b.tiles) {
                for (c, b) in c.iter().zip(b) {
                    let mut product = Product::whole([c.rows, c.cols, a.cols], false);
                    product.beta = 1.0;
                    let buffers = [&*a.buffer, &*b.buffer, &*c.buffer];
                    recorder.multiply(Kernel::Multiply, &buffers, product).await?;
                }
            }
        }
        recorder.submit().await
    }

    async fn add_gram(&self, g: &mut Matrix, x: &Matrix) -> Result<()> {
        assert!(g.rows == x.cols && g.cols == x.cols, "shapes of G and X disagree");
        gram::add_gram(&self.device, g, x).await
    }

    async fn cholesky(&self, s: Matrix) -> Result<std::result::Result<Factor, NotPositive>> {
        assert_eq!(s.rows, s.cols, "only square matrices have a Cholesky factor");
        factor::factorise(&self.device, s).await
    }

    async fn export(&self, factor: &Factor) -> Result<Vec<f32>> {
        factor.export(&self.device).await
    }

    async fn import(&self, n: usize, values: Vec<f32>) -> Result<Factor> {
        Factor::import(&self.device, n, &values).await
    }

    async fn solve(&self, factor: &Factor, x: &mut Matrix) -> Result<()> {
        factor::solve(&self.device, factor, x).await
    }
}
