//! What an index can answer, whether it exists or is only imagined.

use super::clause::Clause;
use crate::advisor::indexdef::{self, IndexDef};
use crate::advisor::sql::{Names, Operand, Test, Text, Value, read_all};
use crate::ident::{quote_ident, visible};
use std::fmt::Write;

/// An index as a search sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// Its keys in order.
    pub keys: Vec<Key>,
    /// Included columns.
    pub include: Vec<String>,
    /// The conditions of a partial index, all of which hold for its rows.
    pub predicate: Vec<Clause>,
    /// Whether it is unique.
    pub unique: bool,
    /// Answers equality only.
    pub hash: bool,
}

/// A key.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of a key, independent of the others")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What is indexed; `None` for what no statement is matched with.
    pub operand: Option<Operand>,
    /// Sorted downwards.
    pub descending: bool,
    /// NULLs first.
    pub nulls_first: bool,
    /// Finds prefixes: `text_pattern_ops`, or the collation "C".
    pub pattern: bool,
    /// In the order of the column's type: an operator class for patterns compares byte by byte.
    pub ordered: bool,
}

impl Key {
    /// A key in ascending order.
    pub const fn plain(operand: Operand) -> Self {
        Self { operand: Some(operand), descending: false, nulls_first: false, pattern: false, ordered: true }
    }

    /// A key that finds prefixes: where texts compare byte by byte anyway, any key does.
    pub const fn prefix(operand: Operand, bytewise: bool) -> Self {
        Self { operand: Some(operand), descending: false, nulls_first: false, pattern: true, ordered: bytewise }
    }

    fn of(key: &indexdef::Key, bytewise: bool) -> Self {
        let class = key.opclass.as_deref().unwrap_or_default();
        let pattern_class = class.starts_with("text_pattern_ops")
            || class.starts_with("varchar_pattern_ops")
            || class.starts_with("bpchar_pattern_ops");
        let c = key.collation.as_deref().is_some_and(|c| c.contains("\"C\"") || c.contains("\"POSIX\""));
        // Another collation than the column's answers no comparison under the column's.
        let foreign = key.collation.is_some();
        let operand = if key.expression { expression(&key.text) } else { Some(Operand::Column(key.text.clone())) };
        Self {
            operand: operand.filter(|_| !foreign || c),
            descending: key.descending,
            nulls_first: key.nulls_first,
            pattern: pattern_class || c || (bytewise && key.collation.is_none()),
            ordered: !pattern_class && !foreign,
        }
    }

    /// As SQL.
    pub fn sql(&self) -> String {
        let mut out = match &self.operand {
            Some(Operand::Column(c)) => quote_ident(c),
            Some(Operand::Call(f, c)) => format!("{f}({})", quote_ident(c)),
            None => String::new(),
        };
        if self.pattern && !self.ordered {
            out.push_str(" text_pattern_ops");
        }
        if self.descending {
            out.push_str(if self.nulls_first { " DESC" } else { " DESC NULLS LAST" });
        } else if self.nulls_first {
            out.push_str(" NULLS FIRST");
        }
        out
    }

    /// For people.
    pub fn words(&self) -> String {
        let name = match &self.operand {
            Some(Operand::Column(c)) => visible(c).into_owned(),
            Some(Operand::Call(f, c)) => format!("{f}({})", visible(c)),
            None => "(expression)".to_owned(),
        };
        let order = if self.descending { " DESC" } else { "" };
        format!("{name}{}{order}", if self.pattern && !self.ordered { " text_pattern_ops" } else { "" })
    }
}

/// `lower(email)`, also as PostgreSQL prints it for varchar: `lower((email)::text)`.
fn expression(text: &str) -> Option<Operand> {
    let (function, rest) = text.split_once('(')?;
    let function = ["lower", "upper"].into_iter().find(|f| *f == function.trim())?;
    let inner = rest.strip_suffix(')')?.replace("::text", "").replace("::character varying", "");
    let column = inner.trim().trim_start_matches('(').trim_end_matches(')').trim();
    let plain = match column.strip_prefix('"').and_then(|c| c.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None if column.chars().all(|c| c.is_alphanumeric() || c == '_') && !column.is_empty() => column.to_owned(),
        None => return None,
    };
    Some(Operand::Call(function, plain))
}

