//! Who solves the layers of a merge: the processor, or a graphics card with the processor behind it.
//!
//! - [`cards`]: builds with and without graphics cards, which offer the same.

#[cfg_attr(feature = "gpu", path = "enabled/mod.rs")]
#[cfg_attr(not(feature = "gpu"), path = "disabled.rs")]
pub mod cards;

use crate::Result;
use crate::backend::cpu::{Cpu, Native};
use crate::methods::regmean::{Crew, Engines, LayerGroup, Solution, Solver};
use crate::recipe::{Device, Precision};

/// The processor's engines.
pub type CpuEngines = Engines<Cpu<Native<f32>>, Cpu<Native<f64>>>;

/// Name of the processor's kernels, for reports.
pub fn kernels() -> &'static str {
    use crate::backend::cpu::kernel::Kernel;
    <Native<f32> as Kernel>::NAME
}

/// Solves layers where the settings say.
#[derive(Debug)]
pub enum Engine {
    /// On the processor.
    Cpu(CpuEngines),
    /// On a graphics card, as long as it serves.
    Gpu(cards::Best),
}

impl Engine {
    /// The engine for this device.
    ///
    /// # Errors
    /// `Device` or `Usage` if a graphics card was asked for and there is none.
    pub async fn open(device: Device) -> Result<Self> {
        match device {
            Device::Cpu => Ok(Self::Cpu(CpuEngines::default())),
            Device::Auto => Ok(cards::preferred().map_or(Self::default(), Self::Gpu)),
            Device::Gpu => cards::forced().await.map(Self::Gpu),
        }
    }

    /// Leaves layers that the graphics card does not finish to another engine.
    pub fn hand_back(&mut self) {
        if let Self::Gpu(guarded) = self {
            guarded.hand_back();
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::Cpu(CpuEngines::default())
    }
}

impl Solver for Engine {
    async fn solve_group(
        &self,
        group: &LayerGroup,
        precision: Precision,
        crew: &impl Crew,
    ) -> Result<Option<Solution>> {
        match self {
            Self::Cpu(engines) => engines.solve_group(group, precision, crew).await,
            Self::Gpu(guarded) => guarded.solve_group(group, precision, crew).await,
        }
    }
}
