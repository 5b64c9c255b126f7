//! Views subtracted group by group: what feeds on the same statistics entries is decided together.

use super::decide::{Circumstances, Decider};
use super::entry::{self, KEPT, LOST};
use super::evidence::Evidence;
use super::filtered::cut_by;
use super::join::{self, Joined};
use super::temporary::Temporary;
use super::{Class, Exact, Options, RowDiff, ViewDiff, identity, members, merge, statements, wide};
use crate::catalog::{self, Epoch, Shape, View};
use crate::ingest::pairing::Rest;
use crate::meta::Notes;
use crate::snapshot::{Snapshot, Table, Value};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

/// Small views that say what was reset.
const EVIDENCE_VIEWS: [&str; 9] = [
    "pg_stat_archiver",
    "pg_stat_bgwriter",
    "pg_stat_checkpointer",
    "pg_stat_database",
    "pg_stat_io",
    "pg_stat_recovery_prefetch",
    "pg_stat_slru",
    "pg_stat_statements_info",
    "pg_stat_wal",
];

/// Whether a view is one of the small ones that say what was reset.
pub fn is_evidence(view: &View) -> bool {
    EVIDENCE_VIEWS.contains(&view.name)
}

/// Views that feed on the same entries, in the order they have to be subtracted: indexes before their tables.
const GROUPS: [&[&str]; 2] =
    [&["pg_stat_user_indexes", "pg_statio_user_indexes"], &["pg_stat_user_tables", "pg_statio_user_tables"]];

/// The view of the members that a view's sums are over.
pub const fn members_of(view: &str) -> Option<&'static str> {
    match view.as_bytes() {
        b"pg_stat_user_tables" => Some("pg_stat_user_indexes"),
        b"pg_statio_user_tables" => Some("pg_statio_user_indexes"),
        _ => None,
    }
}

/// All views that `diff` subtracts, in groups that have to be subtracted together, each group after those it needs.
fn groups() -> &'static [Vec<&'static View>] {
    static ALL: LazyLock<Vec<Vec<&'static View>>> = LazyLock::new(|| {
        let grouped = |name: &str| GROUPS.iter().any(|g| g.contains(&name));
        GROUPS
            .iter()
            .map(|names| names.iter().filter_map(|n| catalog::view(n)).collect())
            .chain(catalog::VIEWS.iter().filter(|v| !grouped(v.name) && is_subtracted(v)).map(|v| vec![*v]))
            .collect()
    });
    &ALL
}

/// Whether a view has numbers that can be compared over time.
pub fn is_subtracted(view: &View) -> bool {
    match view.shape {
        Shape::Counters => true,
        Shape::Sample => false,
        Shape::State => !view.key.is_empty() && view.columns.iter().any(|c| c.kind.is_gauge()),
    }
}

/// The views to read for the verdicts on some views to be the same as when all are read.
pub fn needed_for(views: &[&'static str]) -> BTreeSet<&'static str> {
    let mut out: BTreeSet<&'static str> = EVIDENCE_VIEWS.into_iter().chain(views.iter().copied()).collect();
    // The views of a group decide together; sums are settled with their members. A crash is looked for in all objects.
    out.extend(GROUPS.iter().flat_map(|g| g.iter().copied()));
    out.extend(["pg_stat_user_functions", "pg_statio_user_sequences"]);
    out
}

/// A table of a window, before and after.
pub(super) type Sides = (Option<Arc<Table>>, Option<Arc<Table>>);

/// A view joined and scanned, before its rows are decided.
struct Scanned {
    view: &'static View,
    before: Arc<Table>,
    after: Arc<Table>,
    joined: Joined,
    flags: Vec<u8>,
}

/// Subtracts all views of a window, group by group; large groups side by side.
pub(super) fn all(
    before: &Snapshot,
    after: &Snapshot,
    evidence: &Evidence,
    options: &Options,
    notes: &mut Notes,
) -> BTreeMap<&'static str, Arc<ViewDiff>> {
    let sides = |views: &Vec<&'static View>| -> Vec<(&'static View, Sides)> {
        views.iter().map(|v| (*v, (before.table(v.name).cloned(), after.table(v.name).cloned()))).collect()
    };
    let exported = |v: &&View| before.table(v.name).is_some() || after.table(v.name).is_some();
    let groups: Vec<_> = groups().iter().filter(|views| views.iter().any(exported)).map(sides).collect();
    let large = after.tables.values().chain(before.tables.values()).any(|t| t.rows > wide::TASK);
    let subtracted: Vec<_> = if large {
        groups.par_iter().map(|views| group(views, evidence, options)).collect()
    } else {
        groups.iter().map(|views| group(views, evidence, options)).collect()
    };
    let mut views: BTreeMap<&'static str, Arc<ViewDiff>> = BTreeMap::new();
    for (diffs, said) in subtracted {
        notes.absorb(said);
        for mut diff in diffs {
            if let Some(name) = members_of(diff.view.name) {
                members::settle(&mut diff, views.get(name).map(AsRef::as_ref));
            }
            views.insert(diff.view.name, Arc::new(diff));
        }
    }
    views
}

