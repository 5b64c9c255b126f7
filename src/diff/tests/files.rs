//! Large files of two snapshots, written the plain way, in which all kinds of things happen to tables.

use std::path::Path;

const TABLES: &str = "relid,schemaname,relname,seq_scan,last_seq_scan,seq_tup_read,idx_scan,n_live_tup,n_dead_tup,\
                      last_vacuum,vacuum_count,total_vacuum_time\n";
const INDEXES: &str = "relid,indexrelid,schemaname,relname,indexrelname,idx_scan,last_idx_scan,idx_tup_read\n";

/// What happens to a table between the two snapshots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Idle,
    Busy,
    Reset,
    Dropped,
    Created,
    Recreated,
    Renamed,
    IndexDropped,
    IndexReset,
    Vacuumed,
    Unread,
    Temporary,
    Moved,
}

pub(crate) const FATES: [Fate; 13] = [
    Fate::Idle,
    Fate::Busy,
    Fate::Reset,
    Fate::Dropped,
    Fate::Created,
    Fate::Recreated,
    Fate::Renamed,
    Fate::IndexDropped,
    Fate::IndexReset,
    Fate::Vacuumed,
    Fate::Unread,
    Fate::Temporary,
    Fate::Moved,
];

/// The name of a table's index, as its cell is written.
fn quoted(table: &str, k: u64) -> String {
    match table.strip_suffix('"') {
        Some(open) => format!("{open}_{k}\""),
        None => format!("{table}_{k}"),
    }
}

fn table(n: usize, later: bool, fate: Fate) -> (Vec<String>, Vec<String>) {
    let (n64, is) = (n as u64, later && fate != Fate::Idle);
    let schema = match fate {
        Fate::Temporary => "pg_temp_3",
        _ if n.is_multiple_of(7) => "\"odd, schema\"",
        _ => "app",
    };
    let relid = 20_000 + 3 * n64 + if later && fate == Fate::Recreated { 9_000_000 } else { 0 };
    let name = match n % 31 {
        _ if later && fate == Fate::Renamed => format!("new_{n}"),
        13 => format!("=1+{n}"),
        15 => format!("\"odd \"\"name\"\", {n}\""),
        17 => format!("\" blank {n}\""),
        19 => format!("größe_{n}_of_a_name_that_is_longer_than_a_word"),
        _ => format!("t_{n}"),
    };
    let scans = match fate {
        Fate::Reset if later => 1,
        Fate::Reset => 10,
        _ => n64 % 11 + if is { n64 % 5 } else { 0 },
    };
    let index = |k: u64| match fate {
        Fate::IndexReset if later && k == 0 => 0,
        _ => 100 + n64 % 13 + if is { k + n64 % 3 } else { 0 },
    };
    let indexes: Vec<u64> = (0..2).filter(|k| !(later && fate == Fate::IndexDropped && *k == 1)).collect();
    let sum: u64 = indexes.iter().map(|k| index(*k)).sum();
    // A table without an index has no sum over them.
    let bare = n % 29 == 4 && !matches!(fate, Fate::IndexDropped | Fate::IndexReset);
    let indexes = if bare { Vec::new() } else { indexes };
    let sum = if bare || (fate == Fate::Unread && !later) { String::new() } else { sum.to_string() };
    let minute = if later { 50 } else { 10 };
    let at = if scans > 0 { format!("2026-11-22 12:{minute}:{:02}.25+00", n % 60) } else { String::new() };
    let (vacuum, vacuums) = match fate {
        Fate::Vacuumed if later => ("2026-11-22 12:40:00+00", 2),
        Fate::Vacuumed => ("2026-11-22 11:00:00+00", 1),
        _ => ("", 0),
    };
    let row = format!(
        "{relid},{schema},{name},{scans},{at},{},{sum},{},{},{vacuum},{vacuums},{}.5\n",
        scans * 100,
        n64 + u64::from(is),
        if is { n64 % 17 } else { n64 % 23 },
        n64 + u64::from(vacuums > 1)
    );
    let members = indexes.iter().map(|k| {
        let oid = 5_000_000 + 2 * n64 + k + if later && fate == Fate::Recreated { 9_000_000 } else { 0 };
        format!("{relid},{oid},{schema},{name},{},{},{at},{}\n", quoted(&name, *k), index(*k), index(*k) * 3)
    });
    (vec![row], members.collect())
}

/// Writes one of the two snapshots.
pub(crate) fn write(folder: &Path, fates: &[Fate], later: bool) {
    let (mut tables, mut indexes) = (TABLES.to_owned(), INDEXES.to_owned());
    let order: Vec<usize> = if later {
        let moved = |n: &usize| fates[*n] == Fate::Moved;
        (0..fates.len()).filter(|n| !moved(n)).chain((0..fates.len()).filter(moved)).collect()
    } else {
        (0..fates.len()).collect()
    };
    for n in order {
        let there = if later { fates[n] != Fate::Dropped } else { fates[n] != Fate::Created };
        if there {
            let (rows, members) = table(n, later, fates[n]);
            tables.extend(rows);
            indexes.extend(members);
        }
    }
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("pg_stat_user_tables.csv"), tables).unwrap();
    std::fs::write(folder.join("pg_stat_user_indexes.csv"), indexes).unwrap();
}
