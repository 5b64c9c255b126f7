//! The statements of the window, with their totals: what the `query-` rules share.

use super::context::{show, state};
use super::functions::Functions;
use super::server_settings::server_value;
use super::statement::{self, Family};
use super::{Context, Skip, Threshold, lock_waits, secret};
use crate::advisor::span::Span;
use crate::diff::{Chain, Change};
use crate::finding::{Doubt, Fix, Subject, SubjectKind};
use crate::ident::visible;
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::Unit;
use std::collections::BTreeMap;

/// Text that PostgreSQL shows instead of another role's statement.
pub const HIDDEN: &str = "<insufficient privilege>";

/// Shortest window in which shares of the workload mean something.
pub const MIN_WINDOW: Threshold = Threshold {
    name: "min_window_s",
    default: 600.0,
    unit: Unit::Seconds,
    about: "Below ten minutes a share shows one moment, not the workload.",
};
/// Window from which on shares are taken without doubt.
pub const GOOD_WINDOW: Threshold = Threshold {
    name: "good_window_s",
    default: 3_600.0,
    unit: Unit::Seconds,
    about: "Below an hour a single job can dominate; costs one step of confidence.",
};
/// Fewest calls in which shares of the workload mean something.
pub const MIN_CALLS: Threshold = Threshold {
    name: "min_calls",
    default: 1_000.0,
    unit: Unit::Count,
    about: "With fewer calls of all statements together a share rests on chance.",
};

/// What clients sent in the window: the whole that shares of statements are of.
///
/// With `pg_stat_statements.track = all` the statements inside of functions have rows of their own, and what they took is
/// in the rows of the statements that called them as well: they are listed, and not in these sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recorded {
    /// Calls.
    pub calls: f64,
    /// Milliseconds of execution.
    pub exec_ms: f64,
    /// Shared blocks read or found in cache.
    pub buffers: f64,
    /// Whether statements inside of functions may be among them: they are recorded, and nothing tells them apart.
    pub counts_twice: bool,
}

impl Recorded {
    /// Sums up the statements of a database, or of all where none is named.
    pub fn of(chain: &Chain, functions: &Functions<'_>, database: Option<i64>) -> Self {
        let Some(view) = chain.view("pg_stat_statements") else { return Self::default() };
        let mut out = Self::default();
        for change in view.present() {
            let Some(row) = change.last() else { continue };
            let foreign = database.zip(row.int("dbid")).is_some_and(|(ours, theirs)| ours != theirs);
            let delta = |column| change.delta(column).unwrap_or(0.0);
            let calls = delta("calls");
            if foreign || calls <= 0.0 || is_nested(row, functions) {
                continue;
            }
            out.calls += calls;
            out.exec_ms += delta("total_exec_time");
            out.buffers += delta("shared_blks_hit") + delta("shared_blks_read");
        }
        let told_apart = view.last.as_ref().is_some_and(|t| t.has("toplevel"));
        let settings = state(chain, "pg_settings");
        let track = settings.and_then(|s| s.table.iter().find(|r| r.text("name") == Some("pg_stat_statements.track")));
        out.counts_twice = !told_apart && !matches!(track.and_then(server_value), Some("top" | "none"));
        out
    }
}

/// Whether a row of `pg_stat_statements` ran inside of a function. The server tells from 14 on; before, only bodies and
/// logged plans do.
pub fn is_nested(row: Row<'_>, functions: &Functions<'_>) -> bool {
    row.bool("toplevel").map_or_else(|| functions.of_statement(row).is_some(), |top| !top)
}

/// A statement's changes.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// Its changes over the window.
    pub change: Change<'a>,
    /// Its newest row.
    pub row: Row<'a>,
    /// Its family.
    pub family: Family,
}

/// All top-level statements and their sums.
#[derive(Debug)]
pub struct Workload<'a> {
    /// Those with calls in the window.
    pub statements: Vec<Statement<'a>>,
    /// Seconds that the statistics cover.
    pub window_s: f64,
    /// Seconds of the whole window.
    longest_s: f64,
    /// Their sums.
    pub recorded: Recorded,
    /// Doubts that hold for every statement: one snapshot, a short window, evictions, hidden texts.
    pub doubts: Vec<Option<Doubt>>,
    databases: BTreeMap<i64, &'a str>,
    roles: BTreeMap<i64, &'a str>,
    lock_waits: BTreeMap<i64, f64>,
}

