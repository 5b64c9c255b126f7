//! Tables: where the bytes are, every table with its size, rows and use, partitioned tables rolled up.

mod partitions;
mod sequences;

use crate::advisor::{self, TableFact};
use crate::diff::Change;
use crate::error::Result;
use crate::report::absent;
use crate::report::cells::{counted, counted_words, estimates_hold, fact, last_time, level, prose, total};
use crate::report::draft::{Body, Draft};
use crate::report::names::ByObject;
use crate::report::sparks::{Of, Sparks};
use crate::report::table::{ranked, table};
use crate::report::{Bar, Block, Bound, Cell, Chart, Part};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// What this section shows.
pub(super) const VIEWS: &[&str] =
    &["pg_stat_user_tables", "table_sizes", "database_sizes", "partitions", "pg_sequences"];

/// Writes the section.
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let mut blocks = Vec::new();
    for view in ["pg_stat_user_tables", "table_sizes"] {
        blocks.extend(absent::sentence(draft, view, "The database has no tables of its own."));
    }
    if draft.facts.tables.is_empty() {
        return Ok(Body::absent(blocks));
    }
    blocks.extend(draft.age_note("table_sizes"));
    blocks.extend(strip(draft));
    blocks.extend(list(draft)?);
    blocks.extend(partitions::roll_up(draft)?);
    blocks.extend(sequences::list(draft)?);
    Ok(Body::filled(blocks).count(draft.facts.tables.len()))
}

/// Where the bytes of the database are.
fn strip(draft: &mut Draft<'_>) -> Option<Block> {
    let sum = |column: &str| {
        total(draft.facts.tables.iter().map(|t| t.sizes.and_then(|r| r.int(column))), Unit::Bytes)
            .and_then(|q| if let crate::unit::Number::Int(n) = q.value { Some(n) } else { None })
    };
    let (heap, indexes, toast, all) =
        (sum("relation_size"), sum("indexes_size"), sum("toast_size"), sum("total_relation_size"));
    let database = database_size(draft.state("database_sizes")?.table.iter(), draft)?;
    let known = all.or(heap)?;
    let mut parts = Vec::new();
    let mut part = |label: &str, bytes: Option<i64>| {
        if let Some(bytes) = bytes.filter(|b| *b > 0) {
            parts.push(Part { label: label.to_owned(), value: Quantity::int(bytes, Unit::Bytes) });
        }
    };
    part("Tables", heap);
    part("Indexes", indexes.filter(|_| all.is_some()));
    part("TOAST", toast);
    if all.is_some() {
        let maps = known - heap.unwrap_or(0) - indexes.unwrap_or(0) - toast.unwrap_or(0);
        part("Maps of free space and visibility", Some(maps));
        part("System catalogs and everything else", Some(database.saturating_sub(known)));
    } else {
        part("Indexes, TOAST, system catalogs: not told apart", Some(database.saturating_sub(known)));
    }
    let title = format!("Where the {} of the database are", Quantity::int(database, Unit::Bytes).human());
    (parts.len() > 1).then(|| {
        let source = draft.cite(
            "Where the bytes are",
            &["database_sizes", "table_sizes"],
            &["size", "relation_size", "indexes_size", "toast_size", "total_relation_size"],
            Some("each part: sum over the tables; the rest = size − sum of total_relation_size"),
        );
        Block::Chart(Chart::Strip { title, source, parts })
    })
}

/// The size of the exporting session's database.
pub(super) fn database_size<'a>(mut rows: impl Iterator<Item = Row<'a>>, draft: &Draft<'_>) -> Option<i64> {
    let meta = &draft.chain.last().meta;
    rows.find(|r| match (meta.database_oid, meta.database.as_deref()) {
        (Some(oid), _) if r.int("datid").is_some() => r.int("datid") == Some(oid),
        (_, name) => name.is_some() && r.text("datname") == name,
    })?
    .int("size")
}

