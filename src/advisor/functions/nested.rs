//! Which function a statement ran in.

use super::context::{innermost, is_foreign};
use super::function::Function;
use crate::advisor::sql::canonical;
use crate::advisor::statement::{Family, words};
use crate::advisor::workload::{HIDDEN, Statement};
use crate::diff::{Chain, Change, ViewChange};
use crate::snapshot::Row;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most statements that are looked up, the ones with the most time.
pub(super) const MAX_STATEMENTS: usize = 20_000;

/// A statement that ran inside of a function.
#[derive(Debug)]
pub struct Nested<'a> {
    /// Its counters over the window.
    pub change: Change<'a>,
    /// Its newest row.
    pub row: Row<'a>,
    /// Calls.
    pub calls: f64,
    /// Milliseconds of execution.
    pub time_ms: f64,
    /// Functions that it may have run in: none where nothing tells, several where the texts do not decide.
    pub owners: Vec<Owner>,
}

impl Nested<'_> {
    /// Its text on one line, cut, or its id where it holds a secret.
    pub fn headline(&self) -> String {
        Statement { change: self.change, row: self.row, family: Family::Unknown }.headline()
    }
}

/// A function that a statement ran in, or may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name for people, without arguments; as the log prints it where the dump does not define it.
    pub name: String,
    /// Its position among the functions that the dump defines.
    pub function: Option<usize>,
    /// Lines of its body that the statement stands in.
    pub lines: BTreeSet<usize>,
    /// What says so.
    pub evidence: BTreeSet<Evidence>,
}

/// What says that a statement ran in a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The log's CONTEXT of a plan.
    Plan,
    /// The text stands in the body.
    Body,
}

/// What logged plans tell: functions by query id and by text.
#[derive(Debug, Default)]
pub(super) struct Logged {
    by_id: BTreeMap<i64, Vec<Owner>>,
    by_text: HashMap<String, Vec<Owner>>,
    /// Contexts of functions in words that are not known.
    pub(super) foreign: usize,
}

