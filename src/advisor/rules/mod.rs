//! The rules, one file each.

use super::Rule;

/// Every rule, in the order of the documentation.
pub const RULES: &[&Rule] = &[];
