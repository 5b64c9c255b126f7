//! Tables joined once for all rules: what they count, how large they are, which partition belongs to which root.

use super::age::StatisticsAge;
use super::context::{State, state};
use super::index_facts::IndexFact;
use super::peers::{Peer, Peers};
use super::plans::Plans;
use super::trigger::AutovacuumSettings;
use crate::diff::{Chain, Change};
use crate::finding::{Doubt, Subject, SubjectKind};
use crate::ident::{display_qualified, quote_qualified};
use crate::snapshot::{Row, parse_array};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What all rules share, computed once.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// The other servers of the cluster.
    pub peers: Peers<'a>,
    /// The query plans of the dump.
    pub plans: Plans<'a>,
    /// Since when the database's counters count.
    pub age: StatisticsAge,
    /// Autovacuum's settings.
    pub autovacuum: AutovacuumSettings,
    /// The tables of the last snapshot, in the order of the view's keys, then those that only `table_sizes` has.
    pub tables: Vec<TableFact<'a>>,
    /// `table_sizes`, where there is one.
    pub sizes: Option<State<'a>>,
    by_relid: HashMap<i64, usize, foldhash::fast::FixedState>,
    by_name: BTreeMap<(&'a str, &'a str), usize>,
    parents: HashMap<i64, i64, foldhash::fast::FixedState>,
    /// The indexes of the last snapshot, in the order of the view's keys, then those that only definitions have.
    pub indexes: Vec<IndexFact<'a>>,
    /// Where the definitions are from: `index_definitions`, else `pg_indexes`.
    pub definitions: Option<State<'a>>,
    indexes_of: HashMap<i64, Vec<usize>, foldhash::fast::FixedState>,
    index_by_oid: HashMap<i64, usize, foldhash::fast::FixedState>,
    index_names: BTreeSet<(&'a str, &'a str)>,
    /// `pg_stats`, where there is one.
    pub planner: Option<State<'a>>,
    columns_of: BTreeMap<(&'a str, &'a str), usize>,
    columns: Vec<Vec<Row<'a>>>,
}

/// A table: its counters and its sizes, at least one of the two.
#[derive(Clone, Copy, Debug)]
pub struct TableFact<'a> {
    /// Its row of `pg_stat_user_tables` over the window.
    pub change: Option<Change<'a>>,
    /// Its row of `table_sizes`.
    pub sizes: Option<Row<'a>>,
    /// Looked up once: most rules begin with a floor on it.
    heap_bytes: Option<i64>,
}

/// Whether a schema is PostgreSQL's own or temporary: its objects are nobody's to change.
pub fn is_system_schema(schema: &str) -> bool {
    matches!(schema, "pg_catalog" | "information_schema")
        || schema.starts_with("pg_toast")
        || schema.starts_with("pg_temp")
}

/// Bytes of a heap: measured, else the pages that the last vacuum or analyze saw.
fn heap_bytes(sizes: Row<'_>, block_bytes: i64) -> Option<i64> {
    let size = |column| sizes.int(column).filter(|n| *n >= 0);
    size("relation_size").or_else(|| size("relpages").map(|pages| pages.saturating_mul(block_bytes)))
}

impl<'a> Facts<'a> {
    /// Joins the views of the chain.
    pub fn new(chain: &'a Chain) -> Self {
        Self::among(chain, &[])
    }

