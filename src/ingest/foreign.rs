//! Dumps of other programs that look like exports of views: told by their first bytes, so that none is half understood.
//!
//! They hold names, units and periods of their own under which a number that fits a column is still another number.

use super::readers::Start;

/// How much of a file tells whose it is.
const HEAD: usize = 4096;

/// Why a file is not read, where another program wrote it; the words complete "the file ...".
pub(super) fn refusal(start: &Start<'_>) -> Option<String> {
    let tool = tool(start)?;
    Some(format!(
        "looks like a dump of {tool}, whose names and periods are its own: it is not read; export the views themselves, \
         with the script that `pgretro export-sql` prints"
    ))
}

/// The program that wrote a file.
fn tool(start: &Start<'_>) -> Option<&'static str> {
    let head = start.trimmed();
    let head = String::from_utf8_lossy(head.get(..HEAD.min(head.len())).unwrap_or_default());
    let line = head.lines().next().unwrap_or_default();
    // In the text of a query such a name would stand behind a backslash.
    let members = |names: &[&str]| names.iter().all(|n| head.contains(&format!("\"{n}\"")));
    match head.chars().next()? {
        '{' if members(&["meta", "collected_dbs"]) => Some("pgmetrics"),
        '{' if members(&["schema_version", "collected_at", "fingerprint"]) => Some("pgbot"),
        '{' if line.starts_with("{\"Values\":[[{\"String\":") => Some("pgcenter"),
        '{' | '[' if head.get(1..).is_some_and(|rest| rest.trim_start().starts_with("{\"snapshot_tstamp\":")) => {
            Some("pg_statviz")
        }
        '0' if line.contains("\"extension\":\"pg_profile\"")
            || line.contains("\"\"extension\"\":\"\"pg_profile\"\"") =>
        {
            Some("pg_profile")
        }
        '1' | '2' if is_stamped(line) => Some("pgCluu"),
        _ if line.starts_with("snapshot_tstamp,") || line.starts_with("snapshot_tstamp\t") => Some("pg_statviz"),
        _ if line.starts_with("pgmetrics run at:") => Some("pgmetrics"),
        _ if line.starts_with("--**** THIS IS A TSV FORMATED FILE") || line.starts_with("COPY pg_srvr") => {
            Some("pg_gather")
        }
        _ if line.starts_with("# HELP ") || line.starts_with("# TYPE ") => Some("a Prometheus exporter"),
        _ => None,
    }
}

/// Whether a line begins with a time to the second, its offset and a semicolon: no view has that as its first column.
fn is_stamped(line: &str) -> bool {
    let Some((first, _)) = line.split_once(';') else { return false };
    let shape: String = first.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    ["0000-00-00 00:00:00+00", "0000-00-00 00:00:00-00", "0000-00-00 00:00:00+00:00", "0000-00-00 00:00:00-00:00"]
        .contains(&shape.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::name::Named;
    use std::path::Path;

    fn told(name: &str, head: &str) -> Option<&'static str> {
        tool(&Start { head: head.as_bytes(), whole: true, named: &Named::new(Path::new(name)) })
    }

    #[test]
    fn dumps_of_other_programs_are_told_by_their_beginning() {
        for (name, head, want) in [
            (
                "t1.json",
                "{\n  \"meta\": {\n    \"version\": \"1.20\",\n    \"at\": 1795357630,\n    \"collected_dbs\": [\n      \"shop\"\n    ],\n",
                "pgmetrics",
            ),
            ("t1.txt", "pgmetrics run at: 22 Nov 2026 2:27:10 PM (now)\n", "pgmetrics"),
            (
                "i.json",
                "{\n  \"schema_version\": \"1.2.0\",\n  \"collected_at\": \"2026-11-22T14:27:15Z\",\n  \"fingerprint\": \"dc91\",\n",
                "pgbot",
            ),
            ("bgwriter.json", "{\"Values\":[[{\"String\":\"postgres\",\"Valid\":true},", "pgcenter"),
            (
                "db.json",
                "[{\"snapshot_tstamp\":\"2026-11-22T14:27:09.78363+00:00\",\"xact_commit\":380361,",
                "pg_statviz",
            ),
            ("db.csv", "snapshot_tstamp,xact_commit,xact_rollback\n", "pg_statviz"),
            ("export.csv", "0\t{\"extension\":\"pg_profile\",\"version\":\"4.11\"}\n", "pg_profile"),
            ("out.txt", "--**** THIS IS A TSV FORMATED FILE. PLEASE DONT COPY-PASTE\n", "pg_gather"),
            ("t1.prom", "# HELP go_gc_duration_seconds A summary of the pause\n", "a Prometheus exporter"),
            ("pg_stat_archiver.csv", "2026-11-22 14:14:11+00;0;;;0;;;2026-11-22 13:55:53+00\n", "pgCluu"),
        ] {
            assert_eq!(told(name, head), Some(want), "{name} {head}");
        }
    }

    #[test]
    fn exports_of_views_are_not_taken_for_them() {
        for (name, head) in [
            ("dump.json", "{\"meta\": {\"server_version\": \"16.14\"}, \"pg_stat_wal\": []}"),
            ("dump.json", "{\"schema_version\": 1, \"taken_at\": \"x\", \"pg_stat_wal\": []}"),
            // A query that reads such a dump, in the text of a statement.
            ("s.json", "{\"meta\": 1, \"query\": \"select j -> \\\"collected_dbs\\\" from t\"}"),
            ("a.csv", "captured_at,datid\n2026-11-22 14:14:11+00,5\n"),
            ("pg_stat_archiver.csv", "0;;;0;;;2026-11-22 13:55:53+00\n"),
            ("pg_stat_database.csv", "2026-11-22 14:14:11.5+00;0\n"),
            ("a.csv", "\n"),
        ] {
            assert_eq!(told(name, head), None, "{name} {head}");
        }
    }
}
