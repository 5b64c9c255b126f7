//! Settings: those that matter first, those that changed, all of them behind a fold.

use crate::error::Result;
use crate::report::absent;
use crate::report::cells::{counted_words, prose};
use crate::report::draft::{Body, Draft};
use crate::report::table::table;
use crate::report::{Block, Cell};
use crate::snapshot::{Row, Table};
use crate::text::{Text, sentence};
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// What this section shows.
pub(super) const VIEWS: &[&str] = &["pg_settings"];

/// The settings that decide most about safety, memory, vacuum, WAL and what can be seen.
const MATTER: &[&str] = &[
    "max_connections",
    "shared_buffers",
    "work_mem",
    "hash_mem_multiplier",
    "maintenance_work_mem",
    "effective_cache_size",
    "autovacuum",
    "autovacuum_max_workers",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_threshold",
    "autovacuum_vacuum_cost_limit",
    "autovacuum_vacuum_cost_delay",
    "autovacuum_freeze_max_age",
    "checkpoint_timeout",
    "max_wal_size",
    "wal_level",
    "archive_mode",
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "max_slot_wal_keep_size",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "random_page_cost",
    "track_io_timing",
    "track_functions",
    "track_activities",
    "track_counts",
    "log_lock_waits",
    "log_min_duration_statement",
    "log_temp_files",
    "log_autovacuum_min_duration",
    "shared_preload_libraries",
    "pg_stat_statements.max",
    "pg_stat_statements.track",
    "jit",
    "max_parallel_workers_per_gather",
    "huge_pages",
    "ssl",
    "password_encryption",
];

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    if let Some(note) = absent::sentence(draft, "pg_settings", "") {
        return Ok(Body::absent(vec![note]));
    }
    let Some(state) = draft.state("pg_settings") else { return Ok(Body::absent(Vec::new())) };
    let link = draft.cite("Settings", &["pg_settings"], &["setting", "unit", "source"], None);
    let by_name: BTreeMap<&str, Row<'_>> = state.table.iter().filter_map(|r| Some((r.text("name")?, r))).collect();
    let changes = changed(draft);
    let changed_names: BTreeSet<&str> = changes.iter().map(|c| c.name).collect();
    let mut blocks: Vec<Block> = draft.age_note("pg_settings").into_iter().collect();
    blocks.push(change_sentence(draft, &changes, link.clone()));
    blocks.extend(change_table(&changes, link.clone()));
    let matter: Vec<Row<'_>> = MATTER.iter().filter_map(|name| by_name.get(name).copied()).collect();
    let title = "Settings that matter first";
    let about = Text::new()
        .n(Quantity::count(matter.len()))
        .t(" of ")
        .n(Quantity::count(by_name.len()))
        .t(" settings. ")
        .then(link.clone());
    blocks.push(list(draft, "settings", title, about, matter.into_iter(), &changed_names));
    let restart: Vec<&str> =
        by_name.iter().filter(|(_, r)| r.bool("pending_restart") == Some(true)).map(|(name, _)| *name).collect();
    if !restart.is_empty() {
        let mut text = Text::new().t("Changed in a file, in force only after a restart: ");
        for (i, name) in restart.iter().enumerate() {
            text = if i > 0 { text.t(", ") } else { text }.code(*name);
        }
        blocks.push(prose(text.t(".")));
    }
    let all = list(
        draft,
        "all-settings",
        "All settings",
        Text::new().code("pg_settings").t(" ").then(link),
        by_name.values().copied(),
        &changed_names,
    );
    blocks.push(Block::Details {
        summary: Text::new().t("All ").n(Quantity::count(by_name.len())).t(" settings"),
        blocks: vec![all],
    });
    let n = by_name.len();
    Ok(Body::filled(blocks).count(n))
}

fn list<'a>(
    draft: &Draft<'_>,
    id: &str,
    title: &str,
    about: Text,
    rows: impl Iterator<Item = Row<'a>>,
    changed: &BTreeSet<&str>,
) -> Block {
    let mut out = table(id, title).about(about).name("Setting").number("Value").text("Set by").text("Remark");
    for row in rows {
        let name = row.text("name").unwrap_or_default();
        let mut remark = draft.links_of(name, &[""]).unwrap_or_default();
        let mut say = |words: &str| {
            let more = if remark.is_empty() { sentence(words) } else { format!("; {words}") };
            remark = std::mem::take(&mut remark).t(more);
        };
        if changed.contains(name) {
            say("changed between the snapshots");
        }
        if row.bool("pending_restart") == Some(true) {
            say("waits for a restart");
        }
        if matches!(row.text("source"), Some("session" | "client" | "user" | "database" | "database user")) {
            say("holds in the exporting session, maybe not in others");
        }
        out.push(vec![
            Cell::code(name),
            value(row),
            row.text("source").map_or_else(|| Cell::NotAvailable("not exported".to_owned()), Cell::text),
            if remark.is_empty() { Cell::None } else { Cell::Text(remark) },
        ]);
    }
    out.block()
}

