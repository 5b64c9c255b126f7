//! Point samples over several snapshots: in how many of how many something held, and whether it still did at the end.

use crate::finding::Doubt;
use crate::text::Text;

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
        let last = if self.in_last { "also in the last one" } else { "not in the last one" };
        match (self.of, self.seen.len()) {
            (1, _) => Text::new().t("in the only snapshot that could show it"),
            (of, seen) if of == seen => Text::new().t(format!("in all {of} snapshots")),
            (of, seen) => Text::new().t(format!("in {seen} of {of} snapshots, {last}")),
        }
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
