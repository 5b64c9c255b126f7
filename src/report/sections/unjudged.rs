//! The checks of a section's matter that could not give a verdict, with the reason: what stands there unremarked has
//! not been found good.

use crate::finding::Outcome;
use crate::report::Block;
use crate::report::absent::remark;
use crate::report::cells::prose;
use crate::report::draft::Draft;
use crate::text::Text;
use std::collections::BTreeSet;

/// First words of the checks that judge what a section shows.
fn rules_of(section: &str) -> &'static [&'static str] {
    match section {
        "tables" => &["table-", "seq-", "schema-", "bloat-"],
        "indexes" => &["index-"],
        "queries" => &["query-", "func-"],
        "vacuum" => &["vacuum-", "wrap-"],
        "connections" => &["conn-"],
        "locks" => &["lock-"],
        "io" => &["io-", "wal-", "ckpt-", "slot-", "repl-", "cache-"],
        "settings" => &["cfg-", "mem-"],
        _ => &[],
    }
}

/// One sentence a reason, and links to what these checks read. Views, columns and snapshots that are missing are told with the coverage.
pub(in crate::report) fn unjudged(draft: &Draft<'_>, section: &str) -> Option<Block> {
    let rules = rules_of(section);
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for judged in &draft.advice.judged {
        let Outcome::Skipped { reason, missing_input: false } = &judged.outcome else { continue };
        if !rules.iter().any(|first| judged.rule.id.starts_with(first)) {
            continue;
        }
        match reasons.iter_mut().find(|(r, _)| r == reason) {
            Some((_, ids)) => ids.push(judged.rule.id),
            None => reasons.push((reason, vec![judged.rule.id])),
        }
    }
    let mut text = Text::from("Not judged here: ");
    for (i, (reason, ids)) in reasons.iter().enumerate() {
        text = if i > 0 { text.t("; ") } else { text };
        for (j, id) in ids.iter().enumerate() {
            text = if j > 0 { text.t(", ").code(*id) } else { text.code(*id) };
        }
        text = remark(text.t(" ("), reason).t(")");
    }
    text = text.t(".");
    let not_judged = |id: &str| reasons.iter().any(|(_, ids)| ids.contains(&id));
    let lines = draft.checks.iter().filter(|c| not_judged(&c.rule));
    let read: BTreeSet<(usize, &str)> = lines.flat_map(|c| &c.evidence).map(|id| (id.len(), id.as_str())).collect();
    for (_, id) in read {
        text = text.t(" ").link(id.to_lowercase(), id);
    }
    (!reasons.is_empty()).then(|| prose(text))
}
