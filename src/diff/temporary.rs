//! The sessions' temporary tables, which come and go with them.

use super::Options;
use crate::catalog::View;
use crate::snapshot::{Data, Table, Value};

/// Which rows of a view are left out as temporary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Temporary {
    /// The column whose schemas tell; `None`: no row is left out.
    schema: Option<usize>,
}

impl Temporary {
    /// All rows take part.
    pub const KEPT: Self = Self { schema: None };

    /// What the options say of a view.
    pub fn of(view: &View, options: &Options) -> Self {
        let schema = view.column("schemaname").map(|(i, _)| i);
        Self { schema: schema.filter(|_| view.per_database && !options.temporary) }
    }

    /// Whether a row is left out.
    pub fn has(self, table: &Table, row: u32) -> bool {
        match self.schema.map(|c| table.value(row as usize, c)) {
            Some(Value::Text(name)) => is_temporary(name),
            _ => false,
        }
    }

    /// Whether any row is: mostly none, which a look at the schemas tells sooner than one at every row.
    pub fn has_any(self, table: &Table) -> bool {
        match self.schema.and_then(|c| table.columns.get(c)) {
            Some(Some(Data::Text(schemas))) => schemas.any(is_temporary),
            _ => false,
        }
    }
}

fn is_temporary(schema: &str) -> bool {
    schema.starts_with("pg_temp_") || schema.starts_with("pg_toast_temp_")
}