impl<'a> Workload<'a> {
    /// Reads it; skips where the window is below the rule's `min_window_s` or the calls are below its `min_calls`.
    /// A window below `good_window_s` is a doubt.
    pub fn read(ctx: &Context<'a>) -> Result<Self, Skip> {
        let changes = ctx
            .changes("pg_stat_statements")
            .filter(|v| v.last.is_some())
            .ok_or_else(|| Skip("the last snapshot has no statement statistics".to_owned()))?;
        let mut out = Self {
            statements: Vec::new(),
            window_s: 0.0,
            longest_s: 0.0,
            recorded: Recorded::of(ctx.chain, &ctx.facts.functions, None),
            doubts: Vec::new(),
            databases: names(ctx, "pg_stat_database", "datid", "datname"),
            roles: names(ctx, "pg_stat_activity", "usesysid", "usename"),
            lock_waits: lock_waits::by_query(ctx),
        };
        let (mut covered, mut rows, mut hidden) = (0.0_f64, 0_usize, 0_usize);
        for change in changes.present() {
            let Some(row) = change.last() else { continue };
            rows += 1;
            hidden += usize::from(row.text("query") == Some(HIDDEN));
            covered = covered.max(change.covered_s().unwrap_or(0.0));
            if change.delta("calls").unwrap_or(0.0) <= 0.0 || is_nested(row, &ctx.facts.functions) {
                continue;
            }
            let family = row.text("query").map_or(Family::Unknown, statement::family);
            out.statements.push(Statement { change, row, family });
        }
        // A reset of all statements leaves less than the window.
        out.longest_s = ctx.chain.elapsed_s.unwrap_or(covered);
        out.window_s = if covered > 0.0 { covered } else { out.longest_s };
        if out.window_s < ctx.threshold("min_window_s") {
            return Err(Skip(format!(
                "statement statistics cover {}, this check needs {}",
                show(out.window_s, Unit::Seconds),
                show(ctx.threshold("min_window_s"), Unit::Seconds)
            )));
        }
        if out.recorded.calls < ctx.threshold("min_calls") {
            return Err(Skip(format!(
                "{} statements in the window, this check needs {}",
                show(out.recorded.calls, Unit::Count),
                show(ctx.threshold("min_calls"), Unit::Count)
            )));
        }
        let evicted = ctx.changes("pg_stat_statements_info").map_or(0.0, |v| v.total("dealloc"));
        out.doubts = vec![
            ctx.single_doubt(),
            (out.window_s < ctx.threshold("good_window_s")).then_some(Doubt::C2),
            (evicted > 0.0 || (hidden > 0 && hidden * 20 >= rows)).then_some(Doubt::C7),
        ];
        Ok(out)
    }

    /// The statements inside of functions that had calls in the window; their times are part of those that called them.
    pub fn nested(ctx: &Context<'a>) -> Vec<Statement<'a>> {
        let inside = |change: Change<'a>| {
            let row = change.last().filter(|r| is_nested(*r, &ctx.facts.functions))?;
            let family = row.text("query").map_or(Family::Unknown, statement::family);
            change.delta("calls").is_some_and(|calls| calls > 0.0).then_some(Statement { change, row, family })
        };
        let all = ctx.changes("pg_stat_statements").into_iter().flat_map(crate::diff::ViewChange::present);
        all.filter_map(inside).collect()
    }

    /// The statement's share of the recorded execution time.
    pub fn time_share(&self, s: &Statement<'_>) -> f64 {
        part(s.delta("total_exec_time"), self.recorded.exec_ms)
    }

    /// Seconds for which it was seen waiting for locks, where that is most of its time: EXPLAIN shows nothing of them.
    pub fn mostly_waits_s(&self, s: &Statement<'_>) -> Option<f64> {
        let waited = *self.lock_waits.get(&s.row.int("queryid")?)?;
        (waited * 1e3 >= s.delta("total_exec_time") / 2.0).then_some(waited)
    }

    /// A sentence with a share in it, and that its whole may count twice where it may.
    pub fn shared(&self, said: impl Into<Text>) -> Text {
        let said = said.into();
        if !self.recorded.counts_twice {
            return said;
        }
        said.t(" The export does not tell the statements of clients from those inside of functions: the whole may count some twice.")
    }

