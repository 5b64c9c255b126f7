//! `pgretro report` over long and mixed histories made here.

use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const START: i64 = 1_790_000_000;

fn time(hour: i64) -> String {
    pgretro::time::Timestamp::from_seconds(START + hour * 3_600).to_string()
}

/// A snapshot of a primary at an hour: `meta` and tables whose scans and dead rows grow; `orders` is vacuumed each day,
/// and the statistics of `sessions` are reset at hour 50.
fn export(folder: &Path, hour: i64, tables: i64) {
    let folder = folder.join(format!("{hour:05}"));
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("meta.csv"),
        format!(
            "captured_at,server_version,system_identifier,current_database,is_in_recovery,pg_postmaster_start_time\n{},16.4,7,shop,f,{}\n",
            time(hour),
            time(-1_000)
        ),
    )
    .unwrap();
    let mut text =
        "relid,schemaname,relname,seq_scan,idx_scan,n_tup_upd,n_live_tup,n_dead_tup,last_autovacuum,autovacuum_count\n"
            .to_owned();
    for t in 0..tables {
        let (scans, dead) = match t {
            0 => (hour * 10, (hour % 24) * 500),
            1 if hour >= 50 => ((hour - 50) * 3, hour * 20),
            1 => (hour * 3 + 1_000, hour * 20),
            _ => (hour * t, hour),
        };
        let vacuums = if t == 0 { hour / 24 } else { 0 };
        let last = if vacuums > 0 { time(hour / 24 * 24) } else { String::new() };
        writeln!(text, "{},app,t{t:05},{scans},{},{},20000,{dead},{last},{vacuums}", 100 + t, hour * 7, hour * 500)
            .unwrap();
    }
    fs::write(folder.join("pg_stat_user_tables.csv"), text).unwrap();
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pgretro")).arg("report").args(arguments).output().expect("pgretro runs")
}

fn report(dumps: &[&Path]) -> Value {
    let mut arguments: Vec<&str> = dumps.iter().map(|d| d.to_str().unwrap()).collect();
    arguments.extend(["--format", "json"]);
    let output = run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn blocks<'a>(report: &'a Value, section: &str) -> Vec<&'a Value> {
    fn walk<'a>(blocks: &'a Value, out: &mut Vec<&'a Value>) {
        for block in blocks.as_array().into_iter().flatten() {
            out.push(block);
            walk(&block["blocks"], out);
        }
    }
    let mut out = Vec::new();
    let of = report["sections"].as_array().unwrap().iter().find(|s| s["id"] == section).expect(section);
    walk(&of["blocks"], &mut out);
    out
}

fn table<'a>(report: &'a Value, section: &str, id: &str) -> &'a Value {
    let found = blocks(report, section).into_iter().find(|b| b["id"] == id);
    found.unwrap_or_else(|| panic!("no table {id} in {section}"))
}

fn column(table: &Value, label: &str) -> usize {
    table["columns"].as_array().unwrap().iter().position(|c| c["label"] == label).unwrap_or_else(|| panic!("{label}"))
}

fn cell<'a>(table: &'a Value, row: &str, label: &str) -> &'a Value {
    let rows = table["rows"].as_array().unwrap();
    let found = rows.iter().find(|r| r["cells"][0].to_string().contains(row)).unwrap_or_else(|| panic!("no {row}"));
    &found["cells"][column(table, label)]
}

#[test]
fn a_long_history_is_condensed_and_its_sums_are_those_of_all_windows() {
    let folder = tempfile::tempdir().unwrap();
    (0..150).for_each(|hour| export(folder.path(), hour, 4));
    let report = report(&[folder.path()]);
    assert_eq!(report["window"]["snapshots"], 150);
    let kept = table(&report, "coverage", "snapshots")["rows"].as_array().unwrap().len();
    assert!(kept <= 64, "{kept} snapshots kept whole");
    assert_eq!(table(&report, "coverage", "let-go")["rows"].as_array().unwrap().len(), 150 - kept);

    let tables = table(&report, "tables", "tables");
    assert_eq!(cell(tables, "t00000", "Seq scans")["number"]["value"]["value"], 149 * 10);
    let sessions = &cell(tables, "t00001", "Seq scans")["number"];
    assert_eq!(sessions["value"]["value"], 49 * 3 + 99 * 3, "both sides of the reset: {sessions}");
    assert_eq!(sessions["bound"], "at_least");
    let spark = &cell(tables, "t00000", "Dead rows over time")["spark"];
    assert_eq!(spark["points"].as_array().unwrap().len(), 32);
    assert_eq!(spark["label"], "0 to 11,500, last 2,500", "the saw-tooth's own points");
    let broken = &cell(tables, "t00001", "Dead rows over time")["spark"];
    assert_eq!(broken["resets"].as_array().unwrap().len(), 1, "{broken}");
}

