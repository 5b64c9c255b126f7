//! Functions: what they took, what their bodies hold, and which statements ran inside of them.

use crate::advisor::functions::{Evidence, Function, Nested, Owner, read_bodies, row_locks};
use crate::advisor::sql::Otherwise;
use crate::diff::Change;
use crate::error::Result;
use crate::report::cells::{counted, counted_words, fact, prose};
use crate::report::draft::Draft;
use crate::report::names::{one_line, qualified};
use crate::report::table::{ranked, table};
use crate::report::{Bar, Block, Cell, NoteKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The most functions whose bodies are read for the report.
const MOST_READ: usize = 100;
/// The most statements inside of functions that are listed.
const MOST: usize = 200;

/// The functions and the statements inside of them; nothing where neither was counted.
pub(super) fn blocks(draft: &mut Draft<'_>) -> Result<Option<Vec<Block>>> {
    let mut blocks = functions(draft)?.unwrap_or_default();
    blocks.extend(nested(draft));
    blocks.extend(left_out(draft));
    Ok(if blocks.is_empty() { None } else { Some(blocks) })
}

/// What was too much to be read.
fn left_out(draft: &Draft<'_>) -> Option<Block> {
    let functions = &draft.facts.functions;
    let mut text = Text::new();
    if functions.unread > 0 {
        text = text
            .then(counted_words(functions.unread, "function was", "functions were"))
            .t(" not read: the bodies before are too long together. What their statements do is not known. ");
    }
    let (statements, ms) = functions.beyond;
    if statements > 0 {
        text = text
            .then(counted_words(statements, "statement", "statements"))
            .t(" inside of functions, those with the least time, ")
            .opt(Quantity::float(ms, Unit::Ms))
            .t(" together, were not looked up in bodies and logged plans.");
    }
    if functions.foreign > 0 {
        text = text
            .then(counted_words(functions.foreign, "logged plan names", "logged plans name"))
            .t(" a function in words of a language that is not read (lc_messages): where it ran is not known.");
    }
    (functions.unread > 0 || statements > 0 || functions.foreign > 0)
        .then_some(Block::Note { kind: NoteKind::Warning, text })
}

fn functions(draft: &mut Draft<'_>) -> Result<Option<Vec<Block>>> {
    let Some(view) = draft.chain.view("pg_stat_user_functions").filter(|v| !v.is_empty()) else { return Ok(None) };
    let link = draft.cite(
        "Functions",
        &["pg_stat_user_functions"],
        &["calls", "total_time", "self_time"],
        Some("mean = Δtotal_time ÷ Δcalls; share = Δself_time ÷ its sum over all functions"),
    );
    let all: Vec<Change<'_>> = view.iter().filter(|c| c.delta("calls").is_some_and(|n| n > 0.0)).collect();
    let sum: f64 = all.iter().filter_map(|c| c.delta("self_time")).sum();
    let name = |c: &Change<'_>| {
        let row = c.latest();
        qualified(row.and_then(|r| r.text("schemaname")), row.and_then(|r| r.text("funcname")), "(no name)")
    };
    let mut out = table("functions", "Functions")
        .about(
            Text::new()
                .t("Calls ")
                .t(draft.span())
                .t("; time includes what a function calls, own time does not. The statements inside are those that are known to be \
                    its own: their time as pg_stat_statements counts it, of the function's time. ")
                .then(link),
        )
        .name("Function")
        .number("Calls")
        .number("Time")
        .number("Own time")
        .largest_first()
        .graphic("Share of own time")
        .number("Mean")
        .number("In its statements")
        .text("Findings")
        .if_any()
        .empty("No function was called in the window");
    let names: Vec<String> = all.iter().map(name).collect();
    let values: Vec<Option<f64>> = all.iter().map(|c| c.delta("self_time")).collect();
    let order = ranked(&values, &names)?;
    let bodies = bodies(draft, order.iter().filter_map(|at| all.get(*at)));
    for at in order {
        let (change, name) = (all[at], &names[at]);
        let mean =
            change.delta("total_time").zip(change.delta("calls")).and_then(|(t, n)| Quantity::float(t / n, Unit::Ms));
        let share = change.delta("self_time").and_then(|t| Quantity::share(t, sum));
        let cells = vec![
            Cell::name(name.clone()),
            counted(change, "calls"),
            counted(change, "total_time"),
            counted(change, "self_time"),
            share.map_or(Cell::None, |value| {
                Cell::Bar(Bar { value, fraction: value.as_f64().clamp(0.0, 1.0), mark: None })
            }),
            Cell::number_or(mean, "no call"),
            inside(draft, change),
            draft.links_of(name, &["func-"]).map_or(Cell::None, Cell::Text),
        ];
        let funcid = change.last().and_then(|r| r.int("funcid"));
        out.push_with(cells, || {
            let mut details: Vec<Block> = funcid.and_then(|id| bodies.get(&id)).cloned().into_iter().collect();
            details.push(draft.places(&[change.first().filter(|_| !draft.single()), change.last()]));
            details
        });
    }
    Ok(Some(vec![out.rows_in_all(all.len()).block()]))
}

