//! An opened device: its queue, and whether it still lives.
//!
//! - `buffers`: taking, filling and reading them.
//! - `pipelines`: kernels, compiled once.
//!
//! Invariants: nothing is awaited between taking buffers and submitting the work that uses them;
//! after every await it is asked whether the device was lost, since most promises of a lost device
//! resolve as if all were well.

mod buffers;
mod pipelines;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::adapter::{self, Settings};
use super::dispatch::{Dispatch, PARAMS_STRIDE_BYTES};
use super::pool::Pool;
use super::shaders::Tile;
use super::{signal, tune};
use crate::{Error, Result};
pub(super) use pipelines::Variant;

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
