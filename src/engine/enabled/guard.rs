//! What happens when a card fails.
//!
//! - Lost while a layer is solved, or silent for far too long: another is opened, and the layer solved
//!   anew. After two losses the processor finishes the merge.
//! - One that never answers when it is opened is given up after a while.
//! - Out of memory, or anything else that leaves the card alive: the processor solves this layer.
//! - Wrong answers are found by the probes of every solve, which then turns to the processor's
//!   float64 by itself.
//!
//! A layer is written only once it is solved, so nothing of a failed attempt remains but a
//! sentence in its report.

use async_lock::{Mutex, Semaphore};

use crate::backend::Backend;
use crate::backend::gpu::within;
use crate::engine::CpuEngines;
use crate::methods::regmean::{
    Alone, Crew, Engines, LayerGroup, Solution, Solver, solve, solve_if_single,
};
use crate::recipe::Precision;
use crate::{Error, ErrorKind, Result};

/// No layer is worth the way to the card below this input dimension.
const LEAST_INPUTS: usize = 256;
/// Layers on the card at once: while one is computed or comes back, the next one goes there.
const MAX_LAYERS: usize = 2;
/// Then the card is given up.
const MAX_LOSSES: usize = 2;
/// How long a card may take to be opened: a browser in the background may never answer.
const PATIENCE_MILLIS: u32 = 20_000;

/// A card, or what passes for one in a test. Clones are the same one.
pub trait Card: Backend<Scalar = f32> + Clone {
    /// An error once the card was lost.
    ///
    /// # Errors
    /// `Device`, with the reason.
    fn check(&self) -> Result<()>;
}

/// Where cards come from.
#[expect(async_fn_in_trait, reason = "generic use only; a browser's futures are not Send")]
pub trait Cards {
    /// What it opens.
    type Card: Card;

    /// Opens a card; `None` if there is none.
    ///
    /// # Errors
    /// `Device` if there is one, but it cannot be used.
    async fn open(&self) -> Result<Option<Self::Card>>;
}

/// Cards with the processor behind them.
#[derive(Debug)]
pub struct Guarded<C: Cards> {
    cards: C,
    /// Small layers go to the card too.
    takes_all: bool,
    /// Layers that the card does not finish are left to another engine.
    hands_back: bool,
    patience_millis: u32,
    state: Mutex<State<C::Card>>,
    places: Semaphore,
    cpu: CpuEngines,
}

#[derive(Debug)]
struct State<G> {
    card: Option<G>,
    n_losses: usize,
    /// There is no card, or no more.
    given_up: bool,
}

impl<G> Default for State<G> {
    fn default() -> Self {
        Self { card: None, n_losses: 0, given_up: false }
    }
}

impl<C: Cards> Guarded<C> {
    /// Uses a card for large layers, if there is one.
    pub fn preferred(cards: C) -> Self {
        Self {
            cards,
            takes_all: false,
            hands_back: false,
            patience_millis: PATIENCE_MILLIS,
            state: Mutex::default(),
            places: Semaphore::new(MAX_LAYERS),
            cpu: CpuEngines::default(),
        }
    }

    /// Uses a card for every layer.
    ///
    /// # Errors
    /// `Device` if there is none, or it cannot be used.
    pub async fn forced(cards: C) -> Result<Self> {
        let guarded = Self::preferred(cards).taking_all();
        let card = guarded.open().await?;
        let none = || Error::device("there is no graphics card that WebGPU can use");
        guarded.state.lock().await.card = Some(card.ok_or_else(none)?);
        Ok(guarded)
    }

    /// Takes every layer to the card, however small.
    #[must_use]
    pub fn taking_all(self) -> Self {
        Self { takes_all: true, ..self }
    }

    /// Leaves layers that the card does not finish to another engine, unless something went wrong,
    /// which only this one can tell.
    pub fn hand_back(&mut self) {
        self.hands_back = true;
    }

    /// Waits only so long for a card to be opened.
    #[must_use]
    pub fn with_patience(self, patience_millis: u32) -> Self {
        Self { patience_millis, ..self }
    }

    async fn open(&self) -> Result<Option<C::Card>> {
        let opened = within(self.patience_millis, self.cards.open()).await;
        opened.unwrap_or_else(|| Err(Error::device("the graphics card did not answer")))
    }

    /// The card, opened if need be, and how many were lost before it. A card that cannot be opened
    /// is given up, and the reason noted.
    async fn card(&self, faults: &mut Vec<String>) -> Option<(C::Card, usize)> {
        let mut state = self.state.lock().await;
        if state.card.is_none() && !state.given_up {
            match self.open().await {
                Ok(opened) => state.card = opened,
                Err(error) => faults.push(error.what),
            }
            state.given_up = state.card.is_none();
        }
        Some((state.card.clone()?, state.n_losses))
    }

    /// Notes the loss of a card; another worker may have done so.
    async fn lost(&self, n_losses: usize) {
        let mut state = self.state.lock().await;
        if state.n_losses == n_losses {
            state.n_losses += 1;
            state.card = None;
            state.given_up = state.n_losses >= MAX_LOSSES;
        }
    }

    /// Solves a layer on the card, once there is room.
    async fn on_card(
        &self,
        card: &C::Card,
        group: &LayerGroup,
        precision: Precision,
        only_single: bool,
    ) -> Result<Option<Solution>> {
        let _place = self.places.acquire().await;
        let engines = Engines { single: card.clone(), double: self.cpu.double };
        match only_single {
            true => solve_if_single(&engines, group, precision).await,
            false => solve(&engines, group, precision, &Alone).await.map(Some),
        }
    }

    async fn attempts(
        &self,
        group: &LayerGroup,
        precision: Precision,
        crew: &impl Crew,
        faults: &mut Vec<String>,
    ) -> Result<Option<Solution>> {
        let worthwhile = self.takes_all || group.n() > LEAST_INPUTS;
        while worthwhile && let Some((card, n_losses)) = self.card(faults).await {
            let only_single = self.hands_back && faults.is_empty();
            let error = match self.on_card(&card, group, precision, only_single).await {
                Err(error) if is_fault(error.kind) => error,
                other => return other,
            };
            faults.push(error.what);
            if card.check().is_ok() {
                break;
            }
            self.lost(n_losses).await;
        }
        if self.hands_back && faults.is_empty() {
            return Ok(None);
        }
        solve(&self.cpu, group, precision, crew).await.map(Some)
    }
}

impl<C: Cards> Solver for Guarded<C> {
    async fn solve_group(
        &self,
        group: &LayerGroup,
        precision: Precision,
        crew: &impl Crew,
    ) -> Result<Option<Solution>> {
        let mut faults = Vec::new();
        let mut solution = self.attempts(group, precision, crew, &mut faults).await?;
        if !faults.is_empty() {
            solution.iter_mut().for_each(|solution| tell(solution, &faults));
        }
        Ok(solution)
    }
}

/// Whether a card, rather than the layer, is at fault.
fn is_fault(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Device | ErrorKind::Memory)
}

/// Says in the reports what went wrong before, and who solved the layer then.
fn tell(solution: &mut Solution, faults: &[String]) {
    let what = faults.join("; then ");
    for report in &mut solution.reports {
        let end = report.fault.take().map_or(String::new(), |fault| format!("; {fault}"));
        report.fault = Some(format!("{what}; solved again by {}{end}", report.kernels));
    }
}
