//! A primary key for a table without one.

use super::index_cure::{concurrently, with_timeout};
use super::{Context, IndexFact, TableFact};
use crate::finding::{Fix, Risk, Verb};
use crate::ident::{quote_ident, quote_literal};
use std::collections::BTreeSet;

/// Whether a unique index covers every row by its columns; whether these are NOT NULL, a dump does not say.
pub fn tells_rows_apart(index: &IndexFact<'_>) -> bool {
    index.is_unique() == Some(true)
        && index.is_valid() != Some(false)
        && index.def().is_some_and(|d| d.predicate.is_none() && !d.has_expression())
}

/// Builds the index without blocking writes and makes it the key; which columns, only the owner knows.
/// Of a `published` table the subscribers come first.
pub fn add_primary_key(table: &TableFact<'_>, published: bool) -> Fix {
    let index = format!("{}_pkey", table.name());
    let lock = "the index: SHARE UPDATE EXCLUSIVE; the constraint: ACCESS EXCLUSIVE, longer where columns are not yet NOT NULL: the table is read then";
    let (name, of) = (quote_ident(&index), table.sql());
    let build = concurrently(&format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {of} (<columns>);"));
    let bind = with_timeout(&format!("ALTER TABLE {of} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {name};"));
    let online = format!("-- <columns>: those that identify a row\n{build}\n{bind}");
    // Neither CONCURRENTLY nor USING INDEX is possible on a partitioned table.
    let whole = format!(
        "-- <columns>: those that identify a row, and those of the partition key: SELECT pg_get_partkeydef({1}::regclass);\n\
         {0}",
        with_timeout(&format!("ALTER TABLE {of} ADD CONSTRAINT {name} PRIMARY KEY (<columns>);")),
        quote_literal(&of)
    );
    let (sql, lock) = if table.is_kind("p") == Some(true) {
        (whole, "ACCESS EXCLUSIVE on the table and all its partitions, while an index is built on each")
    } else {
        (online, lock)
    };
    let sql = if published { format!("{ON_SUBSCRIBERS}\n{sql}") } else { sql };
    let mut when_not =
        "When no columns identify a row: add an identity column first, which rewrites the table.".to_owned();
    if published {
        when_not.push_str(" It is published: subscribers need the new column first, or their apply workers stop.");
    }
    Fix::new(Verb::Alter, Risk::R2, table.display(), sql)
        .lock(lock)
        .when_not(when_not)
        .undo(with_timeout(&format!("-- its columns stay NOT NULL\nALTER TABLE {of} DROP CONSTRAINT {name};")))
}

/// Tried on PostgreSQL 15: the first UPDATE that arrives at a table without the key ends its worker, again at each restart.
pub const ON_SUBSCRIBERS: &str = "-- it is published: first the same key on every subscriber; without it the first UPDATE or DELETE that arrives stops\n\
     -- the apply worker there, for all tables of the subscription";

/// The tables that publications have, by OID.
pub fn published(cx: &Context<'_>) -> BTreeSet<i64> {
    cx.last("publication_tables").map_or_else(BTreeSet::new, |t| t.iter().filter_map(|r| r.int("relid")).collect())
}
