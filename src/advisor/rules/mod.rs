//! The rules, one file each. To add one: its file, its module line, its line in the list.

use super::Rule;

mod wrap_prepared_xact;

/// Every rule, in the order of the documentation.
pub const RULES: &[&Rule] = &[
    // Wraparound
    &wrap_prepared_xact::RULE,
];
