//! Glossary: only the terms that this report uses.

use crate::error::Result;
use crate::report::cells::fact;
use crate::report::draft::{Body, Draft};
use crate::report::{Block, Cell};
use std::collections::BTreeSet;

/// Term, the words that show it is used (lower case), and what it means.
const TERMS: &[(&str, &[&str], &str)] = &[
    (
        "Autovacuum trigger",
        &["trigger"],
        "Dead rows at which autovacuum vacuums a table: a fixed number plus a share of its rows.",
    ),
    (
        "Bound",
        &["at most", "at least", "≤", "≥"],
        "A value that is certainly not exceeded (≤) or certainly reached (≥), where the exact one is not known.",
    ),
    (
        "Checkpoint",
        &["checkpoint"],
        "Everything changed in memory is written to the data files; a crash recovers from the last one.",
    ),
    (
        "Confidence",
        &["confidence"],
        "High: nothing speaks against it. Each reason for doubt lowers it by one step; the reasons stand in the finding.",
    ),
    (
        "Counter",
        &["counter"],
        "A number that only grows until the statistics are reset; only its difference says something about a window.",
    ),
    ("Dead row", &["dead row"], "An old version of a row that vacuum has not removed yet."),
    ("Evidence", &["evidence"], "The entry of the register (E1, E2, …) that says where a number was read."),
    ("HOT update", &["hot"], "An update that stays on its page and touches no index."),
    ("INVALID index", &["invalid"], "An index that queries do not use although every write maintains it."),
    ("Multixact id", &["multixact"], "A number for several transactions that lock one row together."),
    (
        "Prepared transaction",
        &["prepared transaction"],
        "A transaction ready to commit that has left its session; it keeps its locks.",
    ),
    ("Pressure, × of trigger", &["× of"], "Dead rows divided by the autovacuum trigger: above 1, a vacuum is due."),
    (
        "Queryid",
        &["queryid", "query id"],
        "The fingerprint under which pg_stat_statements counts all calls of a statement.",
    ),
    ("Replication slot", &["slot"], "A bookmark in the WAL for a reader; WAL behind it is kept."),
    ("Rows", &["rows"], "What PostgreSQL's columns call tuples."),
    ("Score", &["score"], "Ten, minus what the findings take off; the arithmetic stands beside it."),
    ("Sequential scan", &["seq scan", "sequential scan"], "Reading a whole table; right for small ones."),
    (
        "Snapshot",
        &["snapshot", "capture"],
        "All exported views of one server at one moment: A is the first, B the last.",
    ),
    (
        "Statistics reset",
        &["reset", "statistics began"],
        "The moment PostgreSQL set its counters to zero; nothing older is visible.",
    ),
    ("TOAST", &["toast"], "Where long values of a table are stored."),
    (
        "Transaction id age",
        &["transaction id", "xid"],
        "How many transactions ago the oldest row was not yet frozen; near two billion the server stops writing.",
    ),
    ("WAL", &["wal"], "The write-ahead log: every change, before it reaches the data files."),
    ("Window", &["window"], "The time between the first and the last snapshot; differences of counters are over it."),
    ("σ", &["σ"], "The standard deviation: how far single calls are from the mean."),
];

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let mut words = String::new();
    for section in &draft.sections {
        words.push_str(&section.title);
        words.push(' ');
        collect_all(&section.blocks, &mut words);
    }
    for f in &draft.findings {
        words.push_str(&f.finding.title.plain());
        words.push_str(&f.finding.why.plain());
    }
    let words = words.to_lowercase();
    let used: BTreeSet<usize> =
        (0..TERMS.len()).filter(|i| TERMS[*i].1.iter().any(|word| has_word(&words, word))).collect();
    let items: Vec<_> = used.iter().map(|i| fact(TERMS[*i].0, Cell::text(TERMS[*i].2))).collect();
    let n = items.len();
    Ok(Body::filled(vec![Block::Facts { title: "Terms of this report".to_owned(), items }]).count(n))
}

/// Whether a text has a word that begins so: "slot" is in "slots", "hot" is not in "snapshot".
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[..at].chars().next_back().is_some_and(char::is_alphanumeric))
}

/// The fixed words of blocks: headers, captions, prose; not the cells, which are the customer's names.
fn collect_all(blocks: &[Block], out: &mut String) {
    for block in blocks {
        match block {
            Block::Prose { text } | Block::Note { text, .. } => out.push_str(&text.plain()),
            Block::Heading { text } => out.push_str(text),
            Block::Facts { title, items } => {
                out.push_str(title);
                for item in items {
                    out.push(' ');
                    out.push_str(&item.label);
                }
            }
            Block::Table(table) => {
                out.push_str(&table.title);
                out.push_str(&table.about.plain());
                for column in &table.columns {
                    out.push(' ');
                    out.push_str(&column.label);
                }
            }
            Block::Scores | Block::Verdict => out.push_str("score"),
            Block::Findings => out.push_str("confidence"),
            Block::Evidence => out.push_str("evidence"),
            Block::Details { summary, blocks } => {
                out.push_str(&summary.plain());
                collect_all(blocks, out);
            }
            Block::Checks { .. }
            | Block::Cards { .. }
            | Block::Sql(_)
            | Block::Code { .. }
            | Block::Chart(_)
            | Block::Coverage { .. }
            | Block::Checklist { .. } => {}
        }
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_where_they_begin() {
        for (text, word, want) in [
            ("two slots", "slot", true),
            ("a snapshot", "hot", false),
            ("(hot)", "hot", true),
            ("σ", "σ", true),
            ("", "x", false),
        ] {
            assert_eq!(has_word(text, word), want, "{word} in {text}");
        }
    }

    #[test]
    fn terms_are_in_order_and_each_once() {
        let names: Vec<String> = TERMS.iter().map(|t| t.0.to_lowercase()).collect();
        assert!(names.windows(2).all(|w| w[0] < w[1]), "{names:?}");
    }
}
