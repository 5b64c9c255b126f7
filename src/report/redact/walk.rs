//! Every string of the report, with what can stand in it. Each struct is taken apart in full: a field that is added to
//! the report does not compile here until somebody says what it holds.

#![expect(clippy::needless_for_each, reason = "a line for each field reads best here")]

use super::place::{self, Kind, Place};
use crate::finding::{Evidence, Finding, Fix, Locator, Measure, Subject};
use crate::report::{
    Action, Against, Baseline, Block, Card, Category, Cell, Chart, CheckLine, ChecklistGroup, CoverageItem, Deduction,
    EvidenceEntry, Exceptions, Fact, Heat, HeatRow, Lane, Line, Mark, Panel, Part, Past, Report, ReportFinding, Row,
    Section, Server, Spark, SqlBlock, Table, Verdict, Window,
};
use crate::text::{Span, Text};

/// Called with every string.
type Visit<'v> = &'v mut dyn FnMut(Place, &mut String);

/// What names and code of prose are, where nothing says more.
const LOOSE: (Place, Place) = (Place::Likely, Place::Code);

/// Visits every string of a report: findings first, so that what they are about is known by its kind.
pub(super) fn report(report: &mut Report, visit: Visit<'_>) {
    let Report {
        schema: _,
        id: _,
        generator: _,
        rules: _,
        redacted: _,
        servers,
        exceptions,
        baseline: of_baseline,
        title,
        window: Window { from: _, to: _, elapsed_s: _, snapshots: _, server, sources: _, sources_expected: _ },
        verdict: of_verdict,
        findings,
        checks,
        actions,
        sections,
        evidence,
    } = report;
    for f in findings.iter_mut() {
        subject(&mut f.finding.subject, visit);
        f.finding.members.iter_mut().for_each(|m| subject(m, visit));
    }
    if let Some(of) = of_baseline {
        baseline(of, visit);
    }
    for Server { name, standby: _, version, snapshots: _, from: _, to: _ } in servers {
        node(name, visit);
        visit(Place::Prose, version);
    }
    findings.iter_mut().flat_map(|f| &mut f.finding.nodes).for_each(|n| node(n, visit));
    visit(Place::Name(Kind::Database), title);
    visit(Place::Prose, server);
    if let Some(Exceptions { given: _, accepted: _, notes }) = exceptions {
        notes.iter_mut().for_each(|n| visit(Place::Mixed, n));
    }
    verdict(of_verdict, visit);
    findings.iter_mut().for_each(|f| finding(f, visit));
    for CheckLine { rule: _, title: _, state: _, remark, evidence: _ } in checks {
        visit(Place::Prose, remark);
    }
    actions.iter_mut().for_each(|a| action(a, visit));
    for Section { id, title, filled: _, count: _, blocks } in sections {
        visit(if id == "verdict" { Place::Name(Kind::Database) } else { Place::Prose }, title);
        all(blocks, visit);
    }
    for EvidenceEntry { id: _, label, values: _, evidence } in evidence {
        visit(Place::Mixed, label);
        of_evidence(evidence, visit);
    }
}

fn subject(Subject { kind, name }: &mut Subject, visit: Visit<'_>) {
    visit(place::of_subject(*kind), name);
}

/// A server's name; its role is none.
fn node(name: &mut String, visit: Visit<'_>) {
    let role = name.split(' ').next().unwrap_or_default();
    if !matches!(role, "primary" | "standby" | "server") {
        visit(Place::Name(Kind::Address), name);
    }
}

fn baseline(of: &mut Baseline, visit: Visit<'_>) {
    let Baseline { id: _, title, taken_at: _, new: _, worse: _, better: _, unchanged: _, fixed, unknown, notes } = of;
    for Past { id: _, rule: _, subject: about, severity: _, title, remark } in fixed.iter_mut().chain(unknown) {
        subject(about, visit);
        prose(title, visit);
        visit(Place::Prose, remark);
    }
    visit(Place::Name(Kind::Database), title);
    notes.iter_mut().for_each(|n| visit(Place::Mixed, n));
}

fn text(of: &mut Text, (name, code): (Place, Place), visit: Visit<'_>) {
    for span in &mut of.0 {
        match span {
            Span::Text(words) | Span::Strong(words) => visit(Place::Prose, words),
            Span::Name(words) => visit(name, words),
            Span::Code(words) => visit(code, words),
            // Numbers of findings and of evidence are given by the report.
            Span::Link { to, text } if text.eq_ignore_ascii_case(to) => {}
            Span::Link { to: _, text } => visit(Place::Prose, text),
            Span::Number(_) | Span::AtLeast(_) | Span::Change(_) => {}
        }
    }
}

