//! How long a device may be silent before it counts as lost: far longer than what it was given to do
//! takes at its measured speed.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::{Device, lock, lost, mark};
use crate::backend::gpu::platform::within;
use crate::{Error, Result};

/// The least time.
const PATIENCE_MILLIS: u32 = 60_000;
/// How many times longer than foreseen its work may take.
const SLACK: f64 = 20.0;
/// A browser takes longer timers for none.
const MAX_MILLIS: f64 = i32::MAX as f64;

/// What a device was given to do, and what of it is known to be done, in flops.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    given: f64,
    done: f64,
    /// Where a test lets no answer through: how long it waits for one.
    silent_millis: Option<u32>,
}

impl Work {
    fn limit_millis(&self, flops_per_milli: f64) -> u32 {
        let foreseen_millis = (self.given - self.done) / flops_per_milli;
        let limit = f64::from(PATIENCE_MILLIS) + SLACK * foreseen_millis;
        self.silent_millis.unwrap_or(limit.min(MAX_MILLIS) as u32)
    }
}

impl Device {
    /// Notes work that was submitted.
    pub(super) fn gave(&self, flops: f64) {
        lock(&self.work).given += flops;
    }

    /// What the device answers, or an error once it is lost or has been silent for too long.
    pub(super) async fn unless_lost<T>(&self, answer: impl Future<Output = T>) -> Result<T> {
        let patience_millis = self.patience_millis();
        let answer = self.unless_broken(within(patience_millis, answer)).await?;
        answer.ok_or_else(|| self.give_up(patience_millis))
    }

    /// The same for an answer that comes when all that was submitted is done.
    pub(super) async fn when_done<T>(&self, answer: impl Future<Output = T>) -> Result<T> {
        let Work { given, silent_millis, .. } = *lock(&self.work);
        self.poll();
        if silent_millis.is_some() {
            return self.unless_lost(std::future::pending()).await;
        }
        let answer = self.unless_lost(answer).await?;
        let mut work = lock(&self.work);
        work.done = work.done.max(given);
        Ok(answer)
    }

    /// Lets no answer through any more, and waits for one only so long: what tests plant.
    pub(in crate::backend::gpu) fn fall_silent(&self, patience_millis: u32) {
        lock(&self.work).silent_millis = Some(patience_millis);
    }

    async fn unless_broken<T>(&self, answer: impl Future<Output = T>) -> Result<T> {
        let (mut answer, mut broken) = (pin!(answer), pin!(self.broken.wait()));
        std::future::poll_fn(|context| match broken.as_mut().poll(context) {
            Poll::Ready(why) => Poll::Ready(Err(lost(why))),
            Poll::Pending => answer.as_mut().poll(context).map(Ok),
        })
        .await
    }

    fn patience_millis(&self) -> u32 {
        lock(&self.work).limit_millis(self.flops_per_milli)
    }

    /// Natively callbacks run only in here; a browser runs them by itself.
    fn poll(&self) {
        let patience_millis = self.patience_millis();
        let timeout = Some(Duration::from_millis(patience_millis.into()));
        match self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout }) {
            Ok(_) => {}
            Err(wgpu::PollError::Timeout) => {
                self.give_up(patience_millis);
            }
            Err(error) => mark(&self.broken, error.to_string()),
        }
    }

    /// Treats a silent device as a lost one.
    fn give_up(&self, patience_millis: u32) -> Error {
        let why = format!("it did not answer for {} s", patience_millis.div_ceil(1000));
        let error = lost(&why);
        mark(&self.broken, why);
        self.destroy();
        // Natively, letting go of a queue waits for its work, here for ever.
        std::mem::forget((self.device.clone(), self.queue.clone()));
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_with_the_work_to_what_a_timer_takes() {
        let work = |given| Work { given, done: 1e9, silent_millis: None };
        let [idle, busy, endless] = [1e9, 2e9, 1e300].map(|given| work(given).limit_millis(1e6));
        assert_eq!((idle, endless), (PATIENCE_MILLIS, i32::MAX as u32));
        assert!(busy > idle + 10_000, "{busy} ms for work of 1000 ms");
    }
}
