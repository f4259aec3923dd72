//! Bytes in memory: small inputs and outputs, and tests.

use super::{Sink, Source};
use crate::{Error, Result};

/// A file in memory.
#[derive(Debug, Clone)]
pub struct Memory {
    /// Its name in errors.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Memory {
    /// A file of that name and content.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes }
    }
}

impl Source for Memory {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    async fn read_into(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()> {
        let start = usize::try_from(offset_bytes).ok();
        let range = start.and_then(|start| Some(start..start.checked_add(buffer.len())?));
        let bytes = range.and_then(|range| self.bytes.get(range));
        buffer.copy_from_slice(
            bytes.ok_or_else(|| Error::io("it ends before these bytes").file(&self.name))?,
        );
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// Keeps the output in memory.
impl Sink for Vec<u8> {
    async fn write_at(&mut self, offset_bytes: u64, bytes: &[u8]) -> Result<()> {
        let start = usize::try_from(offset_bytes).ok();
        let end = start.and_then(|start| start.checked_add(bytes.len()));
        let (Some(start), Some(end)) = (start, end) else {
            return Err(Error::memory("the output does not fit into memory"));
        };
        if self.len() < end {
            self.resize(end, 0);
        }
        self[start..end].copy_from_slice(bytes);
        Ok(())
    }
}
