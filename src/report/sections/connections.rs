//! Connections: sessions by state, application and user, the longest transaction, the limits.

use crate::error::Result;
use crate::report::absent;
use crate::report::cells::{counted_words, fact, heading, prose};
use crate::report::draft::{Body, Draft};
use crate::report::names::one_line;
use crate::report::table::table;
use crate::report::{Block, Cell};
use crate::snapshot::{Row, Table, frame};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// What this section shows.
pub(super) const VIEWS: &[&str] = &["pg_stat_activity", "pg_settings", "pg_stat_database"];

/// The most groups or transactions listed.
const MOST: usize = 50;

/// Writes the section.
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    if let Some(note) = absent::sentence(draft, "pg_stat_activity", "Not even the exporting session is in it.") {
        return Ok(Body::absent(vec![note]));
    }
    let Some(state) = draft.state("pg_stat_activity") else { return Ok(Body::absent(Vec::new())) };
    let mut blocks: Vec<Block> = draft.age_note("pg_stat_activity").into_iter().collect();
    let now: Vec<Row<'_>> = clients(state.table).collect();
    let first: Vec<Row<'_>> = draft.first("pg_stat_activity").map(|t| clients(t).collect()).unwrap_or_default();
    let n = now.len();
    blocks.push(limits(draft, n));
    let mut columns = vec!["state", "application_name", "usename", "datname", "xact_start", "state_change"];
    columns.retain(|column| state.table.has(column));
    let formula = "count of client sessions by column";
    let link = draft.cite("Sessions", &["pg_stat_activity"], &columns, Some(formula));
    let about = Text::new().t("Sessions of clients, the exporter's own included. ").then(link.clone());
    blocks.push(groups("sessions-state", "Sessions by state", "state", about, &now, &first, !draft.single())?);
    for (id, title, column) in [
        ("sessions-application", "Sessions by application", "application_name"),
        ("sessions-user", "Sessions by role", "usename"),
        ("sessions-database", "Sessions by database", "datname"),
    ] {
        if state.table.has(column) {
            let about = Text::new().code(column).t(" ").then(link.clone());
            blocks.push(groups(id, title, column, about, &now, &first, !draft.single())?);
        }
    }
    blocks.extend(transactions(draft, &now, state.at, link));
    blocks.extend(idle_in_transaction(draft));
    Ok(Body::filled(blocks).count(n))
}

/// Sessions of clients. Where an export says neither kind nor user, a session with a state is one.
fn clients(table: &Table) -> impl Iterator<Item = Row<'_>> {
    table.iter().filter(|r| {
        let told = r.text("backend_type").is_some() || r.table().has("usename");
        if told { crate::advisor::is_client(*r) } else { r.text("state").is_some() }
    })
}

fn limits(draft: &mut Draft<'_>, sessions: usize) -> Block {
    let limit = draft.setting_number("max_connections");
    let reserved =
        [draft.setting_number("superuser_reserved_connections"), draft.setting_number("reserved_connections")];
    let usable = limit.map(|l| l - reserved.iter().flatten().sum::<i64>());
    let mut items = vec![
        fact("Sessions of clients at the last capture", Cell::number(Quantity::count(sessions))),
        fact(
            "max_connections",
            Cell::number_or(limit.map(|l| Quantity::int(l, Unit::Count)), "pg_settings was not captured"),
        ),
    ];
    if let (Some(usable), Some(_)) = (usable, limit) {
        let stated = reserved.iter().any(Option::is_some);
        items.push(fact(
            if stated {
                "Of these for ordinary roles"
            } else {
                "Of these for ordinary roles (reserved ones not in the dump)"
            },
            Cell::Number {
                value: Quantity::int(usable, Unit::Count),
                change: None,
                bound: (!stated).then_some(crate::report::Bound::AtMost),
            },
        ));
        items.push(fact(
            "Used at the last capture",
            Cell::number_or(Quantity::share(sessions as f64, limit.unwrap_or(0) as f64), "no limit known"),
        ));
    }
    let peak =
        draft.chain.snapshots.iter().filter_map(|s| s.table("pg_stat_activity")).map(|t| clients(t).count()).max();
    if let Some(peak) = peak.filter(|_| draft.chain.snapshots.len() > 1) {
        items.push(fact("Most at any capture", Cell::number(Quantity::count(peak))));
    }
    if let Some(links) = draft.links_to(&["conn-"]) {
        items.push(fact("Findings", Cell::Text(links)));
    }
    let columns = ["setting", "backend_type"];
    let all: Vec<usize> = (0..draft.chain.snapshots.len()).collect();
    let link =
        draft.cite_at("Limits of connections, and sessions", &["pg_settings", "pg_stat_activity"], &columns, &all);
    items.push(fact("Source", Cell::Text(link)));
    Block::Facts { title: "Limits. Captures are instants: what was between them is not seen".to_owned(), items }
}

