//! What was recognised in a dump, what is missing, and what that disables, as plain data.

use crate::advisor::{Need, rules::RULES};
use crate::catalog::{self, View};
use crate::error::{Error, Result};
use crate::meta::{Note, SourceFile, TimeSource};
use crate::report::SECTIONS;
use crate::snapshot::{Snapshot, Table};
use crate::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// Everything `inspect` says.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    schema: u32,
    pub snapshots: Vec<Moment>,
    pub missing: Vec<Missing>,
    pub disabled_rules: Vec<Disabled>,
}

/// A snapshot.
#[derive(Debug, Serialize)]
pub(super) struct Moment {
    pub label: String,
    pub taken_at: Option<Timestamp>,
    pub time_source: Option<TimeSource>,
    pub server_version: Option<String>,
    pub version_inferred: bool,
    pub database: Option<String>,
    pub system_identifier: Option<String>,
    pub in_recovery: Option<bool>,
    pub timezone: Option<String>,
    pub pgss_version: Option<String>,
    pub views: Vec<Seen>,
    pub unknown: Vec<Unknown>,
    pub files: Vec<SourceFile>,
    pub notes: Vec<Note>,
    pub notes_total: u64,
}

/// A view of a snapshot.
#[derive(Debug, Serialize)]
pub(super) struct Seen {
    pub view: &'static str,
    pub exported_as: String,
    pub rows: usize,
    /// Columns of the catalog that were there.
    pub columns: usize,
    /// Columns that this version exports and that were not there.
    pub columns_missing: Vec<&'static str>,
    pub columns_unknown: Vec<String>,
}

/// A relation nobody knows.
#[derive(Debug, Serialize)]
pub(super) struct Unknown {
    pub name: String,
    pub rows: usize,
    pub columns: Vec<String>,
}

/// A view that no snapshot has, though this version exports it.
#[derive(Debug, Serialize)]
pub(super) struct Missing {
    pub view: &'static str,
    pub about: &'static str,
    /// Sections that show less without it.
    pub sections: Vec<&'static str>,
    /// Rules that cannot run without it.
    pub rules: Vec<&'static str>,
}

/// A rule that cannot run on this dump, whatever its numbers are.
#[derive(Debug, Serialize)]
pub(super) struct Disabled {
    pub rule: &'static str,
    pub reasons: Vec<String>,
}

/// Gathers it.
pub(super) fn of(snapshots: &[Snapshot]) -> Facts {
    let disabled_rules: Vec<Disabled> = RULES
        .iter()
        .filter_map(|rule| {
            let reasons: Vec<String> = rule.needs.iter().filter_map(|need| unmet(need, snapshots)).collect();
            (!reasons.is_empty()).then_some(Disabled { rule: rule.id, reasons })
        })
        .collect();
    Facts { schema: 1, snapshots: snapshots.iter().map(moment).collect(), missing: missing(snapshots), disabled_rules }
}

/// As JSON, with a line break at the end.
pub(super) fn json(facts: &Facts) -> Result<String> {
    let text = serde_json::to_string_pretty(facts).map_err(|e| Error::input(format!("write JSON: {e}")))?;
    Ok(text + "\n")
}

fn moment(snapshot: &Snapshot) -> Moment {
    let meta = &snapshot.meta;
    Moment {
        label: meta.label.clone(),
        taken_at: meta.taken_at,
        time_source: meta.time_source,
        server_version: meta.version.map(|v| if meta.version_inferred { v.major().to_string() } else { v.to_string() }),
        version_inferred: meta.version_inferred,
        database: meta.database.clone(),
        system_identifier: meta.system_identifier.clone(),
        in_recovery: meta.in_recovery,
        timezone: meta.timezone.clone(),
        pgss_version: meta.pgss_version.clone(),
        views: snapshot.tables.values().filter_map(|t| Some(seen(t, t.view?, meta.major()))).collect(),
        unknown: snapshot
            .unknown
            .iter()
            .map(|t| Unknown {
                name: t.name.clone(),
                rows: t.rows,
                columns: t.extra.iter().map(|(name, _)| name.clone()).collect(),
            })
            .collect(),
        files: meta.files.clone(),
        notes: meta.notes.kept.clone(),
        notes_total: meta.notes.total(),
    }
}

