//! One run of one kernel, and how long work is cut into several.

use super::device::{Device, Variant};
use super::params::{Params, Part, Triangle, Words};
use super::shaders::{BLOCK, Kernel, Tile};
use crate::Result;

/// Uniform buffers are bound at multiples of this.
pub(super) const PARAMS_STRIDE_BYTES: usize = 256;

/// A dispatch ends within about this time: browsers and drivers take longer ones for hung.
const DISPATCH_MILLIS: f64 = 50.0;
/// And so does what is submitted together.
const SUBMIT_MILLIS: f64 = 200.0;

/// One run of one kernel.
pub(super) struct Dispatch<'a> {
    pub(super) variant: Variant,
    /// In the order of the kernel's bindings, from 1.
    pub(super) buffers: Vec<&'a wgpu::Buffer>,
    pub(super) params: Words,
    pub(super) groups: [u32; 3],
    pub(super) flops: f64,
}

impl Dispatch<'_> {
    /// Where the parameters of the dispatch with this index lie.
    pub(super) fn params_binding<'b>(
        &self,
        uniform: &'b wgpu::Buffer,
        index: usize,
    ) -> wgpu::BufferBinding<'b> {
        wgpu::BufferBinding {
            buffer: uniform,
            offset: (index * PARAMS_STRIDE_BYTES) as u64,
            size: std::num::NonZero::new(size_of::<Params>() as u64),
        }
    }

    pub(super) fn bind(
        &self,
        device: &wgpu::Device,
        pipeline: &wgpu::ComputePipeline,
        params: wgpu::BufferBinding<'_>,
    ) -> wgpu::BindGroup {
        let mut entries = vec![wgpu::BindGroupEntry {
            binding: 0,
            resource: wgpu::BindingResource::Buffer(params),
        }];
        for (buffer, binding) in self.buffers.iter().zip(1..) {
            entries.push(wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() });
        }
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }
}

/// C ← β C + α A B, for a batch of parts of the same shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    /// `[m, n, k]`, multiples of 64.
    pub(super) shape: [usize; 3],
    pub(super) alpha: f32,
    pub(super) beta: f32,
    pub(super) a: Part,
    pub(super) b: Part,
    pub(super) c: Part,
    /// B is stored as `[n, k]`.
    pub(super) transpose_b: bool,
    pub(super) triangle: Triangle,
    /// Only tiles of C on and below the diagonal are wanted.
    pub(super) lower: bool,
    pub(super) batch: usize,
}

impl Product {
    /// C ← A B of whole matrices with gapless rows. `shape: [m, n, k]`
    pub(super) fn whole([m, n, k]: [usize; 3], transpose_b: bool) -> Self {
        let b_stride = if transpose_b { k } else { n };
        Self {
            shape: [m, n, k],
            alpha: 1.0,
            beta: 0.0,
            a: Part::whole(k),
            b: Part::whole(b_stride),
            c: Part::whole(n),
            transpose_b,
            triangle: Triangle::None,
            lower: false,
            batch: 1,
        }
    }
}

/// What will be submitted together.
pub(super) struct Recorder<'a> {
    device: &'a Device,
    waiting: Vec<Dispatch<'a>>,
    flops: f64,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(device: &'a Device) -> Self {
        Self { device, waiting: Vec::new(), flops: 0.0 }
    }

    /// Adds a dispatch; submits what waits if that would take too long.
    pub(super) async fn add(&mut self, dispatch: Dispatch<'a>) -> Result<()> {
        let limit = SUBMIT_MILLIS * self.device.flops_per_milli;
        if self.flops + dispatch.flops > limit {
            self.submit().await?;
        }
        self.flops += dispatch.flops;
        self.waiting.push(dispatch);
        Ok(())
    }

    /// Adds a product, cut into bands of rows that each end in time. `buffers` are those of the
    /// kernel: Multiply takes A, B and C, MultiplyWithin B and C, Update C.
    pub(super) async fn multiply(
        &mut self,
        kernel: Kernel,
        buffers: &[&'a wgpu::Buffer],
        product: Product,
    ) -> Result<()> {
        let [m, n, _] = product.shape;
        let tile = self.device.tile.fitting(m, n);
        self.multiply_with(tile, kernel, buffers, product).await
    }

    /// The same with this tile.
    pub(super) async fn multiply_with(
        &mut self,
        tile: Tile,
        kernel: Kernel,
        buffers: &[&'a wgpu::Buffer],
        product: Product,
    ) -> Result<()> {
        let [m, n, k] = product.shape;
        if m == 0 || n == 0 || product.batch == 0 {
            return Ok(());
        }
        let flops_per_row = 2.0 * (n * k * product.batch) as f64;
        let band = band(DISPATCH_MILLIS * self.device.flops_per_milli / flops_per_row, tile, m);
        for first in (0..m).step_by(band) {
            let rows = band.min(m - first);
            let variant =
                Variant { kernel, tile, transpose_b: product.transpose_b, lower: product.lower };
            let dispatch = Dispatch {
                variant,
                buffers: buffers.to_vec(),
                params: bytemuck::cast(params(&product, first)),
                groups: [n / tile.size(), rows / tile.size(), product.batch].map(|g| g as u32),
                flops: flops_per_row * rows as f64,
            };
            self.add(dispatch).await?;
        }
        Ok(())
    }

    /// Submits what waits.
    pub(super) async fn submit(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.flops = 0.0;
        match waiting.is_empty() {
            true => Ok(()),
            false => self.device.submit(&waiting).await,
        }
    }
}

/// Rows of a band: whole tiles, at least one, at most `m`.
fn band(wanted_rows: f64, tile: Tile, m: usize) -> usize {
    let tiles = (wanted_rows / tile.size() as f64).max(1.0).min((m / BLOCK) as f64) as usize;
    (tiles * tile.size()).min(m)
}

fn params(product: &Product, row_first: usize) -> Params {
    let Product { shape: [_, _, k], alpha, beta, triangle, .. } = *product;
    let [a_first, a_stride, a_step] = product.a.vecs();
    let [b_first, b_stride, b_step] = product.b.vecs();
    let [c_first, c_stride, c_step] = product.c.vecs();
    Params {
        depth: k as u32,
        triangle: triangle as u32,
        alpha,
        beta,
        a_first,
        a_stride,
        a_step,
        b_first,
        b_stride,
        b_step,
        c_first,
        c_stride,
        c_step,
        row_first: row_first as u32,
        ..Params::default()
    }
}
