//! Prepared transactions: who they are in `pg_locks`, and how they end.

use crate::finding::{Fix, Risk, Verb};
use crate::ident::{quote_literal, visible};
use crate::snapshot::{Row, Snapshot, Table};
use std::collections::BTreeMap;

/// Transaction ids of the prepared transactions that hold locks, by their virtual transaction.
///
/// A prepared transaction has no process. It keeps the virtual transaction of the session that prepared it; from before
/// that was so, and after a restart, it is `-1/<transaction id>`. Its subtransactions hold locks on ids of their own,
/// which were given out later: the first is its own.
pub fn xids(locks: &Table) -> BTreeMap<&str, i64> {
    let mut out = BTreeMap::new();
    for row in locks.iter().filter(|r| r.int("pid").is_none()) {
        if let (Some(of), Some(xid)) = (row.text("virtualtransaction"), row.int("transactionid")) {
            out.entry(of).and_modify(|first: &mut i64| *first = xid.min(*first)).or_insert(xid);
        }
    }
    out
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

/// A prepared transaction as people tell it apart: by its name where it is known, else by its transaction id.
pub fn told(snapshot: Option<&Snapshot>, xid: Option<i64>) -> String {
    match xid {
        Some(xid) => {
            let name = snapshot.and_then(|s| gid(s, xid));
            format!("prepared transaction {}", name.map_or_else(|| xid.to_string().into(), visible))
        }
        None => "a prepared transaction".to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::literal::literal;

    #[test]
    fn a_prepared_transaction_goes_by_its_own_id_and_not_by_a_subtransactions() {
        let taken = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_locks",
                "locktype | transactionid | virtualtransaction | pid | mode | granted",
                &[
                    "transactionid | 828 | 4/35 | | ExclusiveLock | t",
                    "transactionid | 827 | 4/35 | | ExclusiveLock | t",
                    "transactionid | 900 | 5/1 | 77 | ExclusiveLock | t",
                    "relation | | -1/773 | | RowExclusiveLock | t",
                    "relation | | 4/35 | | RowExclusiveLock | t",
                ],
            )
            .build();
        let locks = taken.table("pg_locks").unwrap();
        let known = xids(locks);
        let of: Vec<_> = locks.iter().map(|r| xid(r, &known)).collect();
        assert_eq!(of, [Some(827), Some(827), None, Some(773), Some(827)]);
    }
}
