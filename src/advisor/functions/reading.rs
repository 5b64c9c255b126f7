//! What the statements of bodies ask of the tables, read with the SQL parser.

use super::Function;
use crate::advisor::Facts;
use crate::advisor::sql::{Mentioned, Names, Operand, Otherwise, Source, Statement, Test, Text, Unread, read_all};
use std::collections::BTreeSet;

/// Statements of one function, as its pieces stand.
pub type Read = Vec<Result<Statement, Unread>>;

/// A table that a statement looks for rows in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Line of the statement.
    pub line: usize,
    /// The table.
    pub relid: i64,
    /// Columns that it compares with values, which an index could be read by.
    pub columns: BTreeSet<String>,
}

/// Reads the statements of some functions, in their order.
pub fn read_bodies(facts: &Facts<'_>, functions: &[&Function<'_>]) -> Vec<Read> {
    let texts: Vec<String> =
        functions.iter().flat_map(|f| f.pieces()).map(super::super::sql::Piece::statement).collect();
    let names = names(facts, texts.iter().map(String::as_str));
    let asked: Vec<Text<'_>> = texts.iter().map(|sql| Text { sql, nested: true, path: &[] }).collect();
    let mut read = read_all(&asked, &names).into_iter();
    functions.iter().map(|f| read.by_ref().take(f.pieces().len()).collect()).collect()
}

/// The tables that texts may name, with the columns that are known of them.
pub fn names<'t>(facts: &Facts<'_>, texts: impl Iterator<Item = &'t str>) -> Names {
    let mentioned = Mentioned::of(texts);
    let mut names = Names::default();
    for table in facts.tables.iter().filter(|t| mentioned.may_have(t.name())) {
        let Some(relid) = table.relid() else { continue };
        let columns = facts.columns(table.schema(), table.name()).iter().filter_map(|r| r.text("attname"));
        let mut columns: BTreeSet<String> = columns.map(str::to_owned).collect();
        let keys = facts.indexes_of(relid).filter_map(super::super::IndexFact::def);
        columns.extend(
            keys.flat_map(|d| d.keys.clone()).filter(|k| !k.expression).map(|k| k.text.trim_matches('"').to_owned()),
        );
        names.add(table.schema(), table.name(), relid, columns);
    }
    names
}

/// What the statements of a function look up.
pub fn lookups(function: &Function<'_>, read: &Read) -> Vec<Lookup> {
    let mut out = Vec::new();
    for (piece, statement) in function.pieces().iter().zip(read) {
        let Ok(statement) = statement else { continue };
        for block in &statement.blocks {
            for (at, relation) in block.relations.iter().enumerate() {
                let Source::Table(relid) = relation.source else { continue };
                let columns: BTreeSet<String> =
                    block.terms.iter().filter(|t| t.relation == at).filter_map(searched).collect();
                if !columns.is_empty() {
                    out.push(Lookup { line: piece.line, relid, columns });
                }
            }
        }
    }
    out
}

/// The column of a condition that a B-tree can be read by.
fn searched(term: &super::super::sql::Term) -> Option<String> {
    let Operand::Column(column) = &term.operand else { return None };
    matches!(term.test, Test::Equal(_) | Test::OneOf(_) | Test::InBlock(_) | Test::Range { .. }).then(|| column.clone())
}

/// Lines of a function that lock rows for themselves, and what they do about rows that others have locked.
pub fn row_locks(function: &Function<'_>, read: &Read) -> Vec<(usize, Otherwise)> {
    let mut out = Vec::new();
    for (piece, statement) in function.pieces().iter().zip(read) {
        let blocks = statement.iter().flat_map(|s| &s.blocks);
        out.extend(blocks.filter_map(|b| b.lock).filter(|l| l.exclusive).map(|l| (piece.line, l.otherwise)));
    }
    out
}
