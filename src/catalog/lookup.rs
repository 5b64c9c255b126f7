//! From what a file says to what the catalog knows: names of any version, layouts, versions told by columns.

use super::{Column, Origin, VIEWS, View};
use crate::version::{Majors, NEWEST, OLDEST};
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

/// Columns that exports add beside a view to say when it was read; they tell nothing about which view it is.
const CLOCKS: &[&str] = &["captured_at", "clock_timestamp", "now", "snapshot_time", "snap_time", "collected_at"];

/// The views that a column exported as `name` by `view` belongs to, each with the column's position there.
///
/// Any version's spelling counts, in any case. Mostly one place; `stats_reset` of a `pg_stat_bgwriter` that still
/// holds the checkpoint counters (up to 16) is that of `pg_stat_checkpointer`, too, and comes out with both.
pub fn feeds(view: &View, name: &str) -> Vec<(&'static View, usize)> {
    let mut places = Vec::new();
    for &(candidate, at) in called(name) {
        if let Some(column) = candidate.columns.get(at) {
            let here = candidate.name == view.name
                && (column.name.eq_ignore_ascii_case(name)
                    || column.moved.iter().any(|m| m.view.is_none() && m.name.eq_ignore_ascii_case(name)));
            let from_there =
                column.moved.iter().any(|m| m.view == Some(view.name) && m.name.eq_ignore_ascii_case(name));
            if here {
                places.insert(0, (candidate, at));
            } else if from_there {
                places.push((candidate, at));
            }
        }
    }
    places
}

/// The columns that are, or once were, called so in any view, in the catalog's order.
fn called(name: &str) -> &'static [(&'static View, usize)] {
    type Places = Vec<(&'static View, usize)>;
    static NAMES: LazyLock<HashMap<String, Places, FixedState>> = LazyLock::new(|| {
        let mut names: HashMap<String, Places, FixedState> = HashMap::default();
        for view in VIEWS.iter().copied() {
            for (at, column) in view.columns.iter().enumerate() {
                for name in std::iter::once(column.name).chain(column.moved.iter().map(|m| m.name)) {
                    let places = names.entry(name.to_ascii_lowercase()).or_default();
                    if places.last().is_none_or(|last| (last.0.name, last.1) != (view.name, at)) {
                        places.push((view, at));
                    }
                }
            }
        }
        names
    });
    NAMES.get(&name.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
}

/// The view and position of the column that `view` exported as `name` in any version, in any case.
pub fn resolve(view: &View, name: &str) -> Option<(&'static View, usize)> {
    feeds(view, name).into_iter().next()
}

/// A column as one version exports it.
#[derive(Clone, Copy, Debug)]
pub struct Exported {
    /// Its name in that version.
    pub name: &'static str,
    /// The view it belongs to in the catalog; another one where later versions moved it.
    pub view: &'static View,
    /// Its description there.
    pub column: &'static Column,
}

/// Columns that older versions had elsewhere in the row: view, last such major, column, the column before it.
const REORDERED: &[(&str, u8, &str, &str)] =
    &[("pg_database", 14, "datcollate", "encoding"), ("pg_database", 14, "datctype", "datcollate")];

/// The columns that `view` exports in `major`, with the spelling of that version and in its order, those included that
/// later versions moved to another view.
pub fn exported(view: &View, major: u8) -> Vec<Exported> {
    let in_force = |owner: &'static View| {
        owner.columns.iter().filter(move |c| c.majors.contains(major)).filter_map(move |column| {
            let (place, name) = column.exported_as(major);
            (place.unwrap_or(owner.name) == view.name).then_some(Exported { name, view: owner, column })
        })
    };
    let own: Vec<Exported> = VIEWS.iter().copied().filter(|v| v.name == view.name).flat_map(in_force).collect();
    // What left a view stood at its front. `stats_reset` of an old pg_stat_bgwriter is one column with two meanings.
    let mut columns: Vec<Exported> = VIEWS.iter().copied().filter(|v| v.name != view.name).flat_map(in_force).collect();
    columns.retain(|moved| !own.iter().any(|o| o.name == moved.name));
    columns.extend(own);
    for (_, _, name, before) in REORDERED.iter().filter(|(of, until, ..)| *of == view.name && major <= *until) {
        let Some(from) = columns.iter().position(|c| c.name == *name) else { continue };
        let column = columns.remove(from);
        let to = columns.iter().position(|c| c.name == *before).map_or(from, |at| at + 1);
        columns.insert(to, column);
    }
    columns
}

/// The majors whose `view` has all these columns; columns the catalog does not know are ignored.
///
/// Where the columns are exactly a version's complete export, only versions with that export remain; a selection of
/// columns tells less. `None` where no version has them all. For `pg_stat_statements` the answer is about the version
/// that ships the extension's layout, and an upgraded server may still show an older one.
pub fn majors_with(view: &View, columns: &[&str]) -> Option<Majors> {
    let known: Vec<&str> = columns.iter().copied().filter(|c| !is_clock(c) && resolve(view, c).is_some()).collect();
    let candidates: Vec<(u8, usize)> = (OLDEST..=NEWEST)
        .filter(|major| view.majors.contains(*major))
        .filter_map(|major| {
            let exported = exported(view, major);
            let holds = |name: &&str| exported.iter().any(|e| e.name.eq_ignore_ascii_case(name));
            known.iter().all(holds).then_some((major, exported.len()))
        })
        .collect();
    let complete: Vec<u8> = candidates.iter().filter(|(_, n)| *n == known.len()).map(|(m, _)| *m).collect();
    let majors = if complete.is_empty() { candidates.iter().map(|(m, _)| *m).collect() } else { complete };
    let (first, last) = (*majors.first()?, *majors.last()?);
    Some(Majors { since: first, until: (last < NEWEST).then_some(last) })
}

/// The version of the extension whose `pg_stat_statements` has these columns: `1.10`. `None` where none of them tells.
pub fn pgss_layout(columns: &[&str]) -> Option<&'static str> {
    const MARKS: &[(&str, &[&str])] = &[
        ("1.12", &["wal_buffers_full", "parallel_workers_to_launch", "parallel_workers_launched"]),
        (
            "1.11",
            &["shared_blk_read_time", "local_blk_read_time", "stats_since", "minmax_stats_since", "jit_deform_count"],
        ),
        ("1.10", &["jit_functions", "temp_blk_read_time", "temp_blk_write_time", "jit_generation_time"]),
        ("1.9", &["toplevel"]),
        ("1.8", &["total_exec_time", "mean_exec_time", "plans", "total_plan_time", "wal_records", "wal_bytes"]),
        ("1.7", &["total_time", "mean_time", "max_time"]),
    ];
    let has = |name: &str| columns.iter().any(|c| c.eq_ignore_ascii_case(name));
    MARKS.iter().find(|(_, marks)| marks.iter().any(|m| has(m))).map(|(version, _)| *version)
}

