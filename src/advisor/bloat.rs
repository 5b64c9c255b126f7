//! How many pages the rows of a table, or the entries of an index, would fill if no space were wasted.
//!
//! Estimates from mean widths: column alignment is not known, deduplicated entries (13 and later) are smaller than
//! assumed, so that the waste comes out too low rather than too high.
//!
//! Source: page and tuple layout, PostgreSQL manual, *Database Page Layout*; the method is that of the well-known
//! statistical bloat queries (ioguix), checked against `pgstattuple` on PostgreSQL 15.

use super::{Context, TableFact, show};
use crate::snapshot::Row;
use crate::unit::Unit;

/// Page header of a heap.
const PAGE_HEADER: f64 = 24.0;
/// Page header of a B-tree, with the special space at its end.
const BTREE_OVERHEAD: f64 = 40.0;
/// Line pointer.
const POINTER: f64 = 4.0;

/// Pages as they are against pages as they could be.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Pages there are.
    pub pages: f64,
    /// Pages that would do.
    pub ideal: f64,
    /// How the second was computed, with the numbers put in.
    pub formula: String,
}

impl Estimate {
    /// The share of pages that would not be needed.
    pub fn waste(&self) -> f64 {
        (1.0 - self.ideal / self.pages.max(1.0)).max(0.0)
    }

    /// The same in bytes.
    pub fn waste_bytes(&self, block: f64) -> f64 {
        (self.pages - self.ideal).max(0.0) * block
    }
}

/// Everything in a page begins at a multiple of 8.
fn align8(bytes: f64) -> f64 {
    (bytes / 8.0).ceil() * 8.0
}

/// A heap of so many rows whose columns are so wide together, NULLs counted as if they were values.
pub fn heap(rows: f64, width: f64, pages: f64, fillfactor: f64, block: f64) -> Estimate {
    let tuple = POINTER + 24.0 + align8(width);
    let usable = (block - PAGE_HEADER) * fillfactor;
    // A row is never split: what is left of a page is no waste.
    let per_page = (usable / tuple).floor().max(1.0);
    let formula = format!(
        "{} of {} each, {per_page:.0} to a page at a fillfactor of {}",
        show(rows, Unit::Rows),
        show(tuple, Unit::Bytes),
        show(fillfactor, Unit::Share)
    );
    Estimate { pages, ideal: (rows / per_page).ceil(), formula }
}

/// A B-tree of so many entries whose columns are so wide together; `nulls`: some of them are NULL.
pub fn btree(entries: f64, width: f64, nulls: bool, pages: f64, fillfactor: f64, block: f64) -> Estimate {
    let tuple = POINTER + align8(8.0 + width + if nulls { 8.0 } else { 0.0 });
    let leaves = entries * tuple / ((block - BTREE_OVERHEAD) * fillfactor);
    let formula = format!(
        "{} entries of {} each, pages filled to {}",
        show(entries, Unit::Rows),
        show(tuple, Unit::Bytes),
        show(fillfactor, Unit::Share)
    );
    // The first page holds no entries.
    Estimate { pages, ideal: leaves.ceil() + 1.0, formula }
}

/// A fillfactor as a share, from the storage parameters; `default` where it is not set.
pub fn fillfactor(options: Option<String>, default: f64) -> f64 {
    options.and_then(|v| v.parse::<f64>().ok()).map_or(default, |percent| percent / 100.0).clamp(0.1, 1.0)
}

/// Rows of `pg_stats` of all columns of a table without its children; `None` where one of them is not known: never
/// analyzed, hidden from the exporting role, or the table has dropped columns, whose values still take space.
pub fn known_columns<'a>(cx: &Context<'a>, table: &TableFact<'a>) -> Option<Vec<Row<'a>>> {
    let all: Vec<Row<'a>> = cx
        .facts
        .columns(table.schema(), table.name())
        .iter()
        .filter(|r| r.bool("inherited") != Some(true))
        .copied()
        .collect();
    let columns = table.sizes?.f64("relnatts").unwrap_or(all.len() as f64);
    (!all.is_empty() && all.len() as f64 >= columns).then_some(all)
}

/// The mean widths of columns together, in bytes.
pub fn width(columns: &[Row<'_>]) -> f64 {
    columns.iter().filter_map(|r| r.f64("avg_width")).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_heap_wastes_nothing() {
        // 100,000 rows of two bigints: 44 bytes each, 185 to a page; PostgreSQL 15 makes 541 pages of it.
        let e = heap(100_000.0, 16.0, 541.0, 1.0, 8192.0);
        assert_eq!(e.ideal, 541.0);
        assert!(e.waste() < 0.001 && e.waste_bytes(8192.0) < 1.0);
        assert_eq!(e.formula, "100,000 of 44 bytes each, 185 to a page at a fillfactor of 100%");
        assert!((heap(100_000.0, 16.0, 2164.0, 1.0, 8192.0).waste() - 0.75).abs() < 1e-3);
        // Wide rows leave gaps that nobody can use: 5,000 bytes are one to a page.
        assert_eq!(heap(1_000.0, 5_000.0, 1_000.0, 1.0, 8192.0).waste(), 0.0);
    }

    #[test]
    fn a_fresh_btree_wastes_nothing() {
        // 100,000 bigints: 20 bytes each; PostgreSQL 15 makes 276 pages of it, inner pages included.
        let e = btree(100_000.0, 8.0, false, 276.0, 0.9, 8192.0);
        assert!((270.0..=276.0).contains(&e.ideal), "{e:?}");
        assert!(e.waste() < 0.02);
        assert!((btree(100_000.0, 8.0, false, 1104.0, 0.9, 8192.0).waste() - 0.75).abs() < 0.01);
    }

    #[test]
    fn hostile_numbers_stay_numbers() {
        for n in [0.0, -1.0, 1e300, f64::MAX] {
            for e in [heap(n, n, n, 0.1, 8192.0), btree(n, n, true, n, 0.1, 8192.0)] {
                assert!((0.0..=1.0).contains(&e.waste()) || e.waste().is_nan(), "{n}: {e:?}");
            }
        }
        assert_eq!(fillfactor(Some("70".to_owned()), 0.9), 0.7);
        assert_eq!(fillfactor(Some("x".to_owned()), 0.9), 0.9);
        assert_eq!(fillfactor(None, 0.9), 0.9);
    }
}
