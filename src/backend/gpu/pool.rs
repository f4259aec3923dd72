//! Buffers that are used again.
//!
//! A buffer returns when its owner is dropped. That is safe because an operation submits all its
//! work before it gives up its buffers, and the queue runs in order.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// Unused buffers beyond this are given back to the device.
const MAX_UNUSED_BYTES: u64 = 1 << 30;

/// Buffers by size and use.
type Shelves = HashMap<(u64, wgpu::BufferUsages), Vec<wgpu::Buffer>>;

#[derive(Debug, Default)]
struct Unused {
    shelves: Shelves,
    bytes: u64,
}

/// Unused buffers.
#[derive(Debug, Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Unused>>);

/// A buffer that returns to its pool.
#[derive(Debug)]
pub(super) struct Pooled {
    /// `None` only while it is dropped.
    buffer: Option<wgpu::Buffer>,
    home: Pool,
}

impl Pool {
    /// A buffer of this size and use, if one lies unused.
    pub(super) fn take(&self, bytes: u64, usage: wgpu::BufferUsages) -> Option<Pooled> {
        let mut unused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let buffer = unused.shelves.get_mut(&(bytes, usage))?.pop()?;
        unused.bytes -= bytes;
        Some(self.adopt(buffer))
    }

    /// Makes a new buffer one of the pool's.
    pub(super) fn adopt(&self, buffer: wgpu::Buffer) -> Pooled {
        Pooled { buffer: Some(buffer), home: self.clone() }
    }

    /// Gives all unused buffers back to the device, which frees them once its work is done.
    pub(super) fn clear(&self) {
        let mut unused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Unused { shelves, .. } = std::mem::take(&mut *unused);
        // By name: a browser frees what is only let go of when it pleases.
        shelves.values().flatten().for_each(wgpu::Buffer::destroy);
    }

    fn put(&self, buffer: wgpu::Buffer) {
        let mut unused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if unused.bytes + buffer.size() <= MAX_UNUSED_BYTES {
            unused.bytes += buffer.size();
            unused.shelves.entry((buffer.size(), buffer.usage())).or_default().push(buffer);
        } else {
            buffer.destroy();
        }
    }
}

impl Deref for Pooled {
    type Target = wgpu::Buffer;

    fn deref(&self) -> &wgpu::Buffer {
        self.buffer.as_ref().unwrap_or_else(|| unreachable!("a dropped buffer is not used"))
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.home.put(buffer);
        }
    }
}
