//! The statements of the window, read, and what they ask of the tables of the dump.

use super::access::Access;
use super::inner::{Write, settle};
use super::joins::Reading;
use super::patterns::Patterns;
use super::search_path::SearchPaths;
use super::table::{Partitions, Table};
use crate::advisor::sql::{Kind, Mentioned, Names, Source, Statement, Test, Text, Unread, Value, read_all};
use crate::advisor::workload::{HIDDEN, Recorded, is_nested};
use crate::advisor::{Context, secret};
use crate::diff::Change;
use crate::snapshot::Row;
use std::collections::{BTreeMap, BTreeSet};

/// Most statements that are read, the heaviest first.
const MAX_STATEMENTS: usize = 4_000;

/// The version from which on `starts_with` and `^@` use a B-tree.
const PREFIXES_SINCE: u8 = 15;

/// The load of the window.
#[derive(Debug)]
pub struct Load<'a> {
    /// Statements that were read.
    pub statements: Vec<Read<'a>>,
    /// Tables that they name.
    pub tables: Vec<Table<'a>>,
    /// What they ask of them.
    pub accesses: Vec<Access>,
    /// Columns that they set.
    pub updates: Vec<Update>,
    /// Blocks that all top-level statements of the database read or found in cache.
    pub buffers: f64,
    /// What could not be judged.
    pub unjudged: Unjudged,
}

/// A statement that was read.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    /// Its counters over the window.
    pub change: Change<'a>,
    /// Its newest row.
    pub row: Row<'a>,
    /// Calls.
    pub calls: f64,
    /// Shared blocks read or found in cache.
    pub buffers: f64,
    /// Rows returned or changed.
    pub rows: f64,
    /// Milliseconds of execution.
    pub time_ms: f64,
    /// Whether it ran inside of a function, whose variables may stand in it.
    pub nested: bool,
    /// Blocks of `buffers` that checks of foreign keys inside of it took: see [`super::inner`].
    pub inner_buffers: f64,
    /// Milliseconds of `time_ms` that they took.
    pub inner_ms: f64,
    /// Whether it is such a check, taken off the writes that ran it.
    pub placed: bool,
}

impl<'a> Read<'a> {
    /// Blocks that its own search took.
    pub fn own_buffers(&self) -> f64 {
        (self.buffers - self.inner_buffers).max(0.0)
    }

    /// Milliseconds that it took itself.
    pub fn own_ms(&self) -> f64 {
        (self.time_ms - self.inner_ms).max(0.0)
    }

    fn text<'t>(&self, paths: &'t SearchPaths) -> Option<Text<'t>>
    where
        'a: 't,
    {
        // A function may have a path of its own.
        let path = if self.nested { &[] } else { paths.of(self.row) };
        Some(Text { sql: self.row.text("query")?, nested: self.nested, path })
    }
}

/// Columns that a statement sets.
#[derive(Clone, Debug)]
pub struct Update {
    /// The table.
    pub relid: i64,
    /// The columns.
    pub columns: BTreeSet<String>,
    /// Rows it changed in the window.
    pub rows: f64,
}

/// What the advisor has to leave out, by number of statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unjudged {
    /// Statements of the database with calls in the window.
    pub statements: usize,
    /// Text that may not be seen.
    pub hidden: usize,
    /// Utility commands.
    pub utility: usize,
    /// Too long, too deep, cut off, or not understood.
    pub unread: usize,
    /// Read, but they name no table of the dump, or one whose name several schemas have.
    pub unresolved: usize,
    /// Patterns of LIKE that are parameters.
    pub patterns: usize,
}

impl<'a> Load<'a> {
    /// Reads the statements with calls in the window, of the database that the definitions are of.
    pub fn read(cx: &Context<'a>) -> Self {
        let mut out = Self {
            statements: Vec::new(),
            tables: Vec::new(),
            accesses: Vec::new(),
            updates: Vec::new(),
            buffers: Recorded::of(cx.chain, &cx.facts.functions, cx.chain.last().meta.database_oid).buffers,
            unjudged: Unjudged::default(),
        };
        let database = cx.chain.last().meta.database_oid;
        let mut rows: Vec<Read<'a>> = Vec::new();
        for change in cx.changes("pg_stat_statements").into_iter().flat_map(crate::diff::ViewChange::present) {
            let Some(row) = change.last() else { continue };
            let foreign = database.zip(row.int("dbid")).is_some_and(|(ours, theirs)| ours != theirs);
            let delta = |column| change.delta(column).unwrap_or(0.0);
            let calls = delta("calls");
            if foreign || calls <= 0.0 {
                continue;
            }
            let buffers = delta("shared_blks_hit") + delta("shared_blks_read");
            let nested = is_nested(row, &cx.facts.functions);
            let time_ms = delta("total_exec_time");
            rows.push(Read {
                change,
                row,
                calls,
                buffers,
                rows: delta("rows"),
                time_ms,
                nested,
                inner_buffers: 0.0,
                inner_ms: 0.0,
                placed: false,
            });
        }
        out.unjudged.statements = rows.len();
        rows.retain(|r| match r.row.text("query") {
            Some(text) if text != HIDDEN => true,
            _ => {
                out.unjudged.hidden += 1;
                false
            }
        });
        let id = |r: &Read<'_>| (r.row.int("queryid"), r.row.int("userid"), r.row.bool("toplevel"));
        rows.sort_by(|a, b| b.buffers.total_cmp(&a.buffers).then_with(|| id(a).cmp(&id(b))));
        out.unjudged.unread += rows.len().saturating_sub(MAX_STATEMENTS);
        rows.truncate(MAX_STATEMENTS);
        out.understand(cx, &rows);
        out
    }

