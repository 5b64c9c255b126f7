//! Scans of tables in `pgretro trend`.

use super::trend::{find, json, scans};
use std::fs;

#[test]
fn an_emptied_table_was_not_read_more_often_than_it_was_scanned() {
    let folder = tempfile::tempdir().unwrap();
    for h in 0..6 {
        let name = format!("{h:02}");
        let meta = format!("16.4,160004,2026-03-01 {h:02}:00:00+00,shop,5,7,UTC,f,10.0.0.1,5432");
        scans(folder.path(), &name, &meta, None);
        // A million rows; TRUNCATE before the last snapshot, a hundred since.
        let live = if h < 5 { 1_000_000 } else { 100 };
        let rows = format!("1,public,t,{},{live},{}", h * 10, h.min(4) * 10_000_000);
        let header = "relid,schemaname,relname,seq_scan,n_live_tup,seq_tup_read";
        fs::write(folder.path().join(name).join("pg_stat_user_tables.csv"), format!("{header}\n{rows}\n")).unwrap();
    }
    let all = json(folder.path(), &[]);
    let scans = find(&all, "scans", "table", "public.t");
    assert_eq!((scans["sequential"].as_f64(), scans["passes"].as_f64()), (Some(50.0), Some(50.0)), "{scans}");
    assert!(scans["passes_per_day"].as_f64() <= scans["sequential_per_day"].as_f64(), "{scans}");
}
