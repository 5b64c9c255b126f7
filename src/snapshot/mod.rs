//! All views of one server at one moment, as typed columns.

mod column;
pub mod frame;
mod ints;
#[cfg(test)]
pub mod literal;
mod packed_text;
mod places;
mod table;
mod text;

pub use column::Data;
pub use ints::{Ints, Near};
pub use packed_text::LONGEST_TEXT;
pub use places::Places;
pub use table::{Row, Source, Table, Value, parse_array};
pub use text::TextData;

use crate::meta::Meta;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All views of one server at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// When, of what, from which files.
    pub meta: Meta,
    /// The views read, by catalog name. A view that was exported without rows is here with 0 rows; a view that was
    /// not exported is absent: the two are different sentences in a report.
    pub tables: BTreeMap<&'static str, Arc<Table>>,
    /// Relations nobody knows, as text.
    pub unknown: Vec<Table>,
}

impl Snapshot {
    /// A view by its catalog name.
    pub fn table(&self, view: &str) -> Option<&Arc<Table>> {
        self.tables.get(view)
    }

    /// Whether nothing of a server was understood of its files, not even a time: then it is of no moment.
    pub fn holds_nothing(&self) -> bool {
        let tells =
            |(name, t): (&&str, &Arc<Table>)| *name != "meta" && (t.rows > 0 || t.columns.iter().any(Option::is_some));
        self.meta.taken_at.is_none() && !self.tables.iter().any(tells)
    }
}
