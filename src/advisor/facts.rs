//! Tables joined once for all rules: what they count, how large they are, which partition belongs to which root.

use super::age::StatisticsAge;
use super::carried::Carried;
use super::context::{State, state};
use super::functions::Functions;
use super::index_facts::IndexFact;
use super::numbers::Numbers;
use super::peers::{Peer, Peers};
use super::plans::Plans;
use super::table_facts::{TableFact, heap_bytes, is_system_schema};
use super::trigger::AutovacuumSettings;
use crate::diff::{Chain, ViewChange};
use crate::finding::Doubt;
use crate::snapshot::Row;
use foldhash::fast::FixedState;
use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// What all rules share, computed once.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// The other servers of the cluster.
    pub peers: Peers<'a>,
    /// The query plans of the dump.
    pub plans: Plans<'a>,
    /// Functions, and which statements ran inside of them.
    pub functions: Functions<'a>,
    /// Since when the database's counters count.
    pub age: StatisticsAge,
    /// Autovacuum's settings.
    pub autovacuum: AutovacuumSettings,
    /// Dead rows that a rewrite removed.
    pub carried: Carried,
    /// The tables of the last snapshot, in the order of the view's keys, then those that only `table_sizes` has.
    pub tables: Vec<TableFact<'a>>,
    /// `table_sizes`, where there is one.
    pub sizes: Option<State<'a>>,
    /// Positions by OID, sorted when somebody asks.
    by_relid: OnceLock<Numbers>,
    /// Positions in the order of names, sorted when somebody asks: most dumps say OIDs.
    by_name: OnceLock<Vec<usize>>,
    parents: HashMap<i64, i64, FixedState>,
    /// The indexes of the last snapshot, in the order of the view's keys, then those that only definitions have.
    pub indexes: Vec<IndexFact<'a>>,
    /// Where the definitions are from: `index_definitions`, else `pg_indexes`.
    pub definitions: Option<State<'a>>,
    /// Positions of the indexes by the OID of their table, sorted when somebody asks.
    of_table: OnceLock<Numbers>,
    /// The same by their own.
    index_by_oid: OnceLock<Numbers>,
    /// The same of the indexes.
    index_by_name: OnceLock<Vec<usize>>,
    /// `pg_stats`, where there is one.
    pub planner: Option<State<'a>>,
    columns_of: BTreeMap<(&'a str, &'a str), usize>,
    columns: Vec<Vec<Row<'a>>>,
}

/// So many positions in the order of their names; those alike in their own order.
fn sorted<'n>(count: usize, name: impl Fn(&usize) -> Option<(&'n str, &'n str)>) -> Vec<usize> {
    let mut out: Vec<usize> = (0..count).collect();
    out.sort_by_key(name);
    out
}