/// The present name of a `pg_stat_slru` cache: 17 renamed them all (`CommitTs` is `commit_timestamp`).
pub fn canonical_slru(name: &str) -> &str {
    match name {
        "CommitTs" => "commit_timestamp",
        "MultiXactMember" => "multixact_member",
        "MultiXactOffset" => "multixact_offset",
        "Notify" => "notify",
        "Serial" => "serializable",
        "Subtrans" => "subtransaction",
        "Xact" => "transaction",
        other => other,
    }
}

/// Every complete export of every view: its column names in small letters, clocks left out.
static EXPORTS: LazyLock<Vec<(&'static View, Vec<String>)>> = LazyLock::new(|| {
    let mut exports: Vec<(&'static View, Vec<String>)> = Vec::new();
    for view in VIEWS.iter().copied() {
        for major in (OLDEST..=NEWEST).filter(|m| view.majors.contains(*m)) {
            let names = exported(view, major).into_iter().map(|e| e.name.to_ascii_lowercase()).filter(|n| !is_clock(n));
            exports.push((view, names.collect()));
        }
    }
    exports.dedup_by(|later, earlier| later.0.name == earlier.0.name && later.1 == earlier.1);
    exports
});

/// In how many views a name stands: `relname` tells little, `n_dead_tup` nearly everything.
static SPREAD: LazyLock<BTreeMap<&'static str, u32>> = LazyLock::new(|| {
    let mut places: BTreeSet<(&'static str, &'static str)> = BTreeSet::new();
    for (view, names) in EXPORTS.iter() {
        places.extend(names.iter().map(|n| (n.as_str(), view.name)));
    }
    let mut spread = BTreeMap::new();
    for (name, _) in places {
        *spread.entry(name).or_insert(0) += 1;
    }
    spread
});

