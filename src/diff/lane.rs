//! One counter of many rows: what its rows share is looked up once.

use super::{Class, RowDiff, Verdict, ViewDiff};
use crate::catalog::Type;
use crate::snapshot::{Data, Ints, Near};

/// A counter of whole numbers, before and after. What it says is what [`super::DiffRow::delta`] says, sooner where rows
/// are asked for in their order.
#[derive(Clone, Debug)]
pub struct Lane<'a> {
    before: Near<'a>,
    after: Near<'a>,
}

impl<'a> Lane<'a> {
    /// The lane of a column by its position in the view; `None` where a side lacks it or it holds anything else than
    /// plain whole numbers, or some deltas of the view do not follow from the verdicts alone.
    pub fn of(diff: &'a ViewDiff, column: usize) -> Option<Self> {
        let side =
            |table: &'a Option<std::sync::Arc<crate::snapshot::Table>>| match table.as_ref()?.columns.get(column)? {
                Some(Data::Int(ints)) => Some(ints.near()),
                _ => None,
            };
        let plain = diff.view.columns.get(column)?.ty == Type::Int;
        let overridden = diff.overrides.keys().any(|(_, c)| usize::from(*c) == column)
            || diff.untrusted.iter().any(|(c, _)| *c == column);
        (plain && !overridden).then_some(Self { before: side(&diff.before)?, after: side(&diff.after)? })
    }

    /// The numbers of a row before and after; [`Ints::NULL`] where there is none.
    #[inline]
    pub fn cells(&mut self, row: RowDiff) -> (i64, i64) {
        let side = |ints: &mut Near<'_>, at: u32| if at == RowDiff::NONE { Ints::NULL } else { ints.get(at as usize) };
        (side(&mut self.before, row.before), side(&mut self.after, row.after))
    }

    /// The delta where it is simply the difference; `None` where [`super::DiffRow::delta`] has to say what it is.
    #[inline]
    pub fn difference(verdict: &Verdict, (before, after): (i64, i64)) -> Option<u64> {
        let simple = matches!(verdict.class, Class::Ok | Class::OkUnsure) && verdict.withheld.is_none();
        let known = before != Ints::NULL && after != Ints::NULL && before <= after;
        (simple && known).then(|| after.wrapping_sub(before) as u64)
    }

    /// The change of a gauge, as [`super::DiffRow::change`] says it.
    #[inline]
    pub fn change((before, after): (i64, i64)) -> Option<i64> {
        (before != Ints::NULL && after != Ints::NULL).then(|| after.checked_sub(before)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{Exact, Options, diff};
    use crate::snapshot::literal::literal;
    use proptest::prelude::*;

    type Pair = (Option<i64>, Option<i64>);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn says_what_the_row_says(
            cells in prop::collection::vec((prop::option::of(0_i64..5), prop::option::of(0_i64..5)), 1..8),
        ) {
            let side = |at: &str, pick: fn(&Pair) -> Option<i64>| {
                let number = |pair| pick(pair).map_or_else(String::new, |n| n.to_string());
                let row = |(i, pair)| format!("{} | app | t{i} | {}", 100 + i, number(pair));
                let rows: Vec<String> = cells.iter().enumerate().map(row).collect();
                let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
                literal(at).view("pg_stat_user_tables", "relid | schemaname | relname | seq_scan", &rows).build()
            };
            let (before, after) = (side("2026-11-22 12:00:00+00", |p| p.0), side("2026-11-22 13:00:00+00", |p| p.1));
            let diff = diff(before, after, &Options::default()).unwrap();
            let view = &diff.views["pg_stat_user_tables"];
            let (column, _) = view.view.column("seq_scan").unwrap();
            let mut lane = Lane::of(view, column).unwrap();
            for row in view.iter() {
                let cells = lane.cells(view.rows[row.index()]);
                if let Some(n) = Lane::difference(row.verdict(), cells) {
                    prop_assert_eq!(row.delta(column), (Some(Exact::Int(i128::from(n))), None));
                }
                prop_assert_eq!(row.change(column), Lane::change(cells).map(|n| Exact::Int(i128::from(n))));
            }
        }
    }
}
