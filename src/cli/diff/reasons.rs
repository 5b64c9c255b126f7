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
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for &column in &layout.counters {
        let (delta, why) = row.delta(column);
        let (why, name) = match (delta, why) {
            (_, Some(why)) => (why, row.column(column)),
            _ => continue,
        };
        if is_impossible(row, column) {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(name),
            None => groups.push((why, vec![name])),
        }
    }
    out.extend(groups.into_iter().map(|(why, names)| format!("{}: {why}", names.join(", "))));
    out
}

/// A cell of `pg_stat_io` that is NULL because its operation cannot happen there: it is left out, not unknown.
pub(super) fn is_impossible(row: DiffRow<'_>, column: usize) -> bool {
    use crate::snapshot::Value;
    row.view().name == "pg_stat_io" && row.value_before(column) == Value::Null && row.value_after(column) == Value::Null
}