/// The share of a function's time that its own statements took.
fn inside(draft: &Draft<'_>, change: Change<'_>) -> Cell {
    let functions = &draft.facts.functions;
    let Some(row) = change.last() else { return Cell::None };
    let time: f64 = functions.ran_in(row).map(|n| n.time_ms).sum();
    if functions.ran_in(row).next().is_some() {
        let share = change.delta("total_time").and_then(|total| Quantity::share(time, total));
        return Cell::number_or(share, "no time measured");
    }
    let function = row.int("funcid").and_then(|id| functions.by_oid(id));
    Cell::NotAvailable(
        match function {
            _ if functions.nested.is_empty() => "no statement inside of a function was recorded",
            None => "its body was not exported",
            Some(f) if f.is_atomic => "statements of such a body are not recorded",
            Some(f) if f.body.is_none() => "its language is not read",
            Some(_) => "no statement is known to be its own",
        }
        .to_owned(),
    )
}

/// What the bodies of functions hold, by their OIDs.
fn bodies<'c>(draft: &Draft<'_>, changes: impl Iterator<Item = &'c Change<'c>>) -> BTreeMap<i64, Block> {
    let ids: Vec<i64> = changes.filter_map(|c| c.last()?.int("funcid")).collect();
    let known: Vec<(i64, &Function<'_>)> =
        ids.iter().filter_map(|id| Some((*id, draft.facts.functions.by_oid(*id)?))).take(MOST_READ).collect();
    if known.is_empty() {
        return BTreeMap::new();
    }
    let functions: Vec<&Function<'_>> = known.iter().map(|(_, f)| *f).collect();
    let read = read_bodies(&draft.facts, &functions);
    known.iter().zip(&read).map(|((id, f), read)| (*id, body(f, &row_locks(f, read)))).collect()
}

fn body(function: &Function<'_>, locks: &[(usize, Otherwise)]) -> Block {
    let mut items = vec![fact("Arguments", Cell::text(function.row.text("identity_args").unwrap_or_default()))];
    if let Some(language) = function.row.text("language") {
        items.push(fact("Language", Cell::text(language)));
    }
    match &function.body {
        Some(Ok(_)) => {
            items.push(fact("Statements in its body", Cell::number(Quantity::count(function.pieces().len()))));
            if !function.dynamic().is_empty() {
                let lines = lines(function.dynamic().iter().copied());
                items.push(fact("Put together while it runs (EXECUTE)", Cell::Text(lines)));
            }
            for (wanted, label) in [
                (Otherwise::Skip, "Leaves locked rows out (SKIP LOCKED)"),
                (Otherwise::Wait, "Waits for locked rows (FOR UPDATE)"),
                (Otherwise::Fail, "Fails at locked rows (NOWAIT)"),
            ] {
                let at: Vec<usize> = locks.iter().filter(|(_, o)| *o == wanted).map(|(line, _)| *line).collect();
                if !at.is_empty() {
                    items.push(fact(label, Cell::Text(lines(at.into_iter()))));
                }
            }
        }
        Some(Err(_)) => items.push(fact("Body", Cell::text("cut off or too long to be read"))),
        None => items.push(fact("Body", Cell::text("not exported, or in a language that is not read"))),
    }
    Block::Facts { title: "Definition".to_owned(), items }
}

/// `line 3, 8`
fn lines(at: impl Iterator<Item = usize>) -> Text {
    let mut all: Vec<usize> = at.collect();
    all.dedup();
    let words: Vec<String> = all.iter().map(ToString::to_string).collect();
    Text::new().t(format!("line {}", words.join(", ")))
}

/// The functions of a statement: `app.f, line 3`, with `or` between several.
pub(super) fn owners(owners: &[Owner]) -> Text {
    let mut text = Text::new();
    for (nr, owner) in owners.iter().enumerate() {
        if nr > 0 {
            text = text.t(" or ");
        }
        text = text.name(owner.name.clone());
        if !owner.lines.is_empty() {
            text = text.t(", ").then(lines(owner.lines.iter().copied()));
        }
    }
    text
}

/// What tells that a statement is a function's.
fn told_by(owners: &[Owner]) -> &'static str {
    let has = |evidence| owners.iter().any(|o| o.evidence.contains(&evidence));
    match (owners.len(), has(Evidence::Plan), has(Evidence::Body)) {
        (0, ..) => "",
        (1, true, true) => "a logged plan, and the body",
        (1, true, false) => "a logged plan; others may send it too",
        (1, ..) => "the text stands in this body alone",
        _ => "ambiguous: the text stands in several",
    }
}

