//! The standard normal distribution.

/// Two-sided 95 %.
pub const Z95: f64 = 1.959_963_984_540_054;

/// Probability that a standard normal value is at most `z`; absolute error below 1e-7 of the smaller tail.
///
/// Through the complementary error function as approximated by Press et al., *Numerical Recipes*, 2nd ed., 6.2.
pub fn cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// Probability of a value at least as far from zero as `z`.
pub fn two_sided(z: f64) -> f64 {
    (2.0 * cdf(-z.abs())).min(1.0)
}

fn erfc(x: f64) -> f64 {
    const C: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let z = x.abs();
    let t = 1.0 / (1.0 + 0.5 * z);
    let series = C.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let tail = t * (-z * z + series).exp();
    if x >= 0.0 { tail } else { 2.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        for (z, want) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746),
            (-1.0, 0.158_655_254),
            (Z95, 0.975),
            (-3.0, 0.001_349_898),
            (-6.0, 9.866e-10),
        ] {
            assert!((cdf(z) - want).abs() < 2e-7_f64.min(want * 1e-3), "{z}: {}", cdf(z));
        }
        assert!((two_sided(Z95) - 0.05).abs() < 1e-6);
        assert_eq!(two_sided(f64::INFINITY), 0.0);
    }
}
