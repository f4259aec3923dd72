//! A build with graphics cards.
//!
//! - [`Guarded`]: what happens when a card fails, in one place.
//! - [`Cards`]: where cards come from, which is where tests put faults.

mod guard;

pub use guard::{Card, Cards, Guarded};

use crate::backend::gpu::{Gpu, Settings};
use crate::{Error, Result};

/// The best card there is, guarded.
pub type Best = Guarded<Found>;

/// The best card of this machine.
#[derive(Debug)]
pub struct Found(Settings);

impl Cards for Found {
    type Card = Gpu;

    async fn open(&self) -> Result<Option<Gpu>> {
        Gpu::open(self.0.clone()).await
    }
}

impl Card for Gpu {
    fn check(&self) -> Result<()> {
        self.check()
    }
}

/// The card to use unasked: no software, and opened when the first layer needs it.
pub fn preferred() -> Option<Best> {
    Some(Guarded::preferred(Found(Settings::default())))
}

/// The card that was asked for, be it software.
///
/// # Errors
/// `Device` if there is none.
pub async fn forced() -> Result<Best> {
    let settings = Settings { software: true, ..Settings::default() };
    let forced = Guarded::forced(Found(settings)).await;
    forced.map_err(|error: Error| error.advice("let the device be auto or cpu"))
}
