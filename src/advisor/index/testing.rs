//! For tests: a table and statements that ask for it.

use crate::snapshot::literal::{Literal, literal};

/// A shop: 1,000,000 orders in 20,000 blocks, 40 % of them of the largest of four states; ten of a customer.
pub fn shop(at: &str, statements: &[(&str, f64, f64, f64)], part: f64, indexes: &[&str], scanned: f64) -> Literal {
    let statement = |(i, (text, calls, blocks, rows)): (usize, &(&str, f64, f64, f64))| {
        let (calls, blocks, rows) = (calls * part, blocks * calls * part, rows * calls * part);
        format!("10 | 16697 | {i} | t | {text} | {calls} | {blocks} | 0 | {rows} | {blocks}")
    };
    let statements: Vec<String> = statements.iter().enumerate().map(statement).collect();
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    let defined: Vec<String> = indexes
        .iter()
        .enumerate()
        .map(|(i, on)| {
            let valid = if on.ends_with("INVALID") { "f" } else { "t" };
            let on = on.trim_end_matches(" INVALID");
            format!(
                "{i} | 1 | public | orders | i{i} | CREATE INDEX i{i} ON public.orders USING {on} | {valid} | t | f"
            )
        })
        .collect();
    let defined: Vec<&str> = defined.iter().map(String::as_str).collect();
    literal(at)
        .view(
            "pg_stat_statements",
            "userid | dbid | queryid | toplevel | query | calls | shared_blks_hit | shared_blks_read | rows | total_exec_time",
            &statements,
        )
        .view(
            "pg_stat_user_tables",
            "relid | schemaname | relname | seq_tup_read | n_tup_ins | n_tup_upd | n_tup_hot_upd",
            &[&format!("1 | public | orders | {} | 100 | 100 | 90", scanned * part), "2 | public | tiny | 0 | 0 | 0 | 0"],
        )
        .view(
            "table_sizes",
            "relid | schemaname | relname | relkind | reltuples | relpages | relallvisible | relation_size",
            &["1 | public | orders | r | 1000000 | 20000 | 0 | 163840000", "2 | public | tiny | r | 200 | 2 | 2 | 16384"],
        )
        .view(
            "pg_stats",
            "schemaname | tablename | attname | inherited | null_frac | avg_width | n_distinct | most_common_freqs | correlation",
            &[
                "public | orders | id | f | 0 | 8 | -1 | | 1",
                "public | orders | customer_id | f | 0 | 8 | 100000 | {0.0001} | 0",
                "public | orders | state | f | 0 | 5 | 4 | {0.4,0.3,0.2,0.1} | 0.2",
                "public | orders | placed_at | f | 0 | 8 | -1 | | 0.1",
                "public | orders | email | f | 0 | 20 | -0.1 | | 0",
                "public | orders | done | f | 0 | 1 | 2 | {0.999,0.001} | 0.5",
                "public | orders | gone_at | f | 0.999 | 8 | -0.001 | | 0.5",
                "public | tiny | id | f | 0 | 4 | -1 | | 1",
            ],
        )
        .view(
            "index_definitions",
            "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | indisready | indisunique",
            &defined,
        )
}
