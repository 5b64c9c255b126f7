//! The numbers that a finding rests on, and where each comes from.

use crate::unit::Quantity;
use serde::{Deserialize, Serialize};

/// Which snapshot a value was read from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Locator {
    /// Label of the snapshot: `A`, `B`, or its number in a history.
    pub snapshot: String,
    /// File it was read from.
    pub file: String,
    /// Place in the file: `line 17`, `/pg_stat_user_tables/3`.
    pub place: String,
}

/// A number's origin: view, column, object and the places in the user's files; and the formula where it was computed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evidence {
    /// View it was read from.
    pub view: String,
    /// Column or columns.
    pub columns: Vec<String>,
    /// The object's row, as people read it; empty for single-row views.
    pub object: String,
    /// Where exactly, per snapshot.
    pub locators: Vec<Locator>,
    /// How the value was computed, with the numbers put in: `(7,915 − 5,552) ÷ 342`.
    pub formula: Option<String>,
}

/// One line of a finding's evidence table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measure {
    /// What is measured.
    pub label: String,
    /// Its value in the first snapshot, where it has one.
    pub before: Option<Quantity>,
    /// Its value in the last snapshot, where it has one.
    pub after: Option<Quantity>,
    /// Its value over the window: a delta, a rate, a share.
    pub window: Option<Quantity>,
    /// Whether the value over the window is a lower bound: the counter started again, or a part of it is not known.
    #[serde(default)]
    pub at_least: bool,
    /// Where it comes from.
    pub evidence: Evidence,
}

impl Measure {
    /// A value over the window.
    pub fn of_window(label: impl Into<String>, value: Option<Quantity>, evidence: Evidence) -> Self {
        Self { label: label.into(), before: None, after: None, window: value, at_least: false, evidence }
    }

    /// The same as a lower bound, where what it was counted from is not all.
    #[must_use]
    pub const fn bounded(mut self, exact: bool) -> Self {
        self.at_least = !exact;
        self
    }

    /// Whether it has a number as people read it: as a value, or in its formula.
    pub fn says(&self, number: Quantity) -> bool {
        self.has(number) || self.evidence.formula.as_deref().is_some_and(|formula| stands_in(formula, &number.human()))
    }

    /// Whether it has a number as a value.
    pub(super) fn has(&self, number: Quantity) -> bool {
        [self.before, self.after, self.window].into_iter().flatten().any(|v| reads_as(v, number))
    }

    /// Whether a number is its lower bound over the window.
    pub(super) fn bounds(&self, number: Quantity) -> bool {
        self.at_least && self.window.is_some_and(|w| reads_as(w, number))
    }
}

/// Whether two numbers are one to their reader.
fn reads_as(value: Quantity, number: Quantity) -> bool {
    let shown = number.human();
    // Where the unit is printed, it need not be the same: 300,000 ms are 5 minutes.
    (value.unit == number.unit || shown.contains(char::is_alphabetic)) && value.human() == shown
}

/// Whether a formula has a number that is not a part of a longer one.
fn stands_in(formula: &str, number: &str) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | ','));
    formula.match_indices(number).any(|(at, _)| {
        let before = formula.get(..at).and_then(|s| s.chars().next_back());
        let mut after = formula.get(at + number.len()..).unwrap_or_default().chars();
        // A full stop or a comma after it may end the number, or go on with it.
        let after = match (after.next(), after.next()) {
            (Some('.' | ','), second) => second,
            (first, _) => first,
        };
        !goes_on(before) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Unit;

    #[test]
    fn a_measure_says_its_values_and_the_numbers_of_its_formula() {
        let evidence = Evidence { formula: Some("1,663 ÷ 72.3, of 1.5 MB".to_owned()), ..Evidence::default() };
        let measure = Measure::of_window("Mean", Some(Quantity::int(23, Unit::Rows)), evidence);
        for (number, said) in [
            (Quantity::int(23, Unit::Rows), true),
            (Quantity::int(23, Unit::Blocks), false),
            (Quantity::count(1663), true),
            (Quantity::count(663), false),
            (Quantity::count(1), false),
            (Quantity::count(72), false),
            (Quantity::count(3), false),
            (Quantity::int(1_572_864, Unit::Bytes), true),
        ] {
            assert_eq!(measure.says(number), said, "{}", number.human());
        }
    }
}
