//! SQL in run order: every statement of the report once, numbered, in safe order.

use crate::error::Result;
use crate::finding::{Fix, Risk, Verb};
use crate::report::cells::prose;
use crate::report::draft::{Body, Draft};
use crate::report::{Block, SqlBlock};

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let mut found: Vec<SqlBlock> = Vec::new();
    for action in &draft.actions {
        for fix in &action.fixes {
            add(&mut found, fix, &action.findings);
        }
    }
    // Statements of findings that are no step of the plan: they only look, or are context.
    for f in &draft.findings {
        for fix in &f.finding.fixes {
            add(&mut found, fix, std::slice::from_ref(&f.number));
        }
    }
    let n = found.len();
    if n == 0 {
        return Ok(Body::filled(vec![prose("No statement is proposed.")]).count(0));
    }
    let mut blocks = vec![prose(
        "The plan's statements in its order, then those that only look. Each can run alone; none of them was run by pgretro.",
    )];
    if draft.chain.last().meta.in_recovery == Some(true) {
        blocks.push(prose(crate::report::headline::ON_A_STANDBY));
    }
    for (at, mut block) in found.into_iter().enumerate() {
        block.title = format!("{}. {}", at + 1, block.title);
        blocks.push(Block::Sql(block));
    }
    Ok(Body::filled(blocks).count(n))
}

fn add(found: &mut Vec<SqlBlock>, fix: &Fix, findings: &[String]) {
    if let Some(same) = found.iter_mut().find(|b| b.sql == fix.sql) {
        let new: Vec<String> = findings.iter().filter(|f| !same.findings.contains(f)).cloned().collect();
        same.findings.extend(new);
        return;
    }
    found.push(SqlBlock {
        title: title(fix).to_owned(),
        sql: fix.sql.clone(),
        lock: fix.lock.clone(),
        findings: findings.to_vec(),
        when_not: fix.when_not.clone(),
        undo: fix.undo.clone(),
    });
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
