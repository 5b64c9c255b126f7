//! psql's framings, taken off.

use super::frame::{could_be, split};

const PLAN: &str = "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n  Filter: (a = 1)";

fn plans(text: &str) -> Vec<(String, Option<String>, u64)> {
    assert!(could_be(text), "{text}");
    split(text).into_iter().map(|p| (p.plan, p.query, p.line)).collect()
}

#[test]
fn every_framing_of_psql_is_taken_off() {
    let text = "                 QUERY PLAN                 \n--------------------------------------------\n Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n   Filter: (a = 1)\n(2 rows)\n\n";
    assert_eq!(plans(text), [(PLAN.to_owned(), None, 3)]);
    let boxed = "+------------+\n|  QUERY PLAN  |\n+-----------+\n| Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) |\n|   Filter: (a = 1)    |\n+---------+\n(2 rows)\n";
    assert_eq!(split(boxed).into_iter().map(|p| p.plan).collect::<Vec<_>>(), [PLAN]);
    let unicode = "┌─────┐\n│ QUERY PLAN │\n├─────┤\n│ Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) │\n│   Filter: (a = 1)  │\n└────┘\n";
    assert_eq!(split(unicode).into_iter().map(|p| p.plan).collect::<Vec<_>>(), [PLAN]);
    let csv = "QUERY PLAN\nSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n\"  Filter: (a = 1)\"\n";
    assert_eq!(plans(csv), [(PLAN.to_owned(), None, 2)]);
    let expanded = "-[ RECORD 1 ]-----\nQUERY PLAN | Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n-[ RECORD 2 ]-----\nQUERY PLAN |   Filter: (a = 1)\n";
    assert_eq!(split(expanded).into_iter().map(|p| p.plan).collect::<Vec<_>>(), [PLAN]);
    assert_eq!(plans(PLAN), [(PLAN.to_owned(), None, 1)]);
}

#[test]
fn json_loses_its_marks_of_further_lines() {
    let text = "          QUERY PLAN          \n------------------------------\n [                           +\n   {                         +\n     \"Plan\": {               +\n       \"Node Type\": \"Result\"+\n     }                       +\n   }                         +\n ]\n(1 row)\n";
    let found = plans(text);
    assert_eq!(found.len(), 1);
    assert_eq!(super::read(&found[0].0).unwrap().nodes[0].kind, "Result");
}

#[test]
fn statements_above_are_kept_and_plans_told_apart() {
    let text = format!(
        "shop=# explain (analyze, buffers) select *\nshop-# from t;\n{PLAN}\n\nshop=# explain select 1;\n{PLAN}\n{PLAN}\n"
    );
    let found = plans(&text);
    let queries: Vec<Option<&str>> = found.iter().map(|f| f.1.as_deref()).collect();
    assert_eq!(queries, [Some("select *\nfrom t"), Some("select 1"), None]);
    assert!(found.iter().all(|f| f.0 == PLAN), "{found:?}");
}

#[test]
fn what_is_no_plan_is_not_taken_for_one() {
    for text in [
        "relid,relname\n1,a\n",
        "Sort\n",
        "Limit of connections: 5\n",
        "{\"Plan\": 5}",
        "[{\"a\": 1}]",
        "",
        "name|setting\nplan|x\n",
    ] {
        assert!(!could_be(text), "{text}");
    }
}
