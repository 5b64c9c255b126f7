//! Notes of a row, and why it has no delta where it has none.

use super::layout::Layout;
use crate::diff::{Class, DiffRow};

/// The row's notes, then for every missing or lowered delta its reason with the columns it holds for.
pub(super) fn reasons(row: DiffRow<'_>, layout: &Layout) -> Vec<String> {
    let mut out: Vec<String> = row.notes().map(str::to_owned).collect();
    if let Some(why) = row.verdict().withheld {
        out.push(format!("no delta: {why}"));
        return out;
    }
    if row.class() == Class::Gone {
        out.push("no delta: gone".to_owned());
        return out;
    }
    let why = |column: &usize| Some((row.delta(*column).1?, row.column(*column)));
    out.extend(grouped(layout.counters.iter().filter(|column| !is_impossible(row, **column)).filter_map(why)));
    out
}

/// Reasons with the columns they hold for, each reason once.
pub(super) fn grouped<'a>(reasons: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (why, name) in reasons {
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(name),
            None => groups.push((why, vec![name])),
        }
    }
    groups.into_iter().map(|(why, names)| format!("{}: {why}", names.join(", "))).collect()
}

/// A cell of `pg_stat_io` that is NULL because its operation cannot happen there: it is left out, not unknown.
pub(super) fn is_impossible(row: DiffRow<'_>, column: usize) -> bool {
    use crate::snapshot::Value;
    row.view().name == "pg_stat_io" && row.value_before(column) == Value::Null && row.value_after(column) == Value::Null
}
