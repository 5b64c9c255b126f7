//! The same for people.

use super::facts::{Facts, Moment};
use crate::ident::visible;
use crate::meta::TimeSource;
use crate::unit::group_int;
use std::collections::BTreeMap;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Lines of notes printed for each snapshot.
const NOTES: usize = 8;

/// Writes it.
pub(super) fn write(facts: &Facts) -> String {
    let mut out = String::new();
    let n = facts.snapshots.len();
    let known = facts.snapshots.iter().rev().find(|m| m.server_version.is_some());
    if let Some(last) = known.or(facts.snapshots.last()) {
        let _ = writeln!(out, "{} of {}\n", plural(n, "snapshot"), server(last));
    }
    moments(&facts.snapshots, &mut out);
    views(&facts.snapshots, &mut out);
    notes(&facts.snapshots, &mut out);
    missing(facts, &mut out);
    out
}

/// The same of dumps in which no view is known: what is missing is everything.
pub(super) fn nothing(facts: &Facts, why: Option<&str>) -> String {
    let why = why.unwrap_or("nothing in it is one that is known");
    let mut out = format!("No exported view is in it: {why}.\n\n");
    moments(&facts.snapshots, &mut out);
    if facts.snapshots.iter().any(|m| !m.views.is_empty() || !m.unknown.is_empty()) {
        views(&facts.snapshots, &mut out);
    }
    notes(&facts.snapshots, &mut out);
    out.push_str(
        "Dumps of other programs are not understood; `pgretro export-sql` prints a script that makes one that is.\n",
    );
    out
}

fn server(moment: &Moment) -> String {
    let mut parts = vec![match (&moment.server_version, moment.version_inferred) {
        (Some(v), false) => format!("PostgreSQL {v}"),
        (Some(v), true) => format!("PostgreSQL {v} (concluded from the columns)"),
        (None, _) => "a PostgreSQL of unknown version".to_owned(),
    }];
    if let Some(database) = &moment.database {
        parts.push(format!("database {}", visible(database)));
    }
    match moment.in_recovery {
        Some(true) => parts.push("a standby".to_owned()),
        Some(false) => parts.push("a primary".to_owned()),
        None => {}
    }
    if let Some(id) = &moment.system_identifier {
        parts.push(format!("system identifier {}", visible(id)));
    }
    parts.join(", ")
}

fn moments(snapshots: &[Moment], out: &mut String) {
    let rows = snapshots.iter().map(|m| {
        vec![
            visible(&m.label).into_owned(),
            m.taken_at.map_or_else(|| "unknown".to_owned(), crate::time::Timestamp::human_seconds),
            source(m.time_source).to_owned(),
            m.files.len().to_string(),
            m.views.len().to_string(),
            group_int(m.views.iter().map(|v| v.rows as i64).sum()),
            m.notes_total.to_string(),
        ]
    });
    table(&["snapshot", "taken", "by", "files", "views", "rows", "notes"], &[3, 4, 5, 6], rows.collect(), out);
}

const fn source(source: Option<TimeSource>) -> &'static str {
    match source {
        Some(TimeSource::Meta) => "meta",
        Some(TimeSource::Column) => "a column",
        Some(TimeSource::NewestInData) => "newest time in the data",
        Some(TimeSource::Name) => "its name",
        Some(TimeSource::Option) => "--taken-at",
        Some(TimeSource::Unknown) | None => "nothing",
    }
}