fn seen(table: &Table, view: &'static View, major: Option<u8>) -> Seen {
    let columns_missing = major.map_or_else(Vec::new, |major| {
        // The columns of pg_stat_statements follow the extension, and a dump's own exports may have any.
        let follows_server = view.name.starts_with("pg_") && !view.name.starts_with("pg_stat_statements");
        view.columns
            .iter()
            .filter(|c| follows_server && c.majors.contains(major) && !nameless(table) && !table.has(c.name))
            .map(|c| c.name)
            .collect()
    });
    Seen {
        view: view.name,
        exported_as: table.exported_as.clone(),
        rows: table.rows,
        columns: table.columns.iter().flatten().count(),
        columns_missing,
        columns_unknown: table.extra.iter().map(|(name, _)| name.clone()).collect(),
    }
}

/// Views that some section shows or some rule needs, that this version exports, and that no snapshot has.
fn missing(snapshots: &[Snapshot]) -> Vec<Missing> {
    let wanted: BTreeSet<&str> = SECTIONS
        .iter()
        .flat_map(|s| s.views.iter().copied())
        .chain(RULES.iter().flat_map(|r| r.needs.iter().filter_map(view_of)))
        .collect();
    let major = snapshots.last().and_then(|s| s.meta.major());
    catalog::VIEWS
        .iter()
        .filter(|view| {
            wanted.contains(view.name)
                && major.is_none_or(|m| view.majors.contains(m))
                && snapshots.iter().all(|s| s.table(view.name).is_none())
        })
        .map(|view| Missing {
            view: view.name,
            about: view.about,
            sections: SECTIONS.iter().filter(|s| s.views.contains(&view.name)).map(|s| s.id).collect(),
            rules: RULES
                .iter()
                .filter(|r| r.needs.iter().any(|need| view_of(need) == Some(view.name)))
                .map(|r| r.id)
                .collect(),
        })
        .collect()
}

/// The view that exported another one's columns in an older version.
fn place_then(view: &View, major: u8) -> Option<&'static str> {
    view.columns.iter().find_map(|c| c.exported_as(major).0)
}

const fn view_of(need: &Need) -> Option<&'static str> {
    match need {
        Need::View(view, _) => Some(*view),
        _ => None,
    }
}

/// Whether an export says nothing about its columns: JSON without rows is `[]`. Nothing can be missing from it.
fn nameless(table: &Table) -> bool {
    table.rows == 0 && table.columns.iter().all(Option::is_none)
}

/// Why a need is not met; `None` where it is.
fn unmet(need: &Need, snapshots: &[Snapshot]) -> Option<String> {
    match need {
        Need::View(name, columns) => {
            let mut tables = snapshots.iter().rev().filter_map(|s| s.table(name)).peekable();
            if tables.peek().is_none() {
                let major = snapshots.last().and_then(|s| s.meta.major());
                let known = catalog::view(name).zip(major);
                return Some(match known {
                    Some((view, major)) if !view.majors.contains(major) => match place_then(view, major) {
                        Some(then) => format!("{then} is missing, which has its columns in PostgreSQL {major}"),
                        None => format!("PostgreSQL {major} has no {name}"),
                    },
                    _ => format!("{name} is missing"),
                });
            }
            let lacking: Vec<&str> = columns
                .iter()
                .copied()
                .filter(|c| !tables.clone().any(|table| nameless(table) || table.has(c)))
                .collect();
            (!lacking.is_empty()).then(|| format!("{name} lacks {}", lacking.join(", ")))
        }
        Need::Snapshots(n) => {
            (snapshots.len() < *n).then(|| format!("it needs {n} snapshots, {} given", snapshots.len()))
        }
        Need::Primary => {
            (snapshots.last()?.meta.in_recovery == Some(true)).then(|| "the server is a standby".to_owned())
        }
        // Nothing exports plans: a dump without them lacks nothing. How many there are stands among the views.
        Need::Plans => None,
        Need::Setting(name) => {
            let stated = snapshots.iter().filter_map(|s| s.table("pg_settings")).any(|settings| {
                settings.iter().any(|row| row.text("name") == Some(name) && row.text("setting").is_some())
            });
            (!stated).then(|| format!("the setting {name} was not exported"))
        }
    }
}