/// The conjuncts of a predicate as PostgreSQL prints it.
fn clauses(predicate: &str) -> Vec<Clause> {
    // `(state)::text = 'x'::text` is how a varchar column is printed; the cast changes nothing.
    let text = predicate.replace(")::text", ")").replace("::text", "").replace("::character varying", "");
    let query = format!("SELECT FROM t WHERE {text}");
    let read = read_all(&[Text { sql: &query, nested: false, path: &[] }], &Names::default());
    let Some(Ok(statement)) = read.first() else { return vec![Clause::Other] };
    let Some(block) = statement.blocks.first() else { return vec![Clause::Other] };
    let mut out: Vec<Clause> =
        block.terms.iter().map(|t| clause(&t.operand, &t.test).unwrap_or(Clause::Other)).collect();
    if statement.blocks.len() > 1 || block.relations.iter().any(|r| r.residual > 0) || out.is_empty() {
        out.push(Clause::Other);
    }
    out.sort();
    out.dedup();
    out
}

/// What a test says in a form that a predicate can have.
pub(super) fn clause(operand: &Operand, test: &Test) -> Option<Clause> {
    let Operand::Column(column) = operand else { return None };
    let column = column.clone();
    match test {
        Test::IsNull => Some(Clause::IsNull(column)),
        Test::IsNotNull => Some(Clause::IsNotNull(column)),
        Test::IsTrue => Some(Clause::IsTrue(column)),
        Test::IsFalse => Some(Clause::IsFalse(column)),
        Test::Equal(Value::Literal(text)) => Some(Clause::Equal(column, text.clone())),
        _ => None,
    }
}

impl Shape {
    /// What an existing index answers; `bytewise` where the database's own collation compares bytes.
    pub fn of(def: &IndexDef, unique: bool, bytewise: bool) -> Self {
        let btree = def.method == "btree";
        let hash = def.method == "hash";
        let keys = if btree || hash { def.keys.iter().map(|k| Key::of(k, bytewise)).collect() } else { Vec::new() };
        let predicate = def.predicate.as_deref().map(clauses).unwrap_or_default();
        Self { keys, include: def.include.clone(), predicate, unique, hash }
    }

    /// An index that does not exist.
    pub const fn imagined(keys: Vec<Key>, predicate: Vec<Clause>) -> Self {
        Self { keys, include: Vec::new(), predicate, unique: false, hash: false }
    }

    /// The columns it holds or depends on: an update of one of them must write it.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let keys = self.keys.iter().filter_map(|k| k.operand.as_ref()).map(Operand::column);
        keys.chain(self.include.iter().map(String::as_str)).chain(self.predicate.iter().filter_map(Clause::column))
    }

    /// Whether a column's value can be read from it.
    pub fn holds(&self, column: &str) -> bool {
        let key = |k: &Key| matches!(&k.operand, Some(Operand::Column(c)) if c == column);
        self.keys.iter().any(key) || self.include.iter().any(|c| c == column)
    }

    /// For people: `(customer_id, placed_at) WHERE deleted_at IS NULL`.
    pub fn words(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(Key::words).collect();
        let mut out = format!("({})", keys.join(", "));
        if !self.include.is_empty() {
            let include: Vec<_> = self.include.iter().map(|c| visible(c)).collect();
            let _ = write!(out, " INCLUDE ({})", include.join(", "));
        }
        if !self.predicate.is_empty() {
            let clauses: Vec<String> = self.predicate.iter().map(Clause::words).collect();
            let _ = write!(out, " WHERE {}", clauses.join(" AND "));
        }
        out
    }
}
