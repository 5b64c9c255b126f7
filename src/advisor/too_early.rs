//! One note for everything whose counters are too young for a verdict.

use super::Context;
use crate::finding::{Finding, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// What is too young, in words.
#[derive(Debug)]
pub(super) struct Young<'w> {
    /// One of them, and several.
    pub(super) nouns: (&'w str, &'w str),
    /// What they did not do: `not scanned`.
    pub(super) idle: &'w str,
    /// The label of their number in the evidence.
    pub(super) label: &'w str,
    /// How they were counted.
    pub(super) formula: String,
}

/// The note; `oldest` is the age of their oldest counters, where any is known.
pub(super) fn too_early<'a>(
    cx: &Context<'a>,
    young: Young<'_>,
    members: Vec<Subject>,
    oldest: Option<f64>,
    rows: &[(Row<'a>, &[&str])],
) -> Option<Finding> {
    if members.is_empty() {
        return None;
    }
    let name = cx.chain.last().meta.database.clone().unwrap_or_else(|| "this database".to_owned());
    let age = oldest.and_then(|a| Quantity::float(a, Unit::Seconds));
    let count = Quantity::count(members.len());
    let formula = match age {
        Some(age) => format!("{}, the oldest {}", young.formula, age.human()),
        None => young.formula,
    };
    let title = Text::new()
        .many(count, young.nouns.0, young.nouns.1)
        .t(format!(" {} in ", young.idle))
        .then(age.map_or_else(|| Text::from("an unknown time"), |age| Text::new().n(age)))
        .t(", too early to judge");
    Some(
        cx.finding(Severity::Info, Subject::new(SubjectKind::Database, name), title)
            .members(members)
            .why("Weekly and monthly jobs have not had their turn yet; a verdict needs counters that are older.")
            .measure(cx.computed(young.label, Some(count), formula, rows))
            .verify("A snapshot taken when the counters are old enough names those that are still so."),
    )
}
