//! A rank among magnitudes, found without sorting: two counts over the whole tensor.
//!
//! Magnitudes are compared as f32, whose bits without the sign are in the order of their values. The first
//! pass counts the upper halves of these bits, the second the lower halves within the one half that holds
//! the rank. So memory does not grow with the tensor. Of equal magnitudes the lower index is first.

/// Bits of a key that the second pass counts.
const LOW_BITS: u32 = 15;
const N_LOW: usize = 1 << LOW_BITS;
const N_HIGH: usize = 1 << 16;

/// The place before which so many of a tensor's elements lie, the largest magnitude first.
#[derive(Debug)]
pub(super) struct Cut {
    rank: u64,
    /// Counts of the current pass.
    counts: Vec<u64>,
    /// Upper bits of the key at the rank.
    high: u32,
    /// Elements with larger upper bits, then with a larger key.
    n_above: u64,
    /// Key at the rank.
    key: u32,
    /// Elements of just that key which lie before the rank.
    n_equal: u64,
    /// Elements of just that key which were seen in this pass.
    n_seen: u64,
}

impl Cut {
    /// Looks at the whole tensor that it takes.
    pub(super) const N_SURVEYS: usize = 2;

    pub(super) fn new(rank: u64) -> Self {
        // Before the first element lies nothing, and no key is above the largest.
        let counts = if rank > 0 { vec![0; N_HIGH] } else { Vec::new() };
        let (high, n_above, n_equal, n_seen) = (0, 0, 0, 0);
        Self { rank, counts, high, n_above, key: u32::MAX, n_equal, n_seen }
    }

    /// Order of magnitudes: a larger key is a larger |δ|, a NaN larger than all.
    pub(super) fn key(delta: f64) -> u32 {
        (delta as f32).to_bits() & 0x7fff_ffff
    }

    pub(super) fn survey(&mut self, pass: usize, keys: &[u32]) {
        if self.rank == 0 {
            return;
        }
        // Arrays of known lengths: an index of so many bits is within them.
        if let (0, Ok(counts)) = (pass, <&mut [u64; N_HIGH]>::try_from(&mut self.counts[..])) {
            keys.iter().for_each(|key| counts[(key >> LOW_BITS) as usize & (N_HIGH - 1)] += 1);
        } else if let (1, Ok(counts)) = (pass, <&mut [u64; N_LOW]>::try_from(&mut self.counts[..]))
        {
            for key in keys.iter().filter(|key| *key >> LOW_BITS == self.high) {
                counts[*key as usize & (N_LOW - 1)] += 1;
            }
        }
    }

    pub(super) fn surveyed(&mut self, pass: usize) {
        self.n_seen = 0;
        if self.rank == 0 || pass > 1 {
            return;
        }
        let found = self.find();
        if pass == 0 {
            self.high = found;
            self.counts = vec![0; N_LOW];
        } else {
            self.key = self.high << LOW_BITS | found;
            self.n_equal = self.rank - self.n_above;
            self.counts = Vec::new();
        }
    }

    /// The count from above within which the rank lies. Adds those before it to `n_above`.
    fn find(&mut self) -> u32 {
        for (index, count) in self.counts.iter().enumerate().rev() {
            if self.n_above + *count >= self.rank {
                return index as u32;
            }
            self.n_above += *count;
        }
        0
    }

    /// Key at the rank: larger ones lie before it, smaller ones do not.
    pub(super) fn at(&self) -> u32 {
        self.key
    }

    /// Whether an element lies before the rank. Those with the key at the rank come in order.
    pub(super) fn is_before(&mut self, key: u32) -> bool {
        if key != self.key {
            return key > self.key;
        }
        self.n_seen += 1;
        self.n_seen <= self.n_equal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Elements before a rank, by sorting.
    fn sorted(deltas: &[f64], rank: u64) -> Vec<bool> {
        let mut order: Vec<usize> = (0..deltas.len()).collect();
        order.sort_by_key(|index| (std::cmp::Reverse(Cut::key(deltas[*index])), *index));
        let mut before = vec![false; deltas.len()];
        order.iter().take(rank as usize).for_each(|index| before[*index] = true);
        before
    }

    fn cut(deltas: &[f64], rank: u64) -> Vec<bool> {
        let mut cut = Cut::new(rank);
        for pass in 0..Cut::N_SURVEYS {
            let keys: Vec<u32> = deltas.iter().map(|delta| Cut::key(*delta)).collect();
            cut.survey(pass, &keys);
            cut.surveyed(pass);
        }
        deltas.iter().map(|delta| cut.is_before(Cut::key(*delta))).collect()
    }

    #[test]
    fn every_rank_is_that_of_a_sort() {
        let families: [fn(usize) -> f64; 4] = [
            |i| ((i * 37) % 101) as f64 - 50.0,
            |i| [0.0, -0.0, 1e-40, 1.0][i % 4],
            |i| if i % 9 == 4 { f64::NAN } else { (i % 3) as f64 * -1e30 },
            |i| 1.0 + (i * i % 57) as f64 * 2f64.powi(-23),
        ];
        for (index, family) in families.iter().enumerate() {
            let deltas: Vec<f64> = (0..103).map(family).collect();
            for rank in 0..=103 {
                assert_eq!(cut(&deltas, rank), sorted(&deltas, rank), "{index} {rank}");
            }
        }
    }
}
