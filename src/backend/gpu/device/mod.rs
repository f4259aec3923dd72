//! An opened device: its queue, and whether it still lives.
//!
//! - `buffers`: taking, filling and reading them.
//! - `patience`: how long it may be silent.
//! - `pipelines`: kernels, compiled once, and beside the reading of the first files.
//!
//! Invariants: nothing is awaited between taking buffers and submitting the work that uses them;
//! every answer is awaited through [`Device::unless_lost`], since most promises of a lost device
//! resolve as if all were well, and others never.

mod buffers;
mod patience;
mod pipelines;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_lock::OnceCell;

use super::adapter::{self, Settings};
use super::dispatch::{Dispatch, PARAMS_STRIDE_BYTES};
use super::platform::Beside;
use super::pool::Pool;
use super::shaders::Tile;
use super::{signal, tune};
use crate::{Error, Result};
use patience::Work;
use pipelines::Pipelines;
pub(super) use pipelines::Variant;

/// Why the device can no longer be trusted; empty while it can.
type Broken = Arc<OnceCell<String>>;

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
    work: Mutex<Work>,
    pool: Pool,
    pipelines: Arc<Pipelines>,
    compiling: Vec<Beside>,
}

impl Device {
    /// Opens the best adapter, finds the fastest tile, and begins to compile what solves need.
    pub(super) async fn open(settings: Settings) -> Result<Option<Self>> {
        let Some((device, queue, info)) = adapter::open(&settings).await? else {
            return Ok(None);
        };
        let broken = Broken::default();
        watch(&device, &broken);
        let name = if info.name.is_empty() { "WebGPU".into() } else { info.name };
        let pipelines = Pipelines::new(&device, settings.source);
        let mut opened = Self {
            tile: settings.tile.unwrap_or(Tile::ALL[0]),
            flops_per_milli: tune::LEAST_FLOPS_PER_MILLI,
            settings,
            name,
            device,
            queue,
            broken,
            work: Mutex::default(),
            pool: Pool::default(),
            pipelines,
            compiling: Vec::new(),
        };
        let tuned = tune::fastest(&opened).await?;
        (opened.tile, opened.flops_per_milli) = tuned;
        opened.compiling = opened.pipelines.foresee(Variant::of_solves(opened.tile));
        Ok(Some(opened))
    }

    /// An error once the device is lost or has refused something.
    pub(super) fn check(&self) -> Result<()> {
        self.broken.get().map_or(Ok(()), |why| Err(lost(why)))
    }

    /// Gives the device up, as a lost one is.
    pub(super) fn destroy(&self) {
        self.device.destroy();
    }

    /// Compiles these at once, and waits until they are ready.
    pub(super) async fn compile(&self, variants: &[Variant]) -> Result<()> {
        let _compiling = self.pipelines.foresee(variants.to_vec());
        for variant in variants {
            self.pipeline(*variant).await?;
        }
        Ok(())
    }

    async fn pipeline(&self, variant: Variant) -> Result<wgpu::ComputePipeline> {
        self.unless_lost(self.pipelines.get(variant)).await?
    }

    /// Waits until all work is done.
    pub(super) async fn finish(&self) -> Result<()> {
        let (sender, receiver) = signal::channel();
        self.queue.on_submitted_work_done(|| sender.send(()));
        self.when_done(receiver).await
    }

    /// Submits the dispatches, in order, in one compute pass.
    pub(super) async fn submit(&self, dispatches: &[Dispatch<'_>]) -> Result<()> {
        let mut pipelines = Vec::new();
        for dispatch in dispatches {
            pipelines.push(self.pipeline(dispatch.variant).await?);
        }
        let bytes = dispatches.len() * PARAMS_STRIDE_BYTES;
        let uniform = self.take_for(bytes.next_power_of_two(), buffers::UNIFORM).await?;
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
        self.gave(dispatches.iter().map(|dispatch| dispatch.flops).sum());
        Ok(())
    }
}

/// Notes what would otherwise stop the program, or be missed.
fn watch(device: &wgpu::Device, broken: &Broken) {
    let gone = broken.clone();
    device.set_device_lost_callback(move |_, why| mark(&gone, why));
    let refused = broken.clone();
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        mark(&refused, error.to_string());
    }));
}

/// The first reason is the one that counts.
fn mark(broken: &Broken, why: String) {
    broken.try_set(why).ok();
}

fn lost(why: &str) -> Error {
    Error::device(format!("the graphics card was lost ({why})"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
