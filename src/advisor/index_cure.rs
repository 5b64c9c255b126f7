//! Cures for indexes, and the order in which they are worth keeping.

use super::index_facts::IndexFact;
use super::{Facts, TableFact};
use crate::finding::{Fix, Leads, Risk, Verb};
use crate::ident::{display_qualified, quote_ident, quote_qualified};
use crate::text::Text;
use std::cmp::Ordering;

/// The check that every CONCURRENTLY form ends with: a failed one leaves an invalid index behind.
pub const CHECK_INVALID: &str = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;";

/// What DDL with a strong lock begins with: rather fail than queue everybody behind it.
pub const LOCK_TIMEOUT: &str = "SET lock_timeout = '5s';";

/// What the CONCURRENTLY forms begin with. Their lock stops no read and no write, but they wait for every older
/// transaction, and `lock_timeout` cuts that short as well, as does `statement_timeout`: the build would be lost and an
/// invalid index stay, also where one was to be dropped (seen on PostgreSQL 15).
pub const NO_TIMEOUT: &str = "SET statement_timeout = 0; SET lock_timeout = 0;";

/// What other statements begin with that take as long as a table is large, where the server limits all.
pub const NO_LIMIT: &str = "SET statement_timeout = 0;";

/// One of the CONCURRENTLY forms with what has to stand around it, whatever ran in the session before.
pub fn concurrently(statement: &str) -> String {
    format!("{NO_TIMEOUT}\n{statement}\n{CHECK_INVALID}")
}

/// DDL with what has to stand before it, whatever ran in the session before.
pub fn with_timeout(statement: &str) -> String {
    format!("{LOCK_TIMEOUT}\n{statement}")
}

/// The lock of the CONCURRENTLY forms.
pub const CONCURRENT_LOCK: &str =
    "SHARE UPDATE EXCLUSIVE; not inside a transaction, waits for older transactions however long they last";

/// Of two equal indexes the one to keep comes first: bound to a constraint, unique, most scanned, oldest.
pub fn order_to_keep(a: &IndexFact<'_>, b: &IndexFact<'_>) -> Ordering {
    let key = |i: &IndexFact<'_>| (i.bound_to().is_none(), i.is_unique() != Some(true), -i.scans().unwrap_or(0));
    key(a)
        .cmp(&key(b))
        .then_with(|| a.indexrelid().unwrap_or(i64::MAX).cmp(&b.indexrelid().unwrap_or(i64::MAX)))
        .then_with(|| (a.schema(), a.name()).cmp(&(b.schema(), b.name())))
}

/// Dropping an index, with its definition as undo; `None` where the definition is not known or where it is a part of
/// a partitioned index, which only goes as a whole.
pub fn drop_index(index: &IndexFact<'_>) -> Option<Fix> {
    if index.parent().is_some() {
        return None;
    }
    let undo = format!("{};", index.text()?);
    let key = index.def().and_then(|d| d.keys.into_iter().next()).map(|k| k.text).unwrap_or_default();
    let leads = Leads { table: index.table_sql(), first: key, ..Leads::default() };
    let fix = |sql| Fix::new(Verb::Drop, Risk::R3, index.display(), sql).leads(leads);
    if index.is_partitioned() {
        // As the server prints it, it would be made for the root alone, and not be valid.
        let undo = undo.replacen(" ON ONLY ", " ON ", 1);
        let sql = with_timeout(&format!("-- undo: {}\nDROP INDEX {};", one_line(&undo), index.sql()));
        let lock =
            "ACCESS EXCLUSIVE on the table and all its partitions: a partitioned index cannot be dropped concurrently";
        let slowly = "-- writes to all partitions wait until it is built (SHARE). Where they must go on: ON ONLY the table, then\n\
                      -- CREATE INDEX CONCURRENTLY on each partition and ALTER INDEX … ATTACH PARTITION";
        return Some(fix(sql).lock(lock).undo(with_timeout(&format!("{slowly}\n{undo}"))));
    }
    let recreate = index.recreate().unwrap_or(undo);
    let sql = concurrently(&format!("-- undo: {}\nDROP INDEX CONCURRENTLY {};", one_line(&recreate), index.sql()));
    Some(fix(sql).lock(CONCURRENT_LOCK).undo(concurrently(&recreate)))
}

