//! I/O, WAL, checkpoints, archiver, replication: rates over the window, slots and lag at the last capture.

use crate::diff::Change;
use crate::error::Result;
use crate::report::absent;
use crate::report::cells::{counted, fact, last_time, prose};
use crate::report::draft::{Body, Draft};
use crate::report::table::{ranked, table};
use crate::report::{Block, Cell, CoverageState, Fact};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// What this section shows.
pub(super) const VIEWS: &[&str] = &[
    "pg_stat_checkpointer",
    "pg_stat_bgwriter",
    "pg_stat_wal",
    "pg_stat_io",
    "pg_stat_archiver",
    "pg_stat_replication",
    "pg_replication_slots",
    "pg_stat_database",
];

/// A rate rests on at least this long a window, in seconds.
const LEAST_WINDOW_S: f64 = 60.0;
/// A rate of events rests on at least this many of them.
const LEAST_EVENTS: f64 = 3.0;

/// Writes the section.
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let mut blocks = Vec::new();
    let mut any = false;
    let mut quiet = Vec::new();
    for (view, writer) in [
        ("pg_stat_checkpointer", checkpoints as fn(&mut Draft<'_>) -> Option<Block>),
        ("pg_stat_wal", wal),
        ("pg_stat_database", cache),
        ("pg_stat_archiver", archiver),
    ] {
        match writer(draft) {
            Some(block) => {
                any = true;
                blocks.push(block);
            }
            None => quiet.push((view, "")),
        }
    }
    let io = io_table(draft)?;
    if let Some(block) = io {
        any = true;
        blocks.push(block);
    } else {
        quiet.push(("pg_stat_io", ""));
    }
    for (view, none, writer) in [
        (
            "pg_stat_replication",
            "No standby or subscriber is connected.",
            standbys as fn(&mut Draft<'_>) -> Option<Block>,
        ),
        ("pg_replication_slots", "No slot can hold WAL back.", slots),
    ] {
        any |= matches!(absent::state_of(draft, view), CoverageState::Captured | CoverageState::Empty);
        match writer(draft) {
            Some(block) => blocks.push(block),
            None => quiet.push((view, none)),
        }
    }
    let together = absent::missing(draft, &quiet.iter().map(|(view, _)| *view).collect::<Vec<_>>());
    for (view, none) in quiet {
        if together.is_none() || absent::state_of(draft, view) != CoverageState::Missing {
            blocks.extend(absent::sentence(draft, view, none));
        }
    }
    blocks.extend(together);
    if let Some(links) = draft.links_to(&["io-", "wal-", "ckpt-", "bgwriter-", "slot-", "repl-", "cache-"]) {
        blocks.insert(0, prose(Text::new().t("Findings: ").then(links)));
    }
    Ok(if any { Body::filled(blocks) } else { Body::absent(blocks) })
}

/// The single row of a cluster-wide view.
fn single_row<'a>(draft: &Draft<'a>, view: &str) -> Option<Change<'a>> {
    draft.chain.view(view)?.present().next()
}

fn counter_fact(change: Change<'_>, label: &str, column: &str) -> Option<Fact> {
    change.delta_quantity(column).map(|_| fact(label, counted(change, column)))
}

/// A rate with its floor: under it the count alone is printed.
fn rate_fact(label: &str, change: Change<'_>, amount: f64, per: f64, unit: Unit) -> Option<Fact> {
    let covered = change.covered_s().filter(|s| *s >= LEAST_WINDOW_S)?;
    Some(fact(label, Cell::number(Quantity::float(amount / covered * per, unit)?)))
}

