//! Which of several indexes is chosen, and for which table: seen through the rule that proposes them.

use super::testing::shop;
use crate::advisor::Rule;
use crate::advisor::rules::RULES;
use crate::advisor::testing::judge;
use crate::finding::Outcome;

const A: &str = "2026-11-22 12:00:00+00";
const B: &str = "2026-11-22 14:00:00+00";

fn rule() -> &'static Rule {
    RULES.iter().find(|rule| rule.id == "index-missing-predicate").unwrap()
}

#[test]
fn the_path_of_the_role_tells_tables_of_one_name_apart() {
    const DEFAULT: &str = "\"$user\", public";
    const TEXT: (&str, f64, f64, f64) = ("select * from orders where customer_id = $1", 2_000.0, 20_000.0, 10.0);
    let proposed = |statements: &[(&str, f64, f64, f64)], settings: &[&str], reset: &str| {
        let at = |at, part| {
            shop(at, statements, part, &[], 1e9)
                .meta(|m| m.version = Some(crate::version::PgVersion::major_only(15)))
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | seq_tup_read",
                    &[&format!("1 | public | orders | {}", 1e9 * part), "3 | archive | orders | 0"],
                )
                .view("pg_roles", "oid | rolname", &["10 | app"])
                .view("role_settings", "rolname | datname | setconfig", settings)
                .view("pg_settings", "name | setting | reset_val", &[&format!("search_path | pg_catalog | {reset}")])
                .build()
        };
        match judge(rule(), &[at(A, 0.0), at(B, 1.0)], "") {
            Outcome::Found { findings, .. } => findings.len(),
            _ => 0,
        }
    };
    assert_eq!(proposed(&[TEXT], &[], DEFAULT), 1, "PostgreSQL's own path");
    assert_eq!(proposed(&[TEXT], &[], "archive"), 0, "the exporting session's, perhaps not this role's");
    assert_eq!(proposed(&[TEXT], &["app | | {\"search_path=public, archive\"}"], "archive"), 1);
    assert_eq!(proposed(&[TEXT], &["app | | {search_path=archive}"], DEFAULT), 0);
    assert_eq!(
        proposed(&[TEXT], &["app | | {search_path=archive}", "app | shop | {search_path=public}"], DEFAULT),
        1,
        "what is set for the role in the database goes first"
    );
    let switched = [TEXT, (TEXT.0, 100.0, 9.0, 1.0)];
    assert_eq!(proposed(&switched, &[], DEFAULT), 0, "one text on two tables: its sessions set paths themselves");
}

#[test]
fn an_order_alone_is_not_trusted_where_a_condition_leads() {
    let statement = ("select * from orders where state = $1 order by placed_at desc limit $2", 2_000.0, 20_000.0, 1.0);
    let at = |at, part| {
        shop(at, &[statement], part, &[], 1e9).view(
            "pg_stats",
            "schemaname | tablename | attname | inherited | null_frac | avg_width | n_distinct | most_common_freqs | correlation",
            &["public | orders | state | f | 0 | 9 | 400 | {0.01} | 0.2", "public | orders | placed_at | f | 0 | 8 | -1 | | 1"],
        )
    };
    let Outcome::Found { findings, .. } = judge(rule(), &[at(A, 0.0).build(), at(B, 1.0).build()], "") else {
        panic!()
    };
    assert_eq!(findings[0].subject.name, "public.orders (state, placed_at)");
}

/// Between a short text and a time lie bytes that hold nothing: an index of those was a third larger than "at most".
#[test]
fn the_size_counts_what_alignment_leaves_empty() {
    let text = "select * from orders where state = $1 and placed_at < $2 and email = $3";
    let at = |at, part| {
        shop(at, &[(text, 2_000.0, 20_000.0, 3.0)], part, &[], 1e9).view(
            "pg_stats",
            "schemaname | tablename | attname | inherited | null_frac | avg_width | n_distinct | most_common_freqs | correlation",
            &[
                "public | orders | state | f | 0 | 5 | 400 | {0.1} | 0",
                "public | orders | placed_at | f | 0 | 8 | -1 | | 0",
            ],
        )
    };
    let Outcome::Found { findings, .. } = judge(rule(), &[at(A, 0.0).build(), at(B, 1.0).build()], "") else {
        panic!()
    };
    assert_eq!(findings[0].subject.name, "public.orders (state, placed_at)");
    let size = findings[0].measures.iter().find(|m| m.label.starts_with("Size of the index")).unwrap();
    // 4 + 8 + 5, 3 empty, 8: 28 bytes for each of a million rows, seven eighths of the index.
    assert_eq!(size.after.map(|q| q.as_f64().round()), Some(32_000_000.0));
}

