//! What was counted since a setting has the value it has: what was counted under another one says nothing of it.

use super::Context;
use crate::diff::{Chain, Change, DiffRow, Exact};
use crate::snapshot::Snapshot;

/// The first window that began with the value a setting has in the last snapshot; `None` where it was the same in all.
pub fn set_anew(chain: &Chain, name: &str) -> Option<usize> {
    let of = |s: &Snapshot| {
        s.table("pg_settings")?.iter().find(|r| r.text("name") == Some(name))?.text("setting").map(str::to_owned)
    };
    let seen: Vec<(usize, String)> =
        chain.snapshots.iter().enumerate().filter_map(|(at, s)| Some((at, of(s)?))).collect();
    let (_, now) = seen.last()?;
    let other = seen.iter().rposition(|(_, value)| value != now)?;
    seen.get(other + 1).map(|(at, _)| *at)
}

/// An object's rows in the windows from one on.
pub fn rows_from<'a>(ctx: &Context<'a>, change: Change<'a>, first: usize) -> Vec<DiffRow<'a>> {
    ctx.windows_of(change).into_iter().skip(first).flatten().collect()
}

/// Sum of a counter's changes over some windows.
pub fn risen(rows: &[DiffRow<'_>], column: &str) -> f64 {
    rows.iter().filter_map(|row| row.delta_of(column)).map(Exact::as_f64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::chain;
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_the_window_that_began_with_the_last_value() {
        for (values, want) in [
            (&["4096", "4096", "4096"][..], None),
            (&["4096", "16384", "16384"], Some(1)),
            (&["4096", "16384", "4096"], Some(2)),
            (&["16384"], None),
        ] {
            let taken: Vec<_> = values
                .iter()
                .enumerate()
                .map(|(hour, value)| {
                    let row = format!("work_mem | {value} | kB");
                    literal(&format!("2026-11-22 1{hour}:00:00+00"))
                        .view("pg_settings", "name | setting | unit", &[&row])
                        .build()
                })
                .collect();
            assert_eq!(set_anew(&chain(&taken), "work_mem"), want, "{values:?}");
        }
    }
}
