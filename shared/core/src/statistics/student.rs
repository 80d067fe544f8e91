//! Student's t distribution, for any degrees of freedom above 0.

use super::normal::{normal_isf, normal_sf, polynomial};

const CLOSE: f64 = 1e-15;
/// The fraction needs about √df steps.
const STEPS: u32 = 200_000;
/// From here on the normal distribution differs by less than the arithmetic does.
const ALMOST_NORMAL: f64 = 1e17;

/// P(T > t) with `df` degrees of freedom; NaN where `df` ≤ 0.
///
/// Half of the regularised incomplete beta function at df / (df + t²) (DLMF 8.17), never `1 - cdf`.
#[must_use]
pub fn student_sf(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if t < 0.0 {
        return 1.0 - student_sf(-t, df);
    }
    if t.is_infinite() {
        return 0.0;
    }
    if df >= ALMOST_NORMAL {
        return normal_sf(t);
    }
    let square = t * t;
    if square.is_infinite() {
        return 0.0;
    }
    0.5 * incomplete_beta_half(0.5 * df, df / (df + square), square / (df + square), square / df)
}

/// The t with P(T > t) = `p`; ±∞ at the ends, NaN outside 0..1.
#[must_use]
pub fn student_isf(p: f64, df: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if p > 0.5 {
        return -student_isf(1.0 - p, df);
    }
    if p == 0.0 {
        return f64::INFINITY;
    }
    // The survival function is convex here, and t has the heavier tail: Newton's steps from the normal's
    // quantile never pass the root.
    let mut t = normal_isf(p);
    for _ in 0..2_000 {
        let step = (student_sf(t, df) - p) / density(t, df);
        if !step.is_finite() || libm::fabs(step) <= CLOSE * libm::fabs(t) {
            break;
        }
        t += step;
    }
    t
}

/// Γ(a + ½) / Γ(a).
fn gamma_step(a: f64) -> f64 {
    if a < 20.0 {
        return libm::exp(libm::lgamma(a + 0.5) - libm::lgamma(a));
    }
    // DLMF 5.11.13. Two logarithms of size a·ln a would lose the figures that are wanted.
    let series = [
        1.0,
        -1.0 / 8.0,
        1.0 / 128.0,
        5.0 / 1_024.0,
        -21.0 / 32_768.0,
        -399.0 / 262_144.0,
        869.0 / 4_194_304.0,
        39_325.0 / 33_554_432.0,
        -334_477.0 / 2_147_483_648.0,
    ];
    libm::sqrt(a) * polynomial(&series, 1.0 / a)
}

fn density(t: f64, df: f64) -> f64 {
    if df >= ALMOST_NORMAL {
        return libm::exp(-0.5 * t * t) / libm::sqrt(2.0 * core::f64::consts::PI);
    }
    let scale = gamma_step(0.5 * df) / libm::sqrt(df * core::f64::consts::PI);
    scale * libm::exp(-0.5 * (df + 1.0) * libm::log1p(t * t / df))
}

/// I_x(a, ½) with y = 1 - x and odds = y / x, each given apart so that none is a difference of near numbers.
fn incomplete_beta_half(a: f64, x: f64, y: f64, odds: f64) -> f64 {
    if y == 0.0 {
        return 1.0;
    }
    // x^a · y^½ / B(a, ½)
    let front = libm::exp(-a * libm::log1p(odds)) * libm::sqrt(y) * gamma_step(a) / libm::sqrt(core::f64::consts::PI);
    if x < (a + 1.0) / (a + 2.5) {
        front * fraction_near_one(a, 0.5, x, y)
    } else {
        1.0 - front * fraction(0.5, a, y) / 0.5
    }
}

/// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let floor = |value: f64| {
        if libm::fabs(value) < f64::MIN_POSITIVE {
            f64::MIN_POSITIVE
        } else {
            value
        }
    };
    let mut c = 1.0;
    let mut d = 1.0 / floor(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / floor(1.0 + even * d);
        c = floor(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / floor(1.0 + odd * d);
        c = floor(1.0 + odd / c);
        let change = d * c;
        value *= change;
        if libm::fabs(change - 1.0) <= CLOSE {
            break;
        }
    }
    value
}

/// The same divided by a, in the form of A. R. Didonato and A. H. Morris (ACM Algorithm 708, BFRAC), which takes y = 1 - x as
/// it is given: with a million degrees of freedom x is so near 1 that it has lost five figures of y.
fn fraction_near_one(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let c = 1.0 + (a + b) * y - b;
    let (c0, c1) = (b / a, 1.0 + 1.0 / a);
    let (mut p, mut s) = (1.0, a + 1.0);
    let (mut above, mut below) = (0.0, 1.0);
    let (mut next_above, mut next_below) = (1.0, c / c1);
    let mut value = c1 / c;
    for step in 1..STEPS {
        let n = f64::from(step);
        let t = n / a;
        let w = n * (b - n) * x;
        let e = a / s;
        let alpha = p * (p + c0) * e * e * w * x;
        let e = (1.0 + t) / (c1 + t + t);
        let beta = n + w / s + e * (c + n * (y + 1.0));
        p = 1.0 + t;
        s += 2.0;
        let sum = alpha * below + beta * next_below;
        // Scaled by the last denominator, so that nothing overflows.
        (above, next_above) = (next_above / sum, (alpha * above + beta * next_above) / sum);
        (below, next_below) = (next_below / sum, 1.0);
        let change = next_above - value;
        value = next_above;
        if libm::fabs(change) <= CLOSE * value {
            break;
        }
    }
    value
}