    /// The same beside the other servers of the cluster.
    pub fn among(chain: &'a Chain, peers: &[Peer<'a>]) -> Self {
        let sizes = state(chain, "table_sizes");
        let block_bytes = chain.last().meta.block_bytes();
        let mut facts = Self {
            peers: Peers::of(chain, peers),
            plans: Plans::of(chain),
            age: StatisticsAge::of(chain),
            autovacuum: AutovacuumSettings::of(chain),
            sizes,
            ..Self::default()
        };
        let changes = chain.view("pg_stat_user_tables").into_iter().flat_map(|v| v.present().collect::<Vec<_>>());
        for change in changes {
            facts.add(TableFact { change: Some(change), sizes: None, heap_bytes: None });
        }
        for row in sizes.into_iter().flat_map(|s| s.table.iter()) {
            let known = row.int("relid").map_or_else(
                || Some((row.text("schemaname")?, row.text("relname")?)).and_then(|key| facts.by_name.get(&key)),
                |relid| facts.by_relid.get(&relid),
            );
            let heap_bytes = heap_bytes(row, block_bytes);
            match known.copied().and_then(|i| facts.tables.get_mut(i)) {
                Some(table) => (table.sizes, table.heap_bytes) = (Some(row), heap_bytes),
                None => facts.add(TableFact { change: None, sizes: Some(row), heap_bytes }),
            }
        }
        for row in state(chain, "partitions").into_iter().flat_map(|s| s.table.iter()) {
            if let (Some(child), Some(parent)) = (row.int("child_relid"), row.int("parent_relid")) {
                facts.parents.insert(child, parent);
            }
        }
        facts.join_indexes(chain, block_bytes);
        facts.planner = state(chain, "pg_stats");
        for row in facts.planner.into_iter().flat_map(|s| s.table.iter()) {
            let name = (row.text("schemaname").unwrap_or_default(), row.text("tablename").unwrap_or_default());
            let at = *facts.columns_of.entry(name).or_insert(facts.columns.len());
            match facts.columns.get_mut(at) {
                Some(columns) => columns.push(row),
                None => facts.columns.push(vec![row]),
            }
        }
        facts
    }

    fn join_indexes(&mut self, chain: &'a Chain, block_bytes: i64) {
        let used = chain.view("pg_stat_user_indexes");
        let mut by_name: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for change in used.into_iter().flat_map(|v| v.present().collect::<Vec<_>>()) {
            let fact = IndexFact { change: Some(change), definition: None, bare: None, block_bytes };
            by_name.insert((fact.schema(), fact.name()), self.indexes.len());
            self.indexes.push(fact);
        }
        for (i, fact) in self.indexes.iter().enumerate() {
            if let Some(oid) = fact.indexrelid() {
                self.index_by_oid.insert(oid, i);
            }
        }
        self.definitions = state(chain, "index_definitions");
        let bare = if self.definitions.is_none() { state(chain, "pg_indexes") } else { None };
        // Definitions of an older snapshot may be of indexes that are gone.
        let newest = chain.snapshots.len().saturating_sub(1);
        let may_add = |s: &State<'_>| used.is_none() || s.snapshot == newest;
        for (state, row) in self.definitions.into_iter().flat_map(|s| s.table.iter().map(move |r| (s, r))) {
            let known = row.int("indexrelid").and_then(|oid| self.index_by_oid.get(&oid)).copied();
            let name = Some((row.text("schemaname").unwrap_or_default(), row.text("indexrelname").unwrap_or_default()));
            match known.or_else(|| name.and_then(|n| by_name.get(&n)).copied()).and_then(|i| self.indexes.get_mut(i)) {
                Some(fact) => fact.definition = Some(row),
                None if may_add(&state) => {
                    if let Some(oid) = row.int("indexrelid") {
                        self.index_by_oid.insert(oid, self.indexes.len());
                    }
                    self.indexes.push(IndexFact { change: None, definition: Some(row), bare: None, block_bytes });
                }
                None => {}
            }
        }
        for (state, row) in bare.into_iter().flat_map(|s| s.table.iter().map(move |r| (s, r))) {
            let name = (row.text("schemaname").unwrap_or_default(), row.text("indexname").unwrap_or_default());
            match by_name.get(&name).and_then(|i| self.indexes.get_mut(*i)) {
                Some(fact) => fact.bare = Some(row),
                None if may_add(&state) => {
                    self.indexes.push(IndexFact { change: None, definition: None, bare: Some(row), block_bytes });
                }
                None => {}
            }
        }
        self.definitions = self.definitions.or(bare);
        self.indexes.retain(|i| !is_system_schema(i.schema()));
        self.index_by_oid.clear();
        for (i, fact) in self.indexes.iter().enumerate() {
            if let Some(oid) = fact.indexrelid() {
                self.index_by_oid.insert(oid, i);
            }
            self.index_names.insert((fact.schema(), fact.name()));
            let table = fact.relid().or_else(|| self.table_named(fact.schema(), fact.table())?.relid());
            if let Some(relid) = table {
                self.indexes_of.entry(relid).or_default().push(i);
            }
        }
    }

    /// The indexes of a table.
    pub fn indexes_of(&self, relid: i64) -> impl Iterator<Item = &IndexFact<'a>> {
        self.indexes_of.get(&relid).into_iter().flatten().filter_map(|i| self.indexes.get(*i))
    }

    /// Whether a table or index of this name exists.
    pub fn is_taken(&self, schema: &str, name: &str) -> bool {
        self.index_names.contains(&(schema, name)) || self.by_name.contains_key(&(schema, name))
    }

    /// Rows of `pg_stats` of a table's columns; of a partitioned table those of the whole.
    pub fn columns(&self, schema: &str, table: &str) -> &[Row<'a>] {
        let at = self.columns_of.get(&(schema, table)).copied();
        at.and_then(|at| self.columns.get(at)).map_or(&[], Vec::as_slice)
    }

    /// The row of `pg_stats` of one column.
    pub fn column(&self, schema: &str, table: &str, column: &str) -> Option<Row<'a>> {
        self.columns(schema, table).iter().find(|r| r.text("attname") == Some(column)).copied()
    }

    /// An index by its OID.
    pub fn index(&self, indexrelid: i64) -> Option<&IndexFact<'a>> {
        self.indexes.get(*self.index_by_oid.get(&indexrelid)?)
    }

    fn add(&mut self, table: TableFact<'a>) {
        if is_system_schema(table.schema()) {
            return;
        }
        let index = self.tables.len();
        if let Some(relid) = table.relid() {
            self.by_relid.insert(relid, index);
        }
        self.by_name.entry((table.schema(), table.name())).or_insert(index);
        self.tables.push(table);
    }

    /// Tables whose heap has at least so many bytes.
    pub fn large(&self, bytes: f64) -> impl Iterator<Item = &TableFact<'a>> {
        self.tables.iter().filter(move |t| t.heap_bytes.is_some_and(|b| b as f64 >= bytes))
    }

    /// A table by its OID.
    pub fn table(&self, relid: i64) -> Option<&TableFact<'a>> {
        self.tables.get(*self.by_relid.get(&relid)?)
    }

    /// A table by its name.
    pub fn table_named(&self, schema: &str, name: &str) -> Option<&TableFact<'a>> {
        self.tables.get(*self.by_name.get(&(schema, name))?)
    }

    /// The topmost parent of a partition; the table itself where it is none.
    pub fn root(&self, relid: i64) -> i64 {
        let mut root = relid;
        // A damaged export could name a cycle.
        for _ in 0..64 {
            match self.parents.get(&root) {
                Some(parent) => root = *parent,
                None => break,
            }
        }
        root
    }

    /// Whether any table of the dump has a parent.
    pub fn is_partition(&self, relid: i64) -> bool {
        self.parents.contains_key(&relid)
    }

    /// What the age of the sizes takes from confidence.
    pub fn sizes_doubt(&self) -> Option<Doubt> {
        self.sizes.and_then(|s| s.doubt())
    }

    /// Bytes of all tables with their indexes; `None` where no size was exported.
    pub fn total_bytes(&self) -> Option<f64> {
        let sizes = self.tables.iter().filter_map(TableFact::total_bytes);
        sizes.reduce(i64::saturating_add).map(|n| n as f64)
    }
}