/// Each view once: in how many snapshots, and how it looks in the last of them.
fn views(snapshots: &[Moment], out: &mut String) {
    let mut last: BTreeMap<&str, (usize, &super::facts::Seen)> = BTreeMap::new();
    for moment in snapshots {
        for view in &moment.views {
            last.entry(view.view).and_modify(|(n, seen)| (*n, *seen) = (*n + 1, view)).or_insert((1, view));
        }
    }
    let rows = last.into_values().map(|(n, seen)| {
        let mut remarks = Vec::new();
        if seen.exported_as != seen.view {
            remarks.push(format!("from {}", visible(&seen.exported_as)));
        }
        if !seen.columns_missing.is_empty() {
            remarks.push(format!("without {}", some(&seen.columns_missing)));
        }
        if !seen.columns_unknown.is_empty() {
            let names: Vec<String> = seen.columns_unknown.iter().map(|c| visible(c).into_owned()).collect();
            remarks.push(format!("unknown: {}", some(&names)));
        }
        vec![
            seen.view.to_owned(),
            format!("{n} of {}", snapshots.len()),
            group_int(seen.rows as i64),
            seen.columns.to_string(),
            remarks.join("; "),
        ]
    });
    table(&["view", "in", "rows", "columns", ""], &[1, 2, 3], rows.collect(), out);
    let unknown = snapshots.last().map(|m| m.unknown.as_slice()).unwrap_or_default();
    if !unknown.is_empty() {
        let rows = unknown
            .iter()
            .map(|u| {
                let names: Vec<String> = u.columns.iter().map(|c| visible(c).into_owned()).collect();
                vec![visible(&u.name).into_owned(), group_int(u.rows as i64), some(&names)]
            })
            .collect();
        table(&["unknown relation", "rows", "columns"], &[1], rows, out);
    }
}

fn notes(snapshots: &[Moment], out: &mut String) {
    for moment in snapshots.iter().filter(|m| !m.notes.is_empty()) {
        let _ = writeln!(out, "Notes on {}:", visible(&moment.label));
        for note in moment.notes.iter().take(NOTES) {
            let mut place = note.file.as_deref().map(|f| visible(f).into_owned()).unwrap_or_default();
            if let Some(line) = note.line {
                let _ = write!(place, ":{line}");
            }
            if let Some(column) = &note.column {
                let _ = write!(place, " ({})", visible(column));
            }
            let gap = if place.is_empty() { "" } else { ": " };
            let _ = writeln!(out, "  [{}] {place}{gap}{}", note.code, visible(&note.message));
        }
        let more = moment.notes_total.saturating_sub(moment.notes.len().min(NOTES) as u64);
        if more > 0 {
            let _ = writeln!(out, "  and {more} more");
        }
        out.push('\n');
    }
}

fn missing(facts: &Facts, out: &mut String) {
    if facts.missing.is_empty() {
        out.push_str("No view is missing that a section or rule would use.\n");
    } else {
        let rows = facts
            .missing
            .iter()
            .map(|m| vec![m.view.to_owned(), m.sections.join(", "), some(&m.rules), m.about.to_owned()])
            .collect();
        table(&["missing view", "sections", "rules that need it", "what it is"], &[], rows, out);
    }
    if !facts.disabled_rules.is_empty() {
        let rows = facts.disabled_rules.iter().map(|d| vec![d.rule.to_owned(), d.reasons.join("; ")]).collect();
        table(&["rule that cannot run", "because"], &[], rows, out);
    }
}

fn plural(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// The first few of a list.
fn some<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 4;
    let mut text = names.iter().take(SHOWN).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

/// Aligned columns under their heads; `right` are those of numbers.
fn table(heads: &[&str], right: &[usize], rows: Vec<Vec<String>>, out: &mut String) {
    let mut lines = vec![heads.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows);
    let widths: Vec<usize> =
        (0..heads.len()).map(|i| lines.iter().filter_map(|l| l.get(i)).map(|c| c.width()).max().unwrap_or(0)).collect();
    for line in &lines {
        let mut text = String::new();
        for (i, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width.saturating_sub(cell.width()));
            let (before, after) = if right.contains(&i) { (gap.as_str(), "") } else { ("", gap.as_str()) };
            let _ = write!(text, "{before}{cell}{after}  ");
        }
        let _ = writeln!(out, "{}", text.trim_end());
    }
    out.push('\n');
}
