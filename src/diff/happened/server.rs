//! What counters and settings of the server say: deadlocks, failures, promotion, upgrade, changed settings.

use super::super::Exact;
use super::{Event, Window, event};
use crate::ident::visible;
use crate::snapshot::Row;
use std::collections::BTreeMap;

pub(super) fn find(window: &Window<'_>) -> Vec<Event> {
    let mut out = Vec::new();
    let (a, b) = (&window.before.meta, &window.after.meta);
    let cluster = || Some("cluster".to_owned());
    if let (Some(x), Some(y)) = (a.version, b.version)
        && x.major() != y.major()
    {
        out.push(event("upgraded", cluster(), None, format!("version {x} before, {y} after")).at(b.postmaster_start));
    }
    if a.in_recovery == Some(true) && b.in_recovery == Some(false) {
        out.push(event("promoted", cluster(), None, "in recovery before, not after".to_owned()));
    }
    if window.evidence.recreated {
        let why = "the database of this name has another OID".to_owned();
        out.push(event("database_recreated", window.database(), None, why));
    }
    if !window.evidence.upgraded {
        counters(window, &mut out);
    }
    settings(window, &mut out);
    out
}

fn counters(window: &Window<'_>, out: &mut Vec<Event>) {
    if let Some(view) = window.view("pg_stat_database") {
        for row in view.iter().filter(|r| r.before().is_some()) {
            let scope = || row.latest().map(|r| super::super::evidence::shown(r.text("datname")));
            for (column, kind) in [("deadlocks", "deadlock"), ("checksum_failures", "checksum_failure")] {
                if let Some(Exact::Int(n)) = row.delta_of(column).filter(|d| d.as_f64() > 0.0) {
                    out.push(event(kind, scope(), None, format!("{column} rose by {n}")));
                }
            }
        }
    }
    let archiver = window.view("pg_stat_archiver").and_then(|v| v.iter().next());
    if let Some(row) = archiver
        && let Some(Exact::Int(n)) = row.delta_of("failed_count").filter(|d| d.as_f64() > 0.0)
    {
        let at = row.after().and_then(|r| r.time("last_failed_time"));
        out.push(event("archive_failed", Some("cluster".to_owned()), None, format!("failed_count rose by {n}")).at(at));
    }
}

/// Settings that differ, where both snapshots carry them; those of the exporting session are its own affair.
fn settings(window: &Window<'_>, out: &mut Vec<Event>) {
    let (Some(before), Some(after)) = (window.before.table("pg_settings"), window.after.table("pg_settings")) else {
        return;
    };
    let was: BTreeMap<&str, Row<'_>> = before.iter().filter_map(|r| Some((r.text("name")?, r))).collect();
    for b in after.iter() {
        let Some(a) = b.text("name").and_then(|n| was.get(n)) else { continue };
        if matches!(b.text("source"), Some("session" | "client" | "interactive")) {
            continue;
        }
        let name = b.text("name").map(|n| visible(n).into_owned());
        let (x, y) = (a.text("setting").unwrap_or_default(), b.text("setting").unwrap_or_default());
        let pending = b.bool("pending_restart") == Some(true) && a.bool("pending_restart") == Some(false);
        if x != y {
            out.push(event(
                "settings_changed",
                Some("cluster".to_owned()),
                name,
                format!("{} → {}", visible(x), visible(y)),
            ));
        } else if pending {
            let why = "changed in the configuration, waits for a restart".to_owned();
            out.push(event("settings_changed", Some("cluster".to_owned()), name, why));
        }
    }
}