/// The statements that ran inside of functions.
fn nested(draft: &mut Draft<'_>) -> Vec<Block> {
    if draft.facts.functions.nested.is_empty() {
        return Vec::new();
    }
    let link = draft.cite(
        "Statements inside of functions",
        &["pg_stat_statements", "function_definitions"],
        &["query", "toplevel", "calls", "total_exec_time", "source"],
        Some("a statement is a function's where a logged plan says so, or where its text, constants left out, stands in that body alone"),
    );
    let functions = &draft.facts.functions;
    let known: Vec<&Nested<'_>> = functions.nested.iter().filter(|n| !n.owners.is_empty()).collect();
    let rest: Vec<&Nested<'_>> = functions.nested.iter().filter(|n| n.owners.is_empty()).collect();
    let mut blocks = Vec::new();
    if !known.is_empty() {
        let mut out = table("nested", "Statements inside of functions")
            .about(
                Text::new()
                    .t("A statement's time is part of the time of its function, and of the statement that called it. ")
                    .then(link.clone()),
            )
            .name("Statement")
            .name("Function")
            .number("Calls")
            .number("Time")
            .text("Told by")
            .text("Findings");
        for nested in known.iter().take(MOST) {
            let object = format!("queryid {}", nested.row.int("queryid").unwrap_or_default());
            let text = super::statement_text(nested.row).map_or_else(|| object.clone(), |text| one_line(text, 160));
            out.push(vec![
                Cell::code(text),
                Cell::Text(owners(&nested.owners)),
                counted(nested.change, "calls"),
                counted(nested.change, "total_exec_time"),
                Cell::text(told_by(&nested.owners)),
                draft.links_of(&object, &["query-", "sql-"]).map_or(Cell::None, Cell::Text),
            ]);
        }
        blocks.push(out.rows_in_all(known.len()).block());
    }
    if !rest.is_empty() {
        let time = rest.iter().map(|n| n.time_ms).sum::<f64>();
        let text = Text::new()
            .then(counted_words(rest.len(), "further statement", "further statements"))
            .t(" inside of functions took ")
            .opt(Quantity::float(time, Unit::Ms))
            .t(". Nothing tells of which ones: ");
        let text = if functions.all.is_empty() {
            text.t("no bodies were exported (")
                .code("function_definitions")
                .t(" of ")
                .code("pgretro export-sql")
                .t("). ")
        } else {
            text.t(
                "their texts stand in no body that was exported. So it is with checks of foreign keys, with EXECUTE, with \
                 extensions, and with other languages than SQL and PL/pgSQL. ",
            )
        };
        blocks.push(prose(text.then(link)));
    }
    blocks
}