impl Logged {
    /// Reads the contexts of all plans.
    pub(super) fn of(chain: &Chain, functions: &[Function<'_>]) -> Self {
        let mut out = Self::default();
        for row in chain.snapshots.iter().filter_map(|s| s.table("plans")).flat_map(|t| t.iter()) {
            let Some(context) = row.text("context") else { continue };
            let Some(frame) = innermost(context) else {
                out.foreign += usize::from(is_foreign(context));
                continue;
            };
            let Some(name) = frame.name else { continue };
            let mut called = functions.iter().enumerate().filter(|(_, f)| f.is_called(&name));
            let known = match (called.next(), called.next()) {
                (Some(only), None) => Some(only),
                _ => None,
            };
            let piece = known.zip(frame.statement).and_then(|((_, f), n)| f.pieces().get(n.checked_sub(1)?));
            let owner = Owner {
                name: known.map_or(name, |(_, f)| f.label.clone()),
                function: known.map(|(at, _)| at),
                lines: frame.line.or(piece.map(|p| p.line)).into_iter().collect(),
                evidence: BTreeSet::from([Evidence::Plan]),
            };
            if let Some(id) = row.int("queryid") {
                merge(out.by_id.entry(id).or_default(), owner.clone());
            }
            // The log has no text of statements inside of functions in SQL, but says which one of the body it is.
            let text = row.text("query").map(str::trim).filter(|t| !t.is_empty());
            let text = text.or(piece.map(|p| p.sql.as_str()));
            if let Some(form) = text.and_then(|t| canonical(t).ok()) {
                merge(out.by_text.entry(form.folded).or_default(), owner);
            }
        }
        out
    }

    fn is_empty(&self) -> bool {
        self.by_id.is_empty() && self.by_text.is_empty()
    }
}

/// Adds an owner, or what more is known of one that is there.
fn merge(owners: &mut Vec<Owner>, more: Owner) {
    match owners.iter_mut().find(|o| o.name == more.name && o.function == more.function) {
        Some(known) => {
            known.lines.extend(more.lines);
            known.evidence.extend(more.evidence);
        }
        None => owners.push(more),
    }
}

/// The statements that ran inside of functions, the most time first; and how many beyond `most` were not looked up, with
/// the milliseconds that they took.
pub(super) fn attribute<'a>(
    chain: &'a Chain,
    functions: &[Function<'_>],
    logged: &Logged,
    most: usize,
) -> (Vec<Nested<'a>>, (usize, f64)) {
    const NONE: (usize, f64) = (0, 0.0);
    let Some(view) = chain.view("pg_stat_statements") else { return (Vec::new(), NONE) };
    let told_apart = view.last.as_ref().is_some_and(|t| t.has("toplevel"));
    if !told_apart && functions.is_empty() && logged.is_empty() {
        return (Vec::new(), NONE);
    }
    let mut rows = candidates(chain, view, told_apart);
    rows.sort_by(|a, b| {
        let id = |n: &Nested<'_>| (n.row.int("queryid"), n.row.int("userid"));
        b.time_ms.total_cmp(&a.time_ms).then_with(|| id(a).cmp(&id(b)))
    });
    let cut = rows.split_off(rows.len().min(most));
    let beyond = (cut.len(), cut.iter().fold(0.0, |sum, n| sum + n.time_ms));
    let texts = Texts::of(functions);
    for nested in &mut rows {
        nested.owners = texts.owners(nested.row, functions, logged, told_apart);
    }
    if !told_apart {
        // Without a mark of its own, a statement that nothing speaks for was sent by a client.
        rows.retain(|n| !n.owners.is_empty());
    }
    (rows, beyond)
}

fn candidates<'a>(chain: &'a Chain, view: &'a ViewChange, told_apart: bool) -> Vec<Nested<'a>> {
    let database = chain.last().meta.database_oid;
    let mut out = Vec::new();
    for change in view.present() {
        let Some(row) = change.last() else { continue };
        if told_apart && row.bool("toplevel") != Some(false) {
            continue;
        }
        let calls = change.delta("calls").unwrap_or(0.0);
        let foreign = database.zip(row.int("dbid")).is_some_and(|(ours, theirs)| ours != theirs);
        if calls > 0.0 && !foreign && row.text("query").is_some_and(|t| t != HIDDEN) {
            let time_ms = change.delta("total_exec_time").unwrap_or(0.0);
            out.push(Nested { change, row, calls, time_ms, owners: Vec::new() });
        }
    }
    out
}

/// The statements of all bodies by their texts.
struct Texts {
    exact: HashMap<String, Vec<(usize, usize)>>,
    folded: HashMap<String, Vec<(usize, usize)>>,
}

impl Texts {
    fn of(functions: &[Function<'_>]) -> Self {
        let mut out = Self { exact: HashMap::new(), folded: HashMap::new() };
        // Statements of bodies of the standard are not recorded: what is, is not theirs.
        for (at, function) in functions.iter().enumerate().filter(|(_, f)| !f.is_atomic) {
            for (piece, form) in &function.forms {
                let line = function.pieces().get(*piece).map_or(0, |p| p.line);
                out.exact.entry(form.exact.clone()).or_default().push((at, line));
                out.folded.entry(form.folded.clone()).or_default().push((at, line));
            }
        }
        out
    }

    fn owners(&self, row: Row<'_>, functions: &[Function<'_>], logged: &Logged, told_apart: bool) -> Vec<Owner> {
        let mut owners: Vec<Owner> = Vec::new();
        let Some(text) = row.text("query") else { return owners };
        let form = canonical(text).ok();
        let of_id = row.int("queryid").and_then(|id| logged.by_id.get(&id));
        let of_text = form.as_ref().and_then(|f| logged.by_text.get(&f.folded));
        for owner in of_id.into_iter().chain(of_text).flatten() {
            merge(&mut owners, owner.clone());
        }
        let Some(form) = form else { return owners };
        let found = if form.shortened { self.folded.get(&form.folded) } else { self.exact.get(&form.exact) };
        let mut used: Option<BTreeSet<String>> = None;
        for (at, line) in found.into_iter().flatten() {
            let Some(function) = functions.get(*at) else { continue };
            if !told_apart {
                let used = used.get_or_insert_with(|| words(text).map(|w| w.to_lowercase()).collect());
                // A client cannot name a function's variables.
                if !used.iter().any(|w| function.is_variable(w)) {
                    continue;
                }
            }
            let owner = Owner {
                name: function.label.clone(),
                function: Some(*at),
                lines: BTreeSet::from([*line]),
                evidence: BTreeSet::from([Evidence::Body]),
            };
            merge(&mut owners, owner);
        }
        owners.sort_by(|a, b| (&a.name, a.function).cmp(&(&b.name, b.function)));
        owners
    }
}

#[cfg(test)]
mod tests {
    use super::super::Functions;
    use crate::advisor::testing::chain;
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    const HEADER: &str = "funcid | schemaname | funcname | identity_args | argnames | language | source";
    const CLAIM: &str =
        "1 | app | claim | p_kind text | {p_kind} | sql | update t set a = 1 where b = p_kind; select 2 from u";
    const TWIN: &str = "2 | app | twin | p_kind text | {p_kind} | sql | update t set a = 3 where b = p_kind";

