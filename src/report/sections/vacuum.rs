//! Vacuum: how far each table is from its trigger, when it was last vacuumed and analyzed, how old its ids are.

use crate::advisor::{TableFact, counted_anew};
use crate::catalog::wraparound::Limits;
use crate::diff::Change;
use crate::error::Result;
use crate::report::absent;
use crate::report::cells::{NOT_SEEN, counted, last_time, level, prose, short};
use crate::report::draft::{Body, Draft};
use crate::report::names::{ByObject, is_system};
use crate::report::table::{ranked, table};
use crate::report::{Block, Bound, Cell};
use crate::snapshot::{Row, Snapshot, Table};
use crate::text::{Text, sentence};
use crate::unit::{Quantity, Unit, group_int};

/// What this section shows.
pub(super) const VIEWS: &[&str] = &[
    "pg_stat_user_tables",
    "table_sizes",
    "pg_settings",
    "database_sizes",
    "pg_stat_progress_vacuum",
    "pg_prepared_xacts",
];

/// Writes the section.
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let mut blocks: Vec<Block> =
        absent::sentence(draft, "pg_stat_user_tables", "The database has no tables.").into_iter().collect();
    let any = draft.facts.tables.iter().any(|t| t.change.is_some());
    if any {
        blocks.push(tables(draft)?);
    }
    blocks.extend(progress(draft));
    let ages = ages(draft);
    let filled = any || ages.is_some();
    blocks.extend(ages);
    blocks.extend(prepared(draft));
    Ok(if filled { Body::filled(blocks) } else { Body::absent(blocks) })
}

fn tables(draft: &mut Draft<'_>) -> Result<Block> {
    let link = draft.cite(
        "Vacuum state",
        &["pg_stat_user_tables", "table_sizes", "pg_settings"],
        &["n_dead_tup", "reltuples", "reloptions", "last_autovacuum", "relfrozenxid_age"],
        Some("trigger = autovacuum_vacuum_threshold + autovacuum_vacuum_scale_factor × reltuples; × of trigger = n_dead_tup ÷ trigger"),
    );
    let first = ByObject::tables(draft.first("pg_stat_user_tables"));
    let facts: Vec<TableFact<'_>> = draft.facts.tables.iter().filter(|t| t.change.is_some()).copied().collect();
    let names: Vec<String> = facts.iter().map(TableFact::display).collect();
    let pressures: Vec<Option<f64>> =
        facts.iter().map(|f| draft.pressure_of(f).map(|(times, _)| times.as_f64())).collect();
    let mut out = table("vacuum", "Vacuum state")
        .about(
            Text::new()
                .t("What decides is the distance to the trigger, not the share of dead rows: a high share of a few rows is \
                    normal. Vacuums and analyzes ")
                .t(draft.span())
                .t("; \u{201c}not seen\u{201d}: not since the table's statistics began. ")
                .then(link),
        )
        .name("Table")
        .number("Dead rows")
        .graphic("Dead rows, % of all")
        .number("Trigger")
        .number("× of trigger")
        .largest_first()
        .number("Vacuums")
        .number("Last autovacuum")
        .number("Last vacuum by hand")
        .number("Last analyze")
        .if_differs()
        .number("Changed since analyze")
        .if_differs()
        .number("Transaction id age")
        .if_differs()
        .text("Remarks")
        .if_any();
    for at in ranked(&pressures, &names)?.into_iter().take(MOST_ROWS) {
        let fact = &facts[at];
        let now = fact.change.and_then(Change::last);
        let before = now.and_then(|r| first.of(r));
        let cells = vec![
            Cell::name(names[at].clone()),
            super::tables::dead(draft, fact, before, now),
            super::tables::dead_share(draft, fact),
            draft.trigger(fact),
            draft.pressure(fact),
            vacuums(fact),
            short(last_time(now, "last_autovacuum")),
            short(last_time(now, "last_vacuum")),
            last_analyze(now),
            changed_since_analyze(fact),
            fact.sizes
                .and_then(|r| r.quantity("relfrozenxid_age"))
                .map_or_else(|| Cell::NotAvailable("not exported, or a partitioned table".to_owned()), Cell::number),
            remark(draft, fact, &names[at]),
        ];
        out.push(cells);
    }
    Ok(out.rows_in_all(facts.len()).block())
}

/// The most rows listed: below these no table is near its trigger, and every table stands in the list of tables.
const MOST_ROWS: usize = 2_000;

