//! The register of evidence: every number of the report has an entry that says where it was read.

use super::EvidenceEntry;
use crate::finding::Evidence;
use crate::unit::Quantity;
use std::collections::BTreeMap;

/// Entries in the order they were first cited.
#[derive(Debug, Default)]
pub(super) struct Register {
    entries: Vec<EvidenceEntry>,
    known: BTreeMap<String, usize>,
}

impl Register {
    /// Enters a value with its origin and gives its number, `E7`; the same value from the same place keeps its number.
    pub(super) fn enter(&mut self, label: &str, values: Vec<(String, Quantity)>, evidence: Evidence) -> String {
        let key = format!("{label}\u{0}{evidence:?}\u{0}{values:?}");
        let next = self.entries.len();
        let at = *self.known.entry(key).or_insert(next);
        if at == next {
            let id = format!("E{}", next + 1);
            self.entries.push(EvidenceEntry { id, label: label.to_owned(), values, evidence });
        }
        format!("E{}", at + 1)
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries, `E1` first.
    pub(super) fn into_entries(self) -> Vec<EvidenceEntry> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Unit;

    #[test]
    fn numbers_in_order_and_reuses() {
        let mut register = Register::default();
        let evidence = |view: &str| Evidence { view: view.to_owned(), ..Evidence::default() };
        let one = vec![("B".to_owned(), Quantity::int(1, Unit::Count))];
        assert_eq!(register.enter("a", one.clone(), evidence("v")), "E1");
        assert_eq!(register.enter("a", one.clone(), evidence("w")), "E2");
        assert_eq!(register.enter("a", one.clone(), evidence("v")), "E1");
        assert_eq!(register.enter("a", vec![], evidence("v")), "E3");
        assert_eq!(register.into_entries().len(), 3);
    }
}
