//! Which columns of which views are followed.

use super::Measure;
use crate::catalog::{self, Column, Kind, Type, View};
use crate::diff::is_subtracted;
use crate::error::{Error, Result};

/// Followed where nobody asks for anything else: what trends and forecasts are made of.
const DEFAULT: &[(&str, &[&str])] = &[
    (
        "pg_stat_user_tables",
        &["seq_scan", "seq_tup_read", "idx_scan", "n_tup_ins", "n_tup_upd", "n_tup_del", "n_live_tup", "n_dead_tup"],
    ),
    ("pg_stat_user_indexes", &["idx_scan"]),
    ("pg_sequences", &["last_value"]),
    ("pg_stat_database", &["numbackends", "xact_commit", "blks_read", "temp_bytes", "deadlocks"]),
    ("database_sizes", &["size", "datfrozenxid_age", "datminmxid_age"]),
    ("table_sizes", &["total_relation_size"]),
    ("pg_stat_statements", &["calls", "total_exec_time"]),
    ("pg_stat_wal", &["wal_bytes"]),
];

/// Of these views a report needs fewer columns than are followed otherwise.
const OF_A_REPORT: &[(&str, &[&str])] = &[
    ("pg_stat_user_tables", &["seq_scan", "idx_scan", "n_live_tup", "n_dead_tup"]),
    ("pg_stat_database", &["deadlocks"]),
];

/// A view and those of its columns that are followed.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The view.
    pub view: &'static View,
    /// Positions of its columns, each with what its points are.
    pub columns: Vec<(usize, Measure)>,
}

/// What the points of a column are; `None` for what is no number over time.
pub const fn measure(column: &Column) -> Option<Measure> {
    if column.kind.is_counter() {
        return Some(Measure::Rate);
    }
    let number = matches!(column.ty, Type::Int | Type::Numeric | Type::Float | Type::Lsn);
    if number && (column.kind.is_gauge() || matches!(column.kind, Kind::HighWater | Kind::Moment)) {
        return Some(Measure::Level);
    }
    None
}

/// Whether a view has rows that can be followed.
fn can_follow(view: &View) -> bool {
    is_subtracted(view) && view.columns.iter().any(|c| measure(c).is_some())
}

/// The columns to follow: those named, of the views named. Views alone: all their columns; columns alone: those of any
/// view; neither: the default.
///
/// # Errors
/// [`Error::Usage`] for a view or column that does not exist or is no number over time.
pub fn choose(views: &[String], columns: &[String]) -> Result<Vec<Followed>> {
    if views.is_empty() && columns.is_empty() {
        return Ok(default());
    }
    let named = views.iter().map(|name| view(name)).collect::<Result<Vec<_>>>()?;
    let candidates: Vec<&'static View> = if named.is_empty() {
        catalog::VIEWS.iter().copied().filter(|v| can_follow(v)).collect()
    } else {
        catalog::VIEWS.iter().copied().filter(|v| named.iter().any(|n| n.name == v.name)).collect()
    };
    for name in columns {
        if !candidates.iter().any(|v| v.column(name).is_some_and(|(_, c)| measure(c).is_some())) {
            return Err(no_column(name, &candidates));
        }
    }
    let of = |view: &'static View| {
        let wanted = |c: &Column| columns.is_empty() || columns.iter().any(|name| name == c.name);
        let columns: Vec<(usize, Measure)> = view
            .columns
            .iter()
            .enumerate()
            .filter(|(_, c)| wanted(c))
            .filter_map(|(i, c)| Some((i, measure(c)?)))
            .collect();
        (!columns.is_empty()).then_some(Followed { view, columns })
    };
    Ok(candidates.into_iter().filter_map(of).collect())
}

/// The columns that a report of a history is made of.
pub fn for_report() -> Vec<Followed> {
    let mut out = default();
    for followed in &mut out {
        if let Some((_, columns)) = OF_A_REPORT.iter().find(|(name, _)| *name == followed.view.name) {
            followed.columns.retain(|(c, _)| followed.view.columns.get(*c).is_some_and(|c| columns.contains(&c.name)));
        }
    }
    out
}

fn default() -> Vec<Followed> {
    let of = |(name, columns): &(&str, &[&str])| {
        let view = catalog::view(name)?;
        let columns =
            columns.iter().filter_map(|c| view.column(c)).filter_map(|(i, c)| Some((i, measure(c)?))).collect();
        Some(Followed { view, columns })
    };
    DEFAULT.iter().filter_map(of).collect()
}

fn view(name: &str) -> Result<&'static View> {
    catalog::view(name).filter(|v| can_follow(v)).ok_or_else(|| {
        let names: Vec<&str> = catalog::VIEWS.iter().filter(|v| can_follow(v)).map(|v| v.name).collect();
        Error::usage(
            format!("follow `{name}`: not a view with numbers over time"),
            format!("one of {}", names.join(", ")),
        )
    })
}

fn no_column(name: &str, candidates: &[&'static View]) -> Error {
    let hint = match candidates {
        [only] => {
            let names: Vec<&str> = only.columns.iter().filter(|c| measure(c).is_some()).map(|c| c.name).collect();
            format!("`{}` has {}", only.name, names.join(", "))
        }
        _ => "`pgretro catalog` lists the columns of every view".to_owned(),
    };
    Error::usage(format!("follow the column `{name}`: no number of that name"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(views: &[&str], columns: &[&str]) -> Vec<String> {
        let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let chosen = choose(&own(views), &own(columns)).unwrap_or_default();
        chosen
            .iter()
            .map(|f| {
                let names: Vec<&str> = f.columns.iter().map(|(c, _)| f.view.columns[*c].name).collect();
                format!("{}: {}", f.view.name, names.join(" "))
            })
            .collect()
    }

    #[test]
    fn views_columns_or_both() {
        assert_eq!(
            shown(&["pg_stat_all_tables"], &["n_dead_tup", "seq_scan"]),
            ["pg_stat_user_tables: seq_scan n_dead_tup"]
        );
        assert_eq!(shown(&[], &["last_value"]), ["pg_sequences: last_value"]);
        assert_eq!(shown(&["pg_stat_wal"], &[]).len(), 1);
        assert_eq!(shown(&[], &[]).len(), DEFAULT.len());
    }

    #[test]
    fn every_default_exists() {
        for (name, columns) in DEFAULT {
            let view = catalog::view(name).unwrap();
            for column in *columns {
                assert!(view.column(column).is_some_and(|(_, c)| measure(c).is_some()), "{name}.{column}");
            }
        }
    }

    #[test]
    fn says_what_there_is() {
        let own = |s: &str| vec![s.to_owned()];
        for (views, columns, want) in [
            (own("pg_stat_nothing"), vec![], "one of pg_stat_user_tables"),
            (own("pg_sequences"), own("nonsense"), "`pg_sequences` has last_value"),
            (own("pg_stat_activity"), vec![], "one of"),
        ] {
            let error = choose(&views, &columns).unwrap_err();
            assert!(error.hint().unwrap_or_default().contains(want), "{error}");
        }
    }
}
