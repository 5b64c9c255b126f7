//! Which sources a report wants, what became of them, and what a missing one disables.

use super::absent::state_of;
use super::draft::Draft;
use super::{CoverageState, SECTIONS};
use crate::advisor::Need;
use std::collections::BTreeMap;

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
