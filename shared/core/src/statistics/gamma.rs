//! The chi-squared distribution, by the regularised incomplete gamma function.

const CLOSE: f64 = 1e-16;
const STEPS: u32 = 100_000;

/// P(X > x) with `df` degrees of freedom; NaN where `df` is 0 or x is not a number.
///
/// Q(df/2, x/2): series DLMF 8.7.1 below, continued fraction DLMF 8.9.2 above.
#[must_use]
pub fn chi_squared_sf(x: f64, df: u32) -> f64 {
    if df == 0 || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    if df == 1 {
        return libm::erfc(libm::sqrt(0.5 * x));
    }
    let (a, z) = (0.5 * f64::from(df), 0.5 * x);
    let front = libm::exp(a * libm::log(z) - z - libm::lgamma(a));
    if z < a + 1.0 {
        1.0 - front * series(a, z)
    } else {
        front * fraction(a, z)
    }
}

fn series(a: f64, z: f64) -> f64 {
    let (mut term, mut sum) = (1.0 / a, 1.0 / a);
    for step in 1..STEPS {
        term *= z / (a + f64::from(step));
        sum += term;
        if term <= sum * CLOSE {
            break;
        }
    }
    sum
}

/// By Lentz's method; every partial denominator is above 0 for z > a + 1.
fn fraction(a: f64, z: f64) -> f64 {
    let mut b = z + 1.0 - a;
    let mut c = 1.0 / f64::MIN_POSITIVE;
    let mut d = 1.0 / b;
    let mut value = d;
    for step in 1..STEPS {
        let n = f64::from(step);
        let numerator = -n * (n - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        value *= d * c;
        if libm::fabs(d * c - 1.0) <= CLOSE {
            break;
        }
    }
    value
}
