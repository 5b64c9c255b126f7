//! Reports with long tables, and with nothing in them.

use super::written;
use crate::golden::golden;
use pgretro::report::Report;

/// A report with nothing in it.
fn empty() -> Report {
    let mut report = golden();
    report.findings.clear();
    report.checks.clear();
    report.actions.clear();
    report.evidence.clear();
    report.verdict.categories.clear();
    for section in &mut report.sections {
        section.blocks.retain(|b| matches!(b, pgretro::report::Block::Verdict | pgretro::report::Block::Findings));
    }
    report
}

#[test]
fn empty_page_is_small() {
    let html = written(&empty(), "html");
    assert!(html.len() <= 60 * 1024, "{} bytes", html.len());
}

/// The golden report with its statements table made long.
pub fn long(rows: usize) -> Report {
    use pgretro::report::{Block, Row};
    let mut report = golden();
    for block in report.sections.iter_mut().flat_map(|s| &mut s.blocks) {
        if let Block::Table(table) = block
            && table.id == "indexes"
        {
            let cells = table.rows[0].cells.clone();
            table.rows = (0..rows)
                .map(|i| {
                    let mut cells = cells.clone();
                    cells[0] = pgretro::report::Cell::name(format!("public.index_{i:05}"));
                    Row { cells, detail: vec![] }
                })
                .collect();
            table.rows_in_all = rows as u64;
        }
    }
    report
}

