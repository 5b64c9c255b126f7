//! Every delta that the recorded truth knows.

use super::{Findings, Window};
use pgretro::diff::{Class, DiffRow, Exact, ViewDiff};
use pgretro::snapshot::Value as Cell;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Kinds of objects in the truth: their view and the columns of their key.
const KINDS: [(&str, &str, &[&str]); 6] = [
    ("table", "pg_stat_user_tables", &["relid"]),
    ("tableio", "pg_statio_user_tables", &["relid"]),
    ("index", "pg_stat_user_indexes", &["indexrelid"]),
    ("function", "pg_stat_user_functions", &["funcid"]),
    ("database", "pg_stat_database", &["datid"]),
    ("statement", "pg_stat_statements", &["userid", "dbid", "queryid", "toplevel"]),
];

fn key(row: DiffRow<'_>, columns: &[&str]) -> String {
    let row = row.latest().unwrap();
    let part = |c: &&str| match row.get(c) {
        Cell::Int(n) => Some(n.to_string()),
        Cell::Bool(b) => Some(b.to_string()),
        _ => None,
    };
    columns.iter().filter_map(part).collect::<Vec<_>>().join("/")
}

/// A delta of the truth against ours.
fn equal(truth: &Value, ours: Exact) -> bool {
    match ours {
        Exact::Int(n) => truth.as_i64().is_some_and(|t| i128::from(t) == n),
        Exact::Float(x) => truth.as_f64().is_some_and(|t| (t - x).abs() <= 1e-9 * t.abs().max(1e4)),
    }
}

/// Checks one object; returns what is wrong with it.
fn check_row(window: &Window, kind: &str, row: DiffRow<'_>, entry: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let status = entry["status"].as_str().unwrap();
    let class = row.class();
    let expected: &[Class] = match status {
        "same" | "renamed" => &[Class::Ok, Class::OkUnsure],
        "reset" => &[Class::Reset, Class::ResetUnsure],
        "appeared" => &[Class::New],
        "gone" => &[Class::Gone],
        other => panic!("{other}"),
    };
    if !expected.contains(&class) {
        wrong.push(format!("class {} for {status}", class.word()));
    }
    let none = Map::new();
    let deltas = entry["delta"].as_object().unwrap_or(&none);
    let totals = entry["true_total"].as_object().unwrap_or(&none);
    let view = row.view();
    let watched = &window.watched[kind];
    for (at, column) in view.columns.iter().enumerate().filter(|(_, c)| watched.contains(c.name)) {
        let (delta, why) = row.delta(at);
        if delta.is_some_and(Exact::is_negative) {
            wrong.push(format!("{}: negative", column.name));
        }
        if delta.is_none() && why.is_none() {
            wrong.push(format!("{}: no delta and no reason", column.name));
        }
        match (deltas.get(column.name), delta) {
            // A sum that fell because a member went: the truth gives the plain difference.
            (Some(truth), ours) if truth.as_f64().is_some_and(|t| t < 0.0) => {
                let total = totals.get(column.name).and_then(Value::as_f64);
                if ours.is_none_or(|d| total.is_some_and(|t| d.as_f64() > t)) {
                    wrong.push(format!("{}: {ours:?} where {total:?} happened", column.name));
                }
            }
            (Some(truth), Some(ours)) if !equal(truth, ours) => {
                wrong.push(format!("{}: {ours:?}, truth {truth}", column.name));
            }
            (Some(truth), None) => wrong.push(format!("{}: none, truth {truth}", column.name)),
            (None, Some(ours)) if matches!(status, "same" | "renamed") && ours.as_f64() != 0.0 => {
                wrong.push(format!("{}: {ours:?}, truth 0", column.name));
            }
            // After a reset ours is a lower bound. So is the truth, which misses what happened between an event and
            // the capture after it; up to 14 that capture may have seen the statistics file of before the event, and
            // is no measure at all.
            (None, Some(ours)) if window.major >= 15 && status == "reset" => {
                let total = totals.get(column.name).map_or(Some(0.0), Value::as_f64);
                if total.is_some_and(|t| ours.as_f64() > 1.01 * t + 10.0) {
                    wrong.push(format!("{}: {ours:?} where {total:?} happened", column.name));
                }
            }
            (None, Some(ours)) if window.major >= 15 && status == "appeared" => {
                let total = totals.get(column.name).and_then(Value::as_f64);
                if total.is_some_and(|t| ours.as_f64() < t) {
                    wrong.push(format!("{}: {ours:?} where {total:?} happened", column.name));
                }
            }
            _ => {}
        }
    }
    wrong
}

fn views(window: &Window) -> Vec<(&'static str, &ViewDiff, BTreeMap<String, DiffRow<'_>>)> {
    KINDS
        .iter()
        .filter_map(|(kind, view, columns)| {
            let view = window.diff.views.get(view)?;
            let rows = view.iter().map(|row| (key(row, columns), row)).collect();
            Some((*kind, view.as_ref(), rows))
        })
        .collect()
}

