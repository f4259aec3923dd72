//! Buffers of a device: taken from a pool or made anew, filled, and read back.

use wgpu::BufferUsages;

use super::Device;
use crate::backend::gpu::pool::Pooled;
use crate::backend::gpu::signal;
use crate::{Error, Result};

/// Matrices and everything else that shaders read and write.
const STORAGE: BufferUsages =
    BufferUsages::STORAGE.union(BufferUsages::COPY_DST).union(BufferUsages::COPY_SRC);
/// Parameters of dispatches.
pub(super) const UNIFORM: BufferUsages = BufferUsages::UNIFORM.union(BufferUsages::COPY_DST);
/// What the processor reads.
const READ_BACK: BufferUsages = BufferUsages::MAP_READ.union(BufferUsages::COPY_DST);

impl Device {
    /// A buffer with undefined contents.
    pub(in crate::backend::gpu) async fn take(&self, bytes: usize) -> Result<Pooled> {
        let buffer = self.take_for(bytes, STORAGE).await?;
        if self.settings.poison {
            self.write(&buffer, &vec![f32::NAN; bytes / 4]);
        }
        Ok(buffer)
    }

    pub(super) async fn take_for(&self, bytes: usize, usage: BufferUsages) -> Result<Pooled> {
        self.check()?;
        let bytes = bytes as u64;
        if let Some(buffer) = self.pool.take(bytes, usage) {
            return Ok(buffer);
        }
        if let Some(buffer) = self.create(bytes, usage).await? {
            return Ok(buffer);
        }
        // Buffers of other sizes may stand in the way.
        self.pool.clear();
        self.finish().await?;
        let made = self.create(bytes, usage).await?;
        made.ok_or_else(|| {
            Error::memory(format!("the graphics card has no memory for {bytes} more bytes"))
        })
    }

    async fn create(&self, bytes: u64, usage: BufferUsages) -> Result<Option<Pooled>> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let descriptor =
            wgpu::BufferDescriptor { label: None, size: bytes, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&descriptor);
        let refused = self.unless_lost(scope.pop()).await?.is_some();
        Ok((!refused).then(|| self.pool.adopt(buffer)))
    }

    /// Fills the beginning of a buffer.
    pub(in crate::backend::gpu) fn write<T: bytemuck::Pod>(
        &self,
        buffer: &wgpu::Buffer,
        values: &[T],
    ) {
        self.queue.write_buffer(buffer, 0, bytemuck::cast_slice(values));
    }

    /// Fills the beginning of a buffer with bytes, whose number may not be a multiple of four.
    pub(in crate::backend::gpu) fn write_bytes(&self, buffer: &wgpu::Buffer, bytes: &[u8]) {
        let (words, rest) = bytes.split_at(bytes.len() & !3);
        self.queue.write_buffer(buffer, 0, words);
        if !rest.is_empty() {
            let mut last = [0; 4];
            last[..rest.len()].copy_from_slice(rest);
            self.queue.write_buffer(buffer, words.len() as u64, &last);
        }
    }

    /// Makes every byte of a buffer zero.
    pub(in crate::backend::gpu) fn clear(&self, buffer: &wgpu::Buffer) {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(buffer, 0, None);
        self.queue.submit([encoder.finish()]);
    }

    /// What a buffer holds, once all that came before is done.
    pub(in crate::backend::gpu) async fn read<T: bytemuck::Pod>(
        &self,
        buffer: &wgpu::Buffer,
    ) -> Result<Vec<T>> {
        let staging = self.take_for(buffer.size() as usize, READ_BACK).await?;
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, None);
        self.queue.submit([encoder.finish()]);
        let (sender, receiver) = signal::channel();
        staging.map_async(wgpu::MapMode::Read, .., |mapped| sender.send(mapped));
        let mapped = self.when_done(receiver).await?;
        mapped.map_err(|error| Error::device(format!("no answer can be read back ({error})")))?;
        let view = staging
            .get_mapped_range(..)
            .map_err(|error| Error::device(format!("no answer can be read back ({error})")))?;
        let values = bytemuck::pod_collect_to_vec(&view);
        drop(view);
        staging.unmap();
        Ok(values)
    }
}
