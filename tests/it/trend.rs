//! `pgretro trend` on real series and on small histories made here, as people and scripts read it.

use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the series: `PGRETRO_LAB`, else beside the crate.
fn series(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/lab/data"));
    let folder = std::env::var_os("PGRETRO_LAB").map_or(beside, PathBuf::from).join(name);
    if !folder.is_dir() {
        eprintln!("skipped: no series {name}");
        return None;
    }
    Some(folder)
}

/// What the program prints.
fn trend(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .arg("trend")
        .arg(folder)
        .args(arguments)
        .output()
        .expect("pgretro runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

pub fn json(folder: &Path, arguments: &[&str]) -> Value {
    let text = trend(folder, &[&["--format", "json"], arguments].concat());
    serde_json::from_str(&text).expect("JSON")
}

/// The element of a list of the first history whose field says this.
pub fn find<'a>(all: &'a Value, list: &str, field: &str, value: &str) -> &'a Value {
    let list_of = all["histories"][0][list].as_array().expect(list);
    list_of.iter().find(|e| e[field] == value).unwrap_or_else(|| panic!("no {value} in {list}"))
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

const SHOPS: [&str; 4] = ["pgbench-shop-pg13", "pgbench-shop-pg15", "pgbench-shop-pg16", "pgbench-shop-pg18"];

#[test]
fn the_table_without_autovacuum_is_called_out_with_its_rate() {
    for folder in SHOPS.iter().filter_map(|s| series(s)) {
        let all = json(&folder, &["--to", "6"]);
        let carts = find(&all, "dead_rows", "table", "public.cart_sessions");
        assert_eq!((&carts["verdict"], &carts["autovacuum_enabled"]), (&"lags".into(), &false.into()), "{folder:?}");
        assert_eq!(all["histories"][0]["dead_rows"][0]["table"], "public.cart_sessions", "first of all");
        // The same from the exported files: dead rows of first and last snapshot, no vacuum in between.
        let rows = &all["histories"][0]["series"]["pg_stat_user_tables"];
        let row = rows.as_array().unwrap().iter().find(|r| r["labels"]["relname"] == "cart_sessions").unwrap();
        let dead = &row["columns"]["n_dead_tup"];
        let gained = dead["last"].as_f64().unwrap() - dead["first"].as_f64().unwrap();
        let seconds = row["columns"]["seq_scan"]["covered_s"].as_f64().unwrap();
        let (low, high) = (carts["net_per_s"]["low"].as_f64().unwrap(), carts["net_per_s"]["high"].as_f64().unwrap());
        let mean = gained / seconds;
        assert!(low > 0.0 && low <= mean * 1.2 && mean <= high * 1.2, "{folder:?}: {low} {mean} {high}");
    }
}

/// The last value of `tickets_id_seq` in the sixth snapshot, as it was exported.
fn last_ticket(folder: &Path) -> i64 {
    let mut snapshots: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("pg_sequences.csv").is_file())
        .collect();
    snapshots.sort();
    let text = fs::read_to_string(snapshots[5].join("pg_sequences.csv")).unwrap();
    let line = text.lines().find(|line| line.starts_with("public,tickets_id_seq,")).unwrap();
    line.rsplit(',').next().unwrap().parse().unwrap()
}

#[test]
fn the_sequence_almost_used_up_has_hours_by_arithmetic_and_no_date() {
    for folder in SHOPS.iter().filter_map(|s| series(s)) {
        let all = json(&folder, &["--to", "6"]);
        let tickets = find(&all, "forecasts", "subject", "public.tickets_id_seq");
        let left = i64::from(i32::MAX) - last_ticket(&folder);
        assert_eq!(tickets["remaining"].as_f64(), Some(left as f64), "{folder:?}");
        assert!(tickets["now"].as_f64().unwrap() > 0.9999);
        assert!(matches!(tickets["answer"].as_str(), Some("beyond" | "no_date")), "{tickets}");
        let hours = tickets["arithmetic_s"].as_f64().unwrap() / 3_600.0;
        assert!((0.5..48.0).contains(&hours), "{folder:?}: {hours} h");
        let words = tickets["words"].as_str().unwrap();
        assert!(words.contains("(arithmetic at the measured rate, no forecast)"), "{words}");
        assert_eq!(
            all["histories"][0]["forecasts"]
                .as_array()
                .unwrap()
                .iter()
                .position(|f| { f["kind"] == "sequence" || f["kind"] == "xid" })
                .map(|at| &all["histories"][0]["forecasts"][at]["subject"]),
            Some(&Value::from("public.tickets_id_seq"))
        );
    }
}

