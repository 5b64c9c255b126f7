//! A snapshot as text, so that two ways to the same rows can be held against each other.

use pgretro::snapshot::{Snapshot, Table, Value};
use std::fmt::Write;

/// One cell as text; NULL and the empty text are the same where `blank` says that a format cannot tell them apart.
fn cell(value: Value<'_>, blank: bool) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Text("") if blank => "NULL".to_owned(),
        Value::Text(text) => format!("{text:?}"),
        other => format!("{other:?}"),
    }
}

/// Values of any type in one array: JSON spells times among them its own way, and nothing says which are times.
const AS_SPELLED: &[&str] = &["most_common_vals", "histogram_bounds", "most_common_elems"];

/// The rows of a table, each its named cells, sorted: order of rows and columns does not count.
pub fn rows(table: &Table, blank: bool) -> Vec<String> {
    let view = table.view.expect("a view of the catalog");
    let mut rows: Vec<String> = (0..table.rows)
        .map(|row| {
            let mut cells: Vec<String> = view
                .columns
                .iter()
                .enumerate()
                .filter(|(i, c)| table.columns[*i].is_some() && !AS_SPELLED.contains(&c.name))
                .map(|(i, c)| format!("{}={}", c.name, cell(table.value(row, i), blank)))
                .collect();
            cells.extend(table.extra.iter().map(|(name, texts)| format!("{name}={:?}", texts.get(row))));
            cells.join(" ")
        })
        .collect();
    rows.sort();
    rows
}

/// Fails with the first rows that differ.
pub fn assert_same(want: &Table, got: &Table, blank: bool, what: &str) {
    let (want, got) = (rows(want, blank), rows(got, blank));
    assert_eq!(want.len(), got.len(), "{what}: rows");
    for (want, got) in want.iter().zip(&got) {
        assert_eq!(want, got, "{what}");
    }
}

/// Everything that a snapshot holds, rows in their order with their places; `root` is cut off paths.
pub fn whole(snapshot: &Snapshot, root: &str) -> String {
    let mut out = format!("{:#?}\n", snapshot.meta);
    for table in snapshot.tables.values().map(AsRef::as_ref).chain(&snapshot.unknown) {
        let columns = table.columns.iter().map(Option::is_some).collect::<Vec<_>>();
        let extra = table.extra.iter().map(|(name, _)| name).collect::<Vec<_>>();
        let Table { name, exported_as, rows, taken_at, .. } = table;
        let _ = writeln!(out, "{name} {exported_as} {rows} {taken_at:?} {columns:?} {extra:?}");
        for row in 0..table.rows {
            let cells: Vec<_> = (0..columns.len()).map(|column| table.value(row, column)).collect();
            let texts: Vec<_> = table.extra.iter().map(|(_, texts)| texts.get(row)).collect();
            let _ = writeln!(out, "  {cells:?} {texts:?} {:?}", table.place(row));
        }
    }
    out.replace(root, "")
}
