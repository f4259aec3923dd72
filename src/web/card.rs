//! What only builds with graphics cards offer.

use wasm_bindgen::prelude::*;

use super::message::failed;
use super::{Engine, not_begun};
use crate::engine;

#[wasm_bindgen]
impl Engine {
    /// Has the graphics card solve what is solved here, and nothing else.
    pub async fn open_card(&mut self) -> Result<(), JsValue> {
        let running = self.running.as_mut().ok_or_else(|| failed(not_begun()))?;
        let device = running.merge.options().device;
        running.solver = engine::Engine::open(device).await.map_err(failed)?;
        running.solver.hand_back();
        Ok(())
    }
}
