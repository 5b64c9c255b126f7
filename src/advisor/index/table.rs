//! What is known of a table that statements read: its size, its columns' distribution, its indexes, its writes.

use super::shape::Shape;
use crate::advisor::partition_key::key_columns;
use crate::advisor::{Context, Facts, IndexFact, TableFact};
use crate::finding::Doubt;
use crate::snapshot::{Row, parse_array};
use std::collections::{BTreeMap, BTreeSet};

/// A table, its partitions taken together.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// Its names and rows in the dump.
    pub fact: TableFact<'a>,
    /// Its OID.
    pub relid: i64,
    /// Rows.
    pub rows: f64,
    /// Blocks of its heap.
    pub pages: f64,
    /// Share of blocks that index-only scans need not visit.
    pub visible: f64,
    /// Columns with statistics.
    pub columns: BTreeMap<String, Column>,
    /// Valid indexes and what they can answer.
    pub indexes: Vec<(IndexFact<'a>, Shape)>,
    /// Invalid indexes, which must be written and serve nothing.
    pub invalid: Vec<(IndexFact<'a>, Shape)>,
    /// Whether texts compare byte by byte in this database, so that any B-tree finds prefixes.
    pub bytewise: bool,
    /// What was written in the window.
    pub writes: Writes,
    /// Columns by which it is partitioned: what they narrow is narrowed before any index is read.
    pub pruned: BTreeSet<String>,
    /// Whether row security may add conditions that no text shows.
    pub restricted: bool,
    /// Rows that sequential scans read in the window; `None` where not exported.
    pub scanned: Option<f64>,
    /// What is uncertain about all this.
    pub doubts: Vec<Option<Doubt>>,
}

/// Partitions and the columns of partition keys, by the topmost parent.
#[derive(Debug, Default)]
pub struct Partitions<'a> {
    parts: BTreeMap<i64, Vec<&'a TableFact<'a>>>,
    keys: BTreeMap<i64, BTreeSet<String>>,
}

impl<'a> Partitions<'a> {
    /// Of all tables of a dump.
    pub fn new(cx: &Context<'a>) -> Self {
        let facts = cx.facts;
        let mut out = Self::default();
        for table in &facts.tables {
            let root = table.relid().map(|r| (r, facts.root(r))).filter(|(r, root)| r != root);
            if let Some((_, root)) = root {
                out.parts.entry(root).or_default().push(table);
            }
        }
        for row in cx.state("partitions").into_iter().flat_map(|s| s.table.iter()) {
            if let (Some(parent), Some(key)) = (row.int("parent_relid"), row.text("partition_key")) {
                out.keys.entry(facts.root(parent)).or_default().extend(key_columns(key));
            }
        }
        out
    }

    fn of(&self, root: i64) -> Vec<&'a TableFact<'a>> {
        self.parts.get(&root).cloned().unwrap_or_default()
    }
}

/// Distribution of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Distinct values.
    pub distinct: f64,
    /// Share of NULL.
    pub nulls: f64,
    /// Mean bytes of a value.
    pub width: f64,
    /// Likeness of physical and logical order, 0 to 1.
    pub correlation: f64,
    /// Share of the most common value.
    pub top: f64,
    /// Share of the least common of the common values.
    pub rarest: Option<f64>,
    /// The most common values with their shares; empty where an export leaves values out.
    pub common: Vec<(String, f64)>,
    /// Its row of pg_stats.
    pub at: usize,
}

/// Rows written in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Writes {
    /// Inserted.
    pub inserted: f64,
    /// Updated.
    pub updated: f64,
    /// Updated without touching an index.
    pub hot: f64,
}

