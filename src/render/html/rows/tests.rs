//! What a data block says and leaves out. That the script makes the same words of it is held in the browser.

use super::*;
use crate::report::{Bound, Column as Head, Row, Spark};
use crate::unit::{Quantity, Unit};
use serde_json::json;

fn page() -> Page {
    let report = include_str!("../../../../fixtures/report/golden.json");
    Page::of(&serde_json::from_str::<Report>(report).unwrap())
}

fn block(kinds: &[ColumnKind], rows: Vec<Vec<Cell>>) -> (serde_json::Value, String) {
    let table = Table {
        id: "t".into(),
        title: String::new(),
        about: Text::new(),
        columns: kinds.iter().map(|kind| Head { label: "a".into(), kind: *kind, order: None }).collect(),
        rows_in_all: rows.len() as u64,
        rows: rows.into_iter().map(|cells| Row { cells, detail: vec![] }).collect(),
        totals: vec![],
        empty: String::new(),
    };
    let (names, list) = Names::of(&[&table], &Page::default());
    let text = inert(&json(&table, &page(), &names));
    assert!(!text.contains('<') && !inert(&list).contains('<'));
    (serde_json::from_str(&text).unwrap(), list)
}

#[test]
fn files_stand_without_the_folder_that_is_said_once() {
    let head = |label: &str| Head { label: label.into(), kind: ColumnKind::Name, order: None };
    let row = |file: &str| Row { cells: vec![Cell::name(file), Cell::name("dumps/a/not_a_file")], detail: vec![] };
    let table = Table {
        id: "files".into(),
        title: String::new(),
        about: Text::new(),
        columns: vec![head(crate::report::FILE), head("Name")],
        rows_in_all: 2,
        rows: vec![row("dumps/a/meta.csv"), row("dumps/a/pg_locks.csv")],
        totals: vec![],
        empty: String::new(),
    };
    let page = Page { folder: "dumps/a/".into(), ..Page::default() };
    let (_, list) = Names::of(&[&table], &page);
    assert_eq!(list, "\"|#dumps/a/not_a_file|#meta.csv|#pg_locks.csv\"");
    let td = |column: usize| {
        let cell = table.rows.first().and_then(|row| row.cells.get(column)).unwrap();
        super::super::cell::td(table.columns.get(column).unwrap(), cell, &page, "files", false)
    };
    assert!(td(0).contains(">meta.") && !td(0).contains("dumps"), "{}", td(0));
    assert!(td(1).contains("dumps"), "{}", td(1));
}

/// The numbers of a text.
fn numbers(text: &serde_json::Value) -> Vec<u64> {
    let mut out = vec![0];
    for c in text.as_str().unwrap().chars() {
        let digit = (0..code::CHARACTERS).find(|n| code::character(*n) == c).unwrap();
        let last = out.last_mut().unwrap();
        *last = *last * 45 + digit % 45;
        if digit >= 45 {
            out.push(0);
        }
    }
    out.pop();
    out
}

#[test]
fn names_stand_once_and_in_order() {
    let table = |name: &str| Cell::name(name);
    let rows = vec![
        vec![table("b.Orders_pkey"), table("b.Orders")],
        vec![table("</script>\u{2028}"), Cell::None],
        vec![table("a.x"), table("b.Orders")],
    ];
    let (value, list) = block(&[ColumnKind::Name, ColumnKind::Name], rows);
    // Each says how many letters it shares with the one before: "0" and "8".
    assert_eq!(list, "\"|#</script>\\\\u{2028}|#a.x|#b.Orders|+_pkey\"");
    // Places 3, 0 and 1: 3 on, 3 back, 1 on, as 2n and 2n - 1, and 1.
    assert_eq!(numbers(&value["columns"][0]["c"]), [7, 6, 3]);
    assert_eq!(numbers(&value["columns"][1]["c"]), [5, 0, 0, 1], "2 on, none, the same");
    assert_eq!(value["columns"][1]["w"], json!([null]));
}

#[test]
fn what_follows_from_a_value_is_left_out() {
    let share = |x| Cell::number(Quantity::float(x, Unit::Share).unwrap());
    let bytes = |n, change: i64| Cell::Number {
        value: Quantity::int(n, Unit::Bytes),
        change: Some(Quantity::int(change, Unit::Bytes)),
        bound: None,
    };
    let estimate = |x| Cell::Number {
        value: Quantity::float(x, Unit::Times).unwrap(),
        change: None,
        bound: Some(Bound::Estimate),
    };
    let rows = vec![
        vec![share(0.149_241_424_802_11), bytes(81_920, -8_192), estimate(0.871_077_743_860_517_5), Cell::text("b")],
        vec![share(0.5), bytes(i64::MAX, 1), Cell::text("not seen"), Cell::text("b")],
        vec![share(1.0), bytes(44, 0), estimate(2.0), Cell::text("b")],
    ];
    let (value, _) = block(&[ColumnKind::Number; 4], rows);
    let columns = &value["columns"];
    assert_eq!(
        (&columns[0]["u"], &columns[0]["s"], &columns[0]["f"]),
        (&json!("share"), &json!(100_000_000), &json!(1))
    );
    assert_eq!(numbers(&columns[0]["c"]), [14_924_143, 50_000_001, 100_000_001]);
    assert_eq!(numbers(&columns[1]["c"]), [81_921, 0, 0, 45]);
    assert_eq!(numbers(&columns[1]["d"]), [2 * 8_192, 0, 1], "one more than with its sign behind it, 0 for none");
    let literal = json!([{"v": i64::MAX, "h": "8,388,608 TB", "e": "9,223,372,036,854,775,807 bytes", "d": [1, "+1 bytes", "1 bytes"]}]);
    assert_eq!(columns[1]["w"], literal);
    assert_eq!((&columns[2]["b"], &columns[2]["w"]), (&json!(3), &json!(["not seen"])));
    assert_eq!(columns[3], json!({"w": ["b"]}), "the same in all rows");
}

#[test]
fn histories_are_heights_and_three_numbers() {
    let spark = |points: Vec<Option<f64>>, label: &str| {
        Cell::Spark(Spark { points, resets: vec![], restarts: vec![1], label: label.into() })
    };
    let rows = vec![
        vec![spark(vec![Some(0.0), None, Some(19_740.0)], "0 to 19,736, last 19,736")],
        vec![spark(vec![Some(7.0), Some(7.0), Some(7.0)], "always 7")],
        vec![spark(vec![Some(7.0), Some(7.0), Some(7.0)], "in other words")],
    ];
    let (value, _) = block(&[ColumnKind::Graphic], rows);
    let column = &value["columns"][0];
    assert_eq!((&column["u"], &column["p"], &column["x"]), (&json!("rows"), &json!(3), &json!([1])));
    assert_eq!(column["w"][0]["l"], "in other words");
    let codes = column["c"].as_str().unwrap();
    let mut first = String::new();
    for n in [2, 19_736, 0, 19_736] {
        int(&mut first, n);
    }
    code::heights(&mut first, &[0, 19, 18]);
    assert!(codes.starts_with(&first), "{codes} {first}");
}
