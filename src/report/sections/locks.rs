//! Locks: who waited for whom at each capture, what was locked, deadlocks.

use crate::advisor::{Holder, WaitTree, Waiter, prepared_as_told, wait_trees};
use crate::error::Result;
use crate::report::absent;
use crate::report::cells::{counted_words, prose};
use crate::report::draft::{Body, Draft};
use crate::report::names::{one_line, table_name};
use crate::report::table::table;
use crate::report::{Block, Cell, CoverageState};
use crate::snapshot::{Row, Snapshot, frame};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// What this section shows.
pub(super) const VIEWS: &[&str] = &["pg_locks", "blocking_pids", "pg_stat_activity", "pg_stat_database"];

/// The most captures whose waits are shown.
const MOST_CAPTURES: usize = 20;

/// Writes the section.
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let captured =
        |view| !matches!(absent::state_of(draft, view), CoverageState::Missing | CoverageState::NotApplicable);
    let any = captured("blocking_pids") || captured("pg_locks");
    let (waiting, mut blocks) = if any { waits(draft) } else { (0, Vec::new()) };
    for view in ["pg_locks", "blocking_pids"] {
        if absent::state_of(draft, view) == CoverageState::Missing {
            blocks.extend(absent::sentence(draft, view, ""));
        }
    }
    blocks.push(deadlocks(draft));
    blocks.extend(modes(draft)?);
    Ok(if any { Body::filled(blocks).count(waiting) } else { Body::absent(blocks) })
}

/// For each capture with waits, the tree; else the sentence that none was seen.
fn waits(draft: &mut Draft<'_>) -> (usize, Vec<Block>) {
    let chain = draft.chain;
    let seen: Vec<(usize, Vec<WaitTree>)> =
        draft.chain.snapshots.iter().enumerate().filter_map(|(at, s)| Some((at, wait_trees(s)?))).collect();
    let waiting = |trees: &[WaitTree]| trees.iter().map(|t| t.waiters.len()).sum::<usize>();
    let with_waits: Vec<&(usize, Vec<WaitTree>)> = seen.iter().filter(|(_, trees)| !trees.is_empty()).collect();
    let most = with_waits.iter().map(|(_, trees)| waiting(trees)).max().unwrap_or(0);
    let mut text = match (seen.len(), with_waits.len()) {
        (1, 0) => Text::from("No session waited for a lock at the capture."),
        (n, 0) => Text::new().t("No session waited for a lock at any of the ").n(Quantity::count(n)).t(" captures."),
        (n, w) => Text::new()
            .t("Sessions waited for locks at ")
            .n(Quantity::count(w))
            .t(" of ")
            .n(Quantity::count(n))
            .t(if n == 1 { " captures, " } else { " captures, at most " })
            .n(Quantity::count(most))
            .t(" at once."),
    };
    if let Some(links) = draft.links_to(&["lock-"]) {
        text = text.t(" ").then(links);
    }
    text = text
        .t(if seen.len() == 1 { " One instant" } else { " Single instants" })
        .t(" cannot exclude short waits in between; ")
        .code("log_lock_waits = on")
        .t(" writes every wait longer than ")
        .code("deadlock_timeout")
        .t(" to the server's log. ");
    // Where nobody waited, all captures say so.
    let places: Vec<usize> = if with_waits.is_empty() {
        seen.iter().map(|(at, _)| *at).collect()
    } else {
        with_waits.iter().map(|(at, _)| *at).collect()
    };
    if !places.is_empty() {
        text = text.then(cite(draft, "Waits for locks", &places));
    }
    let mut blocks = vec![prose(text)];
    // The capture with the most waiting sessions stands open, the latest of equals; the others unfold.
    let shown = with_waits.iter().max_by_key(|(at, trees)| (waiting(trees), *at)).map(|(at, _)| *at);
    let mut of = |(at, trees): &&(usize, Vec<WaitTree>)| {
        let label = crate::advisor::label(chain, *at);
        let link = cite(draft, &format!("Waits for locks at capture {label}"), &[*at]);
        Some(tree(chain.snapshots.get(*at)?, &label, trees, link))
    };
    blocks.extend(with_waits.iter().find(|(at, _)| Some(*at) == shown).and_then(&mut of));
    let others: Vec<Block> =
        with_waits.iter().filter(|(at, _)| Some(*at) != shown).take(MOST_CAPTURES).filter_map(of).collect();
    if !others.is_empty() {
        let summary = Text::new().t("Waits at ").then(counted_words(others.len(), "other capture", "other captures"));
        blocks.push(Block::Details { summary, blocks: others });
    }
    (most, blocks)
}

/// Enters the views of waits of some captures.
fn cite(draft: &mut Draft<'_>, label: &str, at: &[usize]) -> Text {
    let columns = ["pid", "blocked_by", "mode", "granted", "state"];
    draft.cite_at(label, &["blocking_pids", "pg_locks", "pg_stat_activity"], &columns, at)
}

fn tree(snapshot: &Snapshot, label: &str, trees: &[WaitTree], link: Text) -> Block {
    let sessions: BTreeMap<i64, Row<'_>> = snapshot
        .table("pg_stat_activity")
        .into_iter()
        .flat_map(|t| t.iter())
        .filter_map(|r| Some((r.int("pid")?, r)))
        .collect();
    let when = snapshot.meta.taken_at.map_or_else(String::new, |t| format!(", {}", t.human_seconds()));
    let title = format!("Who waited for whom at capture {label}{when}");
    let mut out = table(&format!("waits-{}", label.to_lowercase()), title)
        .about(
            Text::new()
                .t("Who holds is first, who waits for it below, with an arrow for each step. ")
                .code("blocking_pids")
                .t(", ")
                .code("pg_locks")
                .t(", ")
                .code("pg_stat_activity")
                .t(" ")
                .then(link),
        )
        .name("Session")
        .text("Waits for")
        .text("Wants")
        .number("Waits")
        .text("State")
        .text("Role")
        .text("Application")
        .text("Present or last statement");
    for tree in trees {
        out.push(line(&tree.root, None, snapshot, &sessions));
        for waiter in &tree.waiters {
            out.push(line(&Holder::Session(waiter.pid), Some(waiter), snapshot, &sessions));
        }
    }
    out.block()
}