fn list(draft: &mut Draft<'_>) -> Result<Vec<Block>> {
    let link = draft.cite(
        "Tables",
        &["pg_stat_user_tables", "table_sizes"],
        &[
            "seq_scan",
            "idx_scan",
            "n_tup_ins",
            "n_tup_upd",
            "n_tup_del",
            "n_live_tup",
            "n_dead_tup",
            "total_relation_size",
        ],
        Some("dead share = n_dead_tup ÷ (n_live_tup + n_dead_tup); rows written = inserted + updated + deleted"),
    );
    let first = ByObject::tables(draft.first("table_sizes"));
    let sparks = Sparks::of(draft, "pg_stat_user_tables", Of::Column("n_dead_tup"));
    let sized = draft.facts.tables.iter().any(|t| t.total_bytes().is_some());
    let whole = draft.facts.tables.iter().any(|t| t.sizes.is_some_and(|s| s.int("total_relation_size").is_some()));
    let mut out = table("tables", "Tables")
        .about(
            Text::new()
                .t(if draft.single() {
                    "Sizes and rows at the snapshot; scans and rows written "
                } else {
                    "Sizes and rows at the last snapshot with their change since the first; scans and rows written "
                })
                .t(draft.span())
                .t(". Live and dead rows are the server's estimates. ")
                .then(link),
        )
        .name("Table")
        .number(if whole { "Size with indexes" } else { "Size of the table alone" })
        .if_differs();
    if sized {
        out = out.largest_first();
    }
    let mut out = out
        .number("Live rows")
        .number("Dead rows")
        .graphic("Dead rows, % of all")
        .number("× of vacuum trigger")
        .number("Seq scans")
        .number("Index scans")
        .number("Rows written")
        .if_differs()
        .text("Findings")
        .if_any();
    if sparks.is_some() {
        out = out.graphic("Dead rows over time");
    }
    let facts: Vec<&TableFact<'_>> = draft.facts.tables.iter().collect();
    let names: Vec<String> = facts.iter().map(|f| f.display()).collect();
    let values: Vec<Option<f64>> = facts.iter().map(|f| impact(f, sized)).collect();
    for at in ranked(&values, &names)? {
        let fact = facts[at];
        let mut cells = cells(draft, fact, &first);
        cells.extend(sparks.as_ref().map(|s| s.cell(fact.change.and_then(Change::latest))));
        out.push_with(cells, || details(draft, fact, &first));
    }
    let totals = totals(draft, &facts, whole, sparks.is_some());
    let rows = facts.len();
    let mut blocks = vec![out.totals(totals).rows_in_all(rows).empty("No table").block()];
    if rows > crate::report::table::MOST_ROWS {
        blocks.push(prose(
            Text::new()
                .t("The largest ")
                .n(Quantity::count(crate::report::table::MOST_ROWS))
                .t(" of ")
                .n(Quantity::count(rows))
                .t(" tables are listed; totals are over all. All of them: ")
                .code("pgretro diff BEFORE AFTER --view pg_stat_user_tables --format csv"),
        ));
    }
    Ok(blocks)
}

/// A table without an index has no number of index scans.
fn indexless(fact: &TableFact<'_>) -> bool {
    let row = fact.change.and_then(Change::last);
    row.is_some_and(|r| r.table().has("idx_scan") && r.int("idx_scan").is_none())
}

fn impact(fact: &TableFact<'_>, sized: bool) -> Option<f64> {
    if sized { fact.total_bytes().map(|b| b as f64) } else { fact.change.and_then(|c| c.delta("seq_tup_read")) }
}

fn cells(draft: &Draft<'_>, fact: &TableFact<'_>, first: &ByObject<'_>) -> Vec<Cell> {
    let (before, now) = (fact.change.and_then(Change::first), fact.change.and_then(Change::last));
    let before = before.filter(|_| !draft.single());
    let counter = |column: &str| {
        fact.change
            .map_or_else(|| Cell::NotAvailable("pg_stat_user_tables has no row".to_owned()), |c| counted(c, column))
    };
    let size_before = fact.sizes.and_then(|s| first.of(s));
    let column = if fact.sizes.is_some_and(|s| s.int("total_relation_size").is_some()) {
        "total_relation_size"
    } else {
        "relation_size"
    };
    let name = fact.display();
    vec![
        Cell::name(name.clone()),
        level(size_before, fact.sizes, column),
        live(fact, before, now),
        dead(draft, fact, before, now),
        dead_share(draft, fact),
        draft.pressure(fact),
        counter("seq_scan"),
        if indexless(fact) { Cell::None } else { counter("idx_scan") },
        written(fact),
        draft.links_of(&name, &[""]).map_or(Cell::None, Cell::Text),
    ]
}