impl<'a> TableFact<'a> {
    fn row(&self) -> Option<Row<'a>> {
        self.change.and_then(Change::last).or(self.sizes)
    }

    /// Its OID.
    pub fn relid(&self) -> Option<i64> {
        self.row()?.int("relid")
    }

    /// Its schema.
    pub fn schema(&self) -> &'a str {
        self.row().and_then(|r| r.text("schemaname")).unwrap_or_default()
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.row().and_then(|r| r.text("relname")).unwrap_or_default()
    }

    /// `schema.name` for people.
    pub fn display(&self) -> String {
        display_qualified(self.schema(), self.name())
    }

    /// `"schema"."name"` for SQL.
    pub fn sql(&self) -> String {
        quote_qualified(self.schema(), self.name())
    }

    /// `'"schema"."name"'` for a cast to `regclass`.
    pub fn class_literal(&self) -> String {
        crate::ident::quote_regclass(self.schema(), self.name())
    }

    /// As the subject of a finding.
    pub fn subject(&self) -> Subject {
        Subject::new(SubjectKind::Table, self.display())
    }

    fn size(&self, column: &str) -> Option<i64> {
        self.sizes?.int(column).filter(|n| *n >= 0)
    }

    /// Bytes of the heap alone.
    pub const fn heap_bytes(&self) -> Option<i64> {
        self.heap_bytes
    }

    /// Bytes with TOAST and indexes.
    pub fn total_bytes(&self) -> Option<i64> {
        self.size("total_relation_size").or_else(|| self.heap_bytes())
    }

    /// Rows as the planner believes (`reltuples`); `None` where never analyzed or not exported.
    pub fn reltuples(&self) -> Option<f64> {
        let sizes = self.sizes?;
        let rows = sizes.f64("reltuples").filter(|r| *r >= 0.0)?;
        // Up to 13, 0 rows with pages is the spelling of "never counted".
        (rows > 0.0 || sizes.int("relpages").unwrap_or(0) == 0).then_some(rows)
    }

    /// Rows by the best estimate: `reltuples`, else `n_live_tup`; the doubt says that it is the second.
    pub fn rows(&self) -> (Option<f64>, Option<Doubt>) {
        match self.reltuples() {
            Some(rows) => (Some(rows), None),
            None => (self.change.and_then(Change::last).and_then(|r| r.f64("n_live_tup")), Some(Doubt::C5)),
        }
    }

    /// Whether `relkind` is one of these letters; `None` where not exported.
    pub fn is_kind(&self, kinds: &str) -> Option<bool> {
        let kind = self.sizes?.text("relkind")?;
        Some(!kind.is_empty() && kinds.contains(kind))
    }

    /// Whether it is a partition of another table.
    pub fn is_partition(&self) -> Option<bool> {
        self.sizes?.bool("relispartition")
    }

    /// A storage parameter set on the table itself (`autovacuum_enabled`).
    pub fn option(&self, name: &str) -> Option<String> {
        let options = self.sizes?.text("reloptions")?;
        parse_array(options).into_iter().find_map(|o| {
            let (key, value) = o.split_once('=')?;
            (key == name).then(|| value.to_owned())
        })
    }
}
