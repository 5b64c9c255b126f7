//! The first screen: the verdict, the score with its arithmetic.

use crate::error::Result;
use crate::report::cells::prose;
use crate::report::draft::{Body, Draft};
use crate::report::{Baseline, Block, Server};
use crate::text::Text;
use crate::unit::Quantity;

/// Writes the section. What it shows stands in the report itself.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let mut blocks = vec![Block::Verdict];
    blocks.extend(servers(&draft.servers));
    blocks.extend(draft.baseline.as_ref().map(against));
    blocks.extend(exceptions(draft));
    blocks.push(Block::Scores);
    Ok(Body::filled(blocks))
}

/// Which servers, and whose numbers the sections show.
fn servers(servers: &[Server]) -> Option<Block> {
    let main = servers.first()?;
    let mut text = Text::new().n(Quantity::count(servers.len())).t(" servers of one cluster: ");
    for (i, server) in servers.iter().enumerate() {
        text = if i > 0 { text.t(", ") } else { text };
        text = text.name(server.name.clone()).t(format!(" ({}, ", server.version));
        text = text.many(Quantity::count(server.snapshots), "snapshot", "snapshots").t(")");
    }
    let text = text
        .t(". Checks ran on each, and know of the others; findings say which they hold for. Tables and charts are of ");
    Some(prose(text.name(main.name.clone()).t(".")))
}

/// How many findings are new, worse, better, unchanged, fixed.
fn against(baseline: &Baseline) -> Block {
    let mut text = Text::from("Against the baseline");
    if let Some(at) = baseline.taken_at {
        text = text.t(" of ").n(Quantity::time(at));
    }
    text = text.t(": ");
    for (n, word) in [
        (baseline.new, " new, "),
        (baseline.worse, " worse, "),
        (baseline.better, " better, "),
        (baseline.unchanged, " unchanged, "),
        (baseline.fixed.len(), " fixed"),
    ] {
        text = text.n(Quantity::count(n)).t(word);
    }
    if !baseline.unknown.is_empty() {
        text = text.t(", ").n(Quantity::count(baseline.unknown.len())).t(" not judged again");
    }
    prose(text.t("."))
}

/// What the configuration hides, and which of its exceptions need a look.
fn exceptions(draft: &Draft<'_>) -> Option<Block> {
    if draft.advice.exceptions == 0 {
        return None;
    }
    let (hidden, notes) = (draft.advice.suppressed.len(), draft.advice.notes.len());
    let mut text = Text::new().many(Quantity::count(hidden), "finding", "findings").t(" accepted by the configuration");
    if notes > 0 {
        text = text.t("; ").many(Quantity::count(notes), "exception", "exceptions").t(" expired or without effect");
    }
    Some(prose(text.t(" (").link("findings", "listed").t(").")))
}