/// An index to create, its parts as SQL.
#[derive(Clone, Debug, Default)]
pub struct NewIndex<'c> {
    /// Columns that its name is made of.
    pub columns: Vec<&'c str>,
    /// What stands in the parentheses of the keys.
    pub keys: String,
    /// What stands in those of INCLUDE; empty for none.
    pub include: String,
    /// The condition of a partial index; empty for none.
    pub condition: String,
}

impl NewIndex<'_> {
    /// What it is sorted by first: the column, or where that is an expression all keys.
    fn first(&self) -> &str {
        let column = self.columns.first().copied().unwrap_or_default();
        let plain = self.keys.strip_prefix(&quote_ident(column)).is_some_and(|rest| !rest.starts_with(['"', '(']));
        if plain { column } else { &self.keys }
    }

    /// What follows the keys.
    fn more(&self) -> String {
        let include = if self.include.is_empty() { String::new() } else { format!(" INCLUDE ({})", self.include) };
        let condition = if self.condition.is_empty() { String::new() } else { format!(" WHERE {}", self.condition) };
        include + &condition
    }

    /// What follows `ON table`.
    fn on(&self) -> String {
        format!("({}){}", self.keys, self.more())
    }

    /// For the consistency pass.
    fn leads(&self, table: String) -> Leads {
        Leads { table, first: self.first().to_owned(), keys: self.keys.clone(), more: self.more() }
    }
}

/// Most partitions whose statements are written out; for more the pattern is.
const SPELLED_OUT: usize = 40;

/// Creating an index without blocking writes; a partitioned one partition by partition. `None` without a free name.
pub fn create_index(facts: &Facts<'_>, table: &TableFact<'_>, new: &NewIndex<'_>, when_not: Text) -> Option<Fix> {
    let name = free_name(facts, table, &new.columns)?;
    let (index, object) = (quote_qualified(table.schema(), &name), display_qualified(table.schema(), &name));
    let (quoted, on) = (quote_ident(&name), new.on());
    let when_not = when_not.t(" While transactions stay open for hours: it waits for them.");
    let fix = |sql| Fix::new(Verb::Create, Risk::R1, object, sql).leads(new.leads(table.sql())).when_not(when_not);
    if table.is_kind("p") == Some(true) {
        let parts = parts(facts, table, new);
        let attached = attach(parts.as_deref(), new, &index);
        let sql = format!("{LOCK_TIMEOUT}\nCREATE INDEX {quoted} ON ONLY {} {on};\n{attached}", table.sql());
        let lock = "SHARE on the partitioned table for a moment, SHARE UPDATE EXCLUSIVE on each partition, \
                    ACCESS EXCLUSIVE on each new index while it is attached: waits for transactions that read the partition";
        return Some(fix(sql).lock(lock).undo(detach(parts.as_deref(), &index)));
    }
    let sql = concurrently(&format!("CREATE INDEX CONCURRENTLY {quoted} ON {} {on};", table.sql()));
    Some(fix(sql).lock(CONCURRENT_LOCK).undo(concurrently(&format!("DROP INDEX CONCURRENTLY {index};"))))
}

/// The partitions of a table, each with the name of its index; `None` where they are too many to spell out, are not all
/// known, or are partitioned themselves: each level wants its own ON ONLY.
fn parts<'t, 'f>(
    facts: &'t Facts<'f>,
    root: &TableFact<'_>,
    new: &NewIndex<'_>,
) -> Option<Vec<(&'t TableFact<'f>, String)>> {
    let relid = root.relid().unwrap_or_default();
    let below = |t: &&TableFact<'_>| t.relid().is_some_and(|r| r != relid && facts.root(r) == relid);
    let named = |part: &'t TableFact<'f>| Some((part, free_name(facts, part, &new.columns)?));
    let parts: Vec<_> = facts.tables.iter().filter(below).map(named).collect::<Option<_>>()?;
    let flat = parts.iter().all(|(part, _)| part.is_kind("r") == Some(true));
    (flat && (1..=SPELLED_OUT).contains(&parts.len())).then_some(parts)
}