fn checkpoints(draft: &mut Draft<'_>) -> Option<Block> {
    let change = single_row(draft, "pg_stat_checkpointer")?;
    let mut items = Vec::new();
    for (label, column) in [
        ("Checkpoints due by time", "num_timed"),
        ("Checkpoints requested", "num_requested"),
        ("Checkpoints carried out", "num_done"),
        ("Buffers written by checkpoints", "buffers_written"),
        ("Time writing", "write_time"),
        ("Time in fsync", "sync_time"),
    ] {
        items.extend(counter_fact(change, label, column));
    }
    let all = change.delta("num_timed").zip(change.delta("num_requested")).map(|(t, r)| t + r);
    if let Some(all) = all.filter(|n| *n >= LEAST_EVENTS) {
        items.extend(rate_fact("Checkpoints per hour", change, all, 3_600.0, Unit::Count));
    }
    if let Some(row) = single_row(draft, "pg_stat_bgwriter") {
        for (label, column) in [
            ("Buffers written by the background writer", "buffers_clean"),
            ("Rounds it broke off", "maxwritten_clean"),
            ("Buffers written by sessions", "buffers_backend"),
            ("fsync calls by sessions", "buffers_backend_fsync"),
            ("Buffers allocated", "buffers_alloc"),
        ] {
            items.extend(counter_fact(row, label, column));
        }
    }
    if items.is_empty() {
        return None;
    }
    let evidence = draft.cite(
        "Checkpoints",
        &["pg_stat_checkpointer", "pg_stat_bgwriter"],
        &["num_timed", "num_requested", "write_time", "sync_time"],
        None,
    );
    items.push(fact("Source", Cell::Text(evidence)));
    Some(Block::Facts { title: format!("Checkpoints and background writing {}", draft.span()), items })
}

fn wal(draft: &mut Draft<'_>) -> Option<Block> {
    let mut items = Vec::new();
    let mut views = Vec::new();
    if let Some((bytes, formula)) = written_wal(draft) {
        items.push(fact("WAL written, by position", Cell::number(bytes)));
        let seconds = draft.chain.elapsed_s.filter(|s| *s >= LEAST_WINDOW_S);
        if let Some(rate) = seconds.and_then(|s| Quantity::float(bytes.as_f64() / s, Unit::BytesPerSecond)) {
            items.push(fact("WAL per second", Cell::number(rate)));
            if let Some(day) = seconds.and_then(|s| Quantity::float(bytes.as_f64() / s * 86_400.0, Unit::Bytes)) {
                items.push(fact("A day at this rate would be", Cell::number(day)));
            }
        }
        let link = draft.cite_meta("WAL written", bytes, "wal_lsn", formula);
        items.push(fact("Source of the position", Cell::Text(link)));
        views.push("meta");
    }
    if let Some(change) = single_row(draft, "pg_stat_wal") {
        for (label, column) in [
            ("WAL generated, by counter", "wal_bytes"),
            ("Records", "wal_records"),
            ("Full page images", "wal_fpi"),
            ("Writes because the WAL buffers were full", "wal_buffers_full"),
        ] {
            items.extend(counter_fact(change, label, column));
        }
        views.push("pg_stat_wal");
    }
    if views.is_empty() {
        return None;
    }
    if views.contains(&"pg_stat_wal") {
        let link = draft.cite("WAL", &["pg_stat_wal"], &["wal_bytes", "wal_records", "wal_fpi"], None);
        items.push(fact("Source of the counters", Cell::Text(link)));
    }
    Some(Block::Facts { title: format!("Write-ahead log {}", draft.span()), items })
}

/// WAL between the first and the last snapshot by position: exact, and never reset.
fn written_wal(draft: &Draft<'_>) -> Option<(Quantity, String)> {
    let (a, b) = (draft.chain.first().meta.wal_lsn?, draft.chain.last().meta.wal_lsn?);
    if draft.single() {
        return None;
    }
    let bytes = i64::try_from(b.checked_sub(a)?).ok()?;
    let lsn = |n: u64| Quantity::int(n as i64, Unit::Lsn).human();
    Some((Quantity::int(bytes, Unit::Bytes), format!("{} − {}", lsn(b), lsn(a))))
}

