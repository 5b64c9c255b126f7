//! Large tables in the order of their keys.
//!
//! Snapshots are joined, judged and printed by key. Exports come in the order of the server's hash table, so every cell of
//! a row would be a jump through memory: with 200,000 tables more than half of the time of a diff. Sorting once, column by
//! column, costs a fraction of it.

use crate::snapshot::{Data, Table};
use rayon::prelude::*;

/// Below this many rows a table stays in the processor's cache, and in the order of its file.
const LARGE: usize = 16_384;

/// Sorts a large table by its key, where that is one number; other tables stay as they are.
pub(super) fn by_key(table: Table) -> Table {
    if table.rows < LARGE {
        return table;
    }
    let key = match table.view.map(|v| v.key) {
        Some([only]) => table.data(only),
        _ => None,
    };
    let Some(Data::Int(key)) = key else { return table };
    let Ok(rows) = u32::try_from(table.rows) else { return table };
    let mut pairs: Vec<(i64, u32)> = key.iter().zip(0..rows).collect();
    if pairs.is_sorted() {
        return table;
    }
    pairs.par_sort_unstable();
    let order: Vec<u32> = pairs.into_iter().map(|(_, row)| row).collect();
    reordered(table, &order)
}

fn reordered(mut table: Table, order: &[u32]) -> Table {
    table.columns.par_iter_mut().flatten().for_each(|data| *data = data.picked(order));
    for (_, texts) in &mut table.extra {
        *texts = texts.picked(order);
    }
    let origin = std::mem::take(&mut table.origin);
    table.origin = order.iter().map(|&row| origin.get(row as usize).copied().unwrap_or((0, row))).collect();
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    #[test]
    fn rows_move_whole_and_keep_their_places() {
        let view = catalog::view("pg_stat_user_tables").unwrap();
        let mut table = Table::empty(view);
        let rows = LARGE + 7;
        let column = |name: &str| view.column(name).unwrap().0;
        let (mut oids, mut names) =
            (Data::for_type(view.columns[column("relid")].ty), crate::snapshot::TextData::new());
        for row in 0..rows {
            let oid = (row * 7919) % rows;
            let Data::Int(v) = &mut oids else { panic!("relid is a number") };
            v.push(oid as i64);
            names.push((!oid.is_multiple_of(5)).then(|| format!("t{oid}")).as_deref());
        }
        table.rows = rows;
        table.columns[column("relid")] = Some(oids);
        table.columns[column("relname")] = Some(Data::Text(names));
        let sorted = by_key(table);
        for (i, row) in sorted.iter().enumerate() {
            assert_eq!(row.int("relid"), Some(i as i64));
            let name = format!("t{i}");
            assert_eq!(row.text("relname"), (!i.is_multiple_of(5)).then_some(name.as_str()));
            let (source, place) = sorted.origin[i];
            assert_eq!((source, (place as usize * 7919) % rows), (0, i));
        }
    }
}
