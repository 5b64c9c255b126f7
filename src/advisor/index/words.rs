//! A proposal as a finding: its evidence, what was weighed against it, how to create it.

use super::choose::Refusals;
use super::clause::Clause;
use super::load::{Load, Read};
use super::proposal::{Proposal, Served, once};
use super::seen::seen;
use super::shape::{Key, Shape};
use super::table::Table;
use super::worth::evidence;
use crate::advisor::index_cure::{NewIndex, create_index, reindex};
use crate::advisor::sql::Operand;
use crate::advisor::statement::family;
use crate::advisor::workload::{Statement, Workload};
use crate::advisor::{Context, IndexFact, whole};
use crate::finding::{Confidence, Doubt, Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::ident::quote_ident;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::fmt::Write;

/// Disk that building an index needs: itself, and the files of the sort.
const WHILE_BUILT: f64 = 2.0;

/// How much a proposal relieves.
#[derive(Clone, Copy, Debug)]
pub struct Relief {
    /// Share of all blocks that statements read or found in cache.
    pub blocks: f64,
    /// Share of the execution time, if it falls like the blocks of each statement.
    pub time: f64,
    /// Sessions that this time keeps busy.
    pub load: f64,
}

impl Relief {
    /// Of a proposal.
    pub fn of(proposal: &Proposal, load: &Load<'_>, workload: &Workload<'_>) -> Self {
        let part = |s: &Served| {
            load.statements.get(s.statement).map_or(0.0, |r| r.own_ms() * (s.gain / r.own_buffers().max(1.0)).min(1.0))
        };
        let ms = once(load, &proposal.served, part);
        let share = |of: f64, whole: f64| if whole > 0.0 { (of / whole).min(1.0) } else { 0.0 };
        Self {
            blocks: share(proposal.gain, load.buffers),
            time: share(ms, workload.recorded.exec_ms),
            load: share(ms / 1e3, workload.window_s),
        }
    }

    /// The larger of its shares.
    pub fn most(&self) -> f64 {
        self.blocks.max(self.time)
    }
}

pub(super) fn statement<'a>(read: &Read<'a>) -> Statement<'a> {
    Statement { change: read.change, row: read.row, family: family(read.row.text("query").unwrap_or_default()) }
}

/// The finding of a proposal.
pub fn finding<'a>(
    cx: &Context<'a>,
    load: &Load<'a>,
    workload: &Workload<'a>,
    proposal: &Proposal,
    relief: Relief,
    severity: Severity,
) -> Option<Finding> {
    let table = load.tables.get(proposal.table)?;
    let keys = proposal.shape.words();
    let subject = Subject::new(SubjectKind::Index, format!("{} {keys}", table.fact.display()));
    let n = proposal.served.len();
    let title = Text::new()
        .t("Missing: ")
        .code(&keys)
        .t(" on ")
        .name(table.fact.display())
        .t(" would spare about ")
        .opt(Quantity::float(relief.blocks, Unit::Share))
        .t(" of all blocks that statements of this database read, for ")
        .many(Quantity::count(n), "statement", "statements");
    let first = proposal.served.first()?;
    let shown = seen(cx, load, table, proposal);
    let why = Text::new()
        .t("A call of the first statement reads about ")
        .opt(whole(first.before, Unit::Blocks))
        .t(" blocks of ")
        .name(table.fact.display())
        .t(" to find its rows; with the index about ")
        .opt(whole(first.after.max(1.0), Unit::Blocks))
        .t(" would do. All that would be spared is about ")
        .opt(Quantity::float(relief.time, Unit::Share))
        .t(" of the execution time of all statements, if time falls as blocks do.");
    let mut finding = cx
        .finding(severity, subject, title)
        .doubts(workload.doubts.iter().copied())
        .doubts(table.doubts.iter().copied())
        .doubts([named_only_by_text(cx, load, proposal), (cx.is_standby() == Some(true)).then_some(Doubt::C8)])
        .at_most(if shown.is_some_and(|s| s.of_served) { Confidence::High } else { Confidence::Medium })
        .why(why)
        .not(weighed(cx, table, proposal, shown.is_some()))
        .share(Some(relief.most()))
        .effort(Effort::S);
    finding = evidence(cx, load, table, proposal, shown, relief, finding);
    let look = load.statements.get(first.statement).map(|r| statement(r).look_up(cx.major()));
    finding
        .fixes(look)
        .fixes(create(cx, table, proposal))
        .verify(
            "EXPLAIN of the statements names the index; in the next snapshot their blocks per call fall, and its idx_scan \
             rises (that alone proves nothing: the planner looks into indexes too). If not after a day of normal load, drop \
             it again.",
        )
        .into()
}

/// 18+ merges statements that differ only in the table behind an alias.
fn named_only_by_text(cx: &Context<'_>, load: &Load<'_>, proposal: &Proposal) -> Option<Doubt> {
    let twins = load.tables.get(proposal.table).is_some_and(|t| {
        cx.facts.tables.iter().filter(|o| o.name() == t.fact.name() && o.relid() != Some(t.relid)).count() > 0
    });
    (cx.major() >= 18 && twins).then_some(Doubt::C9)
}

