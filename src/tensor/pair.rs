//! Sums and products in twice f64's digits, as pairs of f64 (Dekker 1971, *A floating-point technique for
//! extending the available precision*). Nothing may overflow, nor be less than 2⁻⁹⁰⁰ where its rest
//! counts.

/// A number as the unrounded sum of two.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pair {
    /// The sum, rounded to f64.
    pub(crate) high: f64,
    /// The rest, rounded likewise.
    pub(crate) low: f64,
}

impl Pair {
    /// self ← self + other
    pub(crate) fn add(&mut self, other: Self) {
        let (high, low) = two_sum(self.high, other.high);
        let low = low + (self.low + other.low);
        (self.high, self.low) = fast_two_sum(high, low);
    }

    /// self · factor
    pub(crate) fn times(self, factor: f64) -> Self {
        let (high, low) = two_product(self.high, factor);
        let (high, low) = fast_two_sum(high, low + self.low * factor);
        Self { high, low }
    }
}

impl Pair {
    /// self / divisor, to nearly twice f64's digits.
    pub(crate) fn over(self, divisor: Self) -> Self {
        let first = self.high / divisor.high;
        let mut rest = self;
        rest.add(divisor.times(-first));
        let (high, low) = fast_two_sum(first, (rest.high + rest.low) / divisor.high);
        Self { high, low }
    }

    /// The number rounded to odd: rounding it once more, to at most 51 digits, is as rounding the number.
    pub(crate) fn to_odd(self) -> f64 {
        let is_odd = self.high.to_bits() & 1 == 1;
        match self.low == 0.0 || is_odd {
            true => self.high,
            false if self.low > 0.0 => self.high.next_up(),
            false => self.high.next_down(),
        }
    }
}

/// a + b and what it rounds away (Knuth).
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// a + b and what it rounds away, where |a| ≥ |b| (Dekker).
fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// a b and what it rounds away (Dekker, Veltkamp). Without fused multiply-add, which wasm has not.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let split = |value: f64| {
        let wide = value * 134_217_729.0; // 2²⁷ + 1
        let high = wide - (wide - value);
        (high, value - high)
    };
    let product = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
    let rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    (product, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_keep_what_one_number_rounds_away() {
        let mut sum = Pair::default();
        for value in [1e16, 1.0, -1e16, 1e-16] {
            sum.add(Pair { high: value, low: 0.0 });
        }
        assert_eq!((sum.high, sum.low), (1.0, 1e-16));
        let third = Pair { high: 1.0 / 3.0, low: 0.0 }.times(3.0);
        assert_eq!(third.high + third.low, 1.0);
        // 3 · fl(1/3) is 1 − 2⁻⁵⁴, which f64 rounds to 1.
        assert_eq!((third.high, third.low), (1.0, -2f64.powi(-54)));
    }
}
