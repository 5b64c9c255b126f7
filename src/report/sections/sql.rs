//! SQL in run order: every statement of the report once, numbered, in safe order.

use crate::error::Result;
use crate::finding::{Fix, Risk, Verb};
use crate::report::cells::{heading, prose};
use crate::report::draft::{Body, Draft};
use crate::report::marks::{cited, of};
use crate::report::{Block, SqlBlock};

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let mut found: Vec<SqlBlock> = Vec::new();
    for action in &draft.actions {
        for fix in &action.fixes {
            add(draft, &mut found, fix, &action.findings);
        }
    }
    let (mut looks, mut changes) = (Vec::new(), Vec::new());
    for f in &draft.findings {
        // What the plan has of it may be merged with what another finding asks for.
        let steps = draft.actions.iter().filter(|a| a.findings.contains(&f.number));
        let done: Vec<(Verb, &str)> = steps.flat_map(|a| &a.fixes).map(|x| (x.verb, x.object.as_str())).collect();
        for fix in f.finding.fixes.iter().filter(|x| !x.instead && !done.contains(&(x.verb, x.object.as_str()))) {
            let in_plan = found.iter().any(|b| b.sql == fix.sql);
            let part = match fix.risk {
                _ if in_plan => &mut found,
                Risk::R0 => &mut looks,
                _ => &mut changes,
            };
            add(draft, part, fix, std::slice::from_ref(&f.number));
        }
    }
    let n = found.len() + looks.len() + changes.len();
    if n == 0 {
        return Ok(Body::filled(vec![prose("No statement is proposed.")]).count(0));
    }
    let mut blocks = vec![prose(
        "The plan's statements in its order, then those that only look, then what is no step of the plan. Each can run \
         alone; none of them was run by pgretro.",
    )];
    if draft.chain.last().meta.in_recovery == Some(true) {
        blocks.push(prose(crate::report::headline::ON_A_STANDBY));
    }
    let parts = [
        ("In the plan", "", found),
        ("Only to look", "", looks),
        ("Not in the plan", "They change something, and only remarks ask for them: not without a decision.", changes),
    ];
    let several = parts.iter().filter(|(.., part)| !part.is_empty()).count() > 1;
    let mut at = 0;
    for (title, about, part) in parts.into_iter().filter(|(.., part)| !part.is_empty()) {
        if several {
            blocks.push(heading(title));
        }
        if !about.is_empty() {
            blocks.push(prose(about));
        }
        for mut block in part {
            at += 1;
            block.when_not = block.when_not.map(|text| cited(text, &of(&draft.findings, &block.findings)));
            block.title = format!("{at}. {}", block.title);
            blocks.push(Block::Sql(block));
        }
    }
    Ok(Body::filled(blocks).count(n))
}

fn add(draft: &Draft<'_>, found: &mut Vec<SqlBlock>, fix: &Fix, findings: &[String]) {
    let nodes = nodes(draft, fix, findings);
    if let Some(same) = found.iter_mut().find(|b| b.sql == fix.sql) {
        join(&mut same.findings, findings);
        join(&mut same.nodes, &nodes);
        return;
    }
    found.push(SqlBlock {
        title: title(fix).to_owned(),
        sql: fix.sql.clone(),
        lock: fix.lock.clone(),
        findings: findings.to_vec(),
        when_not: fix.when_not.clone(),
        undo: fix.undo.clone(),
        nodes,
    });
}

fn join(to: &mut Vec<String>, further: &[String]) {
    let new: Vec<String> = further.iter().filter(|f| !to.contains(f)).cloned().collect();
    to.extend(new);
}

/// The servers a statement is for, where the report is of several: what each server has of its own is for all that the
/// findings hold for; what the standbys get from the primary is for the primary, where its dump is given.
fn nodes(draft: &Draft<'_>, fix: &Fix, findings: &[String]) -> Vec<String> {
    if draft.servers.len() < 2 {
        return Vec::new();
    }
    let own =
        fix.risk == Risk::R0 || matches!(fix.verb, Verb::Diagnose | Verb::End) || fix.sql.contains("ALTER SYSTEM");
    let primary = draft.servers.iter().find(|s| s.standby == Some(false) && !own);
    let mut out = Vec::new();
    match primary {
        Some(server) => out.push(server.name.clone()),
        None => {
            for f in draft.findings.iter().filter(|f| findings.contains(&f.number)) {
                join(&mut out, &f.finding.nodes);
            }
        }
    }
    out
}

/// What a statement does, and whether it only looks.
pub(super) const fn title(fix: &Fix) -> &'static str {
    match (fix.verb, fix.risk) {
        (_, Risk::R0) | (Verb::Diagnose, _) => "Diagnose, read-only",
        (Verb::Set, _) => "Change setting",
        (Verb::Create, _) => "Create",
        (Verb::Drop, _) => "Drop",
        (Verb::Maintain, _) => "Maintain",
        (Verb::End, _) => "End a session or transaction",
        (Verb::Alter, _) => "Change",
    }
}
