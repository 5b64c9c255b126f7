//! Files of tables and indexes that are others than before.

use super::identity::{A, B};
use super::subtract;
use crate::snapshot::literal::{Literal, literal};

/// A table with an index, each in a file; what was run meanwhile.
fn taken(at: &str, table: u32, index: u32, ran: &str) -> Literal {
    let statement = |text: &str, calls| format!("10 | 16697 | {calls} | t | {text} | {calls}");
    let ran: Vec<String> = ran.split(';').filter(|t| !t.is_empty()).map(|t| statement(t, 1)).collect();
    literal(at)
        .view(
            "table_sizes",
            "relid | schemaname | relname | relfilenode",
            &[&format!("1 | sales | payments | {table}")],
        )
        .view(
            "index_definitions",
            "relid | indexrelid | schemaname | relname | indexrelname | relfilenode",
            &[&format!("1 | 2 | sales | payments | payments_pkey | {index}")],
        )
        .view(
            "pg_stat_statements",
            "userid | dbid | queryid | toplevel | query | calls",
            &ran.iter().map(String::as_str).collect::<Vec<_>>(),
        )
}

fn events(table: u32, index: u32, ran: &str) -> Vec<(String, String, usize)> {
    let diff = subtract(&taken(A, 10, 20, "").build(), &taken(B, table, index, ran).build());
    diff.events.iter().map(|e| (e.kind.clone(), e.object.clone().unwrap_or_default(), e.evidence.len())).collect()
}

#[test]
fn an_index_with_another_file_was_rebuilt_not_its_table() {
    let one = |kind: &str, object: &str, shown_by| vec![(kind.to_owned(), object.to_owned(), shown_by)];
    assert_eq!(events(10, 20, ""), []);
    assert_eq!(events(10, 21, ""), one("reindexed", "sales.payments_pkey", 1));
    assert_eq!(events(10, 21, "reindex index sales.payments_pkey"), one("reindexed", "sales.payments_pkey", 2));
    assert_eq!(events(10, 21, "reindex table sales.payments"), one("reindexed", "sales.payments_pkey", 2));
    assert_eq!(events(10, 21, "reindex table sales.orders"), one("reindexed", "sales.payments_pkey", 1));
    assert_eq!(events(11, 21, ""), one("rewritten", "sales.payments", 1), "VACUUM FULL, TRUNCATE, ALTER TABLE");
}