#[test]
fn overlapping_folders_in_the_wrong_order_are_one_history() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    (4..12).for_each(|hour| export(one.path(), hour, 3));
    (0..8).for_each(|hour| export(two.path(), hour, 3));
    let report = report(&[one.path(), two.path()]);
    assert_eq!(report["window"]["snapshots"], 12);
    assert_eq!(cell(table(&report, "tables", "tables"), "t00000", "Seq scans")["number"]["value"]["value"], 110);
    let notes = table(&report, "coverage", "notes")["rows"].to_string();
    assert!(notes.contains("W-DUP"), "{notes}");
}

#[test]
fn courses_events_and_shares_are_drawn_with_their_words() {
    let folder = tempfile::tempdir().unwrap();
    (0..60).for_each(|hour| export(folder.path(), hour, 3));
    let page = folder.path().join("report.html");
    let text = folder.path().join("report.md");
    let arguments = [folder.path(), Path::new("-o"), &page, Path::new("-o"), &text].map(|p| p.to_str().unwrap());
    let output = run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (page, text) = (fs::read_to_string(page).unwrap(), fs::read_to_string(text).unwrap());
    // Dead rows of the vacuumed table reach 11,500 of 31,500.
    assert!(page.contains("<table class=\"t heat\">") && page.contains("class=\"h3\""));
    assert!(text.contains("| Dead rows, % of all |") && text.contains("| `app.t00000` |"), "the same as a table");
    let report = report(&[folder.path()]);
    let trends = blocks(&report, "trends");
    let heat = trends.iter().find(|b| b["chart"] == "heatmap").expect("a heatmap");
    assert_eq!(heat["rows"][0]["name"], "app.t00000");
    assert_eq!(heat["columns"].as_array().unwrap().len(), 12);
    for row in heat["rows"].as_array().unwrap() {
        assert_eq!(row["cells"].as_array().unwrap().len(), 12, "{row}");
    }
}

#[test]
fn a_given_space_is_forecast() {
    let folder = tempfile::tempdir().unwrap();
    for hour in 0..96 {
        export(folder.path(), hour, 1);
        let size = 1_000_000_000 + hour * 10_000_000 + hour * hour % 7 * 1_000;
        fs::write(
            folder.path().join(format!("{hour:05}/database_sizes.csv")),
            format!("datid,datname,size\n5,shop,{size}\n"),
        )
        .unwrap();
    }
    let output = run(&[folder.path().to_str().unwrap(), "--capacity", "3GB", "--format", "md"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|l| l.contains("Size of `all databases`")).expect("a forecast");
    // (3 GiB − 1.95 GB) ÷ 10 MB an hour: 127 hours after the last snapshot, within three times the 95 hours seen.
    assert!(line.contains("The given space is full") && line.contains("Expected around 30 Sep 2026"), "{line}");
    assert!(line.contains("…") && line.ends_with("| high |"), "with its range and how sure: {line}");
}

/// The report on a primary's history and a standby's of three hours, whose `meta` says this database.
fn beside_a_standby(database: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    (0..8).for_each(|hour| export(folder.path(), hour, 2));
    let standby = tempfile::tempdir().unwrap();
    (0..3).for_each(|hour| {
        export(standby.path(), hour, 2);
        let meta = standby.path().join(format!("{hour:05}/meta.csv"));
        let text = fs::read_to_string(&meta).unwrap().replace(",shop,f,", &format!(",{database},t,"));
        fs::write(meta, text.replace(&time(-1_000), &time(-900))).unwrap();
    });
    report(&[standby.path(), folder.path()])
}

#[test]
fn another_node_is_judged_beside_the_history() {
    let report = beside_a_standby("shop");
    assert_eq!(report["window"]["snapshots"], 8);
    let servers = report["servers"].as_array().unwrap();
    assert_eq!(servers.len(), 2, "{servers:?}");
}

#[test]
fn another_database_is_set_aside_and_named() {
    let report = beside_a_standby("archive");
    assert_eq!(report["window"]["snapshots"], 8);
    let asides = table(&report, "coverage", "asides")["rows"].to_string();
    assert!(asides.contains("standby") && asides.contains("PostgreSQL 16.4"), "{asides}");
    assert!(report.get("servers").is_none());
}