/// A setting as a number with its unit, or as it stands.
pub(super) fn value(row: Row<'_>) -> Cell {
    let text = row.text("setting").unwrap_or_default();
    match quantity(text, row.text("unit").unwrap_or_default()) {
        Some(q) => Cell::number(q),
        None if text.is_empty() => Cell::text("(empty)"),
        None => Cell::code(text),
    }
}

/// A number in base units of `pg_settings` in bytes or milliseconds; special values below one stand as they are.
fn quantity(text: &str, unit: &str) -> Option<Quantity> {
    let digits = unit.find(|c: char| !c.is_ascii_digit()).unwrap_or(unit.len());
    let (factor, suffix) = unit.split_at(digits);
    let factor: f64 = if factor.is_empty() { 1.0 } else { factor.parse().ok()? };
    let (scale, result) = match suffix {
        "B" => (1.0, Unit::Bytes),
        "kB" => (1_024.0, Unit::Bytes),
        "MB" => (1_048_576.0, Unit::Bytes),
        "ms" => (1.0, Unit::Ms),
        "s" => (1_000.0, Unit::Ms),
        "min" => (60_000.0, Unit::Ms),
        "h" => (3_600_000.0, Unit::Ms),
        "d" => (86_400_000.0, Unit::Ms),
        "" => return plain(text),
        _ => return None,
    };
    let number: f64 = text.parse().ok()?;
    if number <= 0.0 {
        return plain(text);
    }
    let value = number * factor * scale;
    // Whole bytes below 2^53 are exact in a double.
    if result == Unit::Bytes && value < 9e15 && value.fract() == 0.0 {
        return Some(Quantity::int(value as i64, result));
    }
    Quantity::float(value, result)
}

/// A setting that differs between the first and the last snapshot that carry settings.
pub(super) struct ChangedSetting<'a> {
    pub(super) name: &'a str,
    pub(super) before: Option<Row<'a>>,
    pub(super) after: Option<Row<'a>>,
}

/// The settings that changed, by name.
pub(super) fn changed<'a>(draft: &Draft<'a>) -> Vec<ChangedSetting<'a>> {
    let mut tables = draft.chain.snapshots.iter().filter_map(|s| s.table("pg_settings")).map(AsRef::as_ref);
    let Some(first) = tables.next() else { return Vec::new() };
    let Some(last) = tables.next_back() else { return Vec::new() };
    let map =
        |t: &'a Table| -> BTreeMap<&'a str, Row<'a>> { t.iter().filter_map(|r| Some((r.text("name")?, r))).collect() };
    let (a, b) = (map(first), map(last));
    let names: BTreeSet<&str> = a.keys().chain(b.keys()).copied().collect();
    names
        .into_iter()
        .map(|name| ChangedSetting { name, before: a.get(name).copied(), after: b.get(name).copied() })
        .filter(|c| {
            let text = |row: Option<Row<'a>>| row.map(|r| (r.text("setting"), r.text("unit")));
            text(c.before) != text(c.after)
        })
        .collect()
}

fn change_sentence(draft: &Draft<'_>, changes: &[ChangedSetting<'_>], link: Text) -> Block {
    let carriers = draft.chain.snapshots.iter().filter(|s| s.table("pg_settings").is_some()).count();
    prose(match (carriers, changes.len()) {
        (0 | 1, _) => Text::from("Settings are in one snapshot only: whether one changed cannot be said."),
        (n, 0) => Text::new()
            .t("No setting differs between the first and the last of the ")
            .n(Quantity::count(n))
            .t(" snapshots that carry settings. ")
            .then(link),
        (_, n) => counted_words(n, "setting differs", "settings differ")
            .t(" between the first and the last snapshot that carry settings. ")
            .then(link),
    })
}

fn change_table(changes: &[ChangedSetting<'_>], link: Text) -> Option<Block> {
    if changes.is_empty() {
        return None;
    }
    let cell = |row: Option<Row<'_>>| row.map_or_else(|| Cell::text("(absent)"), value);
    let mut out = table("changed-settings", "Changed settings")
        .about(Text::new().code("pg_settings").t(" ").then(link))
        .name("Setting")
        .number("Before")
        .number("After");
    for change in changes {
        out.push(vec![Cell::code(change.name), cell(change.before), cell(change.after)]);
    }
    Some(out.block())
}

/// A number without a unit.
fn plain(text: &str) -> Option<Quantity> {
    match text.parse::<i64>() {
        Ok(n) => Some(Quantity::int(n, Unit::Plain)),
        Err(_) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            Quantity::float(text.parse().ok()?, Unit::Plain)
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_units_for_people() {
        for (text, unit, want) in [
            ("16384", "8kB", "128 MB"),
            ("4096", "kB", "4 MB"),
            ("-1", "kB", "-1"),
            ("0", "ms", "0"),
            ("300", "s", "5 min 00 s"),
            ("100", "", "100"),
        ] {
            assert_eq!(quantity(text, unit).map(Quantity::human).as_deref(), Some(want), "{text} {unit}");
        }
        assert_eq!(quantity("0.2", "").map(Quantity::human).as_deref(), Some("0.2"));
        for (text, unit) in [("on", ""), ("infinity", ""), ("x", "kB"), ("1", "parsecs")] {
            assert_eq!(quantity(text, unit), None, "{text} {unit}");
        }
    }
}