/// An index for each partition, attached; the partitioned one is valid when all are.
fn attach(parts: Option<&[(&TableFact<'_>, String)]>, new: &NewIndex<'_>, index: &str) -> String {
    let on = new.on();
    let Some(parts) = parts else {
        return format!(
            "-- then for each partition, and it is valid when all are attached:\n\
             -- {NO_TIMEOUT}\n\
             -- CREATE INDEX CONCURRENTLY <index of the partition> ON <partition> {on};\n\
             -- {LOCK_TIMEOUT}\n\
             -- ALTER INDEX {index} ATTACH PARTITION <index of the partition>;"
        );
    };
    let build = |(part, name): &(&TableFact<'_>, String)| {
        format!("CREATE INDEX CONCURRENTLY {} ON {} {on};", quote_ident(name), part.sql())
    };
    // Its lock on the new index queues behind transactions that read the partition, and everybody behind it.
    let attach = |(part, name): &(&TableFact<'_>, String)| {
        format!("ALTER INDEX {index} ATTACH PARTITION {};", quote_qualified(part.schema(), name))
    };
    format!(
        "{NO_TIMEOUT}\n{}\n-- each again where it ran into the limit\n{LOCK_TIMEOUT}\n{}\n{CHECK_INVALID}",
        lines(parts, build),
        lines(parts, attach)
    )
}

/// Dropping a partitioned index takes those along that are attached; the others stay, valid or not.
fn detach(parts: Option<&[(&TableFact<'_>, String)]>, index: &str) -> String {
    let drop = |(part, name): &(&TableFact<'_>, String)| {
        format!("DROP INDEX CONCURRENTLY IF EXISTS {};", quote_qualified(part.schema(), name))
    };
    let rest = match parts {
        Some(parts) => format!("{NO_TIMEOUT}\n{}", lines(parts, drop)),
        None => format!("-- {NO_TIMEOUT}\n-- DROP INDEX CONCURRENTLY <index of the partition>;"),
    };
    let whole = with_timeout(&format!("DROP INDEX IF EXISTS {index};"));
    format!("{whole}\n-- and those of partitions that were not attached yet\n{rest}\n{CHECK_INVALID}")
}

fn lines<T>(of: &[T], line: impl Fn(&T) -> String) -> String {
    of.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `table_columns_idx`, at most 63 bytes, not yet in use.
fn free_name(facts: &Facts<'_>, table: &TableFact<'_>, columns: &[&str]) -> Option<String> {
    let mut stem = format!("{}_{}", table.name(), columns.join("_"));
    while stem.len() > 56 {
        stem.pop();
    }
    let taken = |name: &str| facts.is_taken(table.schema(), name);
    (0..100).map(|n| if n == 0 { format!("{stem}_idx") } else { format!("{stem}_idx{n}") }).find(|name| !taken(name))
}

/// Rebuilding an index without blocking writes.
pub fn reindex(index: &IndexFact<'_>) -> Fix {
    let sql = concurrently(&format!("REINDEX INDEX CONCURRENTLY {};", index.sql()));
    Fix::new(Verb::Maintain, Risk::R1, index.display(), sql).lock(CONCURRENT_LOCK).when_not(Text::from(
        "While disk space for a second copy of the index is not free, or while transactions stay open for hours: \
             it waits for them.",
    ))
}

/// An expression index gives the planner statistics of the expression; those must come from elsewhere before it goes.
pub fn statistics_first(major: u8, index: &IndexFact<'_>) -> Option<Fix> {
    let def = index.def()?;
    let expression = def.keys.iter().find(|k| k.expression)?;
    if major < 14 {
        return None;
    }
    let name = format!("{}_stats", index.name());
    let table = index.table_sql();
    // Without a schema it would go into the first one of the search_path.
    let statistics = quote_qualified(index.schema(), &name);
    let sql = format!("CREATE STATISTICS {statistics} ON ({}) FROM {table};\nANALYZE {table};", expression.text);
    Some(
        Fix::new(Verb::Create, Risk::R1, format!("statistics {name}"), sql)
            .lock("SHARE UPDATE EXCLUSIVE")
            .when_not("When no query has this expression in a condition.")
            .undo(format!("DROP STATISTICS {statistics};")),
    )
}

/// SQL in a comment must not leave its line: a name may contain a line break.
fn one_line(sql: &str) -> String {
    sql.replace(['\n', '\r'], " ")
}
