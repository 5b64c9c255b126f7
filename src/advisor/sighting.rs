//! Point samples over several snapshots: in how many of how many something held, and whether it still did at the end.

use super::Context;
use crate::finding::{Doubt, Measure};
use crate::text::Text;
use crate::unit::Quantity;

/// In how many of the snapshots that could show it something was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// Positions of the snapshots in which it held, ascending.
    pub seen: Vec<usize>,
    /// How many snapshots could have shown it.
    pub of: usize,
    /// Whether the last of those showed it.
    pub in_last: bool,
}

impl Sighting {
    /// From the snapshots in which it held and all snapshots that could have shown it.
    pub fn new(seen: impl IntoIterator<Item = usize>, looked_at: &[usize]) -> Self {
        let mut seen: Vec<_> = seen.into_iter().filter(|s| looked_at.contains(s)).collect();
        seen.sort_unstable();
        seen.dedup();
        let in_last = looked_at.iter().max().is_some_and(|last| seen.contains(last));
        Self { seen, of: looked_at.len(), in_last }
    }

    /// Fewer than three samples that agree are a reason for doubt.
    pub fn doubt(&self) -> Option<Doubt> {
        (self.seen.len() < 3).then_some(Doubt::C6)
    }

    /// "in 3 of 21 snapshots, not in the last one".
    pub fn text(&self) -> Text {
        let last = if self.in_last { " snapshots, also in the last one" } else { " snapshots, not in the last one" };
        let (of, seen) = (Quantity::count(self.of), Quantity::count(self.seen.len()));
        match self.of {
            1 => Text::from("in the only snapshot that could show it"),
            _ if of == seen => Text::new().t("in all ").n(of).t(" snapshots"),
            _ => Text::new().t("in ").n(seen).t(" of ").n(of).t(last),
        }
    }
}

impl Context<'_> {
    /// How often something was seen, as a line of evidence: the view in each snapshot that showed it. `None` where only
    /// one could.
    pub fn sighted(&self, sighting: &Sighting, view: &str) -> Option<Measure> {
        if sighting.of < 2 {
            return None;
        }
        let labels: Vec<String> = sighting.seen.iter().map(|at| self.label(*at)).collect();
        let formula = format!("{} of {} snapshots that could show it", labels.join(", "), sighting.of);
        let evidence = self.all_rows_in(&sighting.seen, &[view], &[], formula);
        let seen = Some(Quantity::count(sighting.seen.len()));
        Some(Measure::of_window("Snapshots that show it", seen, evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_often_and_whether_at_the_end() {
        for (seen, looked_at, words, doubt) in [
            (vec![0], vec![0], "in the only snapshot that could show it", true),
            (vec![0, 1, 1], vec![0, 1], "in all 2 snapshots", true),
            (vec![0, 2, 4], vec![0, 1, 2, 4, 5], "in 3 of 5 snapshots, not in the last one", false),
            (vec![5], vec![0, 1, 5], "in 1 of 3 snapshots, also in the last one", true),
        ] {
            let sighting = Sighting::new(seen, &looked_at);
            assert_eq!(sighting.text().plain(), words);
            assert_eq!(sighting.doubt().is_some(), doubt, "{words}");
        }
    }
}
