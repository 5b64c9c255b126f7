//! The catalog for people and scripts: a readable table, CSV, JSON, Markdown.

use super::{Column, Origin, VIEWS, View, exported, view};
use crate::error::{Error, Result};
use crate::unit::Unit;
use crate::version::{NEWEST, OLDEST};
use serde::Serialize;
use std::fmt::Write;

/// The catalog, or a part of it.
#[derive(Clone, Debug, Serialize)]
pub struct Listing {
    views: Vec<ListedView>,
    #[serde(skip)]
    major: Option<u8>,
}

#[derive(Clone, Debug, Serialize)]
struct ListedView {
    name: &'static str,
    also: &'static [&'static str],
    columns: Vec<ListedColumn>,
    #[serde(skip)]
    view: &'static View,
}

#[derive(Clone, Debug, Serialize)]
struct ListedColumn {
    name: &'static str,
    exported_as: &'static str,
    kind: &'static str,
    unit: Unit,
    since: u8,
    until: Option<u8>,
    about: &'static str,
    #[serde(skip)]
    column: &'static Column,
    /// The view it belongs to now.
    #[serde(skip)]
    owner: &'static str,
}

/// Lists the catalog: one view or all; as it is, or what `major` exports under its own names and places.
///
/// # Errors
/// [`Error::Usage`] where the view or the version does not exist.
pub fn list(only: Option<&str>, major: Option<u8>) -> Result<Listing> {
    if let Some(major) = major.filter(|m| !(OLDEST..=NEWEST).contains(m)) {
        return Err(Error::usage(
            format!("list PostgreSQL {major}: the catalog knows {OLDEST} to {NEWEST}"),
            format!("give --pg {OLDEST} to --pg {NEWEST}"),
        ));
    }
    let wanted: Vec<&'static View> = match only {
        None => VIEWS.to_vec(),
        Some(name) => vec![view(name).ok_or_else(|| unknown_view(name))?],
    };
    let views: Vec<ListedView> = wanted.into_iter().filter_map(|v| listed(v, major)).collect();
    if let (Some(name), Some(major), true) = (only, major, views.is_empty()) {
        return Err(not_exported(name, major));
    }
    Ok(Listing { views, major })
}

fn listed(view: &'static View, major: Option<u8>) -> Option<ListedView> {
    let columns = match major {
        None => view.columns.iter().map(|c| listed_column(c, view.name, c.name)).collect(),
        Some(major) if view.majors.contains(major) => {
            exported(view, major).into_iter().map(|e| listed_column(e.column, e.view.name, e.name)).collect()
        }
        Some(_) => return None,
    };
    Some(ListedView { name: view.name, also: view.also, columns, view })
}

fn listed_column(column: &'static Column, owner: &'static str, exported_as: &'static str) -> ListedColumn {
    ListedColumn {
        name: column.name,
        exported_as,
        kind: column.kind.word(),
        unit: column.unit,
        since: column.majors.since,
        until: column.majors.until,
        about: column.about,
        column,
        owner,
    }
}

fn unknown_view(name: &str) -> Error {
    let wanted = name.to_ascii_lowercase();
    let near: Vec<&str> = VIEWS.iter().map(|v| v.name).filter(|v| v.contains(&wanted) || wanted.contains(v)).collect();
    let hint = if near.is_empty() {
        "run `pgretro catalog` for all views".to_owned()
    } else {
        format!("there are {}", near.join(", "))
    };
    Error::usage(format!("find a view `{name}` in the catalog"), hint)
}

fn not_exported(name: &str, major: u8) -> Error {
    let places: Vec<&str> = view(name).map_or_else(Vec::new, |v| {
        let mut places: Vec<&str> =
            v.columns.iter().filter(|c| c.majors.contains(major)).filter_map(|c| c.exported_as(major).0).collect();
        places.dedup();
        places
    });
    let hint = match places.first() {
        Some(place) => format!("what it holds stood in {place} then"),
        None => format!("run `pgretro catalog --view {name}` for the versions that have it"),
    };
    Error::usage(format!("list `{name}`: PostgreSQL {major} does not have it"), hint)
}

impl Listing {
    /// `{"views":[{"name", "also", "columns":[{"name", "exported_as", "kind", "unit", "since", "until", "about"}]}]}`
    pub fn json(&self) -> String {
        // A tree of texts and numbers: nothing in it can fail to be written.
        serde_json::to_string_pretty(self)
            .map(|mut text| {
                text.push('\n');
                text
            })
            .unwrap_or_default()
    }

    /// One line a column: view, name, exported as, kind, unit, since, until, about.
    pub fn csv(&self) -> String {
        let mut out = String::from("view,name,exported_as,kind,unit,since,until,about\n");
        for view in &self.views {
            for c in &view.columns {
                let until = c.until.map(|m| m.to_string()).unwrap_or_default();
                let line = [view.name, c.name, c.exported_as, c.kind, unit_word(c.unit)].join(",");
                let about = c.about.replace('"', "\"\"");
                let _ = writeln!(out, "{line},{},{until},\"{about}\"", c.since);
            }
        }
        out
    }

