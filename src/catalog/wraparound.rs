//! Ages at which PostgreSQL acts on transaction and multixact ids, by version.
//!
//! Source: `varsup.c` (`SetTransactionIdLimit`) and `multixact.c`, PostgreSQL 12 to 18.

/// Half of the circle of 32-bit ids.
const HALF: f64 = 2_147_483_647.0;

/// Ages at which something happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Warnings begin.
    pub warning: f64,
    /// New ids are refused.
    pub refusal: f64,
}

impl Limits {
    /// Of transaction ids in a major version.
    pub fn xid(major: u8) -> Self {
        if major >= 14 {
            Self { warning: HALF - 40e6, refusal: HALF - 3e6 }
        } else {
            Self { warning: HALF - 11e6, refusal: HALF - 1e6 }
        }
    }

    /// Of multixact ids in a major version.
    pub fn multixact(major: u8) -> Self {
        if major >= 14 {
            Self { warning: HALF - 40e6, refusal: HALF - 3e6 }
        } else {
            Self { warning: HALF - 10e6, refusal: HALF - 100.0 }
        }
    }
}
