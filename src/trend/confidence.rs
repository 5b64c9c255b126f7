//! How sure a statement about the future is, and the words it may use.

use serde::Serialize;

/// Points under which a course is at most "if the last hours continue".
const FOR_MEDIUM: usize = 8;
/// Points from which on one may expect.
const FOR_HIGH: usize = 12;

/// How sure a trend is. The order is from unsure to sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Too few points, or chance explains them.
    Insufficient,
    /// Five points or more, p < 0.05.
    Low,
    /// Eight points or more, p < 0.05.
    Medium,
    /// Twelve points or more, p < 0.01.
    High,
}

impl Confidence {
    /// By the number of points and the probability of chance.
    pub const fn of(points: usize, p: f64) -> Self {
        if points >= FOR_HIGH && p < 0.01 {
            Self::High
        } else if points >= FOR_MEDIUM && p < 0.05 {
            Self::Medium
        } else if points >= super::fit::LEAST && p < 0.05 {
            Self::Low
        } else {
            Self::Insufficient
        }
    }

    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Insufficient => "insufficient",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// How many times the observed span a statement may reach: three times, twice where p is not under 0.01.
    pub fn reach(p: f64) -> f64 {
        if p > 0.01 { 2.0 } else { 3.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_points_and_p() {
        use Confidence::{High, Insufficient, Low, Medium};
        for (n, p, want) in [
            (4, 0.0, Insufficient),
            (5, 0.017, Low),
            (5, 0.06, Insufficient),
            (8, 0.04, Medium),
            (12, 0.04, Medium),
            (12, 0.009, High),
            (11, 0.001, Medium),
        ] {
            assert_eq!(Confidence::of(n, p), want, "{n} {p}");
        }
        assert_eq!((Confidence::reach(0.02), Confidence::reach(0.01)), (2.0, 3.0));
    }
}
