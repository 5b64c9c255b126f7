//! The snapshot's identity, out of the dump's `meta`.

use super::json::{About, JsonTable, Member};
use super::spelling::Spelling;
use crate::meta::{Meta, Node, TimeSource};
use crate::snapshot::{Row, Table, Value};
use crate::unit::parse_lsn;
use crate::version::PgVersion;

/// Other names under which dumps say what `meta` says.
const ALIASES: &[(&str, &str)] = &[
    ("database", "current_database"),
    ("datname", "current_database"),
    ("dbname", "current_database"),
    ("version", "server_version"),
    ("pg_version", "server_version"),
    ("postmaster_start_time", "pg_postmaster_start_time"),
    ("postmaster_start", "pg_postmaster_start_time"),
    ("pg_is_in_recovery", "is_in_recovery"),
    ("in_recovery", "is_in_recovery"),
    ("timeline", "timeline_id"),
    ("clock_timestamp", "captured_at"),
    ("taken_at", "captured_at"),
    ("snapshot_time", "captured_at"),
    ("time_zone", "timezone"),
    ("pg_current_wal_lsn", "wal_lsn"),
    ("next_multixact", "next_multixact_id"),
    ("current_user", "exported_by"),
];

/// The name that the catalog's `meta` has for a member.
pub(super) fn canonical(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map_or(name, |(_, own)| own)
}

/// A `meta` table out of what a JSON dump says about itself.
pub(super) fn table_of(about: &[Member], spelling: Spelling) -> Option<JsonTable> {
    let view = crate::catalog::view("meta")?;
    let mut members: Vec<Member> = Vec::new();
    for (name, value) in about {
        let name = canonical(&name.to_ascii_lowercase()).to_owned();
        if !members.iter().any(|(n, _)| *n == name) {
            members.push((name, value.clone()));
        }
    }
    let about = About {
        named: Some((view, view.name)),
        fallback: view.name.to_owned(),
        pointer: Some(String::new()),
        spelling,
    };
    let mut table = JsonTable::new(&[], &about);
    table.push_row(&members, 0);
    Some(table.finish())
}

/// Takes over what a `meta` table says.
pub(super) fn take(table: &Table, meta: &mut Meta) {
    let Some(row) = table.iter().next() else { return };
    if let Some(t) = row.time("captured_at") {
        meta.taken_at = Some(t);
        meta.time_source = Some(TimeSource::Meta);
    }
    meta.version = row
        .int("server_version_num")
        .and_then(|n| u32::try_from(n).ok())
        .filter(|n| (90_000..2_560_000).contains(n))
        .map(PgVersion)
        .or_else(|| row.text("server_version").and_then(PgVersion::parse));
    meta.system_identifier = word(row, "system_identifier");
    meta.node = node(row);
    meta.in_recovery = row.bool("is_in_recovery");
    meta.timeline = row.int("timeline_id").and_then(|n| u32::try_from(n).ok());
    meta.postmaster_start = row.time("pg_postmaster_start_time");
    meta.database = word(row, "current_database");
    meta.database_oid = row.int("database_oid");
    meta.block_size = row.int("block_size").and_then(|n| u32::try_from(n).ok()).filter(|n| (512..=65_536).contains(n));
    meta.wal_lsn = row.int("wal_lsn").map(|n| n as u64).or_else(|| row.text("wal_lsn").and_then(parse_lsn));
    meta.next_xid = row.int("next_xid");
    meta.next_multixact = row.int("next_multixact_id");
    meta.timezone = word(row, "timezone");
    meta.pgss_version = word(row, "pgss_version");
    meta.exported_by = word(row, "exported_by");
    meta.ram_bytes = extra(table, "ram_bytes").and_then(|s| s.parse().ok());
}

/// What tells two servers of one cluster apart: its name, its address, or where its files are.
fn node(row: Row<'_>) -> Option<Node> {
    if let Some(node) = extra(row.table(), "node").or_else(|| extra(row.table(), "node_name")) {
        return Some(node.into());
    }
    let name = word(row, "cluster_name");
    let address = word(row, "server_addr").filter(|a| !a.is_empty()).map(|a| match row.int("server_port") {
        Some(port) => format!("{a}:{port}"),
        None => a,
    });
    let directory = word(row, "data_directory_hash");
    Node::new(name, address, directory)
}

fn word(row: Row<'_>, column: &str) -> Option<String> {
    match row.get(column) {
        Value::Text(s) => Some(s.to_owned()),
        Value::Int(n) => Some(n.to_string()),
        Value::Numeric(n) => Some(n.to_string()),
        _ => None,
    }
}

fn extra<'a>(table: &'a Table, name: &str) -> Option<&'a str> {
    table.extra.iter().find(|(n, _)| n == name).and_then(|(_, texts)| texts.get(0))
}
