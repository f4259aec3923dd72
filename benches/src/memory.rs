//! A safetensors file in memory, of which some tensors may be absent.

use std::collections::BTreeMap;

use gramerge::format::Layout;
use gramerge::io::{Sink, Source};
use gramerge::tensor::dtype::Dtype;
use gramerge::{Error, Result};

use crate::held::Held;

/// A file whose header is complete and whose tensors are those that this worker needs.
#[derive(Debug, Clone)]
pub(crate) struct MemoryFile {
    name: String,
    header: Vec<u8>,
    len_bytes: u64,
    tensors: BTreeMap<u64, (u64, Held)>, // start: (length, bytes)
}

impl MemoryFile {
    /// Lays out F32 tensors of these names and shapes; `held` gives the bytes of those that are
    /// there.
    pub(crate) fn new(
        name: &str,
        shapes: &[(String, Vec<u64>)],
        metadata: &BTreeMap<String, String>,
        held: impl Fn(usize) -> Option<Held>,
    ) -> Result<Self> {
        let all = shapes.iter().map(|(name, shape)| (name.clone(), Dtype::F32, shape.clone()));
        let layout = Layout::new(all, metadata)?;
        let mut tensors = BTreeMap::new();
        for (index, (name, shape)) in shapes.iter().enumerate() {
            if let (Some(start), Some(bytes)) = (layout.offset_bytes(name), held(index)) {
                tensors.insert(start, (4 * shape.iter().product::<u64>(), bytes));
            }
        }
        let header = layout.header_bytes().to_vec();
        Ok(Self { name: name.into(), header, len_bytes: layout.total_bytes(), tensors })
    }
}

impl Source for MemoryFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    async fn read_into(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()> {
        let len = buffer.len() as u64;
        if offset_bytes < self.header.len() as u64 {
            // Sniffing may read past the header; what is there does not matter.
            let header = &self.header[offset_bytes as usize..];
            let known = header.len().min(buffer.len());
            buffer[..known].copy_from_slice(&header[..known]);
            return Ok(());
        }
        let found = self.tensors.range(..=offset_bytes).next_back();
        match found {
            Some((start, (size, bytes))) if offset_bytes + len <= start + size => {
                bytes.read((offset_bytes - start) as usize, buffer);
                Ok(())
            }
            _ => Err(Error::io("this part of the file is not held here").file(&self.name)),
        }
    }

    async fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// Counts what is written and drops it.
#[derive(Debug, Default)]
pub(crate) struct Discard {
    /// Bytes so far.
    pub(crate) written_bytes: u64,
}

impl Sink for Discard {
    async fn write_at(&mut self, _offset_bytes: u64, bytes: &[u8]) -> Result<()> {
        self.written_bytes += bytes.len() as u64;
        Ok(())
    }
}