fn prose(of: &mut Text, visit: Visit<'_>) {
    text(of, LOOSE, visit);
}

fn verdict(of: &mut Verdict, visit: Visit<'_>) {
    let Verdict {
        headline,
        reason,
        basis,
        score: _,
        score_at_most: _,
        score_formula: _,
        score_evidence: _,
        categories,
        counts: _,
        since: _,
    } = of;
    [headline, reason, basis].into_iter().for_each(|t| prose(t, visit));
    for Category { name: _, score: _, at_most: _, evaluated: _, applicable: _, deductions, remark } in categories {
        for Deduction { findings: _, rule: _, points: _, formula } in deductions {
            visit(Place::Prose, formula);
        }
        remark.iter_mut().for_each(|r| visit(Place::Prose, r));
    }
}

fn finding(of: &mut ReportFinding, visit: Visit<'_>) {
    let ReportFinding { number: _, id: _, confidence: _, finding, evidence: _, since: _, withdrawn, baseline } = of;
    if let Some(Against { standing: _, was: _, remark }) = baseline {
        visit(Place::Prose, remark);
    }
    // Subject, members and nodes were first.
    let Finding {
        rule: _,
        subject: _,
        members: _,
        severity: _,
        doubts: _,
        at_most: _,
        title,
        why,
        not,
        measures,
        fixes,
        verify,
        deadline: _,
        effort: _,
        share: _,
        nodes: _,
        of_one_execution: _,
    } = finding;
    [title, why, verify].into_iter().chain(not).for_each(|t| prose(t, visit));
    for Measure { label, before: _, after: _, window: _, at_least: _, evidence } in measures {
        visit(Place::Mixed, label);
        of_evidence(evidence, visit);
    }
    fixes.iter_mut().for_each(|f| fix(f, visit));
    withdrawn.iter_mut().for_each(|w| visit(Place::Mixed, w));
}

fn of_evidence(of: &mut Evidence, visit: Visit<'_>) {
    let Evidence { view, columns, object, locators, formula } = of;
    visit(Place::Mixed, view);
    columns.iter_mut().for_each(|c| visit(Place::Mixed, c));
    visit(Place::Likely, object);
    for Locator { snapshot, file, place } in locators {
        visit(Place::Mixed, snapshot);
        visit(Place::Name(Kind::File), file);
        visit(Place::Mixed, place);
    }
    formula.iter_mut().for_each(|f| visit(Place::Prose, f));
}

fn fix(of: &mut Fix, visit: Visit<'_>) {
    // `leads` is not part of a report.
    let Fix { verb: _, object, sql, risk: _, lock, when_not, undo, keeps, instead: _, leads: _, role_setting: _ } = of;
    visit(Place::Likely, object);
    visit(Place::Sql, sql);
    visit(Place::Prose, lock);
    when_not.iter_mut().for_each(|t| prose(t, visit));
    undo.iter_mut().for_each(|u| visit(Place::Sql, u));
    keeps.iter_mut().for_each(|k| visit(Place::Likely, k));
}

fn action(of: &mut Action, visit: Visit<'_>) {
    let Action {
        rank: _,
        title,
        findings: _,
        horizon: _,
        severity: _,
        impact: _,
        confidence: _,
        effort: _,
        deadline: _,
        fixes,
        verify,
        remarks,
    } = of;
    prose(title, visit);
    fixes.iter_mut().for_each(|f| fix(f, visit));
    prose(verify, visit);
    remarks.iter_mut().for_each(|r| visit(Place::Mixed, r));
}

fn all(blocks: &mut [Block], visit: Visit<'_>) {
    blocks.iter_mut().for_each(|b| block(b, visit));
}