    fn understand(&mut self, cx: &Context<'a>, rows: &[Read<'a>]) {
        let paths = SearchPaths::read(cx, rows.iter().map(|r| r.row));
        let distinct: BTreeSet<Text<'_>> = rows.iter().filter_map(|r| r.text(&paths)).collect();
        let texts: Vec<Text<'_>> = distinct.into_iter().collect();
        let (names, tables) = named(cx, &texts);
        let by_relid: BTreeMap<i64, usize> = tables.iter().enumerate().map(|(i, t)| (t.relid, i)).collect();
        self.tables = tables;
        let statements: BTreeMap<Text<'_>, Result<Statement, Unread>> =
            texts.iter().copied().zip(read_all(&texts, &names)).collect();
        let patterns = Patterns::seen(cx, &names);
        let mut writes: Vec<Write> = Vec::new();
        for row in rows {
            let Some(text) = row.text(&paths) else { continue };
            let statement = match statements.get(&text) {
                Some(Ok(statement)) => statement,
                Some(Err(Unread::Utility)) => {
                    self.unjudged.utility += 1;
                    continue;
                }
                _ => {
                    self.unjudged.unread += 1;
                    continue;
                }
            };
            let mut statement = statement.clone();
            if secret::find(text.sql).is_some() {
                forget_literals(&mut statement);
            }
            if cx.major() < PREFIXES_SINCE {
                forget_prefixes(&mut statement);
            }
            patterns.fill_in(&mut statement);
            let relations = statement.blocks.iter().flat_map(|b| &b.relations);
            if relations.clone().any(|r| r.source == Source::Unknown)
                && !relations.clone().any(|r| matches!(r.source, Source::Table(_)))
            {
                self.unjudged.unresolved += 1;
            }
            let likes = statement.blocks.iter().flat_map(|b| &b.terms).filter(|t| t.test == Test::Like(None)).count();
            self.unjudged.patterns += usize::from(likes > 0);
            for block in &statement.blocks {
                let Some(Source::Table(relid)) = block.relations.first().map(|r| r.source) else { continue };
                if matches!(block.kind, Kind::Update | Kind::Merge) {
                    self.updates.push(Update { relid, columns: block.assigned.clone(), rows: row.rows });
                }
                if block.kind != Kind::Select {
                    let sets = (block.kind == Kind::Update).then(|| block.assigned.clone());
                    writes.push(Write { statement: self.statements.len(), relid, sets, rows: row.rows });
                }
            }
            let reading = Reading {
                statement: self.statements.len(),
                text: &statement,
                tables: &self.tables,
                by_relid: &by_relid,
                rows_per_call: (row.calls > 0.0).then_some(row.rows / row.calls),
            };
            self.accesses.extend(reading.accesses());
            self.statements.push(*row);
        }
        settle(cx, &mut self.statements, &writes);
    }
}

/// Before, only LIKE finds prefixes by a B-tree, and its pattern is not known.
fn forget_prefixes(statement: &mut Statement) {
    for term in statement.blocks.iter_mut().flat_map(|b| &mut b.terms).filter(|t| t.test == Test::Prefix) {
        term.test = Test::Like(None);
    }
}

/// Texts with secrets are read, but nothing that stands in them is shown.
fn forget_literals(statement: &mut Statement) {
    for term in statement.blocks.iter_mut().flat_map(|b| &mut b.terms) {
        match &mut term.test {
            Test::Equal(value) => *value = Value::Given,
            Test::Like(pattern) => *pattern = None,
            _ => {}
        }
    }
}

/// The tables that texts may name: their names, and what is known of them.
fn named<'a>(cx: &Context<'a>, texts: &[Text<'_>]) -> (Names, Vec<Table<'a>>) {
    let mentioned = Mentioned::of(texts.iter().map(|t| t.sql));
    let mut names = Names::default();
    let mut tables = Vec::new();
    let partitions = Partitions::new(cx);
    for fact in &cx.facts.tables {
        let (name, Some(relid)) = (fact.name(), fact.relid()) else { continue };
        if !mentioned.may_have(name) {
            continue;
        }
        let table = Table::read(cx, fact, &partitions);
        let mut columns: BTreeSet<String> =
            cx.facts.columns(fact.schema(), name).iter().filter_map(|r| r.text("attname")).map(str::to_owned).collect();
        if let Some(table) = &table {
            columns.extend(table.indexes.iter().flat_map(|(_, s)| s.columns()).map(str::to_owned));
        }
        names.add(fact.schema(), name, relid, columns);
        tables.extend(table);
    }
    let functions = cx.state("function_definitions");
    let volatile = |r: &Row<'_>| r.text("provolatile") == Some("v");
    let rows = || functions.into_iter().flat_map(|s| s.table.iter());
    let unstable: BTreeSet<&str> = rows().filter(volatile).filter_map(|r| r.text("funcname")).collect();
    for name in rows().filter(|r| !volatile(r)).filter_map(|r| r.text("funcname")).filter(|n| !unstable.contains(n)) {
        names.add_stable(name);
    }
    (names, tables)
}
