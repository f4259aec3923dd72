//! A whole merge in one call, for programs that embed this library.

use super::{Merge, Run};
use crate::engine;
use crate::io::{Sink, Source};
use crate::methods::regmean::Alone;
use crate::report::Report;
use crate::{Error, Result};

impl<S: Source> Merge<S> {
    /// Merges everything into one sink, job after job, by the processor of one thread.
    ///
    /// Where the layout has several files, they lie in the sink one behind the other.
    ///
    /// ```no_run
    /// # pollster::block_on(async {
    /// use gramerge::checkpoint::{Model, Models};
    /// use gramerge::format::TensorFile;
    /// use gramerge::io::native::FileSource;
    /// use gramerge::recipe::Options;
    /// use gramerge::run::Merge;
    ///
    /// let mut models = Vec::new();
    /// for path in ["a.safetensors", "b.safetensors"] {
    ///     let file = TensorFile::open(FileSource::open(path.as_ref())?).await?;
    ///     models.push(Model::new(path, vec![file], None)?);
    /// }
    /// let merge = Merge::new(Models::new(models)?, Options::of("average"))?;
    /// let mut bytes = Vec::new();
    /// let report = merge.whole(&mut bytes).await?;
    /// println!("{} tensors, {} bytes", report.tensors.len(), bytes.len());
    /// # Ok::<(), gramerge::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Merge::run_job`]; what has been written by then is no model.
    pub async fn whole(&self, sink: &mut impl Sink) -> Result<Report> {
        self.write_headers(sink).await?;
        let engines = engine::CpuEngines::default();
        let mut outcomes = Vec::new();
        for index in 0..self.jobs().len() {
            let outcome = self.run_job(&engines, index, &Alone, sink).await?;
            outcomes.push(outcome.ok_or_else(|| Error::internal("a job was handed back"))?);
        }
        self.check_inputs().await?;
        let run = Run { kernels: engine::kernels(), elapsed_millis: 0.0, n_workers: 1 };
        self.report(&outcomes, run)
    }
}
