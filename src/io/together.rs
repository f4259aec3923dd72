//! Reads that wait beside one another.

use std::future::poll_fn;
use std::task::Poll;

use crate::Result;

/// Resolves when all have, or with the first failure; what is then unfinished is dropped.
pub(crate) async fn together<F: Future<Output = Result<()>>>(
    futures: impl Iterator<Item = F>,
) -> Result<()> {
    let mut pending: Vec<_> = futures.map(Box::pin).collect();
    poll_fn(|context| {
        let mut outcome = Ok(());
        pending.retain_mut(|future| match future.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => false,
            Poll::Ready(failure) => {
                outcome = failure;
                false
            }
        });
        match outcome {
            Ok(()) if !pending.is_empty() => Poll::Pending,
            outcome => Poll::Ready(outcome),
        }
    })
    .await
}
