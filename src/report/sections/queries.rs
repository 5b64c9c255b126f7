//! Queries and functions: the statements that took the time, and the functions.

use crate::advisor::{Recorded, is_nested};
use crate::diff::moments::Sigma;
use crate::diff::{Change, Phase};
use crate::error::Result;
use crate::report::absent;
use crate::report::cells::{counted, fact, prose};
use crate::report::draft::{Body, Draft};
use crate::report::names::one_line;
use crate::report::sparks::{Of, Sparks};
use crate::report::table::{ranked, table};
use crate::report::{Bar, Block, Bound, Cell};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// What this section shows.
pub(super) const VIEWS: &[&str] =
    &["pg_stat_statements", "pg_stat_statements_info", "pg_stat_user_functions", "function_definitions"];

/// The longest statement text kept whole.
const LONGEST: usize = 100_000;

/// Writes the section.
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let mut blocks = Vec::new();
    blocks.extend(absent::sentence(draft, "pg_stat_statements", "No statement was recorded."));
    let statements = statements(draft)?;
    let n = statements.as_ref().map_or(0, |s| s.1);
    let filled = statements.is_some();
    blocks.extend(statements.map(|s| s.0).unwrap_or_default());
    blocks.extend(absent::sentence(
        draft,
        "pg_stat_user_functions",
        "No function was counted: track_functions is none, or only SQL functions that are inlined were called.",
    ));
    let functions = super::functions::blocks(draft)?;
    let plans = super::plans::blocks(draft);
    let any = filled || functions.is_some() || !plans.is_empty();
    blocks.extend(functions.unwrap_or_default());
    blocks.extend(plans);
    Ok(if any { Body::filled(blocks).count(n) } else { Body::absent(blocks) })
}

/// A statement that ran in the window.
pub(super) struct Statement<'a> {
    pub(super) change: Change<'a>,
    /// Calls.
    pub(super) calls: f64,
    /// Execution time in milliseconds.
    pub(super) total: f64,
}

impl Statement<'_> {
    /// Mean execution time.
    pub(super) fn mean(&self) -> Option<Quantity> {
        if self.calls > 0.0 { Quantity::float(self.total / self.calls, Unit::Ms) } else { None }
    }

    /// The statement on one line.
    pub(super) fn title(&self) -> String {
        let row = self.change.latest();
        match row.and_then(super::statement_text).filter(|q| !q.trim().is_empty()) {
            Some(text) => one_line(text, 160),
            None => {
                row.and_then(|r| r.int("queryid")).map_or_else(|| "(no text)".to_owned(), |id| format!("queryid {id}"))
            }
        }
    }
}

/// The statements that ran in the window, most time first.
pub(super) fn ran<'a>(draft: &Draft<'a>) -> Result<Vec<Statement<'a>>> {
    let Some(view) = draft.chain.view("pg_stat_statements") else { return Ok(Vec::new()) };
    let all: Vec<Statement<'a>> = view
        .iter()
        .filter_map(|change| {
            let (calls, total) = (change.delta("calls")?, change.delta("total_exec_time")?);
            (calls > 0.0).then_some(Statement { change, calls, total })
        })
        .collect();
    // Texts repeat under several ids: the id keeps the order total.
    let names: Vec<String> = all
        .iter()
        .map(|s| {
            let id = |c: &str| s.change.latest().and_then(|r| r.int(c)).unwrap_or_default();
            format!("{} {} {} {}", s.title(), id("queryid"), id("userid"), id("dbid"))
        })
        .collect();
    let order = ranked(&all.iter().map(|s| Some(s.total)).collect::<Vec<_>>(), &names)?;
    let mut slots: Vec<Option<Statement<'a>>> = all.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|at| slots.get_mut(at)?.take()).collect())
}

