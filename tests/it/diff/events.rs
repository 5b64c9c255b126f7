//! Every event that two snapshots can prove is seen and named, and nothing else is called so.

use super::{Findings, Window};
use pgretro::diff::Event;
use serde_json::Value;

/// What must be told for an event of the truth: kind, scope, object, a word of its evidence.
fn expected(window: &Window, event: &Value) -> Vec<[String; 4]> {
    let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let database = window.diff.after.meta.database.clone().unwrap_or_default();
    let public = |field: &str| format!("public.{}", text(field));
    let one =
        |kind: &str, scope: String, object: String, word: &str| vec![[kind.to_owned(), scope, object, word.to_owned()]];
    let settings = || event["settings"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let each = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    let cluster = || "cluster".to_owned();
    match event["kind"].as_str().unwrap() {
        "pg_stat_reset" => one("stats_reset_database", text("database"), String::new(), "counters"),
        "pg_stat_reset_single_table_counters" => one("stats_reset_object", database, public("table"), "stats_reset"),
        "pg_stat_statements_reset" => one("stats_reset_statements", "pg_stat_statements".into(), String::new(), ""),
        "pg_stat_reset_shared" => each(&event["targets"])
            .into_iter()
            .flat_map(|t| one("stats_reset_shared", format!("pg_stat_{t}"), String::new(), "stats_reset"))
            .collect(),
        "vacuum" => each(&event["tables"])
            .into_iter()
            .flat_map(|t| one("vacuumed", database.clone(), format!("public.{t}"), "vacuum_count"))
            .collect(),
        "rename_table" => one("renamed", database, public("new_name"), &text("old_name")),
        "drop_and_create_same_name" => one("recreated", database, public("table"), &text("new_relid")),
        "create_index" => one("index_created", database, public("index"), "OID"),
        "drop_index" => one("index_dropped", database, public("index"), "OID"),
        "add_partition" => one("partition_added", database, public("partition"), "member"),
        "create_and_drop_index" => one("index_created_and_dropped", database, text("index"), "drop index"),
        "truncate" => one("truncated", database, text("table"), "truncate"),
        "vacuum_full" => one("vacuum_full", database, text("table"), "vacuum full"),
        "crash_and_restart" => one("crash", cluster(), String::new(), "immediate mode"),
        "clean_restart" => one("restart", cluster(), String::new(), "postmaster"),
        "deadlock" => one("deadlock", database, String::new(), "deadlocks rose by"),
        "archive_command_breaks" => {
            let mut both = one("archive_failed", cluster(), String::new(), "failed_count");
            both.extend(one("settings_changed", cluster(), "archive_command".into(), "alter system"));
            // The driver fills WAL segments with it.
            both.extend(one("table_created", database, "public.walfiller".into(), "create table"));
            both
        }
        // Nothing says that archiving works again; the command that repaired it was seen.
        "archive_command_repaired" => one("settings_changed", cluster(), "archive_command".into(), "alter system"),
        "settings_changed" => {
            settings().into_iter().flat_map(|s| one("settings_changed", cluster(), s, "alter system")).collect()
        }
        other => panic!("{other}"),
    }
}

fn fits(event: &Event, [kind, scope, object, word]: &[String; 4]) -> bool {
    let named = event.object.as_deref().unwrap_or_default();
    event.kind == *kind
        && event.scope.as_deref() == Some(scope)
        && (named == object || named.strip_prefix("public.") == Some(object))
        && event.evidence.iter().any(|e| e.contains(word.as_str()))
}

/// Every event that can be proven is told once, and no other.
pub(super) fn check(window: &Window, found: &mut Findings) {
    let truth = window.interval["events"].as_array().unwrap();
    let wanted: Vec<[String; 4]> = truth.iter().flat_map(|e| expected(window, e)).collect();
    for want in &wanted {
        let told = window.diff.events.iter().filter(|e| fits(e, want)).count();
        if told != 1 {
            found.wrong.push(format!("{}: {want:?} told {told} times", window.name));
        }
        found.events += told;
    }
    for event in window.diff.events.iter().filter(|e| !wanted.iter().any(|w| fits(e, w))) {
        if follows(window, event) {
            continue;
        }
        found.wrong.push(format!("{}: false alarm {event:?}", window.name));
    }
}

/// What an event of the truth brings with it: unlogged tables are emptied by a crash, archiving fails until it is
/// repaired.
fn follows(window: &Window, event: &Event) -> bool {
    match event.kind.as_str() {
        "unlogged_emptied" => {
            window.happened(&["crash_and_restart"]) && event.object.as_deref() == Some("public.scratch_unlogged")
        }
        "archive_failed" => window.archiving_broken,
        _ => false,
    }
}