const BEGAN_AGAIN: &str = "the estimate began again at a reset";
const REWRITTEN: &str = "counters of some tables have dead rows of before these were written anew";

fn live(fact: &TableFact<'_>, before: Option<Row<'_>>, now: Option<Row<'_>>) -> Cell {
    if estimates_hold(fact) { level(before, now, "n_live_tup") } else { Cell::NotAvailable(BEGAN_AGAIN.to_owned()) }
}

/// Dead rows: at least those counted since a reset, at most those since the table was written anew.
pub(super) fn dead<'a>(draft: &Draft<'a>, fact: &TableFact<'a>, before: Option<Row<'_>>, now: Option<Row<'_>>) -> Cell {
    match (level(before, now, "n_dead_tup"), draft.facts.carried(fact)) {
        (Cell::Number { value, .. }, Some(gone)) => Cell::Number {
            value: advisor::whole(value.as_f64() - gone, Unit::Rows).unwrap_or(value),
            change: None,
            bound: Some(Bound::AtMost),
        },
        (cell, _) => since_reset(fact, cell),
    }
}

fn since_reset(fact: &TableFact<'_>, cell: Cell) -> Cell {
    match cell {
        Cell::Number { value, .. } if !estimates_hold(fact) => {
            Cell::Number { value, change: None, bound: Some(Bound::AtLeast) }
        }
        cell => cell,
    }
}

/// The share of dead rows: one definition for the whole report.
pub(super) fn dead_share<'a>(draft: &Draft<'a>, fact: &TableFact<'a>) -> Cell {
    if draft.facts.carried(fact).is_some() {
        return Cell::NotAvailable("the counter has dead rows of before the table was written anew".to_owned());
    }
    if !estimates_hold(fact) {
        return Cell::NotAvailable(BEGAN_AGAIN.to_owned());
    }
    let row = fact.change.and_then(Change::last);
    let (Some(live), Some(dead)) = (row.and_then(|r| r.int("n_live_tup")), row.and_then(|r| r.int("n_dead_tup")))
    else {
        return Cell::NotAvailable("live or dead rows not exported".to_owned());
    };
    match Quantity::share(dead as f64, live as f64 + dead as f64) {
        Some(share) => Cell::Bar(Bar { value: share, fraction: share.as_f64().clamp(0.0, 1.0), mark: None }),
        None => Cell::text("empty"),
    }
}

const WRITES: [&str; 3] = ["n_tup_ins", "n_tup_upd", "n_tup_del"];

fn written(fact: &TableFact<'_>) -> Cell {
    let Some(change) = fact.change else { return Cell::NotAvailable("pg_stat_user_tables has no row".to_owned()) };
    let rows = sum_exact(WRITES.iter().map(|c| change.delta_quantity(c)));
    rows.map_or_else(
        || Cell::NotAvailable(crate::report::cells::why_unknown(change, WRITES[0])),
        |value| Cell::Number { value, change: None, bound: (!change.is_exact()).then_some(Bound::AtLeast) },
    )
}

/// The sum of counters, unknown as soon as one of them is.
fn sum_exact(values: impl Iterator<Item = Option<Quantity>>) -> Option<Quantity> {
    let mut sum = 0_i64;
    for value in values {
        match value?.value {
            crate::unit::Number::Int(n) => sum = sum.checked_add(n)?,
            crate::unit::Number::Float(_) => return None,
        }
    }
    Some(Quantity::int(sum, Unit::Rows))
}