/// The views that may have exported a file with these columns, the likeliest first, each with a score of 0 to 1.
///
/// A column weighs the less the more views have one of that name. The score is mostly the share of the file's columns
/// that the view explains, a little the share of the view that the file holds: of two views that explain a file alike,
/// the smaller one is it. Views of equal columns keep the catalog's order (`pg_stat_user_functions` before
/// `pg_stat_xact_user_functions`).
pub fn recognise(columns: &[&str]) -> Vec<(&'static View, f64)> {
    let given: Vec<String> = columns
        .iter()
        .filter(|c| !is_clock(c))
        .map(|c| c.trim().to_ascii_lowercase())
        .filter(|c| !c.is_empty())
        .collect();
    let weight = |name: &str| 1.0 / f64::from(SPREAD.get(name).copied().unwrap_or(1));
    let given_weight: f64 = given.iter().map(|c| weight(c)).sum();
    let mut scored: Vec<(&'static View, f64)> = Vec::new();
    for (view, names) in EXPORTS.iter() {
        let matched: f64 = given.iter().filter(|c| names.contains(c)).map(|c| weight(c)).sum();
        if matched == 0.0 {
            continue;
        }
        let expected: f64 = names.iter().map(|c| weight(c)).sum();
        let score = 0.7 * matched / given_weight + 0.3 * matched / expected;
        match scored.last_mut() {
            Some(last) if last.0.name == view.name => last.1 = last.1.max(score),
            _ => scored.push((view, score)),
        }
    }
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    scored
}

fn is_clock(name: &str) -> bool {
    CLOCKS.iter().any(|c| c.eq_ignore_ascii_case(name.trim()))
}

/// The view in which a version exports the counters of another: up to 16 the checkpointer's stand in `pg_stat_bgwriter`.
pub fn carrier(view: &str, major: u8) -> &str {
    if view == "pg_stat_checkpointer" && major <= 16 { "pg_stat_bgwriter" } else { view }
}

/// Views, with commas between, and columns of theirs as a major version names them: so they stand in the user's files.
pub fn as_exported(views: &str, columns: &mut [String], major: u8) -> String {
    let names: Vec<&str> = views.split(", ").collect();
    let known: Vec<&View> = names.iter().filter_map(|name| super::view(name)).collect();
    for name in columns {
        // Names in extensions are of the extension's version.
        let column = known.iter().find_map(|view| view.column(name).filter(|_| view.origin != Origin::Statements));
        if let Some((_, column)) = column {
            column.exported_as(major).1.clone_into(name);
        }
    }
    let mut carriers: Vec<&str> = Vec::new();
    for name in names {
        let carrier = carrier(name, major);
        if !carriers.contains(&carrier) {
            carriers.push(carrier);
        }
    }
    carriers.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::view;

    fn place(from: &str, name: &str) -> Option<(&'static str, &'static str)> {
        let (owner, at) = resolve(view(from)?, name)?;
        Some((owner.name, owner.columns.get(at)?.name))
    }

    #[test]
    fn names_are_those_of_the_version() {
        for (major, views, columns, want) in [
            (16, "pg_stat_checkpointer", "num_timed", ("pg_stat_bgwriter", "checkpoints_timed")),
            (17, "pg_stat_checkpointer", "num_timed", ("pg_stat_checkpointer", "num_timed")),
            (16, "pg_stat_bgwriter, pg_stat_checkpointer", "", ("pg_stat_bgwriter", "")),
            (16, "pg_stat_bgwriter, meta, pg_stat_checkpointer", "", ("pg_stat_bgwriter, meta", "")),
            (12, "pg_stat_statements", "calls total_exec_time", ("pg_stat_statements", "calls total_exec_time")),
            (13, "meta", "captured_at", ("meta", "captured_at")),
        ] {
            let said = |views: &str, columns: &str| {
                let mut columns: Vec<String> = columns.split(' ').map(str::to_owned).collect();
                (as_exported(views, &mut columns, major), columns.join(" "))
            };
            let (view, named) = said(views, columns);
            assert_eq!((view.as_str(), named.as_str()), want, "{major} {views}");
            assert_eq!(said(&view, &named), (view, named), "names of a version stay");
        }
    }

    #[test]
    fn finds_old_names_and_places() {
        for (from, name, want) in [
            ("pg_stat_statements", "total_time", Some(("pg_stat_statements", "total_exec_time"))),
            ("pg_stat_statements", "BLK_READ_TIME", Some(("pg_stat_statements", "shared_blk_read_time"))),
            ("pg_stat_bgwriter", "checkpoints_req", Some(("pg_stat_checkpointer", "num_requested"))),
            ("pg_stat_bgwriter", "stats_reset", Some(("pg_stat_bgwriter", "stats_reset"))),
            ("pg_stat_sys_tables", "n_dead_tup", Some(("pg_stat_user_tables", "n_dead_tup"))),
            ("pg_stat_wal_receiver", "received_lsn", Some(("pg_stat_wal_receiver", "flushed_lsn"))),
            ("pg_stat_user_functions", "total_time", Some(("pg_stat_user_functions", "total_time"))),
            ("pg_stat_user_tables", "total_time", None),
        ] {
            assert_eq!(place(from, name), want, "{from}.{name}");
        }
    }

    #[test]
    fn one_old_reset_time_feeds_two_views() {
        let places: Vec<&str> =
            feeds(view("pg_stat_bgwriter").unwrap(), "stats_reset").iter().map(|(v, _)| v.name).collect();
        assert_eq!(places, ["pg_stat_bgwriter", "pg_stat_checkpointer"]);
    }

    #[test]
    fn tells_versions_from_columns() {
        let range =
            |name: &str, columns: &[&str]| majors_with(view(name).unwrap(), columns).map(|m| (m.since, m.until));
        assert_eq!(range("pg_stat_bgwriter", &["buffers_clean", "checkpoints_req"]), Some((12, Some(16))));
        assert_eq!(
            range("pg_stat_bgwriter", &["buffers_clean", "maxwritten_clean", "buffers_alloc", "stats_reset"]),
            Some((17, None)),
            "a complete export excludes the versions that had more"
        );
        assert_eq!(range("pg_stat_user_tables", &["relid", "last_idx_scan"]), Some((16, None)));
        assert_eq!(range("pg_stat_io", &["op_bytes", "read_bytes"]), None);
        assert_eq!(range("pg_stat_user_tables", &["relid", "captured_at", "nonsense"]), Some((12, None)));
    }

    #[test]
    fn tells_the_extension_layout() {
        for (columns, want) in [
            (&["queryid", "total_time"][..], Some("1.7")),
            (&["queryid", "total_exec_time"], Some("1.8")),
            (&["toplevel", "total_exec_time"], Some("1.9")),
            (&["toplevel", "jit_functions", "blk_read_time"], Some("1.10")),
            (&["stats_since", "jit_functions"], Some("1.11")),
            (&["stats_since", "wal_buffers_full"], Some("1.12")),
            (&["queryid", "calls"], None),
        ] {
            assert_eq!(pgss_layout(columns), want, "{columns:?}");
        }
    }

    #[test]
    fn recognises_every_complete_export() {
        // What a transaction did itself has the very columns of what everybody did; only a name tells them apart.
        for v in VIEWS.iter().filter(|v| v.name != "pg_stat_xact_user_functions") {
            for major in (OLDEST..=NEWEST).filter(|m| v.majors.contains(*m)) {
                let names: Vec<&str> = exported(v, major).iter().map(|e| e.name).collect();
                assert_eq!(recognise(&names).first().map(|(v, _)| v.name), Some(v.name), "{} of {major}", v.name);
            }
        }
    }

    #[test]
    fn recognises_a_selection() {
        for (columns, want) in [
            (&["schemaname", "relname", "n_live_tup", "n_dead_tup", "last_autovacuum"][..], "pg_stat_user_tables"),
            (&["query", "calls", "total_time", "rows"], "pg_stat_statements"),
            (&["pid", "state", "query", "xact_start"], "pg_stat_activity"),
            (&["name", "setting", "unit"], "pg_settings"),
            (&["captured_at", "relname", "indexrelname", "idx_scan"], "pg_stat_user_indexes"),
        ] {
            assert_eq!(recognise(columns).first().map(|(v, _)| v.name), Some(want), "{columns:?}");
        }
    }

    #[test]
    fn knows_renamed_caches() {
        assert_eq!(canonical_slru("Xact"), "transaction");
        assert_eq!(canonical_slru("other"), "other");
    }
}
