//! Findings: what is wrong, what was checked and is fine, what could not be checked.

use crate::error::Result;
use crate::finding::Finding;
use crate::report::cells::prose;
use crate::report::draft::{Body, Draft};
use crate::report::table::table;
use crate::report::{Block, Cell, NoteKind};
use crate::text::Text;
use crate::unit::Quantity;

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let n = draft.findings.len();
    let mut blocks = Vec::new();
    if n == 0 {
        blocks.push(prose("No check that ran found anything. The checks that ran are listed below."));
    } else {
        blocks.push(Block::Findings);
    }
    blocks.extend(against(draft));
    blocks.extend(insufficient(&draft.advice.insufficient));
    blocks.extend(accepted(draft));
    blocks.push(Block::Checks { states: vec!["passed".to_owned()] });
    blocks.push(Block::Checks { states: vec!["skipped".to_owned(), "failed".to_owned()] });
    for note in &draft.advice.notes {
        blocks.push(Block::Note {
            kind: NoteKind::Warning,
            text: Text::new().t("Configuration: ").t(note.clone()).t("."),
        });
    }
    Ok(Body::filled(blocks).count(n))
}

/// What became of the baseline's findings, and what makes the comparison doubtful.
fn against(draft: &Draft<'_>) -> Vec<Block> {
    let Some(baseline) = &draft.baseline else { return Vec::new() };
    let doubt = |note: &String| Block::Note {
        kind: NoteKind::Warning,
        text: Text::new().t("Against the baseline: ").t(note.clone()).t("."),
    };
    let mut blocks: Vec<Block> = baseline.notes.iter().map(doubt).collect();
    for (id, title, about, remark, findings) in [
        (
            "fixed",
            "Fixed since the baseline",
            "Found then; the check ran again and does not find it any more.",
            "What the check looked at now",
            &baseline.fixed,
        ),
        (
            "not-judged-again",
            "In the baseline, not judged again",
            "Found then; now nothing can be said.",
            "Why",
            &baseline.unknown,
        ),
    ] {
        if findings.is_empty() {
            continue;
        }
        let mut out = table(id, title)
            .about(Text::from(about))
            .name("Object")
            .text("What was found then")
            .text("Severity then")
            .text(remark)
            .text("Check");
        for past in findings {
            out.push(vec![
                Cell::name(past.subject.name.clone()),
                Cell::Text(past.title.clone()),
                Cell::text(past.severity.word()),
                Cell::text(past.remark.clone()),
                Cell::code(past.rule.clone()),
            ]);
        }
        blocks.push(out.block());
    }
    blocks
}

fn insufficient(findings: &[Finding]) -> Option<Block> {
    if findings.is_empty() {
        return None;
    }
    let mut out = table("insufficient", "Not enough evidence")
        .about(Text::from("Seen, but with too many reasons for doubt to count: no score, no action."))
        .name("Object")
        .text("What was seen")
        .text("Reasons for doubt")
        .text("Check");
    for f in findings {
        let doubts: Vec<&str> = f.doubts.iter().map(|d| d.sentence()).collect();
        out.push(vec![
            Cell::name(f.subject.name.clone()),
            Cell::Text(f.title.clone()),
            Cell::text(doubts.join(" ")),
            Cell::code(f.rule.clone()),
        ]);
    }
    Some(Block::Details { summary: Text::from("Not enough evidence"), blocks: vec![out.block()] })
}

fn accepted(draft: &Draft<'_>) -> Option<Block> {
    if draft.advice.suppressed.is_empty() {
        return None;
    }
    let mut out = table("accepted", "Accepted by the configuration")
        .about(Text::from("Found, and accepted by somebody: no score, no action."))
        .name("Object")
        .text("What was found")
        .text("Reason given")
        .number("Until");
    for s in &draft.advice.suppressed {
        out.push(vec![
            Cell::name(s.finding.subject.name.clone()),
            Cell::Text(s.finding.title.clone()),
            Cell::text(s.reason.clone()),
            s.until.map_or_else(|| Cell::text("no end"), |t| Cell::number(Quantity::time(t))),
        ]);
    }
    Some(Block::Details { summary: Text::from("Accepted by the configuration"), blocks: vec![out.block()] })
}
