//! Cases by name, made before any of them runs: so that a filter can choose among them.

use std::pin::Pin;

use crate::{Finished, Verdict};

/// Named cases, none of which has run.
#[derive(Default)]
pub struct Cases<'a>(Vec<Case<'a>>);

struct Case<'a> {
    name: String,
    run: Pin<Box<dyn Future<Output = Verdict> + 'a>>,
}

impl<'a> Cases<'a> {
    /// Adds one. What it needs it should make when it runs.
    pub fn add(&mut self, name: impl Into<String>, run: impl Future<Output = Verdict> + 'a) {
        self.0.push(Case { name: name.into(), run: Box::pin(run) });
    }

    /// Adds one that passes where `run` finds the error that was planted.
    pub fn add_planted(
        &mut self,
        name: impl Into<String>,
        run: impl Future<Output = Verdict> + 'a,
    ) {
        self.add(name, async { must_fail(run.await) });
    }

    /// Takes another's, behind these.
    pub fn extend(&mut self, others: Cases<'a>) {
        self.0.extend(others.0);
    }

    /// Says in front of every name which kernels it is about.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        self.0.iter_mut().for_each(|case| case.name = format!("{label}: {}", case.name));
        self
    }

    /// All names, in order.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|case| case.name.clone()).collect()
    }

    /// Runs them all.
    pub async fn run(self) -> Vec<Finished> {
        let mut finished = Vec::new();
        for Case { name, run } in self.0 {
            let verdict = run.await;
            let (ok, detail) = (verdict.is_ok(), verdict.err().unwrap_or_default());
            finished.push(Finished { name, ok, detail });
        }
        finished
    }

    /// Runs one, by its place among the names.
    pub async fn run_one(self, index: usize) -> Verdict {
        match self.0.into_iter().nth(index) {
            Some(case) => case.run.await,
            None => Err("there is no such case".into()),
        }
    }
}

/// Turns a verdict round, for planted errors.
pub(crate) fn must_fail(verdict: Verdict) -> Verdict {
    match verdict {
        Err(_) => Ok(()),
        Ok(()) => Err("a planted error went unseen".into()),
    }
}