#[test]
fn nothing_is_said_across_a_reset() {
    for folder in SHOPS.iter().filter_map(|s| series(s)) {
        let all =
            json(&folder, &["--view", "pg_stat_user_tables", "--column", "n_tup_ins", "--object", "public.orders"]);
        let column = &all["histories"][0]["series"]["pg_stat_user_tables"][0]["columns"]["n_tup_ins"];
        assert!(column["gap_count"].as_u64().unwrap() >= 2, "{column}");
        assert!(column["min"].as_f64().unwrap() >= 0.0 && column["exact"] == false, "{column}");
        assert!(column["class"].as_str().unwrap().starts_with("reset"), "{column}");
    }
}

#[test]
fn primary_and_standby_are_two_histories() {
    let (Some(primary), Some(standby)) = (series("pgbench-shop-pg15"), series("pgbench-shop-pg15-standby")) else {
        return;
    };
    let all = json(&primary, &[standby.to_str().unwrap(), "--column", "seq_scan"]);
    let histories = all["histories"].as_array().unwrap();
    let count: Vec<u64> = histories.iter().map(|h| h["snapshots"].as_u64().unwrap()).collect();
    let roles: Vec<bool> = histories.iter().map(|h| h["server"]["standby"].as_bool().unwrap()).collect();
    assert_eq!((count, roles), (vec![21, 2], vec![false, true]));
}

#[test]
fn order_and_overlap_of_the_arguments_do_not_matter() {
    let Some(folder) = series("mission-queue-pg16") else { return };
    let whole = trend(&folder, &["--format", "csv"]);
    let mut parts: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    parts.sort();
    parts.reverse();
    let again = parts[0].clone();
    parts.push(again);
    let mut names: Vec<&str> = parts.iter().map(|p| p.to_str().unwrap()).collect();
    names.extend(["--format", "csv"]);
    assert_eq!(trend(Path::new(names[0]), &names[1..]), whole);
}

/// A history of a small database, by the hour: sizes, a sequence, an index that stops being used, ids.
fn history(folder: &Path, hours: u32) {
    for h in 0..hours {
        let at = format!("2026-03-{:02} {:02}:00:00+00", 1 + h / 24, h % 24);
        let dump = folder.join(format!("{h:04}"));
        fs::create_dir_all(&dump).unwrap();
        let write = |name: &str, text: String| fs::write(dump.join(name), text).unwrap();
        write(
            "meta.csv",
            format!(
                "server_version,server_version_num,captured_at,current_database,database_oid,system_identifier,timezone,\
                 is_in_recovery,next_xid,next_multixact_id\n16.4,160004,{at},shop,5,77,UTC,f,{},{}\n",
                1_000_000 + h * 40_000,
                1_000 + h
            ),
        );
        let size = 10_000_000_000_u64 + u64::from(h) * 50_000_000 + u64::from(h * 7 % 5) * 3_000_000;
        write(
            "database_sizes.csv",
            format!(
                "datid,datname,size,datfrozenxid_age,datminmxid_age\n5,shop,{size},{},{}\n",
                100_000_000 + h * 40_000,
                h
            ),
        );
        write(
            "pg_sequences.csv",
            format!(
                "schemaname,sequencename,data_type,min_value,max_value,increment_by,cycle,last_value\n\
                 public,t_id_seq,integer,1,2147483647,1,f,{}\n",
                2_147_000_000 + h * 1_500
            ),
        );
        let used = h.min(hours / 2) * 20;
        write(
            "pg_stat_user_indexes.csv",
            format!(
                "relid,indexrelid,schemaname,relname,indexrelname,idx_scan,idx_tup_read,idx_tup_fetch\n\
                 1,11,public,t,t_old_idx,{used},{used},{used}\n1,12,public,t,t_pkey,{},{},{}\n",
                h * 500,
                h * 500,
                h * 500
            ),
        );
        let seq = h.saturating_sub(hours / 2) * 30;
        let dead = 100 + (h * 700) % 24_000;
        let vacuums = h * 700 / 24_000;
        write(
            "pg_stat_user_tables.csv",
            format!(
                "relid,schemaname,relname,seq_scan,seq_tup_read,idx_scan,idx_tup_fetch,n_tup_ins,n_tup_upd,n_tup_del,\
                 n_live_tup,n_dead_tup,n_ins_since_vacuum,last_autovacuum,vacuum_count,autovacuum_count,analyze_count,\
                 autoanalyze_count\n1,public,t,{seq},{},{},0,{},{},0,120000,{dead},{},2026-02-28 00:00:00+00,0,{vacuums},0,0\n",
                seq * 120_000,
                h * 500,
                h * 10,
                h * 700,
                (h * 10) % 400,
            ),
        );
        write(
            "table_sizes.csv",
            format!(
                "relid,schemaname,relname,reltuples,relpages,total_relation_size\n1,public,t,120000,2000,{}\n",
                size / 3
            ),
        );
    }
}

