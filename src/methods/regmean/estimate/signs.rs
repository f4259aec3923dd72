//! A reproducible stream of ±1 (SplitMix64, Steele, Lea and Flood 2014).

/// Where the stream is.
pub(super) struct Signs {
    state: u64,
}

impl Signs {
    /// The stream of that seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next sign.
    #[inline(never)]
    pub(super) fn next(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        if (z ^ (z >> 31)) & 1 == 0 { 1.0 } else { -1.0 }
    }
}
