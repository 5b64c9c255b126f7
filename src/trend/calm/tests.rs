//! The short way says the same as the long one, over random histories.

use crate::diff;
use crate::ingest;
use crate::trend::{Follow, Plan, choose, read};
use proptest::prelude::*;
use std::fmt::Write;
use std::path::Path;

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Once in `n` times.
    fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A table that lives through a history.
#[derive(Clone)]
struct Table {
    relid: u64,
    schema: &'static str,
    name: String,
    scans: u64,
    indexed: Option<u64>,
    live: u64,
    dead: u64,
    vacuums: u64,
    vacuumed: Option<String>,
    there: bool,
}

const NAMES: [&str; 6] = ["orders", "Größe", "\"a, b\"", "\"say \"\"hi\"\"\"", "\"two\nlines\"", "NULL"];
const HEADER: &str = "relid,schemaname,relname,seq_scan,idx_scan,n_live_tup,n_dead_tup,last_vacuum,vacuum_count";

fn table(relid: u64, random: &mut Random) -> Table {
    let name = NAMES[random.below(NAMES.len() as u64) as usize];
    let name = name.strip_suffix('"').map_or_else(|| format!("{name}_{relid}"), |quoted| format!("{quoted}_{relid}\""));
    Table {
        relid,
        schema: if random.once_in(9) { "pg_temp_3" } else { "public" },
        name,
        scans: random.below(1000),
        indexed: (!random.once_in(5)).then_some(7),
        live: random.below(5000),
        dead: 0,
        vacuums: 0,
        vacuumed: None,
        there: true,
    }
}

/// How much happens.
#[derive(Clone, Copy, Debug)]
struct Weather {
    /// One in so many rows has an event in a window.
    events: u64,
    /// One in so many files is written oddly.
    oddities: u64,
    /// Whether the database's own row and a view of the cluster are exported as well.
    beside: bool,
    /// Whether a file says when the snapshot was taken.
    meta: bool,
}

fn evolve(table: &mut Table, at: &str, next: &mut u64, weather: Weather, random: &mut Random) {
    if random.once_in(2) {
        table.scans += random.below(50);
        table.indexed = table.indexed.map(|n| n + random.below(9));
        table.dead += random.below(90);
        table.live += random.below(9);
    }
    if !random.once_in(weather.events) {
        return;
    }
    match random.below(9) {
        0 => (table.scans, table.indexed, table.dead) = (random.below(3), table.indexed.map(|_| 0), 0),
        1 => table.there = !table.there,
        2 => {
            *next += 1;
            *table = Table { relid: *next, name: table.name.clone(), ..self::table(*next, random) };
        }
        3 => table.name = format!("renamed_{}", random.below(99)),
        4 => (table.vacuums, table.vacuumed, table.dead) = (table.vacuums + 1, Some(at.to_owned()), 0),
        5 => table.vacuumed = None,
        6 => table.indexed = if table.indexed.is_some() { None } else { Some(3) },
        7 => table.indexed = table.indexed.map(|n| n / 2),
        _ => (table.scans, table.live, table.dead, table.vacuumed) = (0, 0, 0, None),
    }
}

fn text(tables: &[Table], weather: Weather, random: &mut Random) -> String {
    let odd = random.once_in(weather.oddities).then(|| random.below(9));
    let mut out = HEADER.to_owned() + "\n";
    for table in tables.iter().filter(|t| t.there) {
        let Table { relid, schema, name, scans, indexed, live, dead, vacuums, vacuumed, .. } = table;
        let indexed = indexed.map_or_else(String::new, |n| n.to_string());
        let vacuumed = vacuumed.clone().unwrap_or_default();
        let scans = if odd == Some(0) { format!("{scans}.0") } else { scans.to_string() };
        let _ = writeln!(out, "{relid},{schema},{name},{scans},{indexed},{live},{dead},{vacuumed},{vacuums}");
    }
    match odd {
        Some(1) => out = out.replace('\n', "\r\n"),
        Some(2) => {
            out.pop();
        }
        Some(3) => out.push_str("7,public,short\n"),
        Some(4) => {
            let last = out.lines().last().unwrap_or_default().to_owned();
            let _ = writeln!(out, "{last}");
        }
        Some(5) => out = out.replacen("relname", "relname ", 1),
        Some(6) => out.push('\n'),
        Some(7) => out = out.replace("public,", "\"public\","),
        Some(8) => out = out.replace("+00", ""),
        _ => {}
    }
    out
}

