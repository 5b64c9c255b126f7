//! Which sources a report wants, what became of them, and what a missing one disables.

use super::absent::state_of;
use super::draft::Draft;
use super::{CoverageState, SECTIONS};
use crate::advisor::Need;
use std::collections::BTreeMap;

/// Checks up to which each is named in a line.
const FEW: usize = 3;

/// A view that sections or checks want.
#[derive(Debug)]
pub(super) struct Source {
    /// Its catalog name.
    pub(super) view: &'static str,
    /// What became of it.
    pub(super) state: CoverageState,
    /// Sections that show it.
    pub(super) sections: Vec<&'static str>,
    /// Checks that cannot run without it.
    pub(super) needed_by: Vec<&'static str>,
    /// Checks that are less sure without it.
    pub(super) wanted_by: Vec<&'static str>,
}

impl Source {
    /// What its absence costs: sections that show less, checks that cannot run or are less sure.
    pub(super) fn disables(&self) -> String {
        let mut parts = Vec::new();
        for (what, items) in [
            ("sections that show less", &self.sections),
            ("checks that cannot run", &self.needed_by),
            ("checks that are less sure", &self.wanted_by),
        ] {
            if !items.is_empty() {
                let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
                parts.push(format!("{what}: {}", items.join(", ")));
            }
        }
        crate::text::sentence(&parts.join("; "))
    }

    /// The same in a line: a few checks by their ids, more of them by their number.
    pub(super) fn in_short(&self) -> String {
        let mut parts = Vec::new();
        if !self.sections.is_empty() {
            let sections: Vec<String> = self.sections.iter().map(|title| quoted(title)).collect();
            let shows = if sections.len() == 1 { "shows" } else { "show" };
            parts.push(format!("{} {shows} less", sections.join(", ")));
        }
        for (checks, one, more) in
            [(&self.needed_by, "cannot run", "cannot run"), (&self.wanted_by, "is less sure", "are less sure")]
        {
            let ids: Vec<String> = checks.iter().map(|id| quoted(id)).collect();
            match ids.as_slice() {
                [] => {}
                [id] => parts.push(format!("{id} {one}")),
                few if few.len() <= FEW => parts.push(format!("{} {more}", few.join(", "))),
                many => parts.push(format!("{} {more}", crate::text::counted(many.len(), "check", "checks"))),
            }
        }
        parts.join("; ")
    }
}

/// A section's title has spaces and commas of its own; a check's id is code.
fn quoted(item: &str) -> String {
    if item.contains(|c: char| c.is_uppercase()) { format!("\u{201c}{item}\u{201d}") } else { format!("`{item}`") }
}

/// Every expected source by name, `meta` left out: it is provenance and told apart.
pub(super) fn sources(draft: &Draft<'_>) -> Vec<Source> {
    let mut found: BTreeMap<&'static str, Source> = BTreeMap::new();
    let mut of = |view: &'static str, add: &mut dyn FnMut(&mut Source)| {
        if view == "meta" {
            return;
        }
        add(found.entry(view).or_insert_with(|| Source {
            view,
            state: state_of(draft, view),
            sections: Vec::new(),
            needed_by: Vec::new(),
            wanted_by: Vec::new(),
        }));
    };
    for section in SECTIONS {
        for view in section.views {
            of(view, &mut |s| s.sections.push(section.title));
        }
    }
    for judged in &draft.advice.judged {
        for need in judged.rule.needs {
            if let Need::View(view, _) = need {
                of(view, &mut |s| {
                    if !s.needed_by.contains(&judged.rule.id) {
                        s.needed_by.push(judged.rule.id);
                    }
                });
            }
        }
        for want in judged.rule.wants {
            if let Need::View(view, _) = want {
                of(view, &mut |s| {
                    if !s.wanted_by.contains(&judged.rule.id) && !s.needed_by.contains(&judged.rule.id) {
                        s.wanted_by.push(judged.rule.id);
                    }
                });
            }
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_source_costs_a_line() {
        let source = |sections: &[&'static str], needed: &[&'static str], wanted: &[&'static str]| Source {
            view: "pg_stat_wal",
            state: CoverageState::Missing,
            sections: sections.to_vec(),
            needed_by: needed.to_vec(),
            wanted_by: wanted.to_vec(),
        };
        for (source, short) in [
            (source(&[], &["seq-exhaustion"], &[]), "`seq-exhaustion` cannot run"),
            (
                source(&["Locks"], &["a-b", "c-d"], &["e-f"]),
                "“Locks” shows less; `a-b`, `c-d` cannot run; `e-f` is less sure",
            ),
            (
                source(&["Tables", "Vacuum"], &["a", "b", "c", "d"], &["a", "b"]),
                "“Tables”, “Vacuum” show less; 4 checks cannot run; `a`, `b` are less sure",
            ),
            (source(&[], &[], &["a", "b", "c", "d", "e"]), "5 checks are less sure"),
        ] {
            assert_eq!(source.in_short(), short);
        }
    }
}