fn statements(draft: &mut Draft<'_>) -> Result<Option<(Vec<Block>, usize)>> {
    let Some(view) = draft.chain.view("pg_stat_statements") else { return Ok(None) };
    let in_all = view.iter().filter(|c| c.delta("calls").is_some_and(|n| n > 0.0)).count();
    let list = ran(draft)?;
    let functions = &draft.facts.functions;
    let whole = Recorded::of(draft.chain, functions, None);
    let inside = list.iter().filter_map(|s| s.change.last()).filter(|r| is_nested(*r, functions)).count();
    let link = draft.cite(
        "Statements",
        &["pg_stat_statements"],
        &["calls", "total_exec_time", "rows", "shared_blks_hit", "shared_blks_read"],
        Some("mean = Δtotal_exec_time ÷ Δcalls; share = Δtotal_exec_time ÷ its sum over the statements of clients"),
    );
    let mut blocks = draft.age_note("pg_stat_statements").into_iter().collect::<Vec<_>>();
    blocks.extend(eviction(draft));
    let title =
        if draft.single() { "Top statements since their statistics began" } else { "Top statements in the window" };
    let mut out = table("statements", title)
        .about(
            Text::new()
                .t("By execution time. Statements that failed are not counted by the server. ")
                .t(counted_in(inside, whole))
                .then(link),
        )
        .name("Statement")
        .number("Calls")
        .number("Time")
        .largest_first()
        .graphic("Share")
        .number("Mean")
        .number("σ")
        .number("Rows per call")
        .number("Blocks per call")
        .text("Findings")
        .if_any()
        .empty("No statement ran in the window");
    let sparks = Sparks::of(draft, "pg_stat_statements", Of::MeanTime);
    if sparks.is_some() {
        out = out.graphic("Mean over time");
    }
    for statement in &list {
        let change = statement.change;
        let share = Quantity::share(statement.total, whole.exec_ms);
        let object = format!("queryid {}", change.latest().and_then(|r| r.int("queryid")).unwrap_or_default());
        let mut cells = vec![
            Cell::code(statement.title()),
            counted(change, "calls"),
            counted(change, "total_exec_time"),
            share.map_or(Cell::None, |value| {
                Cell::Bar(Bar { value, fraction: value.as_f64().clamp(0.0, 1.0), mark: None })
            }),
            Cell::number_or(statement.mean(), "no call"),
            deviation(change),
            per_call(statement, change.delta("rows"), Unit::Rows),
            per_call(statement, blocks_of(change), Unit::Blocks),
            draft.links_of(&object, &["query-", "sql-"]).map_or(Cell::None, Cell::Text),
        ];
        cells.extend(sparks.as_ref().map(|s| s.cell(change.latest())));
        out.push_with(cells, || details(draft, statement));
    }
    let bound = list.iter().any(|s| !s.change.is_exact()).then_some(Bound::AtLeast);
    let total = |value: f64, unit| match Quantity::float(value, unit) {
        Some(value) => Cell::Number { value, change: None, bound },
        None => Cell::NotAvailable("n/a".to_owned()),
    };
    let mut totals = vec![
        Cell::Text(Text::new().n(Quantity::count(in_all)).t(" statements")),
        total(whole.calls, Unit::Count),
        total(whole.exec_ms, Unit::Ms),
    ];
    totals.resize(if sparks.is_some() { 10 } else { 9 }, Cell::None);
    out = out.totals(totals).rows_in_all(in_all);
    blocks.push(out.block());
    Ok(Some((blocks, in_all)))
}

/// What the sums of the table are of.
const fn counted_in(inside: usize, whole: Recorded) -> &'static str {
    match (inside, whole.counts_twice) {
        (_, true) => {
            "The export does not tell the statements of clients from those inside of functions: sums may count some twice. "
        }
        (0, false) => "",
        (_, false) => {
            "What ran inside of functions is part of what called it: it is listed, and neither in the sums nor in what shares are of. "
        }
    }
}

