//! Kernels with their constants: each compiled once, beside other work where it is foreseen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_lock::OnceCell;

use super::lock;
use crate::backend::gpu::platform::{Beside, beside};
use crate::backend::gpu::shaders::{Kernel, Tile};
use crate::{Error, Result};

/// A kernel with its constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::backend::gpu) struct Variant {
    pub(in crate::backend::gpu) kernel: Kernel,
    pub(in crate::backend::gpu) tile: Tile,
    pub(in crate::backend::gpu) transpose_b: bool,
    pub(in crate::backend::gpu) lower: bool,
}

impl Variant {
    /// Of a kernel without register tiles.
    pub(in crate::backend::gpu) fn plain(kernel: Kernel) -> Self {
        Self { kernel, tile: Tile::ALL[0], transpose_b: false, lower: false }
    }

    /// C ← β C + α A B by this tile.
    pub(in crate::backend::gpu) fn product(tile: Tile) -> Self {
        Self { kernel: Kernel::Multiply, tile, transpose_b: false, lower: false }
    }

    /// All that solves need where this tile is the fastest.
    pub(super) fn of_solves(tile: Tile) -> Vec<Self> {
        let plain =
            [Kernel::ScaledSum, Kernel::ScaledDifference, Kernel::RowNorms, Kernel::FactorBlock];
        let with = |kernel, transpose_b, lower| {
            [tile, Tile::FALLBACK].map(|tile| Self { kernel, tile, transpose_b, lower })
        };
        let tiled = [
            with(Kernel::Multiply, false, false),
            with(Kernel::Multiply, true, false),
            with(Kernel::Multiply, true, true),
            with(Kernel::MultiplyWithin, false, false),
            with(Kernel::MultiplyWithin, true, false),
            with(Kernel::Update, true, true),
        ];
        plain.map(Self::plain).into_iter().chain(tiled.into_iter().flatten()).collect()
    }
}

/// The pipelines of one device.
#[derive(Debug)]
pub(super) struct Pipelines {
    device: wgpu::Device,
    source: fn(Kernel, Tile) -> String,
    compiled: Mutex<HashMap<Variant, Arc<OnceCell<wgpu::ComputePipeline>>>>,
}

impl Pipelines {
    pub(super) fn new(device: &wgpu::Device, source: fn(Kernel, Tile) -> String) -> Arc<Self> {
        Arc::new(Self { device: device.clone(), source, compiled: Mutex::default() })
    }

    /// Begins to compile all of these at once; whoever needs one before it is ready waits for it.
    /// What is refused is told to whoever needs it.
    pub(super) fn foresee(self: &Arc<Self>, variants: Vec<Variant>) -> Vec<Beside> {
        let begin = |variant| {
            let own = self.clone();
            beside(move || async move {
                own.get(variant).await.ok();
            })
        };
        variants.into_iter().map(begin).collect()
    }

    /// The pipeline of a variant, compiled once.
    pub(super) async fn get(&self, variant: Variant) -> Result<wgpu::ComputePipeline> {
        let cell = lock(&self.compiled).entry(variant).or_default().clone();
        cell.get_or_try_init(|| self.compile(variant)).await.cloned()
    }

    async fn compile(&self, variant: Variant) -> Result<wgpu::ComputePipeline> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.create(variant);
        match scope.pop().await {
            None => Ok(pipeline),
            Some(error) => {
                let name = variant.kernel.name();
                let what = format!("the graphics card refuses the shader `{name}` ({error})");
                Err(Error::device(what))
            }
        }
    }

    fn create(&self, variant: Variant) -> wgpu::ComputePipeline {
        let Variant { kernel, tile, transpose_b, lower } = variant;
        let source = (self.source)(kernel, tile);
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(kernel.name()),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let constants = [
            ("TRANSPOSE_B", f64::from(u8::from(transpose_b))),
            ("LOWER", f64::from(u8::from(lower))),
        ];
        let constants = if kernel.is_tiled() { &constants[..] } else { &[] };
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(kernel.name()),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                // Every kernel writes its workgroup memory before it reads it.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
    }
}
