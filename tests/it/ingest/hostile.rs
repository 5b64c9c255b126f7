//! Bytes that mean no good, and one table in every spelling.

use super::model::assert_same;
use pgretro::ingest::{Options, read};
use pgretro::snapshot::Snapshot;
use proptest::prelude::*;

/// The snapshot of a folder with one file; `None` where that is an error.
fn of(name: &str, bytes: &[u8]) -> Option<Snapshot> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), bytes).expect("a file");
    read(&[folder.path().to_path_buf()], &Options::default()).ok()?.into_iter().next()
}

const HEADER: &str = "relid,schemaname,relname,seq_scan,idx_scan,last_vacuum";

#[test]
fn damage_costs_what_is_damaged() {
    for (name, text, rows, code) in [
        ("few.csv", format!("{HEADER}\n1,s,a,1,,\n2,s\n3,s,c,1,,\n"), 2, Some("bad-row")),
        ("quote.csv", format!("{HEADER}\n1,s,a,1,,\n2,s,\"b,1,,\n3,s,c,1,,\n"), 2, Some("bad-row")),
        ("cell.csv", format!("{HEADER}\n1,s,a,many,,\n"), 1, Some("bad-cell")),
        ("column.csv", format!("{HEADER},mood\n1,s,a,1,,,good\n"), 1, Some("unknown-column")),
        ("names.csv", format!("{HEADER}\n1,s,\\N,1,,\n2,s,NULL,1,,\n3,s, x,1,,\n"), 3, None),
        (
            "cut.json",
            "[{\"relid\":1,\"relname\":\"a\",\"n_dead_tup\":1},\n{\"relid\":2,\"rel".to_owned(),
            1,
            Some("bad-row"),
        ),
    ] {
        let snapshot = of(&format!("pg_stat_user_tables.{name}"), text.as_bytes()).expect(name);
        let table = &snapshot.tables["pg_stat_user_tables"];
        assert_eq!(table.rows, rows, "{name}: {:?}", snapshot.meta.notes);
        let codes: Vec<&str> = snapshot.meta.notes.kept.iter().map(|n| n.code.as_str()).collect();
        assert!(code.is_none_or(|code| codes.contains(&code)), "{name}: {codes:?}");
        if name == "names.csv" {
            let names: Vec<_> = (0..3).map(|row| table.row(row).text("relname")).collect();
            assert_eq!(names, [Some("\\N"), Some("NULL"), Some(" x")]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_are_fatal(bytes in prop::collection::vec(any::<u8>(), 0..300), json in any::<bool>(), header in any::<bool>()) {
        let start = match (json, header) {
            (true, true) => "[{\"relid\":1,\"n_dead_tup\":2},",
            (false, true) => "relid,relname,n_dead_tup\n",
            _ => "",
        };
        let ending = if json { "json" } else { "csv" };
        let _ = of(&format!("pg_stat_user_tables.{ending}"), &[start.as_bytes(), &bytes].concat());
    }

    #[test]
    fn every_spelling_is_the_same_table(
        rows in prop::collection::vec((any::<u32>(), "[a-zA-Zé,\"\n ]{1,8}", any::<i64>(), prop::option::of(0..1_000_000_i64)), 1..8)
    ) {
        let rows: std::collections::BTreeMap<u32, _> = rows.into_iter().map(|(id, a, b, c)| (id, (a, b.max(-i64::MAX), c))).collect();
        let quoted = |s: &str| format!("\"{}\"", s.replace('"', "\"\""));
        let optional = |n: &Option<i64>| n.map_or_else(String::new, |n| n.to_string());
        let csv: String = rows.iter().map(|(id, (name, n, scans))| format!("{id},{},{n},{}\n", quoted(name), optional(scans))).collect::<Vec<_>>().concat();
        let csv = format!("relid,relname,seq_scan,idx_scan\n{csv}");
        let turned: String = rows.iter().rev().map(|(id, (name, n, scans))| format!("{};{n};{};{id}\r\n", optional(scans), quoted(name))).collect::<Vec<_>>().concat();
        let turned = format!("\u{feff}idx_scan;seq_scan;relname;relid\r\n{turned}");
        let object = |(id, (name, n, scans)): (&u32, &(String, i64, Option<i64>))| {
            serde_json::json!({"relid": id.to_string(), "relname": name, "seq_scan": n, "idx_scan": scans}).to_string()
        };
        let objects: Vec<String> = rows.iter().map(object).collect();
        let want = of("pg_stat_user_tables.csv", csv.as_bytes()).expect("csv");
        for (name, text) in [
            ("pg_stat_user_tables.2.csv", turned),
            ("pg_stat_user_tables.json", format!("[{}]", objects.join(", \n "))),
            ("pg_stat_user_tables.ndjson", objects.join("\n")),
        ] {
            let got = of(name, text.as_bytes()).expect(name);
            assert_same(&want.tables["pg_stat_user_tables"], &got.tables["pg_stat_user_tables"], false, name);
        }
    }
}
