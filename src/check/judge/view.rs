//! Whether a view was exported.

use super::{Node, Verdict};
use crate::advisor;
use crate::catalog::{Shape, View};
use crate::unit::{Quantity, Unit};

/// A view of counters has to be in the last snapshot, a state or a sample in any.
pub(super) fn judge(node: &Node<'_>, view: &'static View, expected: String) -> Verdict {
    let last = node.chain.last();
    let (table, at) = match view.shape {
        Shape::Counters => (last.table(view.name).map(AsRef::as_ref), node.chain.snapshots.len() - 1),
        Shape::Sample | Shape::State => match advisor::state(node.chain, view.name) {
            Some(state) => (Some(state.table), state.snapshot),
            None => (None, 0),
        },
    };
    if let Some(table) = table {
        let rows = Quantity::int(i64::try_from(table.rows).unwrap_or(i64::MAX), Unit::Rows).human();
        let noun = if table.rows == 1 { "row" } else { "rows" };
        let earlier = at + 1 < node.chain.snapshots.len();
        let when = if earlier { format!(", in snapshot {}", advisor::label(node.chain, at)) } else { String::new() };
        return Verdict::met(expected, true, format!("{rows} {noun}{when}"))
            .read_from(node.cite(&table.iter().take(1).collect::<Vec<_>>(), &[]));
    }
    match last.meta.major() {
        Some(major) if !view.majors.contains(major) => {
            Verdict::unknown(expected, format!("PostgreSQL {major} does not have it"))
        }
        _ => Verdict::met(expected, false, "not in the dump"),
    }
}

#[cfg(test)]
mod tests {
    use crate::check::judge::testing::{node, said};
    use crate::snapshot::literal::literal;

    #[test]
    fn there_missing_or_not_of_this_version() {
        let b = literal("2026-11-22 12:00:00+00")
            .version(15)
            .view("pg_stat_database", "datid | datname", &["5 | shop"])
            .build();
        let node = node(&[b]);
        for (name, want) in [
            ("pg_stat_database", "pass: 1 row"),
            ("pg_stat_bgwriter", "fail: not in the dump"),
            ("pg_stat_io", "not assessable: PostgreSQL 15 does not have it"),
        ] {
            assert_eq!(said(&node, &format!("[[view]]\nname = '{name}'")), want);
        }
    }
}