/// Subtracts the views of one group; sums over members are not settled yet.
fn group(views: &[(&'static View, Sides)], evidence: &Evidence, options: &Options) -> (Vec<ViewDiff>, Notes) {
    let mut notes = Notes::default();
    let mut scanned = Vec::new();
    let mut out = Vec::new();
    for (view, (before, after)) in views {
        if evidence.other_database && view.per_database {
            continue;
        }
        match (before, after) {
            (Some(a), Some(b)) => match scan(view, a, b, evidence, options, &mut notes) {
                Some(s) => scanned.push(s),
                None => out.push(nothing(view, Some(a), Some(b))),
            },
            (None, None) => {}
            (a, b) => out.push(nothing(view, a.as_ref(), b.as_ref())),
        }
    }
    let continued = identity::continued(
        &scanned.iter().map(|s| (s.view, s.before.as_ref(), s.after.as_ref(), &s.joined)).collect::<Vec<_>>(),
    );
    for s in &mut scanned {
        identity::apply(&mut s.joined, &mut s.flags, s.view, (&s.before, &s.after), &continued);
    }
    share_flags(&mut scanned);
    for s in scanned {
        let mut diff = decide(&s, evidence, &mut notes);
        identity::annotate(&mut diff, &continued);
        toast(&mut diff);
        out.push(diff);
    }
    (out, notes)
}

fn nothing(view: &'static View, before: Option<&Arc<Table>>, after: Option<&Arc<Table>>) -> ViewDiff {
    ViewDiff {
        view,
        before: before.cloned(),
        after: after.cloned(),
        key: Vec::new(),
        rows: Vec::new(),
        verdicts: Vec::new(),
        overrides: BTreeMap::new(),
        row_notes: BTreeMap::new(),
        untrusted: Vec::new(),
        rest: Rest::default(),
    }
}

fn scan(
    view: &'static View,
    a: &Arc<Table>,
    b: &Arc<Table>,
    evidence: &Evidence,
    options: &Options,
    notes: &mut Notes,
) -> Option<Scanned> {
    let (before, after) = if view.epoch == Epoch::Statements {
        merge::merged(view, a, b, evidence.by_name(view), notes)
    } else {
        (Arc::clone(a), Arc::clone(b))
    };
    let left_out = Temporary::of(view, options);
    let Some(joined) = join::join(view, &before, &after, evidence.by_name(view), left_out) else {
        notes.say("no-key", format!("{}: the columns that identify a row are missing: not compared", view.name));
        return None;
    };
    if joined.by_name && !evidence.by_name(view) {
        notes.say("by-name", format!("{}: joined by name, OIDs are missing: a renamed object is a new one", view.name));
    }
    for &(later, row, reason) in &joined.left_out {
        let table = if later { &after } else { &before };
        let place = table.place(row as usize).map_or_else(String::new, |(file, at)| format!(" ({file}, {at})"));
        notes.say("duplicate-key", format!("{}: {reason}: left out{place}", view.name));
    }
    let mut flags = entry::scan(view, &before, &after, &joined.pairs, evidence.before_at);
    if view.epoch == Epoch::Statements && !(before.has("stats_since") && after.has("stats_since")) {
        statements::scan_marks(&before, &after, &joined.pairs, &mut flags);
    }
    Some(Scanned { view, before, after, joined, flags })
}

/// Gives each view of a group what the others saw of the same entries.
fn share_flags(scanned: &mut [Scanned]) {
    let [first, second] = scanned else { return };
    let single = |s: &Scanned| match s.joined.key.as_slice() {
        [column] => Some(*column),
        _ => None,
    };
    let (Some(a), Some(b)) = (single(first), single(second)) else { return };
    let id = |s: &Scanned, at: usize, column: usize| match s.joined.pairs[at] {
        (_, RowDiff::NONE) => None,
        (_, j) => match s.after.value(j as usize, column) {
            Value::Int(n) => Some(n),
            _ => None,
        },
    };
    let mut seen: HashMap<i64, u8, foldhash::fast::FixedState> = HashMap::default();
    for (s, column) in [(&*first, a), (&*second, b)] {
        for (at, flags) in s.flags.iter().enumerate().filter(|(_, f)| **f & (LOST | KEPT) != 0) {
            if let Some(id) = id(s, at, column) {
                *seen.entry(id).or_default() |= flags;
            }
        }
    }
    if seen.is_empty() {
        return;
    }
    for (s, column) in [(first, a), (second, b)] {
        for at in 0..s.flags.len() {
            if let Some(flags) = id(s, at, column).and_then(|id| seen.get(&id)) {
                s.flags[at] |= flags;
            }
        }
    }
}

fn decide(s: &Scanned, evidence: &Evidence, notes: &mut Notes) -> ViewDiff {
    let mut filtered = [false, false];
    for (at, table) in [&s.before, &s.after].into_iter().enumerate() {
        if let Some(column) = cut_by(s.view, table) {
            filtered[at] = true;
            notes.say(
                "filtered",
                format!(
                    "{}: exactly {} rows, sorted by {column}: taken as cut by a limit, absent rows mean nothing",
                    s.view.name, table.rows
                ),
            );
        }
    }
    let [before_filtered, after_filtered] = filtered;
    let circumstances = Circumstances {
        before_filtered,
        statements_reset_likely: s.view.epoch == Epoch::Statements
            && !evidence.statements.info
            && !before_filtered
            && !after_filtered
            && statements::reset_is_likely(&s.before, &s.after, &s.joined.pairs),
        elapsed_s: s
            .before
            .taken_at
            .zip(s.after.taken_at)
            .filter(|_| !evidence.zone_in_doubt)
            .map(|(a, b)| b.seconds_since(a).max(0.0))
            .or(evidence.elapsed_s),
    };
    let anew = evidence.starts_anew(s.view);
    let mut decider = Decider::new(s.view, &s.before, &s.after, evidence, &circumstances);
    let mut rows = Vec::with_capacity(s.joined.pairs.len());
    for (&(i, j), &flags) in s.joined.pairs.iter().zip(&s.flags) {
        // What a filtered export lacks, or an earlier cluster had, is not gone.
        if j == RowDiff::NONE && (after_filtered || anew) {
            continue;
        }
        let i = if anew && s.view.epoch == Epoch::Statements { RowDiff::NONE } else { i };
        rows.push(RowDiff { before: i, after: j, verdict: decider.decide((i, j), flags) });
    }
    ViewDiff {
        verdicts: decider.verdicts.into_list(),
        rows,
        key: s.joined.key.clone(),
        untrusted: untrusted(s.view, evidence.has_12),
        ..nothing(s.view, Some(&s.before), Some(&s.after))
    }
}

/// Columns that PostgreSQL 12 computes wrongly, by position, with the reason.
pub(super) fn untrusted(view: &View, has_12: bool) -> Vec<(usize, &'static str)> {
    const MULTIPLIED: &str = "not to be trusted: PostgreSQL 12 multiplies it by the number of the table's indexes";
    if !has_12 {
        return Vec::new();
    }
    ["tidx_blks_read", "tidx_blks_hit"].iter().filter_map(|c| Some((view.column(c)?.0, MULTIPLIED))).collect()
}

/// TOAST counters belong to an entry of their own: each pair is B − A, or B if either fell.
fn toast(diff: &mut ViewDiff) {
    let pairs = entry::toast_pairs(diff.view);
    if pairs.is_empty() {
        return;
    }
    let mut overrides = Vec::new();
    for row in diff.iter() {
        let verdict = row.verdict();
        if verdict.withheld.is_some() || verdict.resets_sums || matches!(verdict.class, Class::New | Class::Gone) {
            continue;
        }
        let reset = matches!(verdict.class, Class::Reset | Class::ResetUnsure);
        for pair in pairs.iter().filter(|p| !diff.untrusted.iter().any(|(c, _)| p.contains(c))) {
            let cells = pair.map(|c| (Exact::of(row.value_before(c)), Exact::of(row.value_after(c))));
            let fell = cells.iter().any(|c| matches!(c, (Some(a), Some(b)) if a.fell_to(*b)));
            for (column, cell) in pair.iter().zip(cells) {
                let (delta, reason) = match cell {
                    (Some(_), Some(b)) if fell && !reset => {
                        (b, "the TOAST table's counters started again: lower bound")
                    }
                    (Some(a), Some(b)) if reset && !fell => (b.since(a), "the TOAST table's counters were not reset"),
                    _ => continue,
                };
                if let (Ok(at), Ok(col)) = (u32::try_from(row.index()), u16::try_from(*column)) {
                    overrides.push(((at, col), (Some(delta), reason.to_owned())));
                }
            }
        }
    }
    diff.overrides.extend(overrides);
}
