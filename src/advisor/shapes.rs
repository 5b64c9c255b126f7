//! Statements judged by their shape: which are read, and what their findings have in common.

use super::functions::names;
use super::sql::{Block, Source, Statement as Sql, Text as Given, Unread, read_all};
use super::workload::{Statement, Workload, is_nested};
use super::{Checked, Context, Skip, TableFact, Threshold};
use crate::finding::{Effort, Finding, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// Calls below which nobody pays for a shape.
pub const MIN_STATEMENT_CALLS: Threshold = Threshold {
    name: "min_statement_calls",
    default: 100.0,
    unit: Unit::Count,
    about: "Fewer calls are nobody's everyday work.",
};
/// Share of the execution time from which on a shape is more than a habit.
pub const MEDIUM_SHARE: Threshold = Threshold {
    name: "medium_share",
    default: 0.05,
    unit: Unit::Share,
    about: "A twentieth of the execution time: it is felt.",
};

/// Most statements that are read, those with the most time.
const MOST: usize = 4_000;

/// Statements of the window, those inside of functions too, read with PostgreSQL's grammar.
#[derive(Debug)]
pub struct Shapes<'a> {
    /// All statements of clients.
    pub work: Workload<'a>,
    /// Those that were read, the most time first.
    pub all: Vec<(Statement<'a>, Result<Sql, Unread>)>,
    /// How many more there are.
    pub left_out: usize,
}

impl<'a> Shapes<'a> {
    /// Reads the statements with enough calls (`min_statement_calls`) whose texts are worth it.
    pub fn read(ctx: &Context<'a>, worth: impl Fn(&str) -> bool) -> Result<Self, Skip> {
        let work = Workload::read(ctx)?;
        let mut all: Vec<Statement<'_>> = work.statements.clone();
        all.extend(Workload::nested(ctx));
        all.retain(|s| s.delta("calls") >= ctx.threshold("min_statement_calls") && s.text().is_some_and(&worth));
        all.sort_by(|a, b| {
            b.delta("total_exec_time").total_cmp(&a.delta("total_exec_time")).then_with(|| a.id().cmp(&b.id()))
        });
        let left_out = all.len().saturating_sub(MOST);
        all.truncate(MOST);
        let functions = &ctx.facts.functions;
        let texts: Vec<Given<'_>> = all
            .iter()
            .filter_map(|s| Some(Given { sql: s.text()?, nested: is_nested(s.row, functions), path: &[] }))
            .collect();
        let read = read_all(&texts, &names(ctx.facts, texts.iter().map(|t| t.sql)));
        Ok(Self { work, all: all.into_iter().zip(read).collect(), left_out })
    }

    /// Those that were understood.
    pub fn understood(&self) -> impl Iterator<Item = (&Statement<'a>, &Sql)> {
        self.all.iter().filter_map(|(s, read)| Some((s, read.as_ref().ok()?)))
    }

    /// Low, medium from `medium_share` of the execution time on.
    pub fn severity(&self, ctx: &Context<'_>, s: &Statement<'_>) -> Severity {
        if self.work.time_share(s) >= ctx.threshold("medium_share") { Severity::Medium } else { Severity::Low }
    }

    /// A finding on a statement: its text, then what is said of it, and the function that it stands in.
    pub fn found(&self, ctx: &Context<'a>, s: &Statement<'a>, severity: Severity, said: Text) -> Finding {
        let share = self.work.time_share(s);
        let mut title = Text::new().code(s.headline()).t(" ").then(said);
        if let Some(owner) = ctx.facts.functions.owner_of(s.row) {
            title = title.t(", in ").name(owner.name.clone());
        }
        ctx.finding(severity, self.work.subject(s), title)
            .doubts(self.work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
            .measure(ctx.measure("Calls", s.change, "calls"))
            .measure(ctx.measure("Time", s.change, "total_exec_time"))
            .measure(ctx.over_window(
                "Share of the execution time",
                Quantity::float(share, Unit::Share),
                "its time ÷ the time of all statements that clients sent".to_owned(),
                &[(s.row, &["total_exec_time"])],
            ))
            .fix(s.look_up(ctx.major()))
            .effort(Effort::S)
            .share(Some(share))
    }

    /// The result: what was found, else what was looked at.
    pub fn checked(&self, findings: Vec<Finding>, what: &str) -> Checked {
        let cut = if self.left_out > 0 { format!(", {} more not read", self.left_out) } else { String::new() };
        let read = self.understood().count();
        let of = if read < self.all.len() { format!(" of {}", self.all.len()) } else { String::new() };
        Checked { findings, looked_at: format!("{}{of} {what}{cut}", counted(read, "statement", "statements")) }
    }
}

/// The table that a relation of a block is.
pub fn table_of<'c, 'a>(ctx: &Context<'a>, block: &Block, relation: usize) -> Option<&'c TableFact<'a>>
where
    'a: 'c,
{
    match block.relations.get(relation)?.source {
        Source::Table(relid) => ctx.facts.table(relid),
        _ => None,
    }
}