/// The first of sorted positions that has this name.
fn found<'n>(
    sorted: &[usize],
    wanted: (&str, &str),
    name: impl Fn(&usize) -> Option<(&'n str, &'n str)>,
) -> Option<usize> {
    let at = sorted.partition_point(|at| name(at) < Some(wanted));
    sorted.get(at).copied().filter(|at| name(at) == Some(wanted))
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
            functions: Functions::of(chain),
            age: StatisticsAge::of(chain),
            autovacuum: AutovacuumSettings::of(chain),
            carried: Carried::of(chain),
            sizes,
            ..Self::default()
        };
        let tables = chain.view("pg_stat_user_tables");
        let most = tables.map_or(0, ViewChange::len);
        facts.tables.reserve(most);
        for change in tables.into_iter().flat_map(ViewChange::present) {
            facts.add(TableFact { change: Some(change), sizes: None, heap_bytes: None });
        }
        let counted = if sizes.is_some() { facts.numbers() } else { Numbers::default() };
        let mut named: Option<HashMap<(&str, &str), usize, FixedState>> = None;
        for row in sizes.into_iter().flat_map(|s| s.table.iter()) {
            let known = if let Some(relid) = row.int("relid") {
                counted.last(relid)
            } else {
                let all =
                    || facts.tables.iter().enumerate().rev().map(|(at, t)| ((t.schema(), t.name()), at)).collect();
                let named = named.get_or_insert_with(all);
                row.text("schemaname").zip(row.text("relname")).and_then(|name| named.get(&name)).copied()
            };
            let heap_bytes = heap_bytes(row, block_bytes);
            if let Some(table) = known.and_then(|at| facts.tables.get_mut(at)) {
                (table.sizes, table.heap_bytes) = (Some(row), heap_bytes);
            } else {
                let at = facts.tables.len();
                facts.add(TableFact { change: None, sizes: Some(row), heap_bytes });
                if let (Some(named), Some(fact)) = (&mut named, facts.tables.get(at)) {
                    named.entry((fact.schema(), fact.name())).or_insert(at);
                }
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
        let present = used.into_iter().flat_map(ViewChange::present);
        self.indexes.extend(present.map(|change| IndexFact {
            change: Some(change),
            definition: None,
            bare: None,
            block_bytes,
        }));
        self.definitions = state(chain, "index_definitions");
        let bare = if self.definitions.is_none() { state(chain, "pg_indexes") } else { None };
        let numbers = if self.definitions.is_some() { self.index_numbers() } else { Numbers::default() };
        let counted = self.indexes.clone();
        let by_name: LazyCell<HashMap<(&str, &str), usize, FixedState>, _> =
            LazyCell::new(|| counted.iter().enumerate().map(|(at, fact)| ((fact.schema(), fact.name()), at)).collect());
        // Definitions of an older snapshot may be of indexes that are gone.
        let newest = chain.snapshots.len().saturating_sub(1);
        let may_add = |s: &State<'_>| used.is_none() || s.snapshot == newest;
        for (state, row) in self.definitions.into_iter().flat_map(|s| s.table.iter().map(move |r| (s, r))) {
            let known = row.int("indexrelid").and_then(|oid| numbers.last(oid));
            let name = Some((row.text("schemaname").unwrap_or_default(), row.text("indexrelname").unwrap_or_default()));
            match known.or_else(|| name.and_then(|n| by_name.get(&n)).copied()).and_then(|i| self.indexes.get_mut(i)) {
                Some(fact) => fact.definition = Some(row),
                None if may_add(&state) => {
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
        drop(by_name);
        self.indexes.retain(|i| !is_system_schema(i.schema()));
    }

    fn numbers(&self) -> Numbers {
        Numbers::of(self.tables.len(), |at| self.tables.get(at)?.relid())
    }

    fn index_numbers(&self) -> Numbers {
        Numbers::of(self.indexes.len(), |at| self.indexes.get(at)?.indexrelid())
    }

    /// The OID of an index's table, by name where it is not exported.
    fn table_of(&self, index: &IndexFact<'a>) -> Option<i64> {
        index.relid().or_else(|| self.table_named(index.schema(), index.table())?.relid())
    }

    /// The position of a table; of two alike the first.
    fn table_at(&self, name: (&str, &str)) -> Option<usize> {
        let of = |at: &usize| self.tables.get(*at).map(|t| (t.schema(), t.name()));
        found(self.by_name.get_or_init(|| sorted(self.tables.len(), of)), name, of)
    }

    /// The indexes of a table.
    pub fn indexes_of(&self, relid: i64) -> impl Iterator<Item = &IndexFact<'a>> {
        let numbers = || Numbers::of(self.indexes.len(), |at| self.table_of(self.indexes.get(at)?));
        self.of_table.get_or_init(numbers).all(relid).filter_map(|at| self.indexes.get(at))
    }

    /// Whether a table or index of this name exists.
    pub fn is_taken(&self, schema: &str, name: &str) -> bool {
        let of = |at: &usize| self.indexes.get(*at).map(|i| (i.schema(), i.name()));
        let indexes = self.index_by_name.get_or_init(|| sorted(self.indexes.len(), of));
        found(indexes, (schema, name), of).is_some() || self.table_at((schema, name)).is_some()
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
        self.indexes.get(self.index_by_oid.get_or_init(|| self.index_numbers()).last(indexrelid)?)
    }

    fn add(&mut self, table: TableFact<'a>) {
        if is_system_schema(table.schema()) {
            return;
        }
        self.tables.push(table);
    }

    /// Tables whose heap has at least so many bytes.
    pub fn large(&self, bytes: f64) -> impl Iterator<Item = &TableFact<'a>> {
        self.tables.iter().filter(move |t| t.heap_bytes.is_some_and(|b| b as f64 >= bytes))
    }

    /// A table by its OID.
    pub fn table(&self, relid: i64) -> Option<&TableFact<'a>> {
        self.tables.get(self.by_relid.get_or_init(|| self.numbers()).last(relid)?)
    }

    /// A table by its name.
    pub fn table_named(&self, schema: &str, name: &str) -> Option<&TableFact<'a>> {
        self.tables.get(self.table_at((schema, name))?)
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