impl<'a> Table<'a> {
    /// What the dump knows of a table; `None` without rows or blocks.
    pub fn read(cx: &Context<'a>, fact: &TableFact<'a>, partitions: &Partitions<'a>) -> Option<Self> {
        let facts = cx.facts;
        let relid = fact.relid()?;
        let temporary = fact.sizes.and_then(|s| s.text("relpersistence")) == Some("t");
        if temporary || fact.is_kind("f") == Some(true) {
            return None;
        }
        let partitioned = fact.is_kind("p") == Some(true);
        let parts: Vec<&TableFact<'a>> = if partitioned { partitions.of(relid) } else { vec![fact] };
        let block = cx.chain.last().meta.block_bytes() as f64;
        let mut out = Self {
            fact: *fact,
            relid,
            rows: 0.0,
            pages: 0.0,
            visible: 0.0,
            columns: BTreeMap::new(),
            indexes: Vec::new(),
            invalid: Vec::new(),
            bytewise: is_bytewise(cx),
            writes: Writes::default(),
            pruned: partitions.keys.get(&relid).filter(|_| partitioned).cloned().unwrap_or_default(),
            restricted: fact.sizes.and_then(|s| s.bool("relrowsecurity")) == Some(true),
            scanned: None,
            doubts: vec![
                facts.sizes_doubt(),
                facts.planner.and_then(|s| s.doubt()),
                facts.definitions.and_then(|s| s.doubt()),
            ],
        };
        for part in parts {
            let (rows, doubt) = part.rows();
            out.rows += rows.unwrap_or(0.0);
            out.doubts.push(doubt);
            out.pages += part.heap_bytes().map_or(0.0, |b| b as f64 / block);
            out.visible += part.sizes.and_then(|s| s.f64("relallvisible")).unwrap_or(0.0);
            let delta = |column| part.change.and_then(|c| c.delta(column));
            out.writes.inserted += delta("n_tup_ins").unwrap_or(0.0);
            out.writes.updated += delta("n_tup_upd").unwrap_or(0.0);
            out.writes.hot += delta("n_tup_hot_upd").unwrap_or(0.0);
            if let Some(read) = delta("seq_tup_read") {
                *out.scanned.get_or_insert(0.0) += read;
            }
        }
        if out.rows < 1.0 || out.pages < 1.0 {
            return None;
        }
        out.visible = (out.visible / out.pages).clamp(0.0, 1.0);
        for (at, row) in facts.columns(fact.schema(), fact.name()).iter().enumerate() {
            // Of a table with children the row of the whole is wanted, of a plain one there is only its own.
            if partitioned && row.bool("inherited") == Some(false) {
                continue;
            }
            if let (Some(name), Some(column)) = (row.text("attname"), Column::read(*row, at, out.rows)) {
                out.columns.insert(name.to_owned(), column);
            }
        }
        out.read_indexes(facts);
        Some(out)
    }

    fn read_indexes(&mut self, facts: &Facts<'a>) {
        for index in facts.indexes_of(self.relid) {
            let Some(def) = index.def() else { continue };
            let shape = Shape::of(&def, index.is_unique() == Some(true), self.bytewise);
            if index.is_valid() == Some(false) {
                self.invalid.push((*index, shape));
            } else {
                self.indexes.push((*index, shape));
            }
        }
        self.indexes.sort_by(|(a, _), (b, _)| (a.schema(), a.name()).cmp(&(b.schema(), b.name())));
    }

    /// A column's row of pg_stats.
    pub fn statistics(&self, cx: &Context<'a>, column: &str) -> Option<Row<'a>> {
        let at = self.columns.get(column)?.at;
        cx.facts.columns(self.fact.schema(), self.fact.name()).get(at).copied()
    }

    /// Mean bytes of a column, 8 where unknown.
    pub fn width(&self, column: &str) -> f64 {
        self.columns.get(column).map_or(8.0, |c| c.width)
    }
}

/// Whether the database's collation is "C".
fn is_bytewise(cx: &Context<'_>) -> bool {
    let name = cx.chain.last().meta.database.as_deref();
    let row =
        cx.state("pg_database").and_then(|s| s.table.iter().find(|r| name.is_some() && r.text("datname") == name));
    row.is_some_and(|r| {
        let libc = r.text("datlocprovider").is_none_or(|p| p == "c");
        libc && matches!(r.text("datcollate"), Some("C" | "POSIX"))
    })
}

impl Column {
    fn read(row: Row<'_>, at: usize, rows: f64) -> Option<Self> {
        let nulls = row.f64("null_frac")?.clamp(0.0, 1.0);
        let distinct = row.f64("n_distinct")?;
        let distinct = if distinct < 0.0 { -distinct * rows } else { distinct };
        let values = row.array("most_common_vals");
        let shares = row.text("most_common_freqs").map(parse_array).unwrap_or_default();
        let shares: Vec<f64> =
            shares.iter().filter_map(|s| s.parse().ok()).filter(|s: &f64| (0.0..=1.0).contains(s)).collect();
        let common = if values.len() == shares.len() {
            values.into_iter().zip(shares.iter().copied()).collect()
        } else {
            Vec::new()
        };
        Some(Self {
            // 0 is the spelling of unknown.
            distinct: if distinct >= 1.0 { distinct.min(rows.max(1.0)) } else { 0.0 },
            nulls,
            width: row.f64("avg_width").filter(|w| (0.0..1e6).contains(w)).unwrap_or(8.0),
            correlation: row.f64("correlation").map_or(0.0, |c| c.abs().min(1.0)),
            top: shares.first().copied().unwrap_or(0.0),
            rarest: shares.iter().copied().reduce(f64::min),
            common,
            at,
        })
    }
}
