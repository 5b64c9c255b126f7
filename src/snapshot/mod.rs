//! All views of one server at one moment, as typed columns.

mod column;
#[cfg(test)]
pub mod literal;
mod table;

pub use column::{Data, TextData};
pub use table::{Row, Source, Table, Value};

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
}
