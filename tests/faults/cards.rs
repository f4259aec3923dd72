//! Cards with faults: real ones, except that something goes wrong at a chosen operation.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gramerge::backend::gpu::shaders::Tile;
use gramerge::backend::gpu::{Factor, Gpu, Matrix, Settings};
use gramerge::backend::stored::Assembly;
use gramerge::backend::{Backend, NotPositive};
use gramerge::engine::cards::{Card, Cards};
use gramerge::{Error, Result};

/// What goes wrong, and at which of a card's operations.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    None,
    /// The device is destroyed before the operation.
    Loss(usize),
    /// The device answers no more from this operation on.
    Silence(usize),
    /// The operation finds no memory.
    Memory(usize),
    /// Every answer has these numbers in place of the right ones.
    Answers(fn(f32) -> f32),
    /// Only the answer of this operation has.
    Answer(usize, fn(f32) -> f32),
}

/// Cards that each have the next fault.
pub(crate) struct Faulty {
    faults: Vec<Fault>,
    pub(crate) n_opened: Cell<usize>,
    pub(crate) settings: Settings,
    last: RefCell<Option<Gpu>>,
}

impl Faulty {
    pub(crate) fn new(faults: &[Fault]) -> Self {
        let tile = Some(Tile::ALL[1]);
        let settings = Settings { software: true, tile, poison: true, ..Settings::default() };
        let (n_opened, last) = (Cell::new(0), RefCell::default());
        Self { faults: faults.to_vec(), n_opened, settings, last }
    }

    /// The last card that was opened; nothing of it stays here.
    pub(crate) fn last(&self) -> Gpu {
        self.last.take().unwrap_or_else(|| panic!("no card was opened"))
    }
}

/// A card with a fault.
#[derive(Debug, Clone)]
pub(crate) struct FaultyCard {
    gpu: Gpu,
    fault: Fault,
    n_done: Rc<Cell<usize>>,
}

impl Cards for &Faulty {
    type Card = FaultyCard;

    async fn open(&self) -> Result<Option<FaultyCard>> {
        let index = self.n_opened.replace(self.n_opened.get() + 1);
        let fault = self.faults.get(index).copied().unwrap_or(Fault::None);
        let opened = Gpu::open(self.settings.clone()).await?;
        self.last.replace(opened.clone());
        Ok(opened.map(|gpu| FaultyCard { gpu, fault, n_done: Rc::default() }))
    }
}

impl Card for FaultyCard {
    fn check(&self) -> Result<()> {
        self.gpu.check()
    }
}

impl FaultyCard {
    /// One more operation; the fault happens if it is this one's turn.
    fn count(&self) -> Result<usize> {
        let index = self.n_done.replace(self.n_done.get() + 1);
        match self.fault {
            Fault::Loss(at) if at == index => self.gpu.destroy(),
            Fault::Silence(at) if at == index => self.gpu.fall_silent(20),
            Fault::Memory(at) if at == index => return Err(Error::memory("no memory, as planted")),
            _ => {}
        }
        Ok(index)
    }
}

impl Backend for FaultyCard {
    type Scalar = f32;
    type Matrix = Matrix;
    type Factor = Factor;
    const PANEL: usize = Gpu::PANEL;

    fn name(&self) -> &str {
        self.gpu.name()
    }

    async fn upload(&self, rows: usize, cols: usize, values: Vec<f32>) -> Result<Matrix> {
        self.count()?;
        self.gpu.upload(rows, cols, values).await
    }

    async fn assemble<'a>(
        &self,
        shape: [usize; 2],
        stored: impl FnOnce() -> Option<Assembly<'a>>,
        in_memory: impl FnOnce() -> Vec<f32>,
    ) -> Result<Matrix> {
        self.count()?;
        self.gpu.assemble(shape, stored, in_memory).await
    }

    async fn norm_bound(&self, matrix: &Matrix) -> Result<f64> {
        self.count()?;
        self.gpu.norm_bound(matrix).await
    }

    async fn download(&self, matrix: Matrix) -> Result<Vec<f32>> {
        let index = self.count()?;
        let mut values = self.gpu.download(matrix).await?;
        match self.fault {
            Fault::Answers(wrong) => values.iter_mut().for_each(|value| *value = wrong(*value)),
            Fault::Answer(at, wrong) if at == index => {
                values.iter_mut().for_each(|value| *value = wrong(*value));
            }
            _ => {}
        }
        Ok(values)
    }

    async fn multiply_add(&self, c: &mut Matrix, a: &Matrix, b: &Matrix) -> Result<()> {
        self.count()?;
        self.gpu.multiply_add(c, a, b).await
    }

    async fn add_gram(&self, g: &mut Matrix, x: &Matrix) -> Result<()> {
        self.count()?;
        self.gpu.add_gram(g, x).await
    }

    async fn cholesky(&self, s: Matrix) -> Result<std::result::Result<Factor, NotPositive>> {
        self.count()?;
        self.gpu.cholesky(s).await
    }

    async fn export(&self, factor: &Factor) -> Result<Vec<f32>> {
        self.gpu.export(factor).await
    }

    async fn import(&self, n: usize, values: Vec<f32>) -> Result<Factor> {
        self.gpu.import(n, values).await
    }

    async fn solve(&self, factor: &Factor, x: &mut Matrix) -> Result<()> {
        self.count()?;
        self.gpu.solve(factor, x).await
    }
}