    /// The readable table.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for view in &self.views {
            if !out.is_empty() {
                out.push('\n');
            }
            let _ = writeln!(out, "{}  {}", view.name, view.view.about);
            for line in self.facts(view) {
                let _ = writeln!(out, "  {line}");
            }
            let rows: Vec<[String; 5]> = view.columns.iter().map(|c| self.cells(view, c)).collect();
            let width = |at: usize| rows.iter().filter_map(|r| r.get(at)).map(|c| c.chars().count()).max().unwrap_or(0);
            let widths = [width(0), width(1), width(2), width(3)];
            for [name, kind, unit, versions, about] in &rows {
                let _ = writeln!(
                    out,
                    "    {name:<a$}  {kind:<b$}  {unit:<c$}  {versions:<d$}  {about}",
                    a = widths[0],
                    b = widths[1],
                    c = widths[2],
                    d = widths[3]
                );
            }
        }
        out
    }

    /// The catalog as a Markdown document, without a title.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for view in &self.views {
            let _ = writeln!(out, "## {}\n\n{}.\n", view.name, view.view.about);
            for line in self.facts(view) {
                let _ = writeln!(out, "- {line}");
            }
            out.push_str("\n| column | kind | unit | versions | about |\n| --- | --- | --- | --- | --- |\n");
            for c in &view.columns {
                let [name, kind, unit, versions, about] = self.cells(view, c);
                let about = about.replace('|', "\\|").replace('<', "&lt;");
                let _ = writeln!(out, "| {name} | {kind} | {unit} | {versions} | {about} |");
            }
            out.push('\n');
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    /// What is said of a view beside its columns.
    fn facts(&self, listed: &ListedView) -> Vec<String> {
        let view = listed.view;
        let mut facts = Vec::new();
        if !view.also.is_empty() {
            facts.push(format!("same rows, more or fewer: {}", view.also.join(", ")));
        }
        let scope =
            if view.per_database { "rows of the exporting session's database" } else { "rows of the whole cluster" };
        let key = if view.key.is_empty() { "one row".to_owned() } else { format!("key {}", view.key.join(", ")) };
        let fallback = if view.fallback_key.is_empty() || view.fallback_key == view.key {
            String::new()
        } else {
            format!(" (where that was not exported: {})", view.fallback_key.join(", "))
        };
        facts.push(format!("{scope}; {key}{fallback}"));
        let made = match view.origin {
            Origin::Server => None,
            Origin::Statements => Some("columns follow the version of the extension, by default that of the server"),
            Origin::Export => Some("made by the script of `pgretro export-sql`"),
            Origin::Given => Some("put beside the exports by hand"),
        };
        facts.extend(made.map(str::to_owned));
        if self.major.is_none() && view.majors != crate::version::Majors::ALL {
            facts.push(format!("PostgreSQL {}", versions(view.majors.since, view.majors.until)));
        }
        facts
    }

    /// Name, kind, unit, versions, about.
    fn cells(&self, view: &ListedView, c: &ListedColumn) -> [String; 5] {
        let older: Vec<String> = c
            .column
            .moved
            .iter()
            .map(|m| match m.view {
                Some(view) => format!("{}: {view}.{}", versions(m.since, Some(m.until)), m.name),
                None => format!("{}: {}", versions(m.since, Some(m.until)), m.name),
            })
            .collect();
        let about = if older.is_empty() || self.major.is_some() {
            c.about.to_owned()
        } else {
            format!("{} ({})", c.about, older.join("; "))
        };
        let name = if c.owner != view.name {
            format!("{} (now {}.{})", c.exported_as, c.owner, c.name)
        } else if c.name != c.exported_as {
            format!("{} (now {})", c.exported_as, c.name)
        } else {
            c.name.to_owned()
        };
        [name, c.kind.replace('_', " "), unit_word(c.unit).replace('_', " "), versions(c.since, c.until), about]
    }
}

/// `12–18`, `16–`, `12`.
fn versions(since: u8, until: Option<u8>) -> String {
    match until {
        None if since == OLDEST => "all".to_owned(),
        None => format!("{since}+"),
        Some(last) if last == since => since.to_string(),
        Some(last) => format!("{since}–{last}"),
    }
}

/// The word of `catalog --json` for a unit.
fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Rows => "rows",
        Unit::Blocks => "blocks",
        Unit::Bytes => "bytes",
        Unit::Ms => "ms",
        Unit::Seconds => "seconds",
        Unit::Share => "share",
        Unit::Times => "times",
        Unit::PerSecond => "per_second",
        Unit::PerDay => "per_day",
        Unit::BytesPerSecond => "bytes_per_second",
        Unit::Sessions => "sessions",
        Unit::Xids => "xids",
        Unit::Lsn => "lsn",
        Unit::Time => "time",
        Unit::Plain => "plain",
    }
}
