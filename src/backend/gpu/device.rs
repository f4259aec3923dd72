//! An opened device: its buffers, its pipelines, and whether it still lives.
//!
//! Invariants: nothing is awaited between taking buffers and submitting the work that uses them;
//! after every await it is asked whether the device was lost, since most promises of a lost device
//! resolve as if all were well.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wgpu::BufferUsages;

use super::adapter::{self, Settings};
use super::dispatch::{Dispatch, PARAMS_STRIDE_BYTES};
use super::pool::{Pool, Pooled};
use super::shaders::{Kernel, Tile};
use super::{signal, tune};
use crate::{Error, Result};

/// Matrices and everything else that shaders read and write.
pub(super) const STORAGE: BufferUsages =
    BufferUsages::STORAGE.union(BufferUsages::COPY_DST).union(BufferUsages::COPY_SRC);
const UNIFORM: BufferUsages = BufferUsages::UNIFORM.union(BufferUsages::COPY_DST);
const READ_BACK: BufferUsages = BufferUsages::MAP_READ.union(BufferUsages::COPY_DST);

/// A kernel with its constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Variant {
    pub(super) kernel: Kernel,
    pub(super) tile: Tile,
    pub(super) transpose_b: bool,
    pub(super) lower: bool,
}

impl Variant {
    /// Of a kernel without register tiles.
    pub(super) fn plain(kernel: Kernel) -> Self {
        let tile = Tile::ALL[0];
        Self { kernel, tile, transpose_b: false, lower: false }
    }
}

/// Why the device can no longer be trusted; empty while it can.
type Broken = Arc<Mutex<Option<String>>>;

#[derive(Debug)]
pub(super) struct Device {
    pub(super) settings: Settings,
    /// The fastest register tile.
    pub(super) tile: Tile,
    /// Its speed.
    pub(super) flops_per_milli: f64,
    /// For reports.
    pub(super) name: String,
    device: wgpu::Device,
    queue: wgpu::Queue,
    broken: Broken,
    pool: Pool,
    pipelines: Mutex<HashMap<Variant, wgpu::ComputePipeline>>,
}

impl Device {
    /// Opens the best adapter, compiles what every solve needs, and finds the fastest tile.
    pub(super) async fn open(settings: Settings) -> Result<Option<Self>> {
        let Some((device, queue, info)) = adapter::open(&settings).await? else {
            return Ok(None);
        };
        let broken = Broken::default();
        watch(&device, &broken);
        let name = if info.name.is_empty() { "WebGPU".into() } else { info.name };
        let mut opened = Self {
            tile: settings.tile.unwrap_or(Tile::ALL[0]),
            flops_per_milli: tune::LEAST_FLOPS_PER_MILLI,
            settings,
            name,
            device,
            queue,
            broken,
            pool: Pool::default(),
            pipelines: Mutex::default(),
        };
        let tuned = tune::fastest(&opened).await?;
        (opened.tile, opened.flops_per_milli) = tuned;
        Ok(Some(opened))
    }

    /// An error once the device is lost or has refused something.
    pub(super) fn check(&self) -> Result<()> {
        match &*lock(&self.broken) {
            None => Ok(()),
            Some(why) => Err(Error::device(format!("the graphics card was lost ({why})"))),
        }
    }

    /// Gives the device up, as a lost one is.
    pub(super) fn destroy(&self) {
        self.device.destroy();
    }

    /// A buffer with undefined contents.
    pub(super) async fn take(&self, bytes: usize) -> Result<Pooled> {
        let buffer = self.take_for(bytes, STORAGE).await?;
        if self.settings.poison {
            self.write(&buffer, &vec![f32::NAN; bytes / 4]);
        }
        Ok(buffer)
    }

    async fn take_for(&self, bytes: usize, usage: BufferUsages) -> Result<Pooled> {
        self.check()?;
        let bytes = bytes as u64;
        if let Some(buffer) = self.pool.take(bytes, usage) {
            return Ok(buffer);
        }
        if let Some(buffer) = self.create(bytes, usage).await {
            return Ok(buffer);
        }
        // Buffers of other sizes may stand in the way.
        self.pool.clear();
        let made = self.create(bytes, usage).await;
        made.ok_or_else(|| {
            Error::device(format!("the graphics card has no memory for {bytes} more bytes"))
        })
    }

