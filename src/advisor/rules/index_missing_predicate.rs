//! Indexes that the statements of the window would use, found offline.

use crate::advisor::index::{Limits, Load, Prices, Relief, advise, finding, looked_at};
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Workload};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, setting};
use crate::finding::Severity;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-missing-predicate",
    title: "Index missing for conditions of statements",
    needs: &[
        Need::View("pg_stat_statements", &["query", "calls", "shared_blks_hit", "shared_blks_read", "rows"]),
        Need::View("pg_stats", &["attname", "n_distinct", "null_frac"]),
        Need::View("index_definitions", &["indexdef"]),
        Need::View("table_sizes", &["reltuples", "relpages"]),
    ],
    wants: &[
        Need::View("pg_stat_user_tables", &["seq_tup_read", "n_tup_ins", "n_tup_upd", "n_tup_hot_upd"]),
        Need::View("function_definitions", &["provolatile"]),
        Need::View("pg_settings", &["name", "setting"]),
    ],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold {
            name: "min_rows",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "A smaller table is read whole as fast as by an index.",
        },
        Threshold {
            name: "min_pages",
            default: 1_000.0,
            unit: Unit::Blocks,
            about: "Below a thousand blocks a sequential scan is normally the right plan.",
        },
        Threshold {
            name: "min_buffers_per_call",
            default: 50.0,
            unit: Unit::Blocks,
            about: "A call that reads less is cheap already.",
        },
        Threshold {
            name: "min_statement_calls",
            default: 3.0,
            unit: Unit::Count,
            about: "A rate never rests on one event.",
        },
        Threshold {
            name: "max_selected",
            default: 0.1,
            unit: Unit::Share,
            about: "A search that may return a tenth of the table is better done by reading it, unless LIMIT ends it.",
        },
        Threshold {
            name: "min_ratio",
            default: 3.0,
            unit: Unit::Times,
            about: "Estimates err: an index must promise to read a third of the blocks at most.",
        },
        Threshold {
            name: "min_gain_share",
            default: 0.01,
            unit: Unit::Share,
            about: "Of all blocks read; what spares less is not worth an index.",
        },
        Threshold {
            name: "min_gain_per_write",
            default: 2.0,
            unit: Unit::Times,
            about: "What is spared, divided by what its writes cost.",
        },
        Threshold {
            name: "max_per_table",
            default: 3.0,
            unit: Unit::Count,
            about: "More at once could not be told apart in the next snapshot.",
        },
        Threshold {
            name: "medium_share",
            default: 0.05,
            unit: Unit::Share,
            about: "Of all blocks, or of the execution time: a twentieth is measurable waste.",
        },
        Threshold {
            name: "high_share",
            default: 0.3,
            unit: Unit::Share,
            about: "Nearly a third of what the server does.",
        },
        Threshold {
            name: "high_load",
            default: 0.25,
            unit: Unit::Sessions,
            about: "Sessions kept busy by what would be spared; below, the server is idle most of the time.",
        },
    ],
    docs: Docs {
        looks_at: "The texts of pg_stat_statements, read with PostgreSQL's grammar: conditions, joins, ORDER BY with LIMIT, \
                   the columns read; with the calls, blocks and rows of each in the window, the statistics of the columns, \
                   the sizes of the tables, the indexes that exist, and what is written. Statements inside of functions \
                   are read as well where they are tracked.",
        why: "A statement that finds few rows by reading many blocks takes time, memory and storage from all others.",
        decides: "Where several schemas have a table of one name, the search_path set for the role or the database tells which one a \
                  statement means, or PostgreSQL's own path where nobody set one; statements whose sessions switch it are left out. \
                  For each reading of a table it is estimated what it costs with the indexes that exist and with one that is \
                  imagined: columns of equality first (joins included; what most statements share comes first), then the \
                  order of a LIMIT or one range; a partial index only for conditions that stand in the text without a \
                  parameter; further columns are included only where the table is mostly visible to all and they are \
                  narrow. The gain of a statement is never more than it was measured to read. The best candidate is \
                  taken, of those about as good one whose conditions bound the search before one that reads in the wanted \
                  order until enough rows have turned up, then the rest judged again with it in place, so that one index serves several statements; at \
                  most `max_per_table`. Not proposed: on tables below `min_rows` or `min_pages`; for calls below \
                  `min_buffers_per_call` or where every block yields a row; where the most common value returns more than \
                  `max_selected` of the table and the rows returned do not prove otherwise; less than `min_ratio` times \
                  fewer blocks; less than `min_gain_share` of all blocks; less than `min_gain_per_write` times what its \
                  writes cost, lost heap-only updates included; where an existing valid index answers; where the table \
                  was not read sequentially in the window, so that the estimate must be wrong. Medium from `medium_share`, high from \
                  `high_share` with `high_load`. Never surer than medium, \
                  unless the dump holds a plan of one of the statements that shows the scan or the sort which it would spare. LIKE with a parameter is only counted: its \
                  pattern is not known. So are conditions under OR, NOT, casts and functions, except lower() and upper() of \
                  a column.",
        what_to_do: "Look at the plan of the statements, create the index with CONCURRENTLY, and look again. Where the statement \
                     reads only a few columns and the table is vacuumed well, an index-only scan may follow.",
        ignore_when: "Bulk loads and reports that run once, tables whose updates must stay heap-only, statements that are about \
                      to be changed. A statement prepared with a generic plan may not use an index that its values would allow.",
        references: "PostgreSQL manual: Multicolumn Indexes, Indexes and ORDER BY, Partial Indexes, Index-Only Scans, Operator \
                     Classes, Row Estimation Examples. Costs simplified from costsize.c and selfuncs.c. That the planner uses what is \
                     proposed: tried on a real server by a script of the test suite.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let workload = Workload::read(cx)?;
    let load = Load::read(cx);
    let limits = Limits {
        min_rows: cx.threshold("min_rows"),
        min_pages: cx.threshold("min_pages"),
        min_buffers: cx.threshold("min_buffers_per_call"),
        max_share: cx.threshold("max_selected"),
        min_ratio: cx.threshold("min_ratio").max(1.0),
        min_gain_share: cx.threshold("min_gain_share"),
        min_gain_per_cost: cx.threshold("min_gain_per_write"),
        max_per_table: cx.threshold("max_per_table").clamp(0.0, 16.0) as usize,
        min_calls: cx.threshold("min_statement_calls"),
    };
    let price = |name: &str, otherwise: f64| {
        let known = setting(cx.chain, name).and_then(|s| s.text.trim().parse().ok());
        known.filter(|p: &f64| p.is_finite() && *p > 0.0).unwrap_or(otherwise)
    };
    let prices = Prices {
        sequential: price("seq_page_cost", 1.0),
        random: price("random_page_cost", 4.0),
        lists_in_order: cx.major() >= 17,
    };
    let (proposals, refusals) = advise(&load, &limits, &prices);
    let mut checked = Checked { findings: Vec::new(), looked_at: looked_at(&load, &refusals) };
    for proposal in &proposals {
        let relief = Relief::of(proposal, &load, &workload);
        let severity = match relief.most() {
            share if share >= cx.threshold("high_share") && relief.load >= cx.threshold("high_load") => Severity::High,
            share if share >= cx.threshold("medium_share") => Severity::Medium,
            _ => Severity::Low,
        };
        checked.findings.extend(finding(cx, &load, &workload, proposal, relief, severity));
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::index::testing::shop;
    use crate::advisor::testing::{judge, plan_table, told};
    use crate::finding::{Finding, Outcome};
    use crate::snapshot::literal::literal;

    const A: &str = "2026-11-22 12:00:00+00";
    const B: &str = "2026-11-22 14:00:00+00";

    fn outcome(statements: &[(&str, f64, f64, f64)], indexes: &[&str]) -> Outcome {
        let at = |at, part| shop(at, statements, part, indexes, 1e9).build();
        judge(&RULE, &[at(A, 0.0), at(B, 1.0)], "")
    }

    fn found(statements: &[(&str, f64, f64, f64)], indexes: &[&str]) -> Vec<Finding> {
        match outcome(statements, indexes) {
            Outcome::Found { findings, .. } => findings,
            _ => Vec::new(),
        }
    }

    /// What is proposed for one statement that reads the table whole.
    fn proposed(text: &str, rows: f64, indexes: &[&str]) -> Vec<String> {
        let names = found(&[(text, 2_000.0, 20_000.0, rows)], indexes).into_iter().map(|f| f.subject.name);
        names.map(|n| n.replace("public.orders ", "")).collect()
    }

    #[test]
    fn equality_first_then_order_or_range() {
        for (text, rows, want) in [
            ("select * from orders where customer_id = $1", 10.0, "(customer_id)"),
            ("select * from public.orders o where $1 = o.customer_id and o.state = $2", 3.0, "(customer_id)"),
            ("select * from orders where state = $1 order by placed_at desc limit $2", 20.0, "(state, placed_at)"),
            ("select * from orders where state = $1 and placed_at between $2 and $3", 1000.0, "(state, placed_at)"),
            ("select max(placed_at) from orders where state = $1", 1.0, "(state, placed_at)"),
            ("select * from orders where customer_id in ($1 /*, ... */)", 30.0, "(customer_id)"),
            ("update orders set state = $1 where customer_id = $2", 10.0, "(customer_id)"),
            ("select * from orders where lower(email) = lower($1)", 1.0, "(lower(email))"),
            ("select * from orders where starts_with(email, $1)", 5.0, "(email text_pattern_ops)"),
            ("select * from orders where not done order by placed_at limit $1", 9.0, "(placed_at) WHERE NOT done"),
            (
                "select * from orders where gone_at is not null and customer_id = $1",
                1.0,
                "(customer_id) WHERE gone_at IS NOT NULL",
            ),
        ] {
            assert_eq!(proposed(text, rows, &[]), [want], "{text}");
        }
    }

    #[test]
    fn leaves_alone_what_an_index_would_not_help() {
        for (text, rows) in [
            ("select * from orders where state = $1", 250_000.0),
            ("select count(*) from orders where state = $1", 1.0),
            ("select * from orders where state <> $1 and not (customer_id = $2)", 10.0),
            ("select * from orders where customer_id = $1 or placed_at = $2", 10.0),
            ("select * from orders where customer_id::text = $1", 10.0),
            ("select * from orders where abs(customer_id) = $1", 10.0),
            ("select * from orders where email like $1", 10.0),
            ("select * from orders where customer_id = random()", 10.0),
            ("select * from orders", 1_000_000.0),
            ("select * from tiny where id = $1", 1.0),
            ("select * from elsewhere where customer_id = $1", 10.0),
            ("select * from orders where customer_id = $1 and", 10.0),
        ] {
            assert_eq!(proposed(text, rows, &[]), [""; 0], "{text}");
        }
        let cheap = outcome(&[("select * from orders where customer_id = $1", 2_000.0, 14.0, 10.0)], &[]);
        assert_eq!(
            told(&cheap),
            ["passed: 1 statement read, 1 statement in all; 1 reading of tables, 1 cheap already"]
        );
    }

    #[test]
    fn respects_what_exists() {
        const TEXT: &str = "select * from orders where customer_id = $1";
        for (index, want) in [
            ("btree (customer_id)", 0),
            ("btree (customer_id, placed_at)", 0),
            ("hash (customer_id)", 0),
            ("btree (customer_id) INVALID", 1),
            ("btree (customer_id) WHERE (state = 'new'::text)", 1),
            ("btree (customer_id) WHERE (customer_id IS NOT NULL)", 0),
            ("btree (state, customer_id)", 1),
            ("btree (abs(customer_id))", 1),
            ("gin (customer_id)", 1),
        ] {
            assert_eq!(proposed(TEXT, 10.0, &[index]).len(), want, "{index}");
        }
    }

    #[test]
    fn finishes_what_somebody_began() {
        let statement = ("select * from orders where customer_id = $1", 2_000.0, 20_000.0, 10.0);
        let sql = |index| found(&[statement], &[index]).remove(0).fixes.pop().map(|f| f.sql).unwrap_or_default();
        assert!(sql("btree (customer_id) INVALID").contains("REINDEX INDEX CONCURRENTLY \"public\".\"i0\";"));
        assert!(sql("btree (placed_at) INVALID").contains("CREATE INDEX CONCURRENTLY"));
    }

    #[test]
    fn patterns_that_sessions_used_tell_what_like_looks_for() {
        let statements = [("select * from orders where email like $1", 2_000.0, 20_000.0, 5.0)];
        let proposed = |patterns: &[&str], collation: &str| {
            let sessions: Vec<String> = patterns
                .iter()
                .enumerate()
                .map(|(i, p)| format!("{i} | select * from orders where email like '{p}'"))
                .collect();
            let sessions: Vec<&str> = sessions.iter().map(String::as_str).collect();
            let at = |at, part| {
                shop(at, &statements, part, &[], 1e9)
                    .view("pg_stat_activity", "pid | query", &sessions)
                    .view("pg_database", "oid | datname | datcollate", &[&format!("16697 | shop | {collation}")])
                    .build()
            };
            match judge(&RULE, &[at(A, 0.0), at(B, 1.0)], "") {
                Outcome::Found { findings, .. } => findings.into_iter().map(|f| f.subject.name).collect(),
                _ => Vec::new(),
            }
        };
        assert_eq!(proposed(&["anna%", "bert%"], "en_US.utf8"), ["public.orders (email text_pattern_ops)"]);
        assert_eq!(proposed(&["anna%"], "C"), ["public.orders (email)"]);
        assert_eq!(proposed(&["anna%", "%bert%"], "en_US.utf8"), [""; 0]);
        assert_eq!(proposed(&[], "C"), [""; 0]);
    }

    #[test]
    fn one_index_serves_several_statements() {
        let statements = [
            ("select * from orders where state = $1 order by placed_at limit $2", 2_000.0, 20_000.0, 20.0),
            ("select * from orders where state = $1 and placed_at between $2 and $3", 2_000.0, 20_000.0, 900.0),
        ];
        let findings = found(&statements, &[]);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].title.plain().ends_with("for 2 statements"), "{}", findings[0].title.plain());
        assert!(findings[0].key().ends_with("(state, placed_at)"), "{}", findings[0].key());
    }

    #[test]
    fn what_it_relieves_decides() {
        let other = ("select * from elsewhere where x = $1", 2_000.0, 180_000.0, 1.0);
        let severity = |with: &[(&str, f64, f64, f64)]| found(with, &[]).first().map(|f| f.severity.word());
        let ours = ("select * from orders where customer_id = $1", 2_000.0, 20_000.0, 10.0);
        assert_eq!(severity(&[ours]), Some("high"));
        assert_eq!(severity(&[ours, other]), Some("medium"));
        assert_eq!(severity(&[ours, (other.0, 2_000.0, 900_000.0, 1.0)]), Some("low"));
        assert_eq!(severity(&[ours, (other.0, 2_000.0, 9_000_000.0, 1.0)]), None);
    }

    #[test]
    fn a_plan_that_shows_the_scan_is_evidence() {
        let with = |plan: &str| {
            let statement = ("select * from orders where customer_id = $1", 2_000.0, 20_000.0, 10.0);
            let at = |at, part| {
                let mut snapshot = crate::snapshot::Snapshot::clone(&shop(at, &[statement], part, &[], 1e9).build());
                snapshot.tables.insert("plans", std::sync::Arc::new(plan_table(plan)));
                std::sync::Arc::new(snapshot)
            };
            let Outcome::Found { mut findings, .. } = judge(&RULE, &[at(A, 0.0), at(B, 1.0)], "") else { panic!() };
            let finding = findings.remove(0);
            let not = finding.not.as_ref().map(crate::text::Text::plain).unwrap_or_default();
            let shown = finding.measures.iter().find(|m| m.label.contains("in the plan of")).map(|m| m.label.clone());
            (finding.confidence().word(), not.contains("The plans themselves are not in the dump"), shown)
        };
        let measured = "(cost=0.00..1.00 rows=1 width=4) (actual time=0.010..9.000 rows=10 loops=1)";
        let query = |text: &str| format!("Query Text: {text}\n");
        let scan = format!(
            "Seq Scan on public.orders  {measured}\n  Filter: (customer_id = 7)\n  Rows Removed by Filter: 999990"
        );
        // The plan of query id 7 is not that of the statement, query id 0: the text tells.
        let same = query("select * from orders where customer_id = 7") + &scan;
        let label =
            |of: &str| Some(format!("Seq Scan on public.orders in the plan of {of}, rows read and thrown away"));
        assert_eq!(with(&same), ("high", false, label("a statement that it serves")));
        assert_eq!(with(&scan), ("medium", false, label("another statement")));
        let other = format!("Seq Scan on public.orders  {measured}\n  Filter: (state = 'x'::text)");
        assert_eq!(with(&other), ("medium", true, None));
    }

    #[test]
    fn the_statement_quotes_and_can_be_undone() {
        let finding = found(&[("select * from orders where customer_id = $1", 2_000.0, 20_000.0, 10.0)], &[]).remove(0);
        let fix = finding.fixes.last().unwrap();
        assert_eq!(
            fix.sql,
            "SET statement_timeout = 0; SET lock_timeout = 0;\nCREATE INDEX CONCURRENTLY \"orders_customer_id_idx\" ON \"public\".\"orders\" (\"customer_id\");\n\
             SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;"
        );
        let undo = "SET statement_timeout = 0; SET lock_timeout = 0;\nDROP INDEX CONCURRENTLY \"public\".\"orders_customer_id_idx\";\n\
                    SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;";
        assert_eq!(fix.undo.as_deref(), Some(undo));
    }

    #[test]
    fn counters_can_contradict_the_estimate() {
        let statements = [("select * from orders where customer_id = $1", 2_000.0, 20_000.0, 10.0)];
        let at = |at, part| shop(at, &statements, part, &[], 0.0).build();
        let said = told(&judge(&RULE, &[at(A, 0.0), at(B, 1.0)], ""));
        assert_eq!(
            said,
            ["passed: 1 statement read, 1 statement in all; 1 reading of tables, 1 of tables that were not scanned"]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        let none = literal(B).build();
        assert_eq!(
            told(&judge(&RULE, &[none], "")),
            ["skipped, input missing: `pg_stat_statements` is not in the dump"]
        );
    }
}
