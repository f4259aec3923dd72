//! Layers shared among workers: the same bits as alone, whoever computes which row.

use std::cell::{Cell, RefCell};

use gramerge::Error;
use gramerge::backend::Backend;
use gramerge::methods::regmean::crew::{Arithmetic, Shared, help};
use gramerge::methods::regmean::{Alone, Crew, Engines, LayerGroup, Solution, solve};
use gramerge::recipe::Precision;
use gramerge::tensor::Orientation;
use pollster::block_on;

use crate::generate::positive_definite;
use crate::layers::{Layer, Shape};
use crate::{Cases, Verdict};

/// Both orders of products, several weights, stored rows and columns, and α = 1.
const SHAPES: [Shape; 4] = [
    (230, &[210], 2, 0.9, Orientation::OutIn),
    (131, &[17, 140, 55], 3, 0.5, Orientation::OutIn),
    (67, &[260], 3, 0.1, Orientation::InOut),
    (80, &[33, 200], 2, 1.0, Orientation::OutIn),
];
/// Where the group's rows are cut: for the leader and two helpers.
const CUTS: [[usize; 2]; 3] = [[65, 130], [0, 77], [0, 0]];

/// Every layer, shared in several ways.
pub fn cases<F, D>(engines: &Engines<F, D>) -> Cases<'_>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let mut cases = Cases::default();
    for shape in SHAPES {
        for precision in [Precision::Auto, Precision::Exact] {
            let name = format!("shared layer {}→{:?}, {precision:?}", shape.0, shape.1);
            cases.add(name, async move {
                check(engines, &Layer::new(shape).group, precision, 0).map(|_| ())
            });
        }
    }
    let name = "shared layer: helpers begin in f32, and the factor is in f64";
    cases.add(name, async { late(engines) });
    cases.add_planted("shared layer: a helper's wrong bit is seen", async {
        check(engines, &Layer::new(SHAPES[0]).group, Precision::Exact, 1).map(|_| ())
    });
    cases
}

/// A layer that is too ill-conditioned for f32, which is seen when it is factorised.
fn late<F, D>(engines: &Engines<F, D>) -> Verdict
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let shape = (70, &[210][..], 5, 1.0, Orientation::OutIn);
    let layer = Layer::with(shape, |n, random| positive_definite(n, 1e7, random));
    match check(engines, &layer.group, Precision::Auto, 0)? {
        Arithmetic::Double => Ok(()),
        Arithmetic::Single => Err("f32 was enough".into()),
    }
}

/// The arithmetic of the factor. `planted` is added to a byte of what helpers send.
fn check<F, D>(
    engines: &Engines<F, D>,
    group: &LayerGroup,
    precision: Precision,
    planted: u8,
) -> Result<Arithmetic, String>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let words = |error: Error| error.to_string();
    let alone = block_on(solve(engines, group, precision, &Alone)).map_err(words)?;
    let mut arithmetic = Err("no factor was published".into());
    for cuts in CUTS {
        let crew = Pair::new(engines, group, precision, cuts, planted);
        let shared = block_on(solve(engines, group, precision, &crew)).map_err(words)?;
        let published = crew.shared.borrow().as_ref().map(|shared| shared.arithmetic);
        arithmetic = Ok(published.ok_or("no factor was published")?);
        if bits(group, &alone) != bits(group, &shared) {
            return Err(format!("other bits with rows cut at {cuts:?}"));
        }
    }
    arithmetic
}

fn bits(group: &LayerGroup, solution: &Solution) -> Vec<u64> {
    let mut line = vec![0.0; group.n()];
    let mut bits = Vec::new();
    for row in 0..group.n_rows() {
        solution.difference_row(row, &mut line);
        bits.extend(line.iter().map(|value| value.to_bits()));
    }
    bits
}

/// Two helpers that work when their rows are asked for.
struct Pair<'a, F, D> {
    engines: &'a Engines<F, D>,
    group: &'a LayerGroup,
    precision: Precision,
    bounds: [usize; 4],
    used: Cell<bool>,
    shared: RefCell<Option<Shared<Vec<u8>>>>,
    planted: u8,
}

impl<'a, F, D> Pair<'a, F, D> {
    fn new(
        engines: &'a Engines<F, D>,
        group: &'a LayerGroup,
        precision: Precision,
        [own, next]: [usize; 2],
        planted: u8,
    ) -> Self {
        let m = group.n_rows();
        let (used, shared) = (Cell::new(false), RefCell::new(None));
        Self { engines, group, precision, bounds: [0, own, next, m], used, shared, planted }
    }
}

impl<F, D> Crew for Pair<'_, F, D>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    type Rows = Vec<u8>;

    fn own_rows(&self, n_rows: usize) -> usize {
        if self.used.replace(true) { n_rows } else { self.bounds[1] }
    }

    async fn publish(&self, arithmetic: Arithmetic, factor: &[u8]) -> gramerge::Result<()> {
        *self.shared.borrow_mut() = Some(Shared { arithmetic, factor: factor.to_vec() });
        Ok(())
    }

    async fn collect(&self) -> gramerge::Result<Vec<Vec<u8>>> {
        let mut rows = Vec::new();
        for place in 1..3 {
            let range = self.bounds[place]..self.bounds[place + 1];
            let shared = self.shared.borrow().clone();
            let come = async { Ok(shared) };
            rows.push(help(self.engines, self.group, range, self.precision, come).await?);
        }
        if let Some(byte) = rows[1].first_mut() {
            *byte = byte.wrapping_add(self.planted);
        }
        Ok(rows)
    }
}