fn eviction(draft: &mut Draft<'_>) -> Option<Block> {
    let change = draft.chain.view("pg_stat_statements_info")?.present().next()?;
    let evicted = change.delta("dealloc").filter(|n| *n > 0.0)?;
    let link = draft.cite("Evicted entries", &["pg_stat_statements_info"], &["dealloc"], None);
    Some(Block::Note {
        kind: crate::report::NoteKind::Warning,
        text: Text::new()
            .t("pg_stat_statements evicted entries ")
            .opt(Quantity::float(evicted, Unit::Count))
            .t(" times ")
            .t(draft.span())
            .t(": rare statements are missing here, and shares are of what was kept. Raise ")
            .code("pg_stat_statements.max")
            .t(". ")
            .then(link),
    })
}

fn blocks_of(change: Change<'_>) -> Option<f64> {
    Some(change.delta("shared_blks_hit")? + change.delta("shared_blks_read")?)
}

fn per_call(statement: &Statement<'_>, value: Option<f64>, unit: Unit) -> Cell {
    Cell::number_or(value.and_then(|v| Quantity::float(v / statement.calls, unit)), "not exported")
}

/// The population standard deviation over the window, where it can be had exactly.
fn deviation(change: Change<'_>) -> Cell {
    match change.moments(Phase::Exec).map(|m| m.sigma) {
        Some(Sigma::Exactly(ms)) => Cell::number_or(Quantity::float(ms, Unit::Ms), "n/a"),
        Some(Sigma::AtMost(ms)) => Quantity::float(ms, Unit::Ms).map_or(Cell::None, |value| Cell::Number {
            value,
            change: None,
            bound: Some(Bound::AtMost),
        }),
        Some(Sigma::Undefined) => Cell::NotAvailable("one call has none".to_owned()),
        None => Cell::NotAvailable("not exported, or the statement's counters were reset".to_owned()),
    }
}

/// Where a statement inside of a function was called from.
fn called_from(draft: &Draft<'_>, row: Option<Row<'_>>) -> Cell {
    let nested = row.and_then(|r| draft.facts.functions.of_statement(r));
    match nested.map(|n| n.owners.as_slice()).filter(|o| !o.is_empty()) {
        Some(owners) => Cell::Text(Text::new().t("from inside ").then(super::functions::owners(owners))),
        None => Cell::text("from inside a function"),
    }
}

fn details(draft: &Draft<'_>, statement: &Statement<'_>) -> Vec<Block> {
    let change = statement.change;
    let row = change.latest();
    let mut blocks = Vec::new();
    if let Some(text) = row.and_then(super::statement_text) {
        let text = if text.len() > LONGEST {
            format!("{}…", text.chars().take(LONGEST / 4).collect::<String>())
        } else {
            text.to_owned()
        };
        blocks.push(Block::Code { language: "sql".to_owned(), text });
    }
    let mut items = Vec::new();
    for (label, column) in [("Query id", "queryid"), ("Role (OID)", "userid"), ("Database (OID)", "dbid")] {
        if let Some(id) = row.and_then(|r| r.int(column)) {
            items.push(fact(label, Cell::number(Quantity::int(id, Unit::Plain))));
        }
    }
    if row.and_then(|r| r.bool("toplevel")) == Some(false) {
        items.push(fact("Called", called_from(draft, row)));
    }
    for (label, column) in [
        ("Rows", "rows"),
        ("Blocks found in shared buffers", "shared_blks_hit"),
        ("Blocks read", "shared_blks_read"),
        ("Blocks dirtied", "shared_blks_dirtied"),
        ("Temporary blocks written", "temp_blks_written"),
        ("Time reading blocks", "shared_blk_read_time"),
        ("WAL", "wal_bytes"),
        ("Times planned", "plans"),
        ("Time planning", "total_plan_time"),
    ] {
        if change.delta(column).is_some_and(|n| n > 0.0) {
            items.push(fact(label, counted(change, column)));
        }
    }
    blocks.push(Block::Facts { title: format!("Counted {}", draft.span()), items });
    blocks.extend(draft.notes_of(Some(change)).map(prose));
    blocks.push(draft.places(&[change.first().filter(|_| !draft.single()), change.last()]));
    blocks
}
