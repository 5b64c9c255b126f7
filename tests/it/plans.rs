//! Query plans through the whole program: found, read, judged, shown, redacted, packed.

use super::fixtures::pgretro;
use super::house::root;
use super::redact::{outputs, report_of};
use pgretro::ingest;
use pgretro::report::{Redact, redact};
use pgretro::snapshot::Snapshot;
use std::path::{Path, PathBuf};

fn read(dump: &Path) -> Snapshot {
    let mut snapshots = ingest::read(&[dump.to_owned()], &ingest::Options::default()).expect("reads");
    assert_eq!(snapshots.len(), 1, "one moment");
    snapshots.remove(0)
}

fn sources(snapshot: &Snapshot) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for row in snapshot.table("plans").expect("plans").iter() {
        let path = Path::new(row.text("source").expect("a source"));
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, n)) => *n += 1,
            None => counts.push((name, 1)),
        }
    }
    counts.sort();
    counts
}

fn fixture() -> PathBuf {
    root().join("fixtures/plans")
}

#[test]
fn every_plan_of_the_fixture_is_found() {
    let snapshot = read(&fixture());
    let all = sources(&snapshot);
    for major in [12, 15, 17, 18] {
        for file in [format!("pg{major}-text.txt"), format!("pg{major}-json.txt.gz")] {
            assert!(all.contains(&(file.clone(), 40)), "{file}: {all:?}");
        }
    }
    // Four statements and what ran inside of them: 11 times the trigger's, once the function's.
    for file in ["pg18-text.log", "pg18-text.csv", "pg18-json.log", "pg15-json.csv", "pg15-text.json"] {
        assert!(all.contains(&(file.to_owned(), 16)), "{file}: {all:?}");
    }
    let odd: Vec<&str> = snapshot.meta.notes.kept.iter().map(|n| n.code.as_str()).collect();
    assert_eq!(odd, ["clock"], "nothing but that no file says when");
}

/// Query id, statement, whether there is a time, functions around it.
type Entry = (Option<i64>, Option<String>, bool, Option<String>);

#[test]
fn logs_of_every_format_say_the_same() {
    let snapshot = read(&fixture());
    let rows = |name: &str| -> Vec<Entry> {
        let table = snapshot.table("plans").expect("plans");
        let of = table.iter().filter(|r| r.text("source").is_some_and(|s| s.ends_with(name)));
        of.map(|r| {
            let query = r.text("query").map(str::to_owned);
            (r.int("queryid"), query, r.time("executed_at").is_some(), r.text("context").map(str::to_owned))
        })
        .collect()
    };
    assert_eq!(rows("pg18-text.log"), rows("pg18-text.csv"));
    let (text, json) = (rows("pg18-text.csv"), rows("pg18-json.log"));
    assert_eq!(text.iter().map(|r| &r.1).collect::<Vec<_>>(), json.iter().map(|r| &r.1).collect::<Vec<_>>());
    let inside = text.iter().find(|r| r.1.as_deref().is_some_and(|q| q.contains("'n' || n"))).expect("the function's");
    assert!(
        inside.3.as_deref().is_some_and(|c| c.contains("PL/pgSQL function") && c.contains("busy(integer)")),
        "{inside:?}"
    );
    assert!(text.iter().all(|r| r.2), "every entry has its time");
}

/// A dump of one view, with plans beside it in each way.
fn dump(folder: &Path) {
    std::fs::create_dir(folder.join("plans")).expect("a folder");
    let view = "captured_at,relid,schemaname,relname,seq_scan,idx_scan,n_live_tup\n2026-11-28 10:00:00+00,1,public,orders,5,7,30000\n";
    std::fs::write(folder.join("pg_stat_user_tables.csv"), view).expect("written");
    let text = std::fs::read_to_string(fixture().join("pg18-text.txt")).expect("the fixture");
    std::fs::write(folder.join("plans/slow ones"), text).expect("written");
    let cell = "Seq Scan on orders  (cost=0.00..1.00 rows=1 width=4)\n  Filter: (note = 'secret'::text)";
    let store = format!("queryid,query,plan\n7,select 1,\"{cell}\"\n8,select 2,\"no plan at all\"\n");
    std::fs::write(folder.join("stored.csv"), store).expect("written");
    std::fs::write(folder.join("plans/y.yaml"), "- Plan:\n    Node Type: \"Result\"\n").expect("written");
}

#[test]
fn plans_stand_beside_the_snapshot_of_their_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    dump(folder.path());
    let snapshot = read(folder.path());
    assert_eq!(sources(&snapshot), [("slow ones".to_owned(), 40), ("stored.csv".to_owned(), 1)]);
    let notes: Vec<&str> = snapshot.meta.notes.kept.iter().map(|n| n.message.as_str()).collect();
    assert!(notes.iter().any(|n| n.contains("no first line that names a node")), "{notes:?}");
    assert!(notes.iter().any(|n| n.contains("FORMAT YAML")), "{notes:?}");
    let path = folder.path().display().to_string();
    assert!(pgretro(&["inspect", &path]).contains("plans"), "inspect counts them");
}

#[test]
fn a_packed_history_keeps_plans() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = folder.path().join("plain");
    std::fs::create_dir(&plain).expect("a folder");
    dump(&plain);
    let packed = folder.path().join("packed");
    pgretro(&["pack", &plain.display().to_string(), "-o", &packed.display().to_string()]);
    let texts = |s: &Snapshot| -> Vec<String> {
        let table = s.table("plans").expect("plans");
        let mut texts: Vec<String> = table.iter().map(|r| r.text("plan").expect("a plan").to_owned()).collect();
        texts.sort();
        texts
    };
    assert_eq!(texts(&read(&packed)), texts(&read(&plain)));
}

#[test]
fn real_plans_are_shown_judged_and_redacted() {
    let folder = tempfile::tempdir().expect("a folder");
    dump(folder.path());
    let report = report_of(&[folder.path().to_owned()]);
    let rules: Vec<&str> = report.findings.iter().map(|f| f.finding.rule.as_str()).collect();
    for rule in [
        "plan-seq-filter",
        "plan-correlated-subplan",
        "plan-sort-disk",
        "plan-hash-batches",
        "plan-index-filter",
        "plan-trigger",
    ] {
        assert!(rules.contains(&rule), "{rule}: {rules:?}");
    }
    for (format, text) in outputs(&report) {
        assert!(format == "csv" || format == "terminal" || text.contains("orders_placed_idx"), "{format} shows trees");
    }
    let hidden = redact(&report, Redact { names: true, queries: true, hosts: true });
    for (format, text) in outputs(&hidden) {
        for private in ["orders_placed_idx", "call back", "customers", "zip 7", "'secret'", "slow ones"] {
            assert!(!text.contains(private), "{format} shows {private}");
        }
    }
}
