//! Real plans of real servers (`fixtures/plans`), each statement explained as text and as JSON.

use super::*;
use std::io::Read;

fn fixture(name: &str) -> String {
    let path = format!("{}/fixtures/plans/{name}", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::File::open(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut text = String::new();
    if std::path::Path::new(name).extension().is_some_and(|e| e == "gz") {
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else {
        let mut file = file;
        file.read_to_string(&mut text).unwrap();
    }
    text
}

fn plans(name: &str) -> Vec<(Option<String>, Plan)> {
    let text = fixture(name);
    assert!(could_be(&text), "{name}");
    split(&text)
        .into_iter()
        .map(|piece| (piece.query.clone(), read(&piece.plan).unwrap_or_else(|why| panic!("{name}: {why}: {piece:?}"))))
        .collect()
}

/// The plan without what differs between two runs: times, how processes shared the work, what memory and disk it took.
fn comparable(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.planning_ms = plan.planning_ms.map(|_| 0.0);
    plan.execution_ms = plan.execution_ms.map(|_| 0.0);
    plan.planning_buffers = Buffers::default();
    plan.other.retain(|(label, _)| !label.starts_with("Planning") && label != "Serialization Time");
    for trigger in &mut plan.triggers {
        trigger.ms = trigger.ms.map(|_| 0.0);
        trigger.relation = None;
    }
    let in_parallel: Vec<bool> = plan.measure().iter().map(|m| m.in_parallel).collect();
    // What writes finds other pages the second time.
    let writes = plan.nodes.iter().any(|n| n.kind == "ModifyTable");
    let unsteady = writes || in_parallel.iter().any(|p| *p);
    for (node, below) in plan.nodes.iter_mut().zip(in_parallel) {
        node.io = Io::default();
        if let Some(actual) = &mut node.actual {
            actual.startup_ms = actual.startup_ms.map(|_| 0.0);
            actual.total_ms = actual.total_ms.map(|_| 0.0);
            if node.kind.starts_with("Gather") {
                // Each process gives its own groups.
                actual.rows = 0.0;
            }
            if below {
                (actual.rows, actual.loops) = (0.0, 1.0);
            }
        }
        if below {
            (node.removed_by_filter, node.memory_kb) = (0.0, None);
            (node.sort, node.batches) = (None, None);
        }
        if unsteady {
            node.buffers = Buffers::default();
        }
        if writes {
            (node.cost, node.plan_rows) = (None, None);
        }
        node.other.retain(|(label, _)| label != "Index Searches" || !below);
    }
    plan
}

#[test]
fn text_and_json_of_one_statement_are_one_tree() {
    for major in [12, 15, 17, 18] {
        let (text, json) = (plans(&format!("pg{major}-text.txt")), plans(&format!("pg{major}-json.txt.gz")));
        assert_eq!(text.len(), 40, "{major}");
        assert_eq!(json.len(), 40, "{major}");
        for ((query, text), (same, json)) in text.iter().zip(&json) {
            assert_eq!(query, same);
            let (text, json) = (comparable(text), comparable(json));
            for (a, b) in text.nodes.iter().zip(&json.nodes) {
                assert_eq!(a, b, "PostgreSQL {major}: {query:?}");
            }
            assert_eq!(text, json, "PostgreSQL {major}: {query:?}");
        }
    }
}

#[test]
fn nothing_of_a_real_plan_is_left_without_a_label() {
    for major in [12, 15, 17, 18] {
        for (query, plan) in plans(&format!("pg{major}-text.txt")) {
            assert!(!plan.cut, "{query:?}");
            let nameless = plan.nodes.iter().flat_map(|n| &n.other).find(|(label, _)| label.is_empty());
            assert_eq!(nameless, None, "PostgreSQL {major}: {query:?}");
        }
    }
}

#[test]
fn the_text_of_a_statement_may_begin_in_the_next_line() {
    let plan = read("Query Text: \n  select a\n\n  from t\n\nSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)").unwrap();
    assert_eq!(plan.query.as_deref().map(str::trim), Some("select a\n\n  from t"));
    assert_eq!(plan.nodes.len(), 1);
}