    async fn create(&self, bytes: u64, usage: BufferUsages) -> Option<Pooled> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let descriptor =
            wgpu::BufferDescriptor { label: None, size: bytes, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&descriptor);
        match scope.pop().await {
            None => Some(self.pool.adopt(buffer)),
            Some(_) => None,
        }
    }

    /// Fills the beginning of a buffer.
    pub(super) fn write<T: bytemuck::Pod>(&self, buffer: &wgpu::Buffer, values: &[T]) {
        self.queue.write_buffer(buffer, 0, bytemuck::cast_slice(values));
    }

    /// Fills the beginning of a buffer with bytes, whose number may not be a multiple of four.
    pub(super) fn write_bytes(&self, buffer: &wgpu::Buffer, bytes: &[u8]) {
        let (words, rest) = bytes.split_at(bytes.len() & !3);
        self.queue.write_buffer(buffer, 0, words);
        if !rest.is_empty() {
            let mut last = [0; 4];
            last[..rest.len()].copy_from_slice(rest);
            self.queue.write_buffer(buffer, words.len() as u64, &last);
        }
    }

    /// Makes every byte of a buffer zero.
    pub(super) fn clear(&self, buffer: &wgpu::Buffer) {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(buffer, 0, None);
        self.queue.submit([encoder.finish()]);
    }

    /// What a buffer holds, once all that came before is done.
    pub(super) async fn read<T: bytemuck::Pod>(&self, buffer: &wgpu::Buffer) -> Result<Vec<T>> {
        let staging = self.take_for(buffer.size() as usize, READ_BACK).await?;
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, None);
        self.queue.submit([encoder.finish()]);
        let (sender, receiver) = signal::channel();
        staging.map_async(wgpu::MapMode::Read, .., |mapped| sender.send(mapped));
        self.poll();
        let mapped = receiver.await;
        self.check()?;
        mapped.map_err(|error| Error::device(format!("no answer can be read back ({error})")))?;
        let view = staging
            .get_mapped_range(..)
            .map_err(|error| Error::device(format!("no answer can be read back ({error})")))?;
        let values = bytemuck::pod_collect_to_vec(&view);
        drop(view);
        staging.unmap();
        Ok(values)
    }

    /// Waits until all work is done.
    pub(super) async fn finish(&self) -> Result<()> {
        let (sender, receiver) = signal::channel();
        self.queue.on_submitted_work_done(|| sender.send(()));
        self.poll();
        receiver.await;
        self.check()
    }

    /// Natively callbacks run only in here; a browser runs them by itself.
    fn poll(&self) {
        if let Err(error) = self.device.poll(wgpu::PollType::wait_indefinitely()) {
            mark(&self.broken, error.to_string());
        }
    }

    /// The pipeline of a variant, compiled once.
    async fn pipeline(&self, variant: Variant) -> Result<wgpu::ComputePipeline> {
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

    /// Submits the dispatches, in order, in one compute pass.
    pub(super) async fn submit(&self, dispatches: &[Dispatch<'_>]) -> Result<()> {
        let mut pipelines = Vec::new();
        for dispatch in dispatches {
            pipelines.push(self.pipeline(dispatch.variant).await?);
        }
        let bytes = dispatches.len() * PARAMS_STRIDE_BYTES;
        let uniform = self.take_for(bytes.next_power_of_two(), UNIFORM).await?;
        let mut params = vec![0u8; bytes];
        for (dispatch, place) in dispatches.iter().zip(params.chunks_mut(PARAMS_STRIDE_BYTES)) {
            let own = bytemuck::bytes_of(&dispatch.params);
            place[..own.len()].copy_from_slice(own);
        }
        self.write(&uniform, &params);
        let mut encoder = self.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for (index, (dispatch, pipeline)) in dispatches.iter().zip(&pipelines).enumerate() {
            let params = dispatch.params_binding(&uniform, index);
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &dispatch.bind(&self.device, pipeline, params), &[]);
            let [x, y, z] = dispatch.groups;
            pass.dispatch_workgroups(x, y, z);
        }
        drop(pass);
        self.queue.submit([encoder.finish()]);
        Ok(())
    }
}

/// Notes what would otherwise stop the program, or be missed.
fn watch(device: &wgpu::Device, broken: &Broken) {
    let lost = broken.clone();
    device.set_device_lost_callback(move |_, why| mark(&lost, why));
    let refused = broken.clone();
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        mark(&refused, error.to_string());
    }));
}

/// The first reason is the one that counts.
fn mark(broken: &Broken, why: String) {
    lock(broken).get_or_insert(why);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
