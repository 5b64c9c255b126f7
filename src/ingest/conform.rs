//! One table's rows as the rest of the program expects them: present names of values, no row twice.

use super::merge::{equal, key_columns, repeated, select};
use super::notes::{Odd, Oddities};
use crate::catalog::{self, Shape, Type};
use crate::snapshot::{Data, Ints, Table, TextData};
use std::collections::BTreeSet;

/// Brings a table into its final form; `None` where its rows contradict each other, so that nothing of it can be used.
pub(super) fn conform(mut table: Table, odd: &mut Oddities) -> Option<Table> {
    let Some(view) = table.view else { return Some(table) };
    if view.name == "pg_stat_slru" {
        rename_caches(&mut table);
    }
    if view.name == "pg_stat_statements" {
        doubt_query_ids(&table, odd);
    }
    if view.shape != Shape::Sample {
        table = without_repetition(table, odd)?;
    }
    Some(table)
}

/// 17 renamed the caches of `pg_stat_slru`.
fn rename_caches(table: &mut Table) {
    let Some((at, _)) = table.view.and_then(|v| v.column("name")) else { return };
    if let Some(Some(Data::Text(names))) = table.columns.get_mut(at) {
        let mut renamed = TextData::new();
        for name in names.iter() {
            renamed.push(name.map(catalog::canonical_slru));
        }
        *names = renamed;
    }
}

/// Whole numbers up to here are exact as doubles.
const EXACT: u64 = 1 << 53;

/// Programs that keep numbers as doubles round query ids: then every large one is a double's value.
fn doubt_query_ids(table: &Table, odd: &mut Oddities) {
    let Some(Data::Int(ids)) = table.data("queryid") else { return };
    let mut large = 0_u64;
    for id in ids.iter().filter(|id| *id != i64::MIN && id.unsigned_abs() > EXACT) {
        if (id as f64) as i64 != id {
            return;
        }
        large += 1;
    }
    if large >= 3 {
        let message = format!(
            "all {large} large query ids are round in binary: a program kept them as doubles, so statements can be told \
             apart and followed less surely"
        );
        odd.push(Odd::new("queryid-rounded", message).column("queryid"));
    }
}

fn without_repetition(table: Table, odd: &mut Oddities) -> Option<Table> {
    let view = table.view?;
    let Some(key) = key_columns(&table) else {
        if view.key.is_empty() && table.rows > 1 {
            return first_of_equals(&table, odd);
        }
        return Some(table);
    };
    let pairs = repeated(&table, &key);
    if pairs.is_empty() {
        return Some(table);
    }
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let differing = pairs.iter().find(|(later, first)| !equal(&table, *later, &table, *first, &all));
    if let Some(&(later, first)) = differing {
        if is_rebuilt(&table, &pairs) {
            return Some(merge_statio(table, &pairs, odd));
        }
        // Statements exported without all that tells them apart are merged where they are compared.
        if view.name == "pg_stat_statements" && view.key.iter().any(|c| !table.has(c)) {
            return Some(table);
        }
        let lines = |row: usize| table.place(row).map_or_else(String::new, |(_, place)| format!(" ({place})"));
        let message = format!(
            "{} is there twice with different numbers{}{}: {} was left out; does the file hold several moments?",
            describe(&table, &key, later),
            lines(first),
            lines(later),
            view.name,
        );
        odd.push(Odd::new("duplicate-key", message));
        return None;
    }
    let gone: BTreeSet<usize> = pairs.iter().map(|(later, _)| *later).collect();
    let message = format!("{} rows are there twice, word for word; each was counted once", gone.len());
    odd.push(Odd::new("duplicate-row", message));
    let keep: Vec<usize> = (0..table.rows).filter(|row| !gone.contains(row)).collect();
    Some(select(&table, &keep))
}

/// A view of one row that has several: the first, where all are equal.
fn first_of_equals(table: &Table, odd: &mut Oddities) -> Option<Table> {
    let all: Vec<usize> = (0..table.columns.len()).collect();
    if (1..table.rows).all(|row| equal(table, row, table, 0, &all)) {
        odd.push(Odd::new("duplicate-row", format!("{} equal rows where one belongs; one was kept", table.rows)));
        return Some(select(table, &[0]));
    }
    let message = format!(
        "{} has one row, and {} different ones are there: it was left out; does the file hold several moments?",
        table.name, table.rows
    );
    odd.push(Odd::new("duplicate-key", message));
    None
}

/// Whether rows that are there twice are those of tables whose TOAST index is being rebuilt: only index columns differ.
fn is_rebuilt(table: &Table, pairs: &[(usize, usize)]) -> bool {
    let Some(view) = table.view.filter(|v| v.name == "pg_statio_user_tables") else { return false };
    let own: Vec<usize> = (0..view.columns.len()).filter(|c| !view.columns[*c].name.contains("idx_")).collect();
    pairs.iter().all(|(later, first)| equal(table, *later, table, *first, &own))
}