fn details(draft: &Draft<'_>, table: &TableFact<'_>, first: &ByObject<'_>) -> Vec<Block> {
    let (before, now) = (table.change.and_then(Change::first), table.change.and_then(Change::last));
    let before = before.filter(|_| !draft.single());
    let sizes_before = table.sizes.and_then(|s| first.of(s));
    let mut items = Vec::new();
    for (label, column) in [
        ("Table alone", "relation_size"),
        ("Indexes", "indexes_size"),
        ("TOAST", "toast_size"),
        ("Rows by pg_class", "reltuples"),
    ] {
        if table.sizes.is_some_and(|s| s.quantity(column).is_some()) {
            items.push(fact(label, level(sizes_before, table.sizes, column)));
        }
    }
    if let Some(options) = table.sizes.and_then(|s| s.text("reloptions")) {
        items.push(fact("Storage parameters", Cell::code(options)));
    }
    if let Some(change) = table.change {
        for (label, column) in [
            ("Rows read by seq scans", "seq_tup_read"),
            ("Rows inserted", "n_tup_ins"),
            ("Rows updated", "n_tup_upd"),
            ("of these without index change (HOT)", "n_tup_hot_upd"),
            ("Rows deleted", "n_tup_del"),
            ("Vacuums by hand", "vacuum_count"),
            ("Vacuums by autovacuum", "autovacuum_count"),
        ] {
            if change.delta_quantity(column).is_some() {
                items.push(fact(label, counted(change, column)));
            }
        }
        items.push(fact("Last vacuum by hand", last_time(now, "last_vacuum")));
        items.push(fact("Last autovacuum", last_time(now, "last_autovacuum")));
    }
    let mut blocks = vec![Block::Facts { title: draft.span_title().to_owned(), items }];
    if let Some(notes) = draft.notes_of(table.change) {
        blocks.push(prose(notes));
    }
    blocks.push(draft.places(&[before, now, table.sizes]));
    blocks
}

fn totals<'a>(draft: &Draft<'a>, facts: &[&TableFact<'a>], whole: bool, history: bool) -> Vec<Cell> {
    let last = |f: &&TableFact<'_>, column: &str| f.change.and_then(Change::last).and_then(|r| r.int(column));
    let delta = |f: &&TableFact<'_>, column: &str| match f.change.and_then(|c| c.delta_exact(column)) {
        Some(crate::diff::Exact::Int(n)) => i64::try_from(n).ok(),
        _ => None,
    };
    // What is a lower bound for one table is one for the sum.
    let exact = facts.iter().filter_map(|f| f.change).all(Change::is_exact);
    let hold = facts.iter().all(|f| estimates_hold(f));
    let carried = facts.iter().any(|f| draft.facts.carried(f).is_some());
    let sum = |value: Option<Quantity>, sure: bool| match value {
        Some(value) => Cell::Number { value, change: None, bound: (!sure).then_some(Bound::AtLeast) },
        None => Cell::NotAvailable("not exported".to_owned()),
    };
    let sizes =
        facts.iter().map(|f| if whole { f.total_bytes() } else { f.sizes.and_then(|s| s.int("relation_size")) });
    let live = total(facts.iter().map(|f| last(f, "n_live_tup")), Unit::Rows);
    let dead = total(facts.iter().map(|f| last(f, "n_dead_tup")), Unit::Rows);
    let share = live.zip(dead).and_then(|(l, d)| Quantity::share(d.as_f64(), l.as_f64() + d.as_f64()));
    let restarted = || Cell::NotAvailable("estimates of some tables began again at a reset".to_owned());
    let mut cells = vec![
        Cell::Text(counted_words(facts.len(), "table", "tables")),
        sum(total(sizes, Unit::Bytes), true),
        if hold { sum(live, true) } else { restarted() },
        if carried { Cell::NotAvailable(REWRITTEN.to_owned()) } else { sum(dead, hold) },
        match (carried, hold) {
            (true, _) => Cell::NotAvailable(REWRITTEN.to_owned()),
            (_, false) => restarted(),
            _ => Cell::number_or(share, "no rows"),
        },
        Cell::None,
        sum(total(facts.iter().map(|f| delta(f, "seq_scan")), Unit::Count), exact),
        sum(total(facts.iter().map(|f| delta(f, "idx_scan")), Unit::Count), exact),
        sum(total(facts.iter().flat_map(|f| WRITES.map(|c| delta(f, c))), Unit::Rows), exact),
        Cell::None,
    ];
    if history {
        cells.push(Cell::None);
    }
    cells
}