/// A table whose first 50 rows come again: the page shows those from here, and makes the others by its script.
pub fn twice() -> Report {
    use pgretro::report::{AreaState, Bar, Block, Bound, Cell, Column, ColumnKind, Meaning, Row, Spark};
    use pgretro::text::Text;
    use pgretro::unit::{Number, Quantity, Unit};
    const UNITS: [Unit; 16] = [
        Unit::Count,
        Unit::Rows,
        Unit::Blocks,
        Unit::Bytes,
        Unit::Ms,
        Unit::Seconds,
        Unit::Share,
        Unit::Times,
        Unit::PerSecond,
        Unit::PerDay,
        Unit::BytesPerSecond,
        Unit::Sessions,
        Unit::Xids,
        Unit::Lsn,
        Unit::Time,
        Unit::Plain,
    ];
    // Halves that round to even, ends of scales, and what lies between.
    const EDGES: [f64; 24] = [
        0.0,
        0.5,
        0.25,
        0.125,
        0.375,
        0.062_5,
        1.5,
        2.5,
        12.25,
        12.75,
        99.95,
        99.949_9,
        9.995,
        9.994_9,
        0.01,
        0.009_99,
        0.000_5,
        0.000_49,
        1e-9,
        59.999,
        59_999.6,
        3_599.6,
        259_199.6,
        12_845_056.0,
    ];
    let mut seed = 7_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut float = |i: usize| match EDGES.get(i) {
        Some(x) => *x,
        None => random() * 10_f64.powi(i32::try_from(i % 12).unwrap_or(0) - 3),
    };
    let mut columns = vec![Column { label: "Name".into(), kind: ColumnKind::Name, order: None }];
    let mut cells: Vec<Vec<Cell>> = Vec::new();
    let names = ["a.b_1", "app.Orders", "app.orders", "ü.x|y", "public.orders_pkey", "public.order"];
    cells.push((0..50).map(|i| Cell::name(format!("{}_{}", names[i % names.len()], i / 9))).collect());
    let bounds = [None, Some(Bound::AtLeast), Some(Bound::AtMost), Some(Bound::Estimate)];
    for (k, unit) in UNITS.into_iter().cycle().take(48).enumerate() {
        columns.push(Column { label: format!("{unit:?} {k}"), kind: ColumnKind::Number, order: None });
        let number = |x: f64| match k / 16 {
            0 => Quantity::int((x * 1e6) as i64 + if unit == Unit::Time { 1_767_264_991_322_233 } else { 0 }, unit),
            _ => Quantity { value: Number::Float(x), unit },
        };
        let cell = |i: usize| match i % 17 {
            13 => Cell::None,
            14 => Cell::NotAvailable("not captured, as a reason that is told below".into()),
            15 => Cell::text("not seen since then"),
            _ => Cell::Number {
                value: number(float(i)),
                change: i.is_multiple_of(3).then(|| number(float(i + 1) - float(i))),
                bound: bounds[if i == 7 { 1 } else { k / 7 % 4 }],
            },
        };
        cells.push((0..50).map(cell).collect());
    }
    for k in 0..3 {
        columns.push(Column { label: format!("Graphic {k}"), kind: ColumnKind::Graphic, order: None });
        let spark = |i: usize, x: f64| {
            let shown = |x: f64| Quantity::float(x, UNITS[8]).map(Quantity::human).unwrap_or_default();
            let short = |x: f64| format!("{x:.3e}").parse::<f64>().unwrap_or(0.0);
            let points =
                vec![Some(short(x)), (!i.is_multiple_of(5)).then_some(0.0), Some(short(x / 3.0)), Some(short(x / 7.0))];
            let label = format!("{} to {}, last {}", shown(0.0), shown(x), shown(x / 7.0));
            let reset = i.is_multiple_of(11);
            let label = if reset { format!("{label}; broken off once") } else { label };
            Cell::Spark(Spark { points, resets: if reset { vec![2] } else { vec![] }, restarts: vec![3], label })
        };
        let bar = |x: f64, mark| {
            let value = Quantity::float(x / 100.0, Unit::Share).unwrap_or(Quantity::int(0, Unit::Share));
            Cell::Bar(Bar { value, fraction: (x / 100.0).min(1.0), mark })
        };
        let cell = |i: usize| match k {
            0 => spark(i, float(i) + 1.0),
            1 => bar(float(i), None),
            _ => bar(float(i), i.is_multiple_of(2).then_some(0.5)),
        };
        cells.push((0..50).map(cell).collect());
    }
    columns.push(Column { label: "Words".into(), kind: ColumnKind::Text, order: None });
    let words = |i: usize| match i % 5 {
        0 => Cell::Text(Text::new().t("see ").link("f-01", "F-01").t(" of ").name("a.b_c").code("x < 1").strong("!")),
        1 => Cell::text("a"),
        2 => Cell::text("words that are longer than thirty letters"),
        3 => Cell::code("select </script>"),
        _ if i < 10 => Cell::State(AreaState::PartlyAssessed),
        _ if i < 20 => {
            let meaning = if i < 15 { Some(Meaning::Worse) } else { None };
            Cell::Change { change: Quantity::int(1_536 - 100 * i as i64, Unit::Bytes), meaning }
        }
        _ => Cell::text("some words"),
    };
    cells.push((0..50).map(words).collect());
    let row = |i: usize| Row { cells: cells.iter().map(|column| column[i % 50].clone()).collect(), detail: vec![] };
    let mut report = golden();
    for block in report.sections.iter_mut().flat_map(|s| &mut s.blocks) {
        if let Block::Table(table) = block
            && table.id == "indexes"
        {
            table.columns.clone_from(&columns);
            table.rows = (0..100).map(row).collect();
            table.rows_in_all = 100;
            table.totals = vec![];
        }
    }
    report
}

#[test]
fn long_tables_are_cut_and_said_so() {
    let report = long(120);
    let html = written(&report, "html");
    let (page, data) = html.split_once("<script type=\"application/json\" id=\"d-t-indexes\">").expect("a data block");
    let shown = |text: &str| (0..120).filter(|i| text.contains(&format!("index_<wbr>{i:05}"))).count();
    assert_eq!(shown(page), 50);
    let data: serde_json::Value = serde_json::from_str(data.split("</script>").next().unwrap()).expect("JSON");
    assert_eq!(data["rows"], 120);
    assert_eq!(data["columns"][0]["c"].as_str().map(str::len), Some(120), "each name follows the one before");
    let names = html.split_once("id=\"d-names\">").expect("names").1;
    assert!(names.starts_with("\"|#public.index_00000|"), "{}", &names[..80]);
    assert!(!written(&golden(), "html").contains("d-names"), "a page without long tables has none");
    assert!(html.contains("Showing 50 of 120"));
    let md = written(&report, "md");
    assert!(md.contains("`public.index_00049`") && !md.contains("`public.index_00050`"));
    assert!(md.contains("… 70 more in the JSON report"));
}