/// Writes a history.
fn history(folder: &Path, seed: u64, count: u64, snapshots: u64, weather: Weather) {
    let mut random = Random(seed);
    let mut next = 16_384 + count * 5;
    let mut tables: Vec<Table> = (0..count).map(|i| table(16_384 + i * 5, &mut random)).collect();
    let mut now = 1_767_225_600;
    let mut reset = "2025-12-01 00:00:00+00".to_owned();
    for at in 0..snapshots {
        let time = crate::time::Timestamp::from_seconds(now);
        let shown = time.to_string().replace('T', " ").replace('Z', "+00");
        let own = folder.join(time.to_string().replace(['-', ':'], ""));
        std::fs::create_dir_all(&own).unwrap();
        if at > 0 {
            for table in &mut tables {
                evolve(table, &shown, &mut next, weather, &mut random);
            }
        }
        if random.once_in(6) {
            let (a, b) = (random.below(count) as usize, random.below(count) as usize);
            tables.swap(a, b);
        }
        if weather.beside {
            if random.once_in(12) {
                reset.clone_from(&shown);
            }
            let row =
                format!("datid,datname,xact_commit,deadlocks,stats_reset\n5,shop,{},{},{reset}\n", at * 9, at / 7);
            std::fs::write(own.join("pg_stat_database.csv"), row).unwrap();
        }
        if weather.meta {
            let start = if at * 2 < snapshots { "2025-11-01 00:00:00+00" } else { "2026-01-01 00:00:01+00" };
            let row = format!("captured_at,current_database,pg_postmaster_start_time\n{shown},shop,{start}\n");
            std::fs::write(own.join("meta.csv"), row).unwrap();
        }
        // A snapshot may lack the view.
        if at == 0 || !random.once_in(weather.oddities * 2) {
            let csv = text(&tables, weather, &mut random);
            std::fs::write(own.join("pg_stat_user_tables.csv"), csv).unwrap();
        } else {
            std::fs::write(own.join("pg_stat_wal.csv"), "wal_records,stats_reset\n5,2025-12-01 00:00:00+00\n").unwrap();
        }
        now += if random.once_in(20) { 5 + random.below(50) as i64 } else { 3_000 + random.below(1_200) as i64 };
    }
}

/// Follows a history the short way, or the long one: a second view is never followed the short way.
fn follow(folder: &Path, short: bool, objects: &[String]) -> Follow {
    let names = |of: &[&str]| of.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let columns = names(&["seq_scan", "idx_scan", "n_dead_tup", "n_live_tup"]);
    let mut followed = choose(&names(&["pg_stat_user_tables"]), &columns).unwrap();
    if !short {
        followed.extend(choose(&names(&["pg_stat_wal"]), &names(&["wal_bytes"])).unwrap());
    }
    let request = read::Request {
        inputs: vec![folder.to_path_buf()],
        ingest: ingest::Options::default(),
        diff: diff::Options::default(),
        plan: Plan { followed, objects: objects.to_vec(), watched: false },
    };
    let moments = read::moments(&request).unwrap();
    let (mut histories, _) = read::follow(&request, &moments).unwrap();
    assert_eq!(histories.len(), 1);
    histories.remove(0)
}

/// All that is said of a history, as text.
fn said(follow: &Follow) -> String {
    let mut out = format!("{} {:?} {:?}\n", follow.snapshots, follow.from, follow.notes);
    let _ = writeln!(
        out,
        "{:?} {}",
        follow.last().map(|l| (&l.meta.label, l.meta.taken_at, l.meta.version)),
        follow.more_events
    );
    for happening in &follow.events {
        let _ = writeln!(out, "{happening:?}");
    }
    let objects = &follow.views()[0];
    let _ = writeln!(out, "{:?} {:?} {}", objects.key, objects.exported, objects.snapshots);
    let mut list: Vec<_> = objects.list.iter().collect();
    list.sort_by(|a, b| a.key.cmp(&b.key));
    for o in list {
        let seen = (o.first_seen, o.last_seen, o.created, o.gone, o.came_again);
        let _ = writeln!(out, "{:?} {:?} {seen:?}", o.key, o.labels);
        for series in &o.series {
            let _ = writeln!(out, "  {series:?}");
        }
    }
    out
}

/// Whether the newest snapshot was taken in without its rows: that is the short way.
fn was_short(follow: &Follow) -> bool {
    follow.last().and_then(|last| last.table("pg_stat_user_tables")).is_some_and(|table| table.rows == 0)
}

fn compare(seed: u64, count: u64, snapshots: u64, weather: Weather, objects: &[String]) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path(), seed, count, snapshots, weather);
    let (short, long) = (follow(folder.path(), true, objects), follow(folder.path(), false, objects));
    // Where all tables are gone in the end nothing tells.
    let empty = was_short(&long);
    let (a, b) = (said(&short), said(&long));
    assert_eq!(a, b, "seed {seed}, {count} tables, {weather:?}");
    let mut all_short = was_short(&short) && !empty;
    for (what, other) in [("packed", pack(folder.path())), ("compressed", compress(folder.path()))] {
        let (short, long) = (follow(other.path(), true, objects), follow(other.path(), false, objects));
        assert_eq!(said(&short), said(&long), "{what}: seed {seed}, {count} tables, {weather:?}");
        all_short &= was_short(&short);
    }
    (a, all_short)
}