/// What makes a table's vacuuming or its numbers unlike the others'.
fn remark(draft: &Draft<'_>, fact: &TableFact<'_>, name: &str) -> Cell {
    let trigger = draft.facts.triggers(fact);
    let links = draft.links_of(name, &["vacuum-", "bloat-", "wrap-"]);
    let words = [(!trigger.enabled, "autovacuum off"), (trigger.overridden, "own settings")];
    let said: Vec<&str> = words.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect();
    let said = (!said.is_empty()).then(|| Text::from(sentence(&said.join(", "))));
    let mut out = Text::new();
    for piece in said.into_iter().chain(links) {
        out = if out.is_empty() { piece } else { out.t(" ").then(piece) };
    }
    if out.is_empty() { Cell::None } else { Cell::Text(out) }
}

/// Rows changed since the last analyze; where counters began again after it, those since then.
fn changed_since_analyze(fact: &TableFact<'_>) -> Cell {
    let found = fact.change.and_then(|c| Some((c, c.last()?.quantity("n_mod_since_analyze")?)));
    let Some((change, value)) = found else { return Cell::NotAvailable("not exported".to_owned()) };
    let anew = counted_anew(change, &["last_analyze", "last_autoanalyze"]);
    Cell::Number { value, change: None, bound: anew.then_some(Bound::AtLeast) }
}

/// Vacuums by hand and by autovacuum.
fn vacuums(fact: &TableFact<'_>) -> Cell {
    let Some(change) = fact.change else { return Cell::None };
    match change.delta_exact("vacuum_count").zip(change.delta_exact("autovacuum_count")) {
        Some((hand, auto)) => Cell::Number {
            value: Quantity { value: hand.plus(auto).number(), unit: Unit::Count },
            change: None,
            bound: (!change.is_exact()).then_some(Bound::AtLeast),
        },
        None if change.delta_exact("autovacuum_count").is_some() => counted(change, "autovacuum_count"),
        None => Cell::NotAvailable("not exported".to_owned()),
    }
}

/// The later of the analyzes by hand and by autovacuum.
fn last_analyze(row: Option<Row<'_>>) -> Cell {
    let Some(row) = row.filter(|r| r.table().has("last_analyze") || r.table().has("last_autoanalyze")) else {
        return Cell::NotAvailable("not exported".to_owned());
    };
    row.time("last_analyze")
        .max(row.time("last_autoanalyze"))
        .map_or_else(|| Cell::text(NOT_SEEN), |t| Cell::number(Quantity::time(t)))
}

/// Vacuums under way at the last capture.
fn progress(draft: &mut Draft<'_>) -> Option<Block> {
    let rows = draft.chain.last().table("pg_stat_progress_vacuum")?;
    if rows.rows == 0 {
        return progress_before(draft);
    }
    let link = draft.cite(
        "Vacuums under way",
        &["pg_stat_progress_vacuum"],
        &["phase", "heap_blks_total", "heap_blks_scanned"],
        None,
    );
    let mut out = table("vacuum-progress", "Vacuums under way at the last capture")
        .about(Text::new().code("pg_stat_progress_vacuum").t(" ").then(link))
        .name("Table")
        .text("Database")
        .text("Phase")
        .number("Blocks in all")
        .number("Blocks scanned");
    for row in rows.iter() {
        let name = row
            .int("relid")
            .and_then(|id| draft.facts.table(id))
            .map_or_else(|| format!("oid {}", row.int("relid").unwrap_or_default()), TableFact::display);
        out.push(vec![
            Cell::name(name),
            row.text("datname").map_or(Cell::None, Cell::name),
            row.text("phase").map_or(Cell::None, Cell::text),
            Cell::number_or(row.quantity("heap_blks_total"), "not exported"),
            Cell::number_or(row.quantity("heap_blks_scanned"), "not exported"),
        ]);
    }
    Some(out.block())
}

/// How old the oldest ids of each database are.
fn ages(draft: &mut Draft<'_>) -> Option<Block> {
    let state = draft.state("database_sizes").filter(|s| s.table.has("datfrozenxid_age"))?;
    let refusal = Limits::xid(draft.major()).refusal;
    let formula = format!(
        "share = datfrozenxid_age ÷ {}, where the server refuses new transaction ids",
        group_int(refusal as i64)
    );
    let link = draft.cite(
        "Ages of transaction ids",
        &["database_sizes", "pg_settings"],
        &["datfrozenxid_age", "datminmxid_age"],
        Some(&formula),
    );
    let limit = draft.setting_number("autovacuum_freeze_max_age");
    let mut about = Text::new().t("Autovacuum freezes a table of its own accord ");
    about = match limit {
        Some(limit) => about.t("at an age of ").n(Quantity::int(limit, Unit::Xids)).t("; that is routine. "),
        None => about.t("at autovacuum_freeze_max_age (not in the dump); that is routine. "),
    };
    let first: Option<&Table> = draft.first("database_sizes");
    let mut out = table("ages", "Ages of transaction ids, by database")
        .about(about.then(link))
        .name("Database")
        .number("Transaction id age")
        .largest_first()
        .number("Share of what is possible")
        .number("Multixact id age")
        .text("Findings");
    let mut rows: Vec<Row<'_>> = state.table.iter().collect();
    rows.sort_by_key(|r| (std::cmp::Reverse(r.int("datfrozenxid_age")), r.text("datname")));
    for row in rows {
        let before = first.and_then(|t| t.iter().find(|r| r.text("datname") == row.text("datname")));
        let name = row.text("datname").unwrap_or("(no name)").to_owned();
        let share = row.int("datfrozenxid_age").and_then(|a| Quantity::share(a as f64, refusal));
        out.push(vec![
            Cell::name(name.clone()),
            level(before, Some(row), "datfrozenxid_age"),
            Cell::number_or(share, "not exported"),
            level(before, Some(row), "datminmxid_age"),
            draft.links_of(&name, &["wrap-"]).map_or(Cell::None, Cell::Text),
        ]);
    }
    Some(out.block())
}