/// Blocks of the database: how many were read, not only which share was found.
fn cache(draft: &mut Draft<'_>) -> Option<Block> {
    let change = draft.database()?;
    let (read, hit) = (change.delta("blks_read")?, change.delta("blks_hit")?);
    let link = draft.cite(
        "Blocks of the database",
        &["pg_stat_database"],
        &["blks_read", "blks_hit", "temp_bytes"],
        Some("share = blks_hit ÷ (blks_hit + blks_read)"),
    );
    let mut items = Vec::new();
    for (label, column) in [
        ("Blocks read (the operating system may have had them)", "blks_read"),
        ("Blocks found in shared buffers", "blks_hit"),
        ("Temporary files", "temp_files"),
        ("Bytes of temporary files", "temp_bytes"),
        ("Time reading blocks", "blk_read_time"),
    ] {
        items.extend(counter_fact(change, label, column));
    }
    if read + hit >= 100.0 {
        items
            .push(fact("Share found in shared buffers", Cell::number_or(Quantity::share(hit, read + hit), "no block")));
    }
    items.extend(rate_fact("Blocks read per second", change, read, 1.0, Unit::PerSecond));
    items.push(fact("Source", Cell::Text(link)));
    Some(Block::Facts { title: format!("Blocks of this database {}", draft.span()), items })
}

fn archiver(draft: &mut Draft<'_>) -> Option<Block> {
    let change = single_row(draft, "pg_stat_archiver")?;
    let row = change.last();
    let mut items: Vec<Fact> = Vec::new();
    items.extend(counter_fact(change, "WAL files archived", "archived_count"));
    items.extend(counter_fact(change, "Attempts that failed", "failed_count"));
    items.push(fact("Last file archived", last_time(row, "last_archived_time")));
    items.push(fact("Last failure", last_time(row, "last_failed_time")));
    if let Some(mode) = draft.setting("archive_mode").and_then(|r| r.text("setting")) {
        items.push(fact("archive_mode", Cell::code(mode)));
    }
    let link = draft.cite("Archiver", &["pg_stat_archiver"], &["archived_count", "failed_count"], None);
    items.push(fact("Source", Cell::Text(link)));
    Some(Block::Facts { title: format!("WAL archiver {}", draft.span()), items })
}

fn io_table(draft: &mut Draft<'_>) -> Result<Option<Block>> {
    let Some(view) = draft.chain.view("pg_stat_io") else { return Ok(None) };
    let active: Vec<Change<'_>> = view
        .present()
        .filter(|c| ["reads", "writes", "extends", "hits"].iter().any(|col| c.delta(col).is_some_and(|n| n > 0.0)))
        .collect();
    let link = draft.cite(
        "I/O by process",
        &["pg_stat_io"],
        &["reads", "writes", "extends", "hits", "evictions", "fsyncs"],
        None,
    );
    let mut out = table("io", "I/O by kind of process, object and context")
        .about(Text::new().t("Operations ").t(draft.span()).t(". ").then(link))
        .name("Process, object, context")
        .number("Reads")
        .number("Time reading")
        .number("Writes")
        .number("Time writing")
        .number("Extends")
        .number("Hits")
        .number("Evictions")
        .number("fsyncs")
        .empty("No I/O was counted");
    let names: Vec<String> = active
        .iter()
        .map(|c| {
            let text = |col: &str| c.last().and_then(|r| r.text(col)).unwrap_or("?");
            format!("{}, {}, {}", text("backend_type"), text("object"), text("context"))
        })
        .collect();
    let weight =
        |c: &Change<'_>| Some(["reads", "writes", "extends"].iter().filter_map(|col| c.delta(col)).sum::<f64>());
    for at in ranked(&active.iter().map(weight).collect::<Vec<_>>(), &names)? {
        let change = active[at];
        let cell = |column: &str| {
            if change.delta_quantity(column).is_some() { counted(change, column) } else { Cell::None }
        };
        out.push(vec![
            Cell::text(names[at].clone()),
            cell("reads"),
            cell("read_time"),
            cell("writes"),
            cell("write_time"),
            cell("extends"),
            cell("hits"),
            cell("evictions"),
            cell("fsyncs"),
        ]);
    }
    Ok(Some(out.block()))
}