/// The same history compressed: its snapshots are read whole.
fn compress(folder: &Path) -> tempfile::TempDir {
    let compressed = tempfile::tempdir().unwrap();
    for snapshot in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let own = compressed.path().join(snapshot.file_name().unwrap());
        std::fs::create_dir(&own).unwrap();
        for file in std::fs::read_dir(&snapshot).unwrap().map(|entry| entry.unwrap().path()) {
            let name = format!("{}.zst", file.file_name().unwrap().to_str().unwrap());
            let bytes = zstd::encode_all(&*std::fs::read(&file).unwrap(), 1).unwrap();
            std::fs::write(own.join(name), bytes).unwrap();
        }
    }
    compressed
}

/// The same history packed: its rows are compared where they stand.
fn pack(folder: &Path) -> tempfile::TempDir {
    let packed = tempfile::tempdir().unwrap();
    let mut writer = crate::pack::Writer::new(packed.path(), false).unwrap();
    for snapshot in
        ingest::read(&[folder.to_path_buf()], &ingest::Options { hash: true, ..ingest::Options::default() }).unwrap()
    {
        writer.push(&snapshot).unwrap();
    }
    writer.finish().unwrap();
    packed
}

#[test]
fn a_history_without_oddities_is_read_the_short_way() {
    let weather = Weather { events: 30, oddities: 1 << 40, beside: false, meta: false };
    let (said, short) = compare(7, 30, 560, weather, &[]);
    assert!(short);
    for kind in
        ["recreated", "vacuumed", "renamed", "table_created", "table_dropped", "ResetUnsure", "gone and come again"]
    {
        assert!(said.contains(kind), "{kind}");
    }
}

/// Rows of two row groups go on from each other like those of one.
#[test]
fn a_packed_history_of_several_row_groups() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path(), 5, 500, 300, Weather { events: 40, oddities: 1 << 40, beside: false, meta: false });
    let packed = pack(folder.path());
    let (short, long) = (follow(packed.path(), true, &[]), follow(packed.path(), false, &[]));
    assert!(was_short(&short));
    assert_eq!(said(&short), said(&long));
}

#[test]
fn small_views_and_meta_beside_it_do_not_hinder() {
    for meta in [false, true] {
        let weather = Weather { events: 50, oddities: 1 << 40, beside: true, meta };
        let (said, _) = compare(11, 12, 90, weather, &[]);
        assert!(said.contains("deadlock"));
        assert!(!meta || said.contains("restart"));
    }
}

#[test]
fn an_export_cut_by_a_limit_is_none_of_its_business() {
    let folder = tempfile::tempdir().unwrap();
    for hour in 0..8 {
        let own = folder.path().join(format!("20260101T{hour:02}0000Z"));
        std::fs::create_dir_all(&own).unwrap();
        let mut csv = "relid,schemaname,relname,seq_scan,n_dead_tup\n".to_owned();
        for row in 0..10 {
            let _ = writeln!(csv, "{},public,t{row},{},{row}", 100 + row + hour % 3, 5000 - row * 7);
        }
        std::fs::write(own.join("pg_stat_user_tables.csv"), csv).unwrap();
    }
    let (short, long) = (follow(folder.path(), true, &[]), follow(folder.path(), false, &[]));
    assert_eq!(said(&short), said(&long));
    assert!(!was_short(&short));
    assert!(!said(&short).contains("table_created"));
}

/// Ten rows that do not go on, sorted downwards, are no export cut by a limit.
#[test]
fn rows_apart_are_no_cut_export() {
    let folder = tempfile::tempdir().unwrap();
    for hour in 0..8 {
        let own = folder.path().join(format!("20260101T{hour:02}0000Z"));
        std::fs::create_dir_all(&own).unwrap();
        let mut csv = "relid,schemaname,relname,seq_scan,n_dead_tup\n".to_owned();
        for row in 0..40 {
            let scans = if hour > 4 && row < 10 { 1 } else { 5000 - row * 7 };
            let _ = writeln!(csv, "{},public,t{row},{scans},{}", 100 + row, row % 4);
        }
        if hour > 4 {
            csv.push_str("900,public,late,77,0\n");
        }
        std::fs::write(own.join("pg_stat_user_tables.csv"), csv).unwrap();
    }
    let (short, long) = (follow(folder.path(), true, &[]), follow(folder.path(), false, &[]));
    assert!(was_short(&short));
    assert_eq!(said(&short), said(&long));
    assert!(said(&short).contains("total: Some(Int(77))"));
}

#[test]
fn objects_asked_for_by_name() {
    let weather = Weather { events: 20, oddities: 1 << 40, beside: false, meta: false };
    let (said, short) = compare(3, 20, 60, weather, &["public.orders_16384".to_owned(), "NULL_16419".to_owned()]);
    assert!(short && said.matches("relid").count() == 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_short_way_says_what_the_long_one_says(
        seed: u64, count in 1_u64..60, snapshots in 2_u64..60, events in 2_u64..40, oddities in 2_u64..40, beside: bool, meta: bool,
    ) {
        compare(seed, count, snapshots, Weather { events, oddities, beside, meta }, &[]);
    }
}
