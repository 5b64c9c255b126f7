//! Cures for indexes, and the order in which they are worth keeping.

use super::index_facts::IndexFact;
use crate::finding::{Fix, Risk, Verb};
use crate::ident::quote_ident;
use crate::text::Text;
use std::cmp::Ordering;

/// The check that every CONCURRENTLY form ends with: a failed one leaves an invalid index behind.
pub const CHECK_INVALID: &str = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;";

/// What DDL with a strong lock begins with: rather fail than queue everybody behind it.
pub const LOCK_TIMEOUT: &str = "SET lock_timeout = '5s';";

/// What the CONCURRENTLY forms begin with. Their lock stops no read and no write, but they wait for every older
/// transaction, and `lock_timeout` cuts that short as well: the build would be lost and an invalid index stay.
pub const NO_LOCK_TIMEOUT: &str = "SET lock_timeout = 0;";

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
    if index.is_partitioned() {
        let sql = format!("{LOCK_TIMEOUT}\n-- undo: {}\nDROP INDEX {};", one_line(&undo), index.sql());
        return Some(
            Fix::new(Verb::Drop, Risk::R3, index.display(), sql)
                .lock("ACCESS EXCLUSIVE on the table and all its partitions: a partitioned index cannot be dropped concurrently")
                .undo(undo),
        );
    }
    let recreate = index.recreate().unwrap_or(undo);
    let sql = format!("-- undo: {}\nDROP INDEX CONCURRENTLY {};", one_line(&recreate), index.sql());
    Some(Fix::new(Verb::Drop, Risk::R3, index.display(), sql).lock(CONCURRENT_LOCK).undo(recreate))
}

/// Rebuilding an index without blocking writes.
pub fn reindex(index: &IndexFact<'_>) -> Fix {
    let sql = format!("{NO_LOCK_TIMEOUT}\nREINDEX INDEX CONCURRENTLY {};\n{CHECK_INVALID}", index.sql());
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
    let sql =
        format!("CREATE STATISTICS {} ON ({}) FROM {table};\nANALYZE {table};", quote_ident(&name), expression.text);
    Some(
        Fix::new(Verb::Create, Risk::R1, format!("statistics {name}"), sql)
            .lock("SHARE UPDATE EXCLUSIVE")
            .when_not("When no query has this expression in a condition.")
            .undo(format!("DROP STATISTICS {};", quote_ident(&name))),
    )
}

/// SQL in a comment must not leave its line: a name may contain a line break.
fn one_line(sql: &str) -> String {
    sql.replace(['\n', '\r'], " ")
}