/// Vacuums that earlier captures saw under way and the last one does not.
fn progress_before(draft: &mut Draft<'_>) -> Option<Block> {
    let running = |s: &Snapshot| s.table("pg_stat_progress_vacuum").is_some_and(|t| t.rows > 0);
    let seen: Vec<usize> =
        draft.chain.snapshots.iter().enumerate().filter(|(_, s)| running(s)).map(|(at, _)| at).collect();
    let last = seen.last()?;
    let link = draft.cite_at("Vacuums under way", &["pg_stat_progress_vacuum"], &["relid", "phase"], &seen);
    Some(prose(
        Text::new()
            .t("No vacuum was under way at the last capture; one was at ")
            .n(Quantity::count(seen.len()))
            .t(" of ")
            .n(Quantity::count(draft.chain.snapshots.len()))
            .t(format!(" captures, the last of them {}. ", crate::advisor::label(draft.chain, *last)))
            .then(link),
    ))
}

/// Prepared transactions that earlier captures saw and the last one does not.
fn prepared_before(draft: &mut Draft<'_>) -> Text {
    let seen: Vec<(usize, &str)> = draft
        .chain
        .snapshots
        .iter()
        .enumerate()
        .filter_map(|(at, s)| {
            Some((at, s.table("pg_prepared_xacts")?.iter().next()?.text("gid").unwrap_or("(no name)")))
        })
        .collect();
    let Some((at, name)) = seen.last() else { return Text::new() };
    let places: Vec<usize> = seen.iter().map(|(at, _)| *at).collect();
    let link = draft.cite_at("Prepared transactions", &["pg_prepared_xacts"], &["gid"], &places);
    Text::new()
        .t(" ")
        .many(Quantity::count(seen.len()), "earlier capture", "earlier captures")
        .t(" saw one: the last of them is ")
        .t(crate::advisor::label(draft.chain, *at))
        .t(", with ")
        .name(*name)
        .t(". ")
        .then(link)
}

/// Prepared transactions hold back what vacuum may remove.
fn prepared(draft: &mut Draft<'_>) -> Option<Block> {
    let rows = draft.chain.last().table("pg_prepared_xacts")?;
    if rows.rows == 0 {
        let words = Text::new().t("Captured and empty: no prepared transaction at the last capture holds vacuum back.");
        return Some(prose(words.then(prepared_before(draft))));
    }
    let link = draft.cite(
        "Prepared transactions",
        &["pg_prepared_xacts"],
        &["gid", "prepared"],
        Some("age = time of the capture − prepared"),
    );
    let mut out = table("prepared", "Prepared transactions at the last capture")
        .about(
            Text::new()
                .many(Quantity::count(rows.rows), "prepared transaction", "prepared transactions")
                .t(": each holds its locks, and what vacuum may remove, until it is committed or rolled back. ")
                .then(link),
        )
        .name("Name")
        .text("Database")
        .text("Owner")
        .number("Prepared")
        .number("Age")
        .text("Findings");
    let now = draft.chain.last().meta.taken_at;
    for row in rows.iter().filter(|r| !is_system(r.text("schemaname"))) {
        let age = now.zip(row.time("prepared")).and_then(|(n, p)| Quantity::float(n.seconds_since(p), Unit::Seconds));
        let name = row.text("gid").unwrap_or("(no name)").to_owned();
        out.push(vec![
            Cell::name(name.clone()),
            row.text("database").map_or(Cell::None, Cell::name),
            row.text("owner").map_or(Cell::None, Cell::name),
            Cell::number_or(row.quantity("prepared"), "not exported"),
            Cell::number_or(age, "unknown"),
            draft.links_of(&name, &["wrap-prepared", "vacuum-"]).map_or(Cell::None, Cell::Text),
        ]);
    }
    Some(out.block())
}