    /// Seconds of execution per second of the time its numbers cover: how many sessions it keeps busy on average.
    pub fn load(&self, s: &Statement<'_>) -> f64 {
        s.delta("total_exec_time") / 1e3 / self.span(s).seconds
    }

    /// Whether sums over all of them are exact, else they are lower bounds.
    pub fn is_exact(&self) -> bool {
        self.statements.iter().all(|s| s.change.is_exact())
    }

    /// The time that its rates are over.
    pub fn span(&self, s: &Statement<'_>) -> Span {
        Span::of(s.change, self.longest_s)
    }

    /// Sum of a counter over all top-level statements.
    pub fn total(&self, column: &str) -> f64 {
        self.statements.iter().map(|s| s.delta(column)).sum()
    }

    /// The statements by a measure, largest first; equal ones in the order of their ids.
    pub fn by(&self, measure: impl Fn(&Statement<'a>) -> f64) -> Vec<(&Statement<'a>, f64)> {
        let mut ranked: Vec<_> = self.statements.iter().map(|s| (s, measure(s))).collect();
        ranked.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| a.ids().cmp(&b.ids())));
        ranked
    }

    /// The name of the role that runs the statement, where a sample of activity shows one with its id.
    pub fn role(&self, s: &Statement<'_>) -> Option<&'a str> {
        self.roles.get(&s.row.int("userid")?).copied()
    }

    /// What a finding on the statement is about: its id, where it runs and as whom, so that equal ids stay apart.
    pub fn subject(&self, s: &Statement<'_>) -> Subject {
        let at = s.row.int("dbid").map(|id| match self.databases.get(&id) {
            Some(name) => format!(" on {}", visible(name)),
            None => format!(" on database {id}"),
        });
        let twin = |o: &&Statement<'_>| o.ids()[..2] == s.ids()[..2];
        let who = if self.statements.iter().filter(twin).nth(1).is_some() {
            match (self.role(s), s.row.int("userid")) {
                (Some(role), _) => format!(" as {}", visible(role)),
                (None, id) => format!(" as role {}", id.unwrap_or_default()),
            }
        } else {
            String::new()
        };
        let name = format!("{}{}{who}", s.id(), at.unwrap_or_default());
        Subject::new(SubjectKind::Statement, name)
    }
}

fn names<'a>(ctx: &Context<'a>, view: &'a str, id: &str, name: &str) -> BTreeMap<i64, &'a str> {
    ctx.samples(view).flat_map(|(_, t)| t.iter()).filter_map(|r| Some((r.int(id)?, r.text(name)?))).collect()
}

impl<'a> Statement<'a> {
    /// A counter's change, 0 where there is none.
    pub fn delta(&self, column: &str) -> f64 {
        self.change.delta(column).unwrap_or(0.0)
    }

    /// Its text, where it may be seen.
    pub fn text(&self) -> Option<&'a str> {
        self.row.text("query").filter(|q| *q != HIDDEN)
    }

    /// Its identity as people read it: `queryid 123`.
    pub fn id(&self) -> String {
        self.row.int("queryid").map_or_else(|| "a statement without queryid".to_owned(), |id| format!("queryid {id}"))
    }

    fn ids(&self) -> [Option<i64>; 3] {
        [self.row.int("queryid"), self.row.int("dbid"), self.row.int("userid")]
    }

    /// Its text on one line, cut, or its id where the text is hidden or holds a secret.
    pub fn headline(&self) -> String {
        let shown = self.text().filter(|t| secret::find(t).is_none()).map(|t| statement::one_line(t, 72));
        shown.filter(|t| !t.is_empty()).unwrap_or_else(|| self.id())
    }

    /// Whether it is maintenance, a load, a dump or a schema change: work that is not the application's everyday.
    pub const fn is_upkeep(&self) -> bool {
        matches!(self.family, Family::Copy | Family::Maintenance | Family::Definition)
    }

    /// Read-only SQL that shows the statement's whole text and how to get its plan.
    ///
    /// The text itself is not put into the SQL: it comes from a stranger and may hold more than one statement.
    pub fn look_up(&self, major: u8) -> Fix {
        let plan = if self.text().is_some_and(outlives_rollback) {
            "-- EXPLAIN <text>;  and nothing that runs it: ROLLBACK does not undo what its functions do"
        } else if major >= 16 {
            "-- EXPLAIN (GENERIC_PLAN) <text>;  needs no values\n-- EXPLAIN (ANALYZE, BUFFERS, SETTINGS) <text with real values>;  runs it: writes inside BEGIN … ROLLBACK"
        } else {
            "-- EXPLAIN (ANALYZE, BUFFERS, SETTINGS) <text with real values>;  runs it: writes inside BEGIN … ROLLBACK"
        };
        let sql = match self.row.int("queryid") {
            Some(id) => format!("SELECT query FROM pg_stat_statements WHERE queryid = {id};\n{plan}"),
            None => plan.to_owned(),
        };
        Fix::diagnose(self.id(), sql)
    }
}

