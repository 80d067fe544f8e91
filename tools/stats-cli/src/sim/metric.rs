//! What a session can be measured by, and what the sums say about two arms.

use super::random::Random;
use silent_core::statistics::{
    Difference, PairSummary, Proportion, Sample, adjust, normal_sf, ratio_difference, two_proportions, welch,
};

/// A kind of metric, as the platform has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A rate of 30 %: came back within a week.
    Rate,
    /// A rate of 3 %.
    RareRate,
    /// Satisfaction in five steps, 0 to 1.
    Rating,
    /// Cost of a session: log-normal, with a long tail.
    Cost,
    /// Cost per turn over sessions of different length.
    CostPerTurn,
    /// A mean with the past taken out.
    Cuped,
}

/// Sums of two values of each session.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

/// What one look sees.
pub(crate) struct Look {
    pub(crate) difference: Difference,
    /// Of the test that people know, as if this look were the only one.
    pub(crate) fixed_p: f64,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Rate,
        Self::RareRate,
        Self::Rating,
        Self::Cost,
        Self::CostPerTurn,
        Self::Cuped,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate, 30 %",
            Self::RareRate => "rate, 3 %",
            Self::Rating => "mean of ratings",
            Self::Cost => "mean of log-normal costs",
            Self::CostPerTurn => "cost per turn (delta method)",
            Self::Cuped => "mean with CUPED",
        }
    }

    /// A session's two values; `lift` is the treatment's true effect.
    fn session(self, random: &mut Random, lift: f64) -> (f64, f64) {
        let happened = |random: &mut Random, p: f64| f64::from(u8::from(random.chance(p)));
        match self {
            Self::Rate => (happened(random, 0.3 + lift), 0.0),
            Self::RareRate => (happened(random, 0.03 + lift), 0.0),
            Self::Rating => {
                let steps = [0.05, 0.15, 0.35, 0.70]
                    .iter()
                    .filter(|below| random.uniform() > **below)
                    .count();
                (0.25 * steps as f64 + lift, 0.0)
            }
            Self::Cost => (random.normal().exp() + lift, 0.0),
            Self::CostPerTurn => {
                // A session's length and its cost per turn go together.
                let taste = random.normal();
                let turns = (1.0 + (1.5 + 0.8 * taste).exp()).floor();
                (turns * ((0.3 * taste + 0.5 * random.normal()).exp() + lift), turns)
            }
            Self::Cuped => {
                let before = random.normal();
                (0.8 * before + 0.6 * random.normal() + lift, before)
            }
        }
    }

    /// The two arms compared; none while nothing varies.
    pub(crate) fn look(self, control: &Sums, treatment: &Sums, alpha: f64) -> Option<Look> {
        match self {
            Self::Rate | Self::RareRate => {
                let (a, b) = (control.proportion()?, treatment.proportion()?);
                Some(Look {
                    difference: a.difference_to(&b).ok()?,
                    fixed_p: two_proportions(&a, &b, alpha).ok()?.p_value,
                })
            }
            Self::Rating | Self::Cost => means(&control.sample(), &treatment.sample(), alpha),
            Self::CostPerTurn => {
                let difference = ratio_difference(&control.pair(), &treatment.pair()).ok()?;
                Some(Look {
                    difference,
                    fixed_p: 2.0 * normal_sf(difference.z().abs()),
                })
            }
            Self::Cuped => {
                let adjusted = adjust(&control.pair(), &treatment.pair()).ok()?;
                means(&adjusted.control, &adjusted.treatment, alpha)
            }
        }
    }
}

fn means(control: &Sample, treatment: &Sample, alpha: f64) -> Option<Look> {
    Some(Look {
        difference: control.difference_to(treatment).ok()?,
        fixed_p: welch(control, treatment, alpha).ok()?.p_value,
    })
}

impl Sums {
    pub(crate) fn add(&mut self, kind: Kind, sessions: u64, random: &mut Random, lift: f64) {
        for _ in 0..sessions {
            let (x, y) = kind.session(random, lift);
            self.n += 1.0;
            self.x += x;
            self.y += y;
            self.xx += x * x;
            self.yy += y * y;
            self.xy += x * y;
        }
    }

    fn proportion(&self) -> Option<Proportion> {
        Proportion::new(self.x as u64, self.n as u64).ok()
    }

    pub(crate) fn sample(&self) -> Sample {
        let pair = self.pair();
        Sample {
            count: pair.count,
            mean: pair.first_mean,
            variance: pair.first_variance,
        }
    }

    fn pair(&self) -> PairSummary {
        let spread = |products: f64, a: f64, b: f64| (products - a * b / self.n) / (self.n - 1.0);
        PairSummary {
            count: self.n as u64,
            first_mean: self.x / self.n,
            second_mean: self.y / self.n,
            first_variance: spread(self.xx, self.x, self.x),
            second_variance: spread(self.yy, self.y, self.y),
            covariance: spread(self.xy, self.x, self.y),
        }
    }
}