/// A customer's few orders are sorted in memory: neither the order nor what else is asked of them belongs into the index.
#[test]
fn what_leaves_few_rows_at_worst_is_enough() {
    let text = "select * from orders where customer_id = $1 and gone_at is null order by placed_at desc limit $2";
    let name = |top: &str| {
        let at = |at, part| {
            let row = |name: &str, nulls, distinct, top: &str| {
                format!("public | orders | {name} | f | {nulls} | 8 | {distinct} | {top} | 0")
            };
            shop(at, &[(text, 2_000.0, 20_000.0, 3.0)], part, &[], 1e9).view(
                "pg_stats",
                "schemaname | tablename | attname | inherited | null_frac | avg_width | n_distinct | most_common_freqs | correlation",
                &[&row("customer_id", 0.0, 300_000, top), &row("gone_at", 0.96, 1, ""), &row("placed_at", 0.0, -1, "")],
            )
        };
        let Outcome::Found { findings, .. } = judge(rule(), &[at(A, 0.0).build(), at(B, 1.0).build()], "") else {
            panic!()
        };
        findings[0].subject.name.clone()
    };
    assert_eq!(name(""), "public.orders (customer_id)");
    assert_eq!(name("{0.01}"), "public.orders (customer_id, gone_at, placed_at)", "one has ten thousand");
}

#[test]
fn rows_that_are_locked_are_fetched_whatever_the_index_holds() {
    let of = |lock: &str| {
        let text = format!("select id from orders where customer_id = $1{lock}");
        let statement = (text.as_str(), 2_000.0, 20_000.0, 900.0);
        let at = |at, part| {
            shop(at, &[statement], part, &[], 1e9).view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relallvisible | relation_size",
                &["1 | public | orders | r | 1000000 | 20000 | 20000 | 163840000"],
            )
        };
        let Outcome::Found { findings, .. } = judge(rule(), &[at(A, 0.0).build(), at(B, 1.0).build()], "") else {
            panic!()
        };
        findings[0].subject.name.clone()
    };
    assert_eq!(of(""), "public.orders (customer_id) INCLUDE (id)");
    assert_eq!(of(" for update skip locked"), "public.orders (customer_id)");
}

/// A delete counts what the check of a foreign key reads inside of it, and the check has a row of its own.
#[test]
fn what_a_write_and_the_statements_inside_of_it_share_is_spared_once() {
    let spared = |write: &str, toplevel: &str| {
        let at = |at, part: f64| {
            let row = |id: i64, text: &str, top: &str, calls: f64| {
                let (calls, blocks) = (calls * part, calls * part * 20_000.0);
                format!("10 | 16697 | {id} | {top} | {text} | {calls} | {blocks} | 0 | {calls} | {blocks}")
            };
            let rows = [
                row(1, write, "t", 2_000.0),
                row(2, "select 1 from only orders x where customer_id = $1 for key share of x", toplevel, 1_000.0),
            ];
            shop(at, &[], part, &[], 1e9).view(
                "pg_stat_statements",
                "userid | dbid | queryid | toplevel | query | calls | shared_blks_hit | shared_blks_read | rows | total_exec_time",
                &[&rows[0], &rows[1]],
            )
        };
        let Outcome::Found { findings, .. } = judge(rule(), &[at(A, 0.0).build(), at(B, 1.0).build()], "") else {
            panic!()
        };
        let measure = findings[0].measures.iter().find(|m| m.label == "Blocks spared").unwrap();
        (measure.window.map(|q| (q.as_f64() / 1e6).round()).unwrap(), findings[0].share.map(|s| (s * 100.0).round()))
    };
    let write = "delete from orders where customer_id = $1";
    assert_eq!(spared(write, "f"), (40.0, Some(100.0)), "2,000 calls of 20,000, the check's 1,000 among them");
    assert_eq!(spared(write, "t"), (60.0, Some(100.0)), "two statements");
    assert_eq!(spared("select * from orders where customer_id = $1", "f"), (60.0, Some(100.0)), "a query runs none");
}