fn groups(
    id: &str,
    title: &str,
    column: &str,
    about: Text,
    now: &[Row<'_>],
    first: &[Row<'_>],
    compare: bool,
) -> Result<Block> {
    let key = |r: &Row<'_>| match r.text(column) {
        Some("") => "(empty)".to_owned(),
        Some(text) => text.to_owned(),
        None => "(not stated)".to_owned(),
    };
    let count_of = |rows: &[Row<'_>]| -> Result<Vec<frame::Group>> {
        let keys: Vec<String> = rows.iter().map(key).collect();
        frame::groups(&keys.iter().map(String::as_str).collect::<Vec<_>>(), &[])
    };
    let (after, before) = (count_of(now)?, count_of(first)?);
    let earlier: BTreeMap<&str, u64> = before.iter().map(|g| (g.key.as_str(), g.count)).collect();
    let mut out = table(id, title)
        .about(about)
        .name(match column {
            "state" => "State",
            "usename" => "Role",
            "datname" => "Database",
            _ => "Application",
        })
        .number("Sessions")
        .largest_first()
        .number("Share")
        .empty("No session of a client");
    let gone = before.iter().filter(|g| after.iter().all(|a| a.key != g.key)).map(|g| (g.key.as_str(), 0));
    let rows: Vec<(&str, u64)> = after.iter().map(|g| (g.key.as_str(), g.count)).chain(gone).collect();
    for (name, sessions) in rows.iter().take(MOST) {
        let value = Quantity::int(*sessions as i64, Unit::Count);
        let change = compare
            .then(|| Quantity::int(*sessions as i64 - earlier.get(name).copied().unwrap_or(0) as i64, Unit::Count));
        out.push(vec![
            Cell::name((*name).to_owned()),
            Cell::Number { value, change, bound: None },
            Cell::number_or(Quantity::share(*sessions as f64, now.len() as f64), "no session"),
        ]);
    }
    Ok(out.rows_in_all(rows.len()).block())
}

/// The oldest transactions at the last capture, those that wait for their client apart.
fn transactions(draft: &Draft<'_>, now: &[Row<'_>], at: Option<crate::time::Timestamp>, link: Text) -> Vec<Block> {
    let Some(at) = at else {
        return vec![prose("How long transactions had been open cannot be said: the capture time is not known.")];
    };
    let mut open: Vec<(f64, Row<'_>)> =
        now.iter().filter_map(|r| Some((at.seconds_since(r.time("xact_start")?), *r))).collect();
    if !now.iter().any(|r| r.table().has("xact_start")) {
        return vec![prose("How long transactions had been open is not in the dump.")];
    }
    open.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.int("pid").cmp(&b.1.int("pid"))));
    let mut out = table("transactions", "Open transactions at the last capture, oldest first")
        .about(
            Text::new()
                .t("A transaction that is open holds its locks, and what vacuum may remove. ")
                .code("pg_stat_activity.xact_start")
                .t(" ")
                .then(link),
        )
        .name("Session")
        .number("Open for")
        .largest_first()
        .text("State")
        .number("In this state for")
        .text("Role")
        .text("Application")
        .text("Waits for")
        .text("Present or last statement")
        .text("Findings")
        .if_any()
        .empty("No transaction was open");
    for (age, row) in open.iter().take(MOST) {
        let in_state =
            row.time("state_change").and_then(|t| Quantity::float(at.seconds_since(t).max(0.0), Unit::Seconds));
        let pid = format!("pid {}", row.int("pid").unwrap_or_default());
        let wait = row.text("wait_event_type").filter(|w| *w != "Client").zip(row.text("wait_event"));
        out.push(vec![
            Cell::name(pid.clone()),
            Cell::number_or(Quantity::float(age.max(0.0), Unit::Seconds), "unknown"),
            row.text("state").map_or(Cell::None, Cell::text),
            Cell::number_or(in_state, "not exported"),
            row.text("usename").map_or(Cell::None, Cell::name),
            row.text("application_name").map_or(Cell::None, Cell::name),
            wait.map_or(Cell::None, |(kind, event)| Cell::text(format!("{kind}: {event}"))),
            super::statement_text(*row).map_or(Cell::None, |q| Cell::code(one_line(q, 120))),
            draft.links_of(&pid, &["conn-", "lock-"]).map_or(Cell::None, Cell::Text),
        ]);
    }
    let n = open.len();
    vec![heading("Transactions"), out.rows_in_all(n).block()]
}

