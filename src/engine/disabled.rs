//! A build without graphics cards.

use crate::methods::regmean::{Crew, LayerGroup, Solution, Solver};
use crate::recipe::Precision;
use crate::{Error, Result};

/// There is none.
#[derive(Debug)]
pub enum Best {}

impl Best {
    /// As with cards.
    pub fn hand_back(&mut self) {
        match *self {}
    }
}

/// The card to use unasked.
pub fn preferred() -> Option<Best> {
    None
}

/// The card that was asked for.
///
/// # Errors
/// `Usage`: there is none.
pub async fn forced() -> Result<Best> {
    let what = "this build has no graphics-card engine";
    Err(Error::usage(what).advice("let the device be auto or cpu"))
}

impl Solver for Best {
    async fn solve_group(
        &self,
        _: &LayerGroup,
        _: Precision,
        _: &impl Crew,
    ) -> Result<Option<Solution>> {
        match *self {}
    }
}
