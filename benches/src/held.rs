//! Bytes outside the engine's own memory: where a merge's inputs lie before they are read.

/// Input bytes: shared memory natively, a buffer of the worker's JavaScript in a browser.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone)]
pub struct Held(std::sync::Arc<[u8]>);
/// Input bytes: shared memory natively, a buffer of the worker's JavaScript in a browser.
#[cfg(target_arch = "wasm32")]
#[derive(Debug, Clone)]
pub struct Held(pub js_sys::Uint8Array);

#[cfg(not(target_arch = "wasm32"))]
impl Held {
    /// Takes the bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// Fills `buffer` from `offset` on.
    pub fn read(&self, offset: usize, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.0[offset..offset + buffer.len()]);
    }
}

#[cfg(target_arch = "wasm32")]
impl Held {
    /// Takes the bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(js_sys::Uint8Array::from(&bytes[..]))
    }

    /// Fills `buffer` from `offset` on.
    pub fn read(&self, offset: usize, buffer: &mut [u8]) {
        self.0.subarray(offset as u32, (offset + buffer.len()) as u32).copy_to(buffer);
    }
}