/// PostgreSQL 13 and 14 list a table twice while its TOAST index is rebuilt: heap and TOAST values are the same in both
/// rows, those of the table's indexes are taken once, those of the TOAST indexes added up.
fn merge_statio(mut table: Table, pairs: &[(usize, usize)], odd: &mut Oddities) -> Table {
    let Some(view) = table.view else { return table };
    for (at, column) in view.columns.iter().enumerate() {
        if column.ty != Type::Int || !column.name.contains("idx_") {
            continue;
        }
        let adds = column.name.starts_with("tidx_");
        let Some(Some(Data::Int(old))) = table.columns.get(at) else { continue };
        let mut values: Vec<i64> = old.iter().collect();
        for &(later, first) in pairs {
            // NULL is the smallest value there is.
            if let (Some(a), Some(b)) = (old.get(later), values.get_mut(first)) {
                *b = if adds && *b != Ints::NULL { a.saturating_add(*b) } else { a.max(*b) };
            }
        }
        table.columns[at] = Some(Data::Int(values.into_iter().collect()));
    }
    let message = format!("{} tables are there twice while a TOAST index is rebuilt; merged", pairs.len());
    odd.push(Odd::new("duplicate-row", message));
    let gone: BTreeSet<usize> = pairs.iter().map(|(later, _)| *later).collect();
    let keep: Vec<usize> = (0..table.rows).filter(|row| !gone.contains(row)).collect();
    select(&table, &keep)
}

fn describe(table: &Table, key: &[usize], row: usize) -> String {
    use crate::snapshot::Value;
    let parts: Vec<String> = key
        .iter()
        .map(|&c| match table.value(row, c) {
            Value::Int(n) => n.to_string(),
            Value::Numeric(n) => n.to_string(),
            Value::Text(s) => super::notes::clip(s),
            Value::Bool(b) => b.to_string(),
            _ => "NULL".to_owned(),
        })
        .collect();
    let names: Vec<&str> =
        key.iter().filter_map(|&c| table.view.and_then(|v| v.columns.get(c)).map(|c| c.name)).collect();
    format!("{} {}", names.join(", "), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::literal::table;

    fn codes(odd: Oddities) -> Vec<String> {
        let mut notes = crate::meta::Notes::default();
        odd.into_notes("f", &mut notes);
        notes.kept.into_iter().map(|n| n.code).collect()
    }

    const STATIO: &str = "relid | relname | heap_blks_hit | idx_blks_hit | toast_blks_hit | tidx_blks_hit";

    #[test]
    fn a_table_listed_twice_while_its_toast_index_is_rebuilt_is_one() {
        let rows = ["1 | a | 5 | 7 | 3 | 4", "2 | b | 1 | 1 | 1 | 1", "1 | a | 5 | 6 | 3 | 10", "1 | a | 5 | | 3 | "];
        let mut odd = Oddities::default();
        let merged = conform(table("pg_statio_all_tables", STATIO, &rows), &mut odd).unwrap();
        assert_eq!(merged.rows, 2);
        let columns = ["heap_blks_hit", "idx_blks_hit", "toast_blks_hit", "tidx_blks_hit"];
        assert_eq!(columns.map(|c| merged.row(0).int(c)), [Some(5), Some(7), Some(3), Some(14)]);
        assert_eq!(codes(odd), ["duplicate-row"]);
    }

    #[test]
    fn rows_of_one_key_that_differ_cost_the_view() {
        let mut odd = Oddities::default();
        let rows = ["1 | a | 5 | 7 | 3 | 4", "1 | a | 6 | 7 | 3 | 4"];
        assert!(conform(table("pg_statio_all_tables", STATIO, &rows), &mut odd).is_none());
        assert_eq!(codes(odd), ["duplicate-key"]);
        let mut odd = Oddities::default();
        let rows = ["10 | 1 | 7 | t | 1", "10 | 1 | 7 | t | 2"];
        let columns = "userid | dbid | queryid | toplevel | calls";
        assert!(conform(table("pg_stat_statements", columns, &rows), &mut odd).is_none());
        assert_eq!(codes(odd), ["duplicate-key"]);
    }

    #[test]
    fn statements_that_cannot_be_told_apart_are_kept() {
        for columns in [
            "dbid | queryid | toplevel | calls",
            "userid | queryid | toplevel | calls",
            "userid | dbid | queryid | calls",
        ] {
            let mut odd = Oddities::default();
            let rows = ["1 | 7 | t | 1", "1 | 7 | t | 2"];
            let rows: Vec<String> =
                rows.iter()
                    .map(|r| {
                        if columns.ends_with("queryid | calls") { r.replace("7 | t", "5 | 7") } else { (*r).to_owned() }
                    })
                    .collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let kept = conform(table("pg_stat_statements", columns, &rows), &mut odd);
            assert_eq!(kept.map(|t| t.rows), Some(2), "{columns}");
            assert!(codes(odd).is_empty());
        }
    }
}