#[test]
fn a_history_of_days_as_people_read_it() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path(), 120);
    snapshot("trend_overview", &trend(folder.path(), &["--capacity", "20GB"]));
    snapshot(
        "trend_series",
        &trend(folder.path(), &["--column", "n_dead_tup", "--column", "seq_scan", "--column", "size"]),
    );
    snapshot("trend_csv", &trend(folder.path(), &["--column", "seq_scan", "--format", "csv"]));
}

#[test]
fn the_history_of_days_says_what_was_put_into_it() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path(), 120);
    let all = json(folder.path(), &["--capacity", "20GB"]);
    let disk = find(&all, "forecasts", "kind", "disk");
    // 50 MB an hour, (20 GiB − 15.95 GB) left: 110 hours after the last snapshot.
    let expected = disk["expected"].as_str().unwrap();
    assert!(expected.starts_with("2026-03-10T1"), "{disk}");
    assert!(disk["earliest"].as_str().unwrap() <= expected && disk["latest"].as_str().unwrap() >= expected, "{disk}");
    let old = find(&all, "scan_changes", "object", "public.t.t_old_idx");
    assert_eq!((&old["news"], &old["to"]), (&"stopped".into(), &"2026-03-03T12:00:00.000000Z".into()), "{old}");
    let table = find(&all, "scan_changes", "object", "public.t");
    assert_eq!((&table["news"], &table["column"]), (&"began".into(), &"seq_scan".into()), "{table}");
    let scans = find(&all, "scans", "table", "public.t");
    assert!((scans["passes"].as_f64().unwrap() - 59.0 * 30.0).abs() < 1.0, "{scans}");
    let xid = all["histories"][0]["forecasts"].as_array().unwrap().iter().find(|f| f["kind"] == "xid").unwrap();
    assert!((xid["speed"]["per_s"].as_f64().unwrap() - 40_000.0 / 3_600.0).abs() < 1e-6, "{xid}");
    assert_eq!(find(&all, "dead_rows", "table", "public.t")["verdict"], "keeps_up");
}

#[test]
fn four_snapshots_have_no_trend() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path(), 4);
    let all = json(folder.path(), &[]);
    for (_, objects) in all["histories"][0]["series"].as_object().unwrap() {
        for column in objects.as_array().unwrap().iter().flat_map(|o| o["columns"].as_object().unwrap().values()) {
            assert_eq!(column["trend"], Value::Null);
        }
    }
    for forecast in all["histories"][0]["forecasts"].as_array().unwrap() {
        assert!(!matches!(forecast["answer"].as_str(), Some("dates" | "beyond")), "{forecast}");
    }
}

#[test]
fn names_of_columns_and_views_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path(), 2);
    let output = Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .args(["trend", folder.path().to_str().unwrap(), "--column", "nonsense"])
        .output()
        .expect("pgretro runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no number of that name"));
}

/// Writes one more snapshot of a table's scans.
pub fn scans(folder: &Path, name: &str, meta: &str, rows: Option<&str>) {
    let dump = folder.join(name);
    fs::create_dir_all(&dump).unwrap();
    let header = "server_version,server_version_num,captured_at,current_database,database_oid,system_identifier,timezone,\
                  is_in_recovery,server_addr,server_port";
    fs::write(dump.join("meta.csv"), format!("{header}\n{meta}\n")).unwrap();
    if let Some(rows) = rows {
        let header = "relid,schemaname,relname,seq_scan,n_live_tup";
        fs::write(dump.join("pg_stat_user_tables.csv"), format!("{header}\n{rows}\n")).unwrap();
    }
}

#[test]
fn an_upgrade_in_the_middle_continues_levels_and_begins_counters_anew() {
    let folder = tempfile::tempdir().unwrap();
    for h in 0..12 {
        // The new cluster has an identifier of its own; OIDs stay.
        let (version, cluster, scanned) =
            if h < 6 { ("15.4,150004", 7, 1_000 + h * 60) } else { ("17.2,170002", 8, (h - 6) * 60) };
        let meta = format!("{version},2026-03-01 {h:02}:00:00+00,shop,5,{cluster},UTC,f,10.0.0.1,5432");
        scans(folder.path(), &format!("{h:02}"), &meta, Some(&format!("1,public,t,{scanned},{}", 1_000 + h)));
    }
    let all = json(folder.path(), &["--column", "seq_scan", "--column", "n_live_tup"]);
    assert_eq!(all["histories"].as_array().unwrap().len(), 1);
    let columns = &all["histories"][0]["series"]["pg_stat_user_tables"][0]["columns"];
    let scan = &columns["seq_scan"];
    assert_eq!((&scan["total"], &scan["exact"], &scan["gap_count"]), (&600.into(), &false.into(), &1.into()), "{scan}");
    assert_eq!((&scan["min"], &scan["max"]), (&scan["per_s"], &scan["per_s"]), "no dip: {scan}");
    assert_eq!((&columns["n_live_tup"]["first"], &columns["n_live_tup"]["last"]), (&1_000.into(), &1_011.into()));
}

