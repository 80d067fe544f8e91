//! Numbers by a seed: SplitMix64 (S. Steele, D. Lea, C. Flood, OOPSLA 2014), the same on every machine.

/// A stream of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
    spare: Option<f64>,
}

impl Random {
    /// The stream of an experiment: of its own, so that threads change nothing.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut mixed = Self {
            state: seed,
            spare: None,
        };
        mixed.state = mixed.next() ^ stream.wrapping_mul(0xd129_0ba5_c52e_27a3);
        mixed.state = mixed.next();
        mixed
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to 1, without 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Standard normal (G. E. P. Box, M. E. Muller, 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sine);
        radius * cosine
    }
}

#[cfg(test)]
impl Random {
    pub(super) fn seed_plainly(&mut self, state: u64) {
        self.state = state;
    }
}