    fn snapshot(at: &str, calls: u32, toplevel: bool, bodies: &[&str], statements: &[&str]) -> Arc<Snapshot> {
        let level = if toplevel { "f | " } else { "" };
        let row = |s: &&str| format!("10 | 16697 | {level}{s} | {calls} | {}", calls * 2);
        let rows: Vec<String> = statements.iter().map(row).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let header = if toplevel {
            "userid | dbid | toplevel | queryid | query | calls | total_exec_time"
        } else {
            "userid | dbid | queryid | query | calls | total_exec_time"
        };
        literal(at).view("function_definitions", HEADER, bodies).view("pg_stat_statements", header, &rows).build()
    }

    fn told(toplevel: bool, bodies: &[&str], statements: &[&str]) -> Vec<String> {
        let a = snapshot("2026-11-22 10:00:00+00", 0, toplevel, bodies, statements);
        let b = snapshot("2026-11-22 11:00:00+00", 9, toplevel, bodies, statements);
        let chain = chain(&[a, b]);
        let functions = Functions::of(&chain);
        let mut lines: Vec<String> = functions
            .nested
            .iter()
            .map(|n| {
                let owners: Vec<String> = n.owners.iter().map(|o| format!("{} {:?}", o.name, o.lines)).collect();
                format!("{}: {}", n.row.int("queryid").unwrap_or_default(), owners.join(" or "))
            })
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn a_text_that_stands_in_one_body_is_its_function_s() {
        let statements = ["1 | update t set a = $2 where b = p_kind", "2 | select $1 from u", "3 | select $1 from v"];
        assert_eq!(told(true, &[CLAIM], &statements), ["1: app.claim {1}", "2: app.claim {1}", "3: "]);
    }

    #[test]
    fn a_text_that_stands_in_two_bodies_is_ambiguous() {
        let statements = ["1 | update t set a = $2 where b = p_kind"];
        assert_eq!(told(true, &[CLAIM, TWIN], &statements), ["1: app.claim {1} or app.twin {1}"]);
    }

    #[test]
    fn without_a_mark_only_variables_tell() {
        let statements = ["1 | update t set a = $2 where b = p_kind", "2 | select $1 from u"];
        assert_eq!(told(false, &[CLAIM], &statements), ["1: app.claim {1}"]);
        assert_eq!(told(false, &[], &statements), [""; 0]);
    }
}