fn block(of: &mut Block, visit: Visit<'_>) {
    match of {
        Block::Prose { text: words } | Block::Note { kind: _, text: words } => prose(words, visit),
        Block::Heading { text } => visit(Place::Prose, text),
        Block::Facts { title, items } => {
            let files = title == "In the files";
            visit(Place::Prose, title);
            for Fact { label, value } in items {
                let file = (Place::Name(Kind::File), Place::Name(Kind::File));
                let places = if files { file } else { place::of_label(label) };
                visit(Place::Mixed, label);
                cell(value, places, visit);
            }
        }
        Block::Table(of) => table(of, visit),
        Block::Verdict | Block::Findings | Block::Scores | Block::Checks { states: _ } | Block::Evidence => {}
        Block::Cards { cards } => {
            for Card { title, why, severity: _, confidence: _, effort: _, findings: _ } in cards {
                prose(title, visit);
                prose(why, visit);
            }
        }
        Block::Sql(SqlBlock { title, sql, lock, findings: _, when_not, undo, nodes }) => {
            visit(Place::Prose, title);
            visit(Place::Sql, sql);
            visit(Place::Prose, lock);
            when_not.iter_mut().for_each(|t| prose(t, visit));
            undo.iter_mut().for_each(|u| visit(Place::Sql, u));
            nodes.iter_mut().for_each(|n| node(n, visit));
        }
        Block::Code { language: _, text } => visit(Place::Query, text),
        Block::Chart(of) => chart(of, visit),
        Block::Coverage { items } => {
            for CoverageItem { name, state: _, remark, in_short, how_to_get } in items {
                visit(Place::Mixed, name);
                visit(Place::Prose, remark);
                visit(Place::Prose, in_short);
                visit(Place::Prose, how_to_get);
            }
        }
        Block::Checklist { groups } => {
            for ChecklistGroup { title, items } in groups {
                visit(Place::Prose, title);
                items.iter_mut().for_each(|t| prose(t, visit));
            }
        }
        Block::Details { summary, blocks } => {
            prose(summary, visit);
            all(blocks, visit);
        }
    }
}

fn table(of: &mut Table, visit: Visit<'_>) {
    let Table { id: _, title, about, columns, rows, rows_in_all: _, totals, empty } = of;
    visit(Place::Prose, title);
    prose(about, visit);
    let places: Vec<_> = columns.iter().map(|c| place::of_label(&c.label)).collect();
    columns.iter_mut().for_each(|c| visit(Place::Prose, &mut c.label));
    let setting = columns.iter().position(|c| c.label == "Setting");
    for Row { cells, detail } in rows {
        let of_owner = setting.and_then(|at| cells.get(at)).is_some_and(|c| {
            matches!(c, Cell::Text(Text(spans)) if matches!(spans.as_slice(), [Span::Code(name)] if place::is_of_its_owner(name)))
        });
        for (i, of) in cells.iter_mut().enumerate() {
            let places = places.get(i).copied().unwrap_or(LOOSE);
            let value = of_owner && setting != Some(i);
            cell(of, if value { (places.0, Place::Name(Kind::Value)) } else { places }, visit);
        }
        all(detail, visit);
    }
    totals.iter_mut().for_each(|of| cell(of, LOOSE, visit));
    visit(Place::Prose, empty);
}

fn cell(of: &mut Cell, places: (Place, Place), visit: Visit<'_>) {
    match of {
        Cell::NotAvailable(reason) => visit(Place::Prose, reason),
        Cell::Text(words) => text(words, places, visit),
        Cell::Spark(Spark { points: _, resets: _, restarts: _, label }) => visit(Place::Prose, label),
        Cell::None
        | Cell::Number { .. }
        | Cell::Bar(_)
        | Cell::Change { .. }
        | Cell::Severity(_)
        | Cell::State(_)
        | Cell::Confidence(_) => {}
    }
}

fn chart(of: &mut Chart, visit: Visit<'_>) {
    match of {
        Chart::Slope { title, source: _, lines } => {
            visit(Place::Prose, title);
            for Line { name, before: _, after: _, change: _, emphasised: _ } in lines {
                visit(Place::Mixed, name);
            }
        }
        Chart::Multiples { title, source: _, panels } => {
            visit(Place::Prose, title);
            for Panel { title, value: _, change: _, known_up_to: _, points: _, marks } in panels {
                visit(Place::Prose, title);
                for Mark { at: _, kind: _, label } in marks {
                    visit(Place::Prose, label);
                }
            }
        }
        Chart::Heatmap(Heat { title, about, source: _, columns, breaks: _, rows }) => {
            [title, about].into_iter().chain(columns).for_each(|words| visit(Place::Prose, words));
            for HeatRow { name, cells: _, steps: _ } in rows {
                visit(Place::Mixed, name);
            }
        }
        Chart::Timeline { title, source: _, from: _, to: _, lanes } => {
            visit(Place::Prose, title);
            for Lane { label, marks, further: _ } in lanes {
                visit(Place::Prose, label);
                for Mark { at: _, kind: _, label } in marks {
                    visit(Place::Mixed, label);
                }
            }
        }
        Chart::Strip { title, source: _, parts } => {
            visit(Place::Prose, title);
            for Part { label, value: _ } in parts {
                visit(Place::Prose, label);
            }
        }
    }
}