/// Whether a text calls functions whose effects no ROLLBACK undoes: changes read from a slot are gone (tried on
/// PostgreSQL 15), sessions are ended, other servers have done what they were asked.
fn outlives_rollback(text: &str) -> bool {
    const CALLS: [&str; 8] = [
        "pg_logical_slot_get_",
        "pg_replication_slot_advance",
        "pg_drop_replication_slot",
        "pg_terminate_backend",
        "pg_cancel_backend",
        "pg_stat_reset",
        "pg_stat_statements_reset",
        "dblink",
    ];
    let text = text.to_ascii_lowercase();
    CALLS.iter().any(|call| text.contains(call))
}

/// A share, 0 where there is nothing to divide by.
pub fn part(of: f64, whole: f64) -> f64 {
    if whole > 0.0 { of / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rollback_does_not_undo_is_not_run_for_its_plan() {
        assert!(outlives_rollback("select count(*) from pg_logical_slot_get_changes($1, $2, $3)"));
        assert!(outlives_rollback("SELECT * FROM DBLINK($1, $2) AS t(a int)"));
        assert!(!outlives_rollback("update t set a = $1"));
    }

    use crate::advisor::testing::chain;
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    /// A call that takes 100 ms, 90 of them in a statement of its function; the level as the server tells it, or not.
    fn taken(at: &str, calls: u32, level: bool, track: Option<&str>) -> Arc<Snapshot> {
        let mark = |top: &str| if level { format!("{top} | ") } else { String::new() };
        let header = if level { "userid | dbid | toplevel | " } else { "userid | dbid | " };
        let blocks = calls * 10;
        let rows = [
            format!("10 | 5 | {}1 | select f($1) | {calls} | {} | {blocks} | 0", mark("t"), calls * 100),
            format!(
                "10 | 5 | {}2 | select a from t where b = p_b | {calls} | {} | {blocks} | 0",
                mark("f"),
                calls * 90
            ),
        ];
        let mut b = literal(at).view(
            "pg_stat_statements",
            &format!("{header}queryid | query | calls | total_exec_time | shared_blks_hit | shared_blks_read"),
            &rows.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        if let Some(track) = track {
            let row = format!("pg_stat_statements.track | none | session | {track}");
            b = b.view("pg_settings", "name | setting | source | reset_val", &[&row]);
        }
        b.build()
    }

    fn recorded(level: bool, track: Option<&str>) -> Recorded {
        let taken = |at, calls| taken(at, calls, level, track);
        let chain = chain(&[taken("2026-11-22 10:00:00+00", 0), taken("2026-11-22 11:00:00+00", 8)]);
        Recorded::of(&chain, &Functions::of(&chain), None)
    }

    #[test]
    fn what_ran_inside_of_functions_is_not_counted_again() {
        let once = Recorded { calls: 8.0, exec_ms: 800.0, buffers: 80.0, counts_twice: false };
        assert_eq!(recorded(true, Some("all")), once);
        let twice = Recorded { calls: 16.0, exec_ms: 1_520.0, buffers: 160.0, counts_twice: true };
        assert_eq!(recorded(false, Some("all")), twice, "nothing tells them apart, and that is said");
        assert!(recorded(false, None).counts_twice, "what is tracked is not known");
        assert!(!recorded(false, Some("top")).counts_twice, "none inside of functions is recorded");
    }
}