/// Sessions that held a transaction open while waiting for their client, over all captures.
fn idle_in_transaction(draft: &mut Draft<'_>) -> Option<Block> {
    let (mut looked, mut with_idle, mut sessions) = (Vec::new(), Vec::new(), 0);
    let mut longest: Option<(f64, usize, Row<'_>)> = None;
    for (at, snapshot) in draft.chain.snapshots.iter().enumerate() {
        let Some(table) = snapshot.table("pg_stat_activity").filter(|t| t.has("state")) else { continue };
        looked.push(at);
        let idle: Vec<Row<'_>> =
            clients(table).filter(|r| r.text("state").is_some_and(|s| s.starts_with("idle in transaction"))).collect();
        with_idle.extend((!idle.is_empty()).then_some(at));
        sessions += idle.len();
        for row in idle {
            let since = row.time("state_change").or(row.time("xact_start"));
            let age = snapshot.meta.taken_at.zip(since).map(|(now, then)| now.seconds_since(then).max(0.0));
            if let Some(age) = age.filter(|a| longest.is_none_or(|(most, ..)| *a > most)) {
                longest = Some((age, at, row));
            }
        }
    }
    let captures = looked.len();
    if captures == 0 {
        return None;
    }
    if sessions == 0 {
        // That nobody did, all captures say.
        let link = draft.cite_at("Sessions waiting inside a transaction", &["pg_stat_activity"], &["state"], &looked);
        return Some(prose(
            Text::new()
                .t("No session waited for its client inside a transaction at ")
                .then(captures_words(captures))
                .t(". ")
                .then(link),
        ));
    }
    let mut text = Text::new()
        .t("Sessions waited for their client inside a transaction at ")
        .n(Quantity::count(with_idle.len()))
        .t(" of ")
        .then(counted_words(captures, "capture", "captures"));
    if let Some((age, at, row)) = longest {
        text = text
            .t(", the longest for ")
            .opt(Quantity::float(age, Unit::Seconds))
            .t(" (capture ")
            .t(crate::advisor::label(draft.chain, at))
            .t(", ")
            .name(format!("pid {}", row.int("pid").unwrap_or_default()));
        if let Some(name) = row.text("application_name").filter(|n| !n.is_empty()) {
            text = text.t(", ").name(name);
        }
        text = text.t(")");
    }
    text = text.t(". ");
    text = match draft.links_to(&["conn-idle"]) {
        Some(links) => text.then(links),
        None if draft.checks.iter().any(|c| c.rule == "conn-idle-in-transaction" && c.state == "passed") => text.t(
            "That is judged by how long it lasts: under the limit of the check, so it stands here and is no finding.",
        ),
        None => text.t("How long is too long could not be judged."),
    };
    let columns = ["state", "state_change", "xact_start"];
    let link = draft.cite_at("Sessions waiting inside a transaction", &["pg_stat_activity"], &columns, &with_idle);
    Some(prose(text.t(" ").then(link)))
}

fn captures_words(captures: usize) -> Text {
    if captures == 1 {
        Text::from("the capture")
    } else {
        Text::new().t("any of the ").n(Quantity::count(captures)).t(" captures")
    }
}
