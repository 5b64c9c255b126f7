//! Student's t distribution.

use std::sync::OnceLock;

/// Probability of a |t| at least this large with `df` degrees of freedom.
///
/// Through the regularized incomplete beta function: Abramowitz and Stegun 26.5.27, its continued fraction 26.5.8
/// evaluated by Lentz's method.
pub fn two_sided(t: f64, df: f64) -> f64 {
    if !t.is_finite() {
        return if t.is_nan() { 1.0 } else { 0.0 };
    }
    if df <= 0.0 {
        return 1.0;
    }
    incomplete_beta(df / 2.0, 0.5, df / (df + t * t)).clamp(0.0, 1.0)
}

/// The t that is exceeded in size in one of twenty cases.
pub fn critical_95(df: f64) -> f64 {
    // Asked for each series of a history, for few different `df`.
    static KNOWN: [OnceLock<f64>; 128] = [const { OnceLock::new() }; 128];
    let known = if df.fract() == 0.0 && df >= 0.0 { KNOWN.get(df as usize) } else { None };
    known.map_or_else(|| critical(0.05, df), |known| *known.get_or_init(|| critical(0.05, df)))
}

/// The t that is exceeded in size with probability `p`.
pub fn critical(p: f64, df: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while two_sided(high, df) > p && high < 1e9 {
        high *= 2.0;
    }
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if two_sided(middle, df) > p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

#[expect(clippy::many_single_char_names, reason = "the names of the formulas cited")]
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let keep = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / keep(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for m in 1..=300 {
        let m = f64::from(m);
        for numerator in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / keep(1.0 + numerator * d);
            c = keep(1.0 + numerator / c);
            result *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-14 {
            break;
        }
    }
    result
}

/// Lanczos' approximation, g = 5, as in *Numerical Recipes*, 2nd ed., 6.1; relative error below 2e-10 for x > 0.
fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.001_208_650_973_866_179,
        -0.000_005_395_239_384_953,
    ];
    let base = x + 5.5;
    let (sum, _) = C.iter().fold((1.000_000_000_190_015, x + 1.0), |(sum, at), c| (sum + c / at, at + 1.0));
    (x + 0.5) * base.ln() - base + (2.506_628_274_631_000_5 * sum / x).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_t() {
        for (df, p, want) in [(1.0, 0.05, 12.706_2), (5.0, 0.05, 2.570_6), (15.0, 0.01, 2.946_7), (60.0, 0.05, 2.000_3)]
        {
            let got = critical(p, df);
            assert!((got - want).abs() < 1e-3, "{df} {p}: {got}");
            assert!((two_sided(want, df) - p).abs() < 1e-4);
            assert_eq!(critical_95(df), critical(0.05, df));
        }
        assert_eq!(two_sided(f64::INFINITY, 4.0), 0.0);
        assert_eq!(two_sided(f64::NAN, 4.0), 1.0);
        assert!((two_sided(0.0, 4.0) - 1.0).abs() < 1e-9);
    }
}
