//! Which graphics card, and opening it.

use super::shaders::{Kernel, Tile};
use crate::{Error, Result};

/// How a device is opened and used. The defaults are right for everything but tests.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether a software adapter will do: slower than the processor's own kernels.
    pub software: bool,
    /// Matrices are cut into tiles of at most this many rows and columns, one buffer each. A
    /// multiple of 64. The default keeps a tile, 16 MiB, below every device's limits.
    pub max_side: usize,
    /// Stored bytes that are uploaded at once.
    pub lot_bytes: usize,
    /// The register tile; `None` takes the fastest.
    pub tile: Option<Tile>,
    /// Fills every buffer with NaN before it is used, so that nothing is read unwritten.
    pub poison: bool,
    /// The text of a shader, as it is handed to the compiler.
    pub source: fn(Kernel, Tile) -> String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            software: false,
            max_side: 2048,
            lot_bytes: 32 << 20,
            tile: None,
            poison: false,
            source: super::shaders::source,
        }
    }
}

/// A device and what it was opened from.
type Opened = (wgpu::Device, wgpu::Queue, wgpu::AdapterInfo);

/// The best adapter's device, if there is an adapter.
///
/// # Errors
/// `Device` if it cannot be used.
pub(super) async fn open(settings: &Settings) -> Result<Option<Opened>> {
    let Some(adapter) = adapter(settings.software).await else { return Ok(None) };
    let descriptor = wgpu::DeviceDescriptor {
        label: None,
        // Every device has the default limits, and the tiles keep within them.
        required_limits: wgpu::Limits::default(),
        ..Default::default()
    };
    let (device, queue) = adapter
        .request_device(&descriptor)
        .await
        .map_err(|error| Error::device(format!("the graphics card cannot be used ({error})")))?;
    Ok(Some((device, queue, adapter.get_info())))
}

async fn adapter(software: bool) -> Option<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // No validation layers, which a debug build would look for and complain about.
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    let candidates = candidates(&instance).await;
    let allowed = candidates.into_iter().filter(|a| software || rank(a) < SOFTWARE);
    allowed.min_by_key(rank)
}

#[cfg(not(target_arch = "wasm32"))]
async fn candidates(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    instance.enumerate_adapters(wgpu::Backends::PRIMARY).await
}

/// A browser offers one.
#[cfg(target_arch = "wasm32")]
async fn candidates(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    instance.request_adapter(&options).await.into_iter().collect()
}

const SOFTWARE: u8 = 4;

/// Smaller is better.
fn rank(adapter: &wgpu::Adapter) -> u8 {
    match adapter.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        // What a browser does not tell more about.
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => SOFTWARE,
    }
}