/// Whether a row is of a database's own objects, which are what the truth's driver watched.
fn is_watched(row: DiffRow<'_>) -> bool {
    row.latest().and_then(|r| r.text("schemaname")).is_none_or(|s| !s.starts_with("pg_") && s != "information_schema")
}

/// Every delta is the true one, every object's class fits what happened to it.
pub(super) fn check(window: &Window, found: &mut Findings) {
    let (wrong, checked) = (&mut found.wrong, &mut found.objects);
    for (kind, _, rows) in views(window) {
        let none = Vec::new();
        let entries = window.interval["deltas"][kind].as_array().unwrap_or(&none);
        let mut listed = std::collections::BTreeSet::new();
        for entry in entries {
            let id = entry["key"].as_str().unwrap();
            listed.insert(id);
            let Some(row) = rows.get(id) else {
                wrong.push(format!("{} {kind} {id}: not there", window.name));
                continue;
            };
            // Statements are live: where work went on, the truth's own reading is of another moment.
            if kind == "statement" && window.live {
                continue;
            }
            *checked += 1;
            for what in check_row(window, kind, *row, entry) {
                wrong.push(format!("{} {kind} {id} {}: {what}", window.name, entry["name"]));
            }
        }
        // What the truth does not list did not change.
        for (id, row) in rows.iter().filter(|(id, _)| kind != "statement" && !listed.contains(id.as_str())) {
            // What came in the very moment of an event is in none of the pieces around it.
            if !is_watched(*row) || row.class() == Class::New {
                continue;
            }
            *checked += 1;
            // Objects without any counts were reset with the others, unchanged.
            let all_reset = window.happened(&["pg_stat_reset", "crash_and_restart"]);
            let gone_with_them = kind == "function" && row.class() == Class::Gone;
            let fits = match row.class() {
                Class::Ok | Class::OkUnsure => true,
                Class::Reset => all_reset,
                // An index goes with its table.
                Class::Gone => gone_with_them || window.happened(&["drop_and_create_same_name"]),
                Class::New | Class::ResetUnsure => false,
            };
            if !fits {
                wrong.push(format!("{} {kind} {id}: {} but not in the truth", window.name, row.class().word()));
            }
            let watched = |name| window.watched.get(kind).is_some_and(|w| w.contains(name));
            for (at, column) in row.view().columns.iter().enumerate().filter(|(_, c)| watched(c.name)) {
                if row.delta(at).0.is_some_and(|d| d.as_f64() != 0.0) {
                    wrong.push(format!("{} {kind} {id} {}: {:?}, truth 0", window.name, column.name, row.delta(at).0));
                }
            }
        }
    }
    cluster(window, wrong, checked);
}

/// Cluster-wide views; up to 16 pg_stat_bgwriter holds what pg_stat_checkpointer holds later.
fn cluster(window: &Window, wrong: &mut Vec<String>, checked: &mut usize) {
    for entry in window.interval["deltas"]["cluster"].as_array().into_iter().flatten() {
        let name = entry["key"].as_str().unwrap();
        for (column, truth) in entry["delta"].as_object().into_iter().flatten() {
            let renamed = match column.as_str() {
                "checkpoints_timed" => "num_timed",
                "checkpoints_req" => "num_requested",
                "buffers_checkpoint" => "buffers_written",
                "checkpoint_write_time" => "write_time",
                "checkpoint_sync_time" => "sync_time",
                other => other,
            };
            let view = if renamed == column { name } else { "pg_stat_checkpointer" };
            let Some(view) = window.diff.views.get(view) else {
                wrong.push(format!("{} {view}: not there", window.name));
                continue;
            };
            *checked += 1;
            let ours = view.iter().next().and_then(|row| row.delta_of(renamed));
            if ours.is_none_or(|d| !equal(truth, d)) {
                wrong.push(format!("{} {name} {column}: {ours:?}, truth {truth}", window.name));
            }
        }
        if let Some(view) = window.diff.views.get(name) {
            let class = view.iter().next().map(DiffRow::class);
            let reset = entry["status"] == "reset";
            if (class == Some(Class::Reset)) != reset {
                wrong.push(format!("{} {name}: {class:?}, truth {}", window.name, entry["status"]));
            }
        }
    }
}

/// No delta of any view is negative, or missing without a reason.
pub(super) fn nothing_negative(window: &Window, found: &mut Findings) {
    for view in window.diff.views.values() {
        for row in view.iter() {
            for (at, column) in view.view.columns.iter().enumerate().filter(|(_, c)| c.kind.is_counter()) {
                let (delta, why) = row.delta(at);
                if delta.is_some_and(Exact::is_negative) || delta.is_none() && why.is_none() {
                    found.wrong.push(format!("{} {} {}: {delta:?}", window.name, view.view.name, column.name));
                }
            }
        }
    }
}
