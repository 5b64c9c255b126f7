//! Prepared transactions: who they are in `pg_locks`, and how they end.

use crate::finding::{Fix, Risk, Verb};
use crate::ident::quote_literal;
use crate::snapshot::{Row, Snapshot, Table};
use std::collections::BTreeMap;

/// Transaction ids of the prepared transactions that hold locks, by their virtual transaction.
///
/// A prepared transaction has no process. It keeps the virtual transaction of the session that prepared it; from before
/// that was so, and after a restart, it is `-1/<transaction id>`.
pub fn xids(locks: &Table) -> BTreeMap<&str, i64> {
    let of = |row: Row<'_>| row.int("transactionid").filter(|_| row.int("pid").is_none());
    locks.iter().filter_map(|r| Some((r.text("virtualtransaction")?, of(r)?))).collect()
}

/// The transaction id of the prepared transaction that holds a lock.
pub fn xid(lock: Row<'_>, xids: &BTreeMap<&str, i64>) -> Option<i64> {
    let virtualtransaction = lock.text("virtualtransaction")?;
    let own = virtualtransaction.strip_prefix("-1/").and_then(|xid| xid.parse().ok());
    own.or_else(|| xids.get(virtualtransaction).copied())
}

/// The name it was prepared under.
pub fn gid(snapshot: &Snapshot, xid: i64) -> Option<&str> {
    snapshot.table("pg_prepared_xacts")?.iter().find(|r| r.int("transaction") == Some(xid))?.text("gid")
}

/// Shows all of them.
pub fn look(object: impl Into<String>) -> Fix {
    Fix::diagnose(object, "SELECT gid, prepared, owner, database FROM pg_prepared_xacts ORDER BY prepared;")
}

/// Ends one; whether that is right, its transaction manager knows.
pub fn roll_back(gid: &str) -> Fix {
    Fix::new(Verb::End, Risk::R3, gid, format!("ROLLBACK PREPARED {};", quote_literal(gid)))
        .lock("no lock; releases those of the transaction. Run it in the transaction's own database")
        .when_not(
            "Its transaction manager may have committed the other half: ask first, its outcome decides between COMMIT \
             PREPARED and ROLLBACK PREPARED.",
        )
}