/// How far one position is behind another.
fn behind(ahead: Option<i64>, position: Option<i64>) -> Cell {
    match ahead.zip(position) {
        Some((a, p)) => Cell::number(Quantity::int(a.saturating_sub(p).max(0), Unit::Bytes)),
        None => Cell::NotAvailable("position not in the dump".to_owned()),
    }
}

fn lsn_now(draft: &Draft<'_>) -> Option<i64> {
    draft.chain.last().meta.wal_lsn.and_then(|n| i64::try_from(n).ok())
}

fn standbys(draft: &mut Draft<'_>) -> Option<Block> {
    let rows = draft.chain.last().table("pg_stat_replication").filter(|t| t.rows > 0)?;
    let now = lsn_now(draft);
    let link = draft.cite(
        "Receivers of WAL",
        &["pg_stat_replication", "meta"],
        &["replay_lsn", "flush_lsn", "replay_lag"],
        Some("behind = current WAL position − replay_lsn"),
    );
    let mut out = table("standbys", "Receivers of WAL at the last capture")
        .about(
            Text::new()
                .t("A lag without a value is an idle connection or an unknown lag, not zero; the distance in bytes is exact. ")
                .then(link),
        )
        .name("Name")
        .text("State")
        .text("Synchronous")
        .number("Behind in flush")
        .number("Behind in replay")
        .number("Replay lag")
        .text("Findings");
    for row in rows.iter() {
        let name = row.text("application_name").unwrap_or("(no name)").to_owned();
        out.push(vec![
            Cell::name(name.clone()),
            row.text("state").map_or(Cell::None, Cell::text),
            row.text("sync_state").map_or(Cell::None, Cell::text),
            behind(now, row.int("flush_lsn")),
            behind(now, row.int("replay_lsn")),
            row.quantity("replay_lag").map_or_else(|| Cell::NotAvailable("idle or unknown".to_owned()), Cell::number),
            draft.links_of(&name, &["repl-"]).map_or(Cell::None, Cell::Text),
        ]);
    }
    Some(out.block())
}

fn slots(draft: &mut Draft<'_>) -> Option<Block> {
    let state = draft.state("pg_replication_slots").filter(|s| s.table.rows > 0)?;
    let position =
        draft.chain.snapshots.get(state.snapshot).and_then(|s| s.meta.wal_lsn).and_then(|n| i64::try_from(n).ok());
    let link = draft.cite(
        "Replication slots",
        &["pg_replication_slots", "meta"],
        &["restart_lsn", "active"],
        Some("held back = current WAL position − restart_lsn"),
    );
    let mut out = table("slots", "Replication slots")
        .about(Text::new().t("A slot that nobody reads holds WAL back until the disk is full. ").then(link))
        .name("Slot")
        .text("Kind")
        .text("In use")
        .number("WAL held back")
        .text("State of its WAL")
        .number("Age of xmin")
        .text("Findings");
    let next = draft.chain.snapshots.get(state.snapshot).and_then(|s| s.meta.next_xid);
    for row in state.table.iter() {
        let name = row.text("slot_name").unwrap_or("(no name)").to_owned();
        let xmin = row.int("xmin").or(row.int("catalog_xmin"));
        let age =
            next.zip(xmin).map(|(n, x)| Quantity::int((n & 0xffff_ffff).wrapping_sub(x) & 0xffff_ffff, Unit::Xids));
        out.push(vec![
            Cell::name(name.clone()),
            row.text("slot_type").map_or(Cell::None, Cell::text),
            row.bool("active").map_or(Cell::None, |a| Cell::text(if a { "yes" } else { "no" })),
            match row.int("restart_lsn") {
                None => Cell::text("none reserved"),
                lsn => behind(position, lsn),
            },
            row.text("wal_status").map_or(Cell::None, Cell::text),
            if xmin.is_none() {
                Cell::None
            } else {
                Cell::number_or(age, "the next transaction id is not in the dump")
            },
            draft.links_of(&name, &["slot-", "repl-"]).map_or(Cell::None, Cell::Text),
        ]);
    }
    Some(out.block())
}
