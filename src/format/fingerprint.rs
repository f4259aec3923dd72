//! Fingerprints of weights: which model a Gram file was made of.
//!
//! A SHA-256 over the first elements of some weights as bf16, so it is the same whether the model
//! was loaded in f32 or in bf16.
//! Must not know: which weights these are, how the file was read.
//! Source: the README's section on Gram files, whose Python makes the same.

use sha2::{Digest, Sha256};

use crate::tensor::dtype::{Dtype, DtypeClass, decode, encode};

/// How many elements of each weight count.
pub const HEAD_ELEMENTS: u64 = 256;

/// The digest of weights' first elements, in the order in which they are added.
#[derive(Debug, Clone, Default)]
pub struct Fingerprint {
    digest: Sha256,
}

impl Fingerprint {
    /// Adds a weight's first elements, [`HEAD_ELEMENTS`] or all, as the file stores them. `None`
    /// for a dtype that cannot be rounded.
    pub fn add(&mut self, dtype: Dtype, head: &[u8]) -> Option<()> {
        (dtype.class() == DtypeClass::Float).then_some(())?;
        let values = decode(dtype, head);
        let mut bytes = vec![0; values.len() * Dtype::BF16.size_bytes()];
        encode(Dtype::BF16, values.into_iter(), &mut bytes);
        self.digest.update(&bytes);
        Some(())
    }

    /// The digest in hexadecimal.
    pub fn finish(self) -> String {
        hex(&self.digest.finalize())
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