#[test]
fn snapshots_without_a_view_make_a_longer_window() {
    let folder = tempfile::tempdir().unwrap();
    for h in 0..10 {
        let meta = format!("16.4,160004,2026-03-01 {h:02}:00:00+00,shop,5,7,UTC,f,10.0.0.1,5432");
        let rows = format!("1,public,t,{},10", h * 3_600);
        scans(folder.path(), &format!("{h:02}"), &meta, (![3, 4, 7].contains(&h)).then_some(rows.as_str()));
    }
    let all = json(folder.path(), &["--column", "seq_scan"]);
    let scan = &all["histories"][0]["series"]["pg_stat_user_tables"][0]["columns"]["seq_scan"];
    assert_eq!((&scan["total"], &scan["exact"]), (&(9 * 3_600).into(), &true.into()), "{scan}");
    assert_eq!((&scan["points"], &scan["covered_s"], &scan["per_s"]), (&6.into(), &32_400.0.into(), &1.0.into()));
}

#[test]
fn objects_that_a_snapshot_lacks_go_on_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    for h in 0..8 {
        let meta = format!("16.4,160004,2026-03-01 {h:02}:00:00+00,shop,5,7,UTC,f,10.0.0.1,5432");
        let mut rows = format!("1,public,t,{},10", h * 60);
        if h != 4 {
            let _ = write!(rows, "\n2,public,filtered,{},10", 500 + h * 60);
        }
        // Gone, and another one under the same number: it began anew.
        if !(3..=5).contains(&h) {
            let _ = write!(rows, "\n3,public,again,{},10", if h < 3 { 900 + h * 60 } else { h });
        }
        scans(folder.path(), &format!("{h:02}"), &meta, Some(&rows));
    }
    let all = json(folder.path(), &["--column", "seq_scan"]);
    let rows = all["histories"][0]["series"]["pg_stat_user_tables"].as_array().unwrap();
    let of = |name: &str| rows.iter().find(|r| r["labels"]["relname"] == name).unwrap();
    let scan = |name: &str| &of(name)["columns"]["seq_scan"];
    assert_eq!((&scan("filtered")["total"], &of("filtered")["came_again"]), (&420.into(), &false.into()));
    assert_eq!(scan("filtered")["exact"], false);
    assert_eq!((&scan("again")["total"], &of("again")["came_again"]), (&(120 + 6 + 1).into(), &true.into()));
}

#[test]
fn different_clusters_are_refused_unless_allowed() {
    let folder = tempfile::tempdir().unwrap();
    for h in 0..4 {
        let meta = format!("16.4,160004,2026-03-01 {h:02}:00:00+00,shop,5,{},UTC,f,10.0.0.1,5432", 7 + h % 2);
        scans(folder.path(), &format!("{h:02}"), &meta, Some("1,public,t,1,10"));
    }
    let run = |allow: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_pgretro"))
            .args(["trend", folder.path().to_str().unwrap(), "--format", "json"])
            .args(allow)
            .output()
            .expect("pgretro runs")
    };
    let refused = run(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("[E-CLUSTER]"));
    let all: Value = serde_json::from_slice(&run(&["--allow-different-clusters"]).stdout).expect("JSON");
    assert_eq!(all["histories"].as_array().unwrap().len(), 2);
}

/// The rules, the report and the trends speak of one trigger.
#[test]
fn autovacuums_trigger_is_the_advisors() {
    use pgretro::advisor::Facts;
    use pgretro::trend::trigger::Surroundings;
    use pgretro::{diff, ingest};
    for folder in SHOPS.iter().filter_map(|s| series(s)) {
        let snapshots = ingest::read(&[folder], &ingest::Options::default()).expect("a series");
        let snapshots = snapshots.into_iter().map(std::sync::Arc::new).collect();
        let chain = diff::chain(snapshots, &diff::Options::default()).expect("a chain");
        let mut seen = Surroundings::default();
        chain.snapshots.iter().for_each(|s| seen.see(s));
        let facts = Facts::new(&chain);
        let mut compared = 0;
        for table in &facts.tables {
            let Some(row) = table.change.and_then(diff::Change::last).filter(|_| table.sizes.is_some()) else {
                continue;
            };
            let (theirs, ours) = (facts.triggers(table), seen.trigger(row));
            assert!((theirs.vacuum - ours.dead).abs() < 1e-9, "{row:?}: {theirs:?} {ours:?}");
            assert_eq!((theirs.insert, theirs.enabled), (ours.inserts, ours.enabled));
            compared += 1;
        }
        assert!(compared > 20, "{compared}");
    }
}
