//! What an experiment may conclude: tests, intervals that stay valid however often one looks, gates, sketches.
//!
//! Invariants: a difference is always treatment minus control; sums are integers, so that the order of events changes no
//! figure; every `f64` comes from software arithmetic (`libm`), so that it is the same on the host and on wasm32.

mod cuped;
mod error;
mod gamma;
mod gates;
mod holm;
mod interval;
mod means;
mod moments;
mod normal;
mod promotion;
mod proportions;
mod quantile;
mod ratio;
mod sequential;
mod sketch;
mod srm;
mod student;
#[cfg(test)]
mod tests;

pub use cuped::{Adjusted, adjust};
pub use error::StatisticsError;
pub use gamma::chi_squared_sf;
pub use gates::{
    ArmSummary, CrisisEvidence, Gate, GateResult, Policy, Replay, Verdict, cost_gate, crisis_gate, error_gate,
    evaluate, latency_gate, satisfaction_gate,
};
pub use holm::holm;
pub use interval::{Difference, Interval};
pub use means::{Sample, Welch, welch};
pub use moments::{Moments, PairMoments};
pub use normal::{normal_cdf, normal_isf, normal_quantile, normal_sf};
pub use promotion::{
    Decision, Demotion, Direction, NextStep, Reason, Success, SuccessResult, demotion_decision, promotion_decision,
};
pub use proportions::{Proportion, ProportionTest, two_proportions};
pub use quantile::{QuantileEstimate, clustered_quantile, sketched_quantile};
pub use ratio::{PairSummary, ratio_difference, relative_ratio_difference};
pub use sequential::ConfidenceSequence;
pub use sketch::{CorruptSketch, Sketch};
pub use srm::{RatioCheck, SequentialRatioCheck, sample_ratio, sequential_sample_ratio};
pub use student::{student_isf, student_sf};
