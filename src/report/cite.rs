//! Evidence of tables, charts and sentences of sections: entered in the register, and linked to.

use super::draft::Draft;
use crate::advisor;
use crate::catalog;
use crate::finding::{Evidence, Locator};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

impl<'a> Draft<'a> {
    /// Enters where a table of the report comes from and gives a link to it.
    pub(super) fn cite(&mut self, label: &str, views: &[&str], columns: &[&str], formula: Option<&str>) -> Text {
        let evidence = self.evidence(views, columns, formula, |at, view| self.is_end(at, view));
        self.enter(label, Vec::new(), evidence)
    }

    /// Whether a snapshot is the first, the last, or the newest with a view that the last does not have.
    pub(super) fn is_end(&self, at: usize, view: &str) -> bool {
        at == 0 || at + 1 == self.chain.snapshots.len() || self.state(view).is_some_and(|s| s.snapshot == at)
    }

    /// The same for what was read from some of the snapshots, by their positions.
    pub(super) fn cite_at(&mut self, label: &str, views: &[&str], columns: &[&str], at: &[usize]) -> Text {
        let evidence = self.evidence(views, columns, None, |of, _| at.contains(&of));
        self.enter(label, Vec::new(), evidence)
    }

    /// Where views stand, whole, in those of the snapshots that are wanted.
    pub(super) fn evidence(
        &self,
        views: &[&str],
        columns: &[&str],
        formula: Option<&str>,
        wanted: impl Fn(usize, &str) -> bool,
    ) -> Evidence {
        let mut locators = Vec::new();
        for view in views {
            let snapshots = (0..self.chain.snapshots.len()).filter(|at| wanted(*at, view));
            locators.extend(snapshots.flat_map(|at| advisor::rows_of(self.chain, at, view)));
        }
        let mut columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
        Evidence {
            view: catalog::as_exported(&views.join(", "), &mut columns, self.major()),
            columns,
            object: String::new(),
            locators: each_once(locators),
            formula: formula.map(str::to_owned),
        }
    }

    fn enter(&mut self, label: &str, values: Vec<(String, Quantity)>, evidence: Evidence) -> Text {
        let id = self.register.enter(label, values, evidence);
        Text::new().link(id.to_lowercase(), id)
    }

    /// Enters what was read from rows, a number where it is one, and gives a link to it.
    pub(super) fn cite_value(
        &mut self,
        label: &str,
        value: impl Into<Option<Quantity>>,
        rows: &[Row<'a>],
        columns: &[&str],
        formula: Option<String>,
    ) -> Text {
        let mut views: Vec<String> = rows.iter().map(|r| r.table().name.clone()).collect();
        views.dedup();
        let mut columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
        let evidence = Evidence {
            view: catalog::as_exported(&views.join(", "), &mut columns, self.major()),
            columns,
            object: String::new(),
            locators: each_once(rows.iter().filter_map(|r| self.locate(*r)).collect()),
            formula,
        };
        let values = value.into().map(|value| (self.value_label().to_owned(), value));
        self.enter(label, values.into_iter().collect(), evidence)
    }

    /// Enters a number computed from what the first and the last snapshot's `meta` say.
    pub(super) fn cite_meta(&mut self, label: &str, value: Quantity, column: &str, formula: String) -> Text {
        let ends = [(0, self.chain.first()), (self.chain.snapshots.len() - 1, self.chain.last())];
        let mut locators = Vec::new();
        for (at, snapshot) in ends {
            let file = snapshot.meta.files.iter().find(|f| f.views.iter().any(|v| v == "meta"));
            locators.extend(file.map(|f| Locator {
                snapshot: advisor::label(self.chain, at),
                file: f.path.clone(),
                place: column.to_owned(),
            }));
        }
        let evidence = Evidence {
            view: "meta".to_owned(),
            columns: vec![column.to_owned()],
            object: String::new(),
            locators: each_once(locators),
            formula: Some(formula),
        };
        self.enter(label, vec![(self.value_label().to_owned(), value)], evidence)
    }

    /// Enters the arithmetic of the overall score.
    pub(super) fn cite_score(&mut self) {
        let score = &self.advice.score;
        let Some(overall) = score.overall.and_then(|s| Quantity::float(s, Unit::Count)) else { return };
        let evidence = Evidence { formula: Some(score.formula.clone()), ..Evidence::default() };
        let id = self.register.enter("Overall score", vec![("0 to 10".to_owned(), overall)], evidence);
        self.score_evidence = Some(id);
    }

    fn value_label(&self) -> &'static str {
        if self.single() { "A" } else { "window" }
    }

    /// Where a row stands in the user's files.
    pub(super) fn locate(&self, row: Row<'_>) -> Option<Locator> {
        let view = row.table().name.as_str();
        let at = self
            .chain
            .snapshots
            .iter()
            .rposition(|s| s.table(view).is_some_and(|t| std::ptr::eq(t.as_ref(), row.table())))?;
        let (file, place) = row.place()?;
        Some(Locator { snapshot: advisor::label(self.chain, at), file: file.to_owned(), place })
    }
}

/// One file may hold several views, and the only snapshot is the first and the last.
fn each_once(locators: Vec<Locator>) -> Vec<Locator> {
    let mut out: Vec<Locator> = Vec::new();
    for locator in locators {
        if !out.contains(&locator) {
            out.push(locator);
        }
    }
    out
}