fn line(who: &Holder, waiter: Option<&Waiter>, snapshot: &Snapshot, sessions: &BTreeMap<i64, Row<'_>>) -> Vec<Cell> {
    let row = match who {
        Holder::Session(pid) => sessions.get(pid),
        Holder::Prepared(_) => None,
    };
    let text = |column: &str| row.and_then(|r| r.text(column));
    let arrows = "↳ ".repeat(waiter.map_or(0, |w| w.depth));
    let waits_for = waiter.map(|w| w.blocked_by.iter().map(|who| holder(who, snapshot)).collect::<Vec<_>>().join(", "));
    let waits = waiter.and_then(|w| {
        let seconds = snapshot.meta.taken_at?.seconds_since(w.since?).max(0.0);
        let bound = (!w.since_exact).then_some(crate::report::Bound::AtMost);
        Some(Cell::Number { value: Quantity::float(seconds, Unit::Seconds)?, change: None, bound })
    });
    vec![
        Cell::name(format!("{arrows}{}", holder(who, snapshot))),
        waits_for.map_or(Cell::None, Cell::text),
        waiter.and_then(|w| wanted(w, snapshot)).map_or(Cell::None, Cell::name),
        waits.unwrap_or(Cell::None),
        text("state").map_or(Cell::None, Cell::text),
        text("usename").map_or(Cell::None, Cell::name),
        text("application_name").map_or(Cell::None, Cell::name),
        row.and_then(|r| super::statement_text(*r)).map_or(Cell::None, |q| Cell::code(one_line(q, 120))),
    ]
}

fn holder(who: &Holder, snapshot: &Snapshot) -> String {
    match who {
        Holder::Session(pid) => format!("pid {pid}"),
        Holder::Prepared(xid) => prepared_as_told(Some(snapshot), *xid),
    }
}

/// The lock a session waits for, with the relation's name where it is known.
fn wanted(waiter: &Waiter, snapshot: &Snapshot) -> Option<String> {
    let target = waiter.target.as_ref()?;
    let mode = waiter.mode.map_or_else(String::new, |m| format!("{} on ", m.words()));
    let relation = target.relation.map(|oid| {
        snapshot
            .table("pg_stat_user_tables")
            .and_then(|t| t.iter().find(|r| r.int("relid") == Some(oid)))
            .map_or_else(|| format!(" of relation {oid}"), |r| format!(" of {}", table_name(r)))
    });
    Some(format!("{mode}{}{}", target.kind, relation.unwrap_or_default()))
}

fn deadlocks(draft: &mut Draft<'_>) -> Block {
    let span = draft.span();
    match draft.database().and_then(|c| c.delta_quantity("deadlocks").map(|d| (c, d))) {
        Some((change, deadlocks)) => {
            let rows: Vec<Row<'_>> = change.first().into_iter().chain(change.last()).collect();
            let said = Text::new().t("Deadlocks ").t(span).t(": ");
            if change.is_exact() {
                let link = draft.cite_value("Deadlocks", deadlocks, &rows, &["deadlocks"], None);
                prose(said.n(deadlocks).t(". ").then(link))
            } else {
                let link = draft.cite_value("Deadlocks, at least", deadlocks, &rows, &["deadlocks"], None);
                prose(said.at_least(deadlocks).t(". ").then(link))
            }
        }
        None if draft.database().is_none() && draft.chain.view("pg_stat_database").is_some() => {
            prose("The dump does not say which database it is of, so no deadlock counter is shown.")
        }
        None => prose("The deadlock counter of this database is not in the dump."),
    }
}

/// Locks held at the last capture, by kind and mode.
fn modes(draft: &mut Draft<'_>) -> Result<Option<Block>> {
    let Some(locks) = draft.chain.last().table("pg_locks").filter(|t| t.rows > 0) else { return Ok(None) };
    let formula = "count of locks by kind, mode and whether granted";
    let link = draft.cite("Locks", &["pg_locks"], &["locktype", "mode", "granted"], Some(formula));
    let keys: Vec<String> = locks
        .iter()
        .map(|r| {
            let state = match r.bool("granted") {
                Some(true) => "held",
                Some(false) => "awaited",
                None => "not stated",
            };
            let text = |column| r.text(column).unwrap_or("(not stated)");
            format!("{}\u{1f}{}\u{1f}{state}", text("locktype"), text("mode"))
        })
        .collect();
    let groups = frame::groups(&keys.iter().map(String::as_str).collect::<Vec<_>>(), &[])?;
    let mut out = table("lock-modes", "Locks at the last capture")
        .about(Text::new().code("pg_locks").t(", the exporter's own included ").then(link))
        .name("Kind")
        .text("Mode")
        .text("Held or awaited")
        .number("Locks")
        .largest_first();
    for group in &groups {
        let mut parts = group.key.split('\u{1f}');
        let mut next = || Cell::text(parts.next().unwrap_or_default());
        let cells = vec![next(), next(), next(), Cell::number(Quantity::int(group.count as i64, Unit::Count))];
        out.push(cells);
    }
    Ok(Some(out.rows_in_all(groups.len()).block()))
}
