//! What the JSON files of a packed history say.

use crate::meta::Meta;
use crate::snapshot::Table;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Told from other manifests by this.
pub(super) const FORMAT: &str = "pgretro packed history";
/// Readers refuse a version they do not know.
pub(super) const VERSION: u32 = 1;

/// `manifest.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub format: String,
    pub version: u32,
    /// How many there are in all.
    pub snapshots: u64,
    pub groups: Vec<GroupEntry>,
}

/// Snapshots written together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct GroupEntry {
    pub snapshots: u64,
    /// Capture times of the earliest and latest.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// The file that holds a [`Group`].
    pub index: Written,
    pub files: Vec<Written>,
}

/// A file of the packed history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Written {
    /// Under the folder of the manifest, with `/`.
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

/// `snapshots/000001.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Group {
    /// Kinds of tables; each has a file of its own.
    pub layouts: Vec<Layout>,
    pub snapshots: Vec<Moment>,
}

/// Tables of the same view, name and columns.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Layout {
    /// The Parquet file.
    pub file: String,
    /// Catalog name, or the unknown relation's own.
    pub name: String,
    /// Whether the catalog knew it.
    pub known: bool,
    pub exported_as: String,
    /// Columns of the catalog, by their present names.
    pub columns: Vec<String>,
    /// Columns the catalog did not know: their name, and their name in the Parquet file.
    pub extra: Vec<(String, String)>,
}

/// A snapshot of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Moment {
    pub meta: Meta,
    pub tables: Vec<Stored>,
}

/// A table of a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    /// Position in [`Group::layouts`].
    pub layout: usize,
    pub rows: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Timestamp>,
    /// Files its rows were read from, and for JSON the pointer to them.
    pub sources: Vec<(String, Option<String>)>,
}

impl Layout {
    /// The kind of a table; its file is chosen later.
    pub fn of(table: &Table) -> Self {
        let columns: Vec<String> = table.view.map_or_else(Vec::new, |view| {
            let exported = view.columns.iter().zip(&table.columns).filter(|(_, data)| data.is_some());
            exported.map(|(column, _)| column.name.to_owned()).collect()
        });
        let mut taken: Vec<String> = super::columns::OWN.iter().map(|name| (*name).to_owned()).collect();
        taken.extend(columns.iter().cloned());
        let mut extra = Vec::with_capacity(table.extra.len());
        for (name, _) in &table.extra {
            // Other programs tell columns by their names in any case.
            let mut stored = name.to_lowercase();
            let mut number = 1;
            while stored.is_empty() || taken.contains(&stored) {
                number += 1;
                stored = format!("{}_{number}", name.to_lowercase());
            }
            taken.push(stored.clone());
            extra.push((name.clone(), stored));
        }
        Self {
            file: String::new(),
            name: table.name.clone(),
            known: table.view.is_some(),
            exported_as: table.exported_as.clone(),
            columns,
            extra,
        }
    }

    /// The folder of its files: the name, with what is not plain in it as `%XX`.
    pub fn folder(&self) -> String {
        const LONGEST: usize = 60;
        let mut out = String::from("view=");
        for byte in self.name.bytes().take(LONGEST) {
            if byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::TextData;
    use crate::snapshot::literal::table;

    #[test]
    fn names_of_strangers_lead_nowhere() {
        let layout = |name: &str| Layout { name: name.to_owned(), ..Layout::of(&table("pg_stat_wal", "wal_fpi", &[])) };
        for (name, want) in [
            ("pg_stat_wal", "view=pg_stat_wal"),
            ("../../etc", "view=%2E%2E%2F%2E%2E%2Fetc"),
            ("Größe", "view=%47r%C3%B6%C3%9Fe"),
        ] {
            assert_eq!(layout(name).folder(), want);
        }
        assert!(layout(&"x/".repeat(1000)).folder().len() < 255);
    }

    #[test]
    fn unknown_columns_keep_their_names_apart() {
        let mut table = table("pg_stat_wal", "wal_fpi", &["1"]);
        for name in ["mood", "Mood", "wal_fpi", "_snapshot", ""] {
            table.extra.push((name.to_owned(), TextData::new()));
        }
        let stored: Vec<String> = Layout::of(&table).extra.into_iter().map(|(_, stored)| stored).collect();
        assert_eq!(stored, ["mood", "mood_2", "wal_fpi_2", "_snapshot_2", "_2"]);
    }
}