/// What else could have been created, and why what exists does not serve.
fn weighed(cx: &Context<'_>, table: &Table<'_>, proposal: &Proposal, in_plan: bool) -> Text {
    let mut out = Text::new();
    for other in &proposal.alternatives {
        out = out.t("Not ").code(other.shape.words()).t(": ");
        out = if other.gain_share < 0.95 {
            out.opt(Quantity::float(other.gain_share, Unit::Share)).t(" of the relief, ").many(
                Quantity::count(other.statements),
                "statement. ",
                "statements. ",
            )
        } else {
            let chance = ", on average: where the value looked for is rare, it reads on until rows of it turn up. ";
            out.t("about the same relief at ")
                .opt(Quantity::float(other.size_share, Unit::Times))
                .t(" its size")
                .t(if other.chancy { chance } else { ". " })
        };
    }
    for (index, shape) in table.indexes.iter().take(8) {
        out = out.name(index.name()).t(" ").t(why_not(index, shape, proposal)).t(" ");
    }
    if !table.invalid.is_empty() {
        out = out
            .many(Quantity::count(table.invalid.len()), "invalid index", "invalid indexes")
            .t(" on the table cannot be used and was not counted on. ");
    }
    if proposal.lost_hot > 0.0 {
        out = out.t("Its columns are updated: see the updates that would no longer be heap-only. ");
    }
    if cx.facts.tables.iter().any(|t| t.name() == table.fact.name() && t.schema() != table.fact.schema()) {
        out = out.t("Another schema has a table of this name: which one a statement means that names none was taken from the search_path of its role. ");
    }
    out.t(if in_plan {
        "A plan in the dump shows what it would spare; test with EXPLAIN that the planner takes it before you rely on it."
    } else {
        "The plans themselves are not in the dump: test with EXPLAIN or a hypothetical index before you rely on it."
    })
}

fn why_not(index: &IndexFact<'_>, shape: &Shape, proposal: &Proposal) -> String {
    let wanted = &proposal.shape;
    let first = shape.keys.first();
    let searched = |k: &Key| wanted.keys.iter().any(|w| w.operand == k.operand);
    if shape.keys.is_empty() {
        return "is no B-tree.".to_owned();
    }
    if !shape.predicate.is_empty() && shape.predicate != wanted.predicate {
        let clauses: Vec<String> = shape.predicate.iter().map(Clause::words).collect();
        return format!("holds only rows with {}, which the statements do not ask for.", clauses.join(" AND "));
    }
    if wanted.keys.starts_with(&shape.keys) && shape.predicate == wanted.predicate {
        let after = if index.bound_to().is_none() && !shape.unique {
            " The new one begins with it: once it is used, the old one is redundant."
        } else {
            ""
        };
        return format!("is only the beginning of it.{after}");
    }
    if first.is_some_and(|k| !searched(k)) {
        let key = first.map(Key::words).unwrap_or_default();
        return format!("begins with {key}, which these statements do not fix.");
    }
    format!("is on {}, which leaves more to read.", shape.words())
}

fn create(cx: &Context<'_>, table: &Table<'_>, proposal: &Proposal) -> Option<Fix> {
    let shape = &proposal.shape;
    // What somebody began to build already has to be finished, not built twice.
    let broken = table.invalid.iter().find(|(_, s)| s.keys == shape.keys && s.predicate == shape.predicate && !s.hash);
    if let Some((index, _)) = broken.filter(|(i, _)| !i.is_partitioned()) {
        return Some(reindex(index));
    }
    let list = |parts: Vec<String>| parts.join(", ");
    let new = NewIndex {
        columns: shape.keys.iter().filter_map(|k| k.operand.as_ref()).map(Operand::column).collect(),
        keys: list(shape.keys.iter().map(Key::sql).collect()),
        include: list(shape.include.iter().map(|c| quote_ident(c)).collect()),
        condition: shape.predicate.iter().map(Clause::sql).collect::<Vec<_>>().join(" AND "),
    };
    let space = whole(proposal.bytes * WHILE_BUILT, Unit::Bytes);
    let mut when_not = Text::new()
        .t("While ")
        .opt(space)
        .t(" of disk are not free (what is sorted for it takes as much as the index), or before EXPLAIN has shown that the planner takes it.");
    if shape.keys.iter().any(|k| k.pattern && !k.ordered) {
        when_not = when_not.t(" For a column of type char or citext the operator class is another one.");
    }
    if cx.is_standby() == Some(true) {
        when_not = when_not
            .t(" This node is a standby: the index is created on the primary, whose writes are not in this dump.");
    }
    if proposal.lost_hot > 0.0 {
        when_not = when_not.t(" Not where those updates are what the table must do fastest.");
    }
    create_index(cx.facts, &table.fact, &new, when_not)
}

/// One line on everything that was looked at.
pub fn looked_at(load: &Load<'_>, refusals: &Refusals) -> String {
    let u = &load.unjudged;
    let mut out = format!(
        "{} read, {} in all; {} of tables",
        counted(load.statements.len(), "statement", "statements"),
        counted(u.statements, "statement", "statements"),
        counted(load.accesses.len(), "reading", "readings"),
    );
    let reasons = [
        (refusals.small, "of small tables"),
        (refusals.cheap, "cheap already"),
        (refusals.served, "served by what exists"),
        (refusals.unselective, "of too large a part of the table"),
        (refusals.unknown, "on columns without statistics"),
        (refusals.not_scanned, "of tables that were not scanned"),
        (refusals.restricted, "by order where row security adds conditions"),
        (refusals.written, "not worth their writes"),
        (u.utility, "utility commands"),
        (u.hidden, "hidden texts"),
        (u.unread, "texts not understood"),
        (u.unresolved, "on names the dump has no table of"),
        (u.patterns, "with a LIKE whose pattern is a parameter"),
    ];
    for (n, what) in reasons.into_iter().filter(|(n, _)| *n > 0) {
        let _ = write!(out, ", {n} {what}");
    }
    out
}
