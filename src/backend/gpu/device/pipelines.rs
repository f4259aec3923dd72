//! Kernels with their constants, compiled when they are first needed.

use super::{Device, lock};
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
        let tile = Tile::ALL[0];
        Self { kernel, tile, transpose_b: false, lower: false }
    }
}

impl Device {
    /// The pipeline of a variant, compiled once.
    pub(super) async fn pipeline(&self, variant: Variant) -> Result<wgpu::ComputePipeline> {
        if let Some(found) = lock(&self.pipelines).get(&variant) {
            return Ok(found.clone());
        }
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.compile(variant);
        if let Some(error) = scope.pop().await {
            let name = variant.kernel.name();
            let what = format!("the graphics card refuses the shader `{name}` ({error})");
            return Err(Error::device(what));
        }
        lock(&self.pipelines).insert(variant, pipeline.clone());
        Ok(pipeline)
    }

    fn compile(&self, variant: Variant) -> wgpu::ComputePipeline {
        let Variant { kernel, tile, transpose_b, lower } = variant;
        let source = (self.settings.source)(kernel, tile);
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