/// Where the dump has the key, its checks are taken off the writes that run them: what is left is their own search.
#[test]
fn a_write_is_not_spared_what_the_checks_of_its_keys_read() {
    let spared = |keys: &[&str]| {
        let at = |at, part: f64| {
            let row = |id: i64, text: &str, top: &str, calls: f64, each: f64| {
                let (calls, blocks) = (calls * part, calls * part * each);
                format!("10 | 16697 | {id} | {top} | {text} | {calls} | {blocks} | 0 | {calls} | {blocks}")
            };
            let check = "SELECT $2 FROM ONLY \"public\".\"orders\" x WHERE $1 OPERATOR(pg_catalog.=) \"customer_id\" FOR KEY SHARE OF x";
            let write = "delete from tiny where id = $1 and not exists (select 1 from orders where customer_id = $1)";
            let rows = [row(1, write, "t", 2_000.0, 30_000.0), row(2, check, "f", 2_000.0, 20_000.0)];
            shop(at, &[], part, &[], 1e9)
                .view(
                    "pg_stat_statements",
                    "userid | dbid | queryid | toplevel | query | calls | shared_blks_hit | shared_blks_read | rows | total_exec_time",
                    &[&rows[0], &rows[1]],
                )
                .view("constraints", "oid | contype | relid | columns | foreign_relid | foreign_columns", keys)
        };
        let Outcome::Found { findings, .. } = judge(rule(), &[at(A, 0.0).build(), at(B, 1.0).build()], "") else {
            panic!()
        };
        let measure = findings[0].measures.iter().find(|m| m.label == "Blocks spared").unwrap();
        measure.window.map(|q| (q.as_f64() / 1e6).round()).unwrap()
    };
    assert_eq!(spared(&["1 | f | 1 | {customer_id} | 2 | {id}"]), 60.0, "10,000 of its own and the check's 20,000");
    assert_eq!(spared(&["1 | f | 1 | {customer_id,id} | 2 | {id,x}"]), 40.0, "the check of another key");
    assert_eq!(spared(&[]), 40.0, "all that both have is taken to be the same");
}

/// What pruning leaves of a partitioned table an index on its key does not narrow again, as far as anybody knows.
#[test]
fn a_range_of_the_partition_key_is_left_to_pruning() {
    let found = |columns: &str, key: &str| {
        let text =
            format!("select state, count(*) from orders where {columns} >= $1 and {columns} < $2 group by state");
        let at = |at, part| {
            shop(at, &[(text.as_str(), 2_000.0, 3_000.0, 4.0)], part, &[], 1e9)
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | seq_tup_read",
                    &[&format!("5 | public | orders_1 | {}", 1e9 * part)],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relallvisible | relation_size",
                    &["1 | public | orders | p | -1 | 0 | 0 | 0", "5 | public | orders_1 | r | 1000000 | 20000 | 0 | 163840000"],
                )
                .view(
                    "partitions",
                    "parent_relid | parent_schema | parent | child_relid | child_schema | child | partition_key",
                    &[&format!("1 | public | orders | 5 | public | orders_1 | {key}")],
                )
                .view(
                    "pg_stats",
                    "schemaname | tablename | attname | inherited | null_frac | avg_width | n_distinct | most_common_freqs | correlation",
                    &["public | orders | placed_at | t | 0 | 8 | -1 | | 1", "public | orders | paid_at | t | 0 | 8 | -1 | | 1"],
                )
                .build()
        };
        matches!(judge(rule(), &[at(A, 0.0), at(B, 1.0)], ""), Outcome::Found { .. })
    };
    assert!(!found("placed_at", "RANGE (placed_at)"));
    assert!(found("paid_at", "RANGE (placed_at)"));
}

/// A policy adds conditions: how many rows are read in an order until enough have passed is not in the text.
#[test]
fn an_order_under_row_security_is_not_trusted() {
    let found = |secured: &str| {
        let statement = ("select * from orders order by placed_at desc limit $1", 2_000.0, 20_000.0, 20.0);
        let at = |at, part| {
            shop(at, &[statement], part, &[], 1e9).view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | relrowsecurity",
                &[&format!("1 | public | orders | r | 1000000 | 20000 | 163840000 | {secured}")],
            )
        };
        judge(rule(), &[at(A, 0.0).build(), at(B, 1.0).build()], "")
    };
    assert!(matches!(found("f"), Outcome::Found { .. }));
    let said = format!("{:?}", found("t"));
    assert!(said.contains("1 by order where row security adds conditions"), "{said}");
}
