//! The report as a template sees it: the fields of its JSON, tables cut to what a page shows.
//!
//! Cells, prose and numbers are [`held`](super::held); the rest is small enough for serde.

use super::cover::Cover;
use super::held::{Given, held};
use super::page::ROWS;
use crate::finding::{Fix, Measure};
use crate::report::{
    Block, Card, Category, ChecklistGroup, EvidenceEntry, Fact, Report, ReportFinding, Row, Section, Table, Verdict,
};
use crate::text::Text;
use crate::unit::Quantity;
use minijinja::context;
use minijinja::value::{Serde, Value, ValueKind};
use serde::Serialize;

/// The report, each table cut to [`ROWS`].
pub(super) fn report(report: &Report) -> Value {
    let map = context! {
        schema => report.schema,
        id => report.id.as_str(),
        generator => report.generator.as_str(),
        rules => report.rules.as_str(),
        redacted => plain(&report.redacted),
        title => report.title.as_str(),
        window => plain(&report.window),
        verdict => verdict(&report.verdict),
        findings => all(&report.findings, finding),
        checks => plain(&report.checks),
        actions => list(&report.actions),
        sections => all(&report.sections, section),
        evidence => all(&report.evidence, evidence),
    };
    let more =
        [("exceptions", report.exceptions.as_ref().map(plain)), ("baseline", report.baseline.as_ref().map(plain))];
    with(&map, more)
}

/// What stands around the report; the logo as an address that holds it.
pub(super) fn cover(cover: &Cover) -> Value {
    context! {
        title => cover.title.as_deref(),
        customer => cover.customer.as_deref(),
        author => cover.author.as_deref(),
        logo => cover.logo.as_ref().map(|l| format!("data:{};base64,{}", l.kind, base64(&l.bytes))),
        introduction => cover.introduction.as_deref(),
        closing => cover.closing.as_deref(),
    }
}

/// Bytes in the letters of a data address or a hash.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let index = (bits >> (18 - 6 * i)) & 63;
            let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            out.push(if i <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

fn all<T>(items: &[T], value: fn(&T) -> Value) -> Value {
    items.iter().map(value).collect()
}

fn plain<T: Serialize>(value: &T) -> Value {
    Value::from(Serde(value))
}

fn text(text: &Text) -> Value {
    held(text, !text.is_empty())
}

fn maybe_text(of: Option<&Text>) -> Value {
    of.map_or_else(|| Value::from(()), text)
}

fn number(of: Option<Quantity>) -> Value {
    of.map_or_else(|| Value::from(()), |q| held(&q, true))
}

fn list<T: Given>(items: &Vec<T>) -> Value {
    held(items, !items.is_empty())
}

/// Adds fields to a map, as `#[serde(flatten)]` and fields that are left out when empty do.
fn with<const N: usize>(map: &Value, more: [(&'static str, Option<Value>); N]) -> Value {
    debug_assert_eq!(map.kind(), ValueKind::Map);
    let more: Vec<(Value, Value)> = more.into_iter().filter_map(|(k, v)| Some((Value::from(k), v?))).collect();
    let old = map.try_iter().into_iter().flatten().filter_map(|k| map.get_item(&k).ok().map(|v| (k, v)));
    Value::from_pairs(old.chain(more))
}

fn verdict(v: &Verdict) -> Value {
    context! {
        headline => text(&v.headline),
        reason => text(&v.reason),
        basis => text(&v.basis),
        score => v.score,
        score_at_most => v.score_at_most,
        score_formula => v.score_formula.as_str(),
        score_evidence => v.score_evidence.as_deref(),
        categories => all(&v.categories, plain::<Category>),
        counts => plain(&v.counts),
        since => plain(&v.since),
    }
}

fn section(s: &Section) -> Value {
    context! { id => s.id.as_str(), title => s.title.as_str(), filled => s.filled, count => s.count, blocks => blocks(&s.blocks) }
}

fn blocks(list: &[Block]) -> Value {
    all(list, block)
}

fn block(block: &Block) -> Value {
    match block {
        Block::Prose { text: words } => context! { type => "prose", text => text(words) },
        Block::Note { kind, text: words } => context! { type => "note", kind => plain(kind), text => text(words) },
        Block::Facts { title, items } => {
            context! { type => "facts", title => title.as_str(), items => all(items, fact) }
        }
        Block::Table(t) => table(t),
        Block::Cards { cards } => context! { type => "cards", cards => all(cards, card) },
        Block::Sql(s) => context! {
            type => "sql",
            title => s.title.as_str(),
            sql => s.sql.as_str(),
            lock => s.lock.as_str(),
            findings => plain(&s.findings),
            when_not => maybe_text(s.when_not.as_ref()),
            undo => s.undo.as_deref(),
            nodes => plain(&s.nodes),
        },
        Block::Chart(_) => held(block, true),
        Block::Coverage { items } => context! { type => "coverage", items => list(items) },
        Block::Checklist { groups } => context! { type => "checklist", groups => all(groups, group) },
        Block::Details { summary, blocks: inner } => {
            context! { type => "details", summary => text(summary), blocks => blocks(inner) }
        }
        Block::Heading { .. }
        | Block::Verdict
        | Block::Findings
        | Block::Scores
        | Block::Checks { .. }
        | Block::Evidence
        | Block::Code { .. } => plain(block),
    }
}

fn fact(f: &Fact) -> Value {
    context! { label => f.label.as_str(), value => held(&f.value, true) }
}

fn card(c: &Card) -> Value {
    context! {
        title => text(&c.title),
        why => text(&c.why),
        severity => plain(&c.severity),
        confidence => plain(&c.confidence),
        effort => c.effort.as_str(),
        findings => plain(&c.findings),
    }
}

fn group(g: &ChecklistGroup) -> Value {
    context! { title => g.title.as_str(), items => all(&g.items, text) }
}

fn table(t: &Table) -> Value {
    context! {
        type => "table",
        id => t.id.as_str(),
        title => t.title.as_str(),
        about => text(&t.about),
        columns => list(&t.columns),
        rows => t.rows.iter().take(ROWS).map(row).collect::<Value>(),
        rows_in_all => t.rows_in_all,
        totals => list(&t.totals),
        empty => t.empty.as_str(),
    }
}

fn row(r: &Row) -> Value {
    if r.detail.is_empty() {
        return context! { cells => list(&r.cells) };
    }
    context! { cells => list(&r.cells), detail => blocks(&r.detail) }
}

fn finding(f: &ReportFinding) -> Value {
    let it = &f.finding;
    let map = context! {
        number => f.number.as_str(),
        id => f.id.as_str(),
        confidence => plain(&f.confidence),
        evidence => plain(&f.evidence),
        since => f.since.as_deref(),
        rule => it.rule.as_str(),
        subject => plain(&it.subject),
        members => list(&it.members),
        severity => plain(&it.severity),
        doubts => plain(&it.doubts),
        at_most => plain(&it.at_most),
        title => text(&it.title),
        why => text(&it.why),
        not => maybe_text(it.not.as_ref()),
        measures => all(&it.measures, measure),
        fixes => all(&it.fixes, fix),
        verify => text(&it.verify),
        deadline => plain(&it.deadline),
        effort => plain(&it.effort),
        share => it.share,
    };
    with(
        &map,
        [
            ("withdrawn", (!f.withdrawn.is_empty()).then(|| plain(&f.withdrawn))),
            ("baseline", f.baseline.as_ref().map(plain)),
            ("nodes", (!it.nodes.is_empty()).then(|| plain(&it.nodes))),
        ],
    )
}

fn measure(m: &Measure) -> Value {
    context! {
        label => m.label.as_str(),
        before => number(m.before),
        after => number(m.after),
        window => number(m.window),
        at_least => m.at_least,
        evidence => held(&m.evidence, true),
    }
}

fn fix(f: &Fix) -> Value {
    let map = context! {
        verb => plain(&f.verb),
        object => f.object.as_str(),
        sql => f.sql.as_str(),
        risk => plain(&f.risk),
        lock => f.lock.as_str(),
        when_not => maybe_text(f.when_not.as_ref()),
        undo => f.undo.as_deref(),
    };
    let keeps = (!f.keeps.is_empty()).then(|| plain(&f.keeps));
    with(&map, [("keeps", keeps), ("instead", f.instead.then(|| Value::from(true)))])
}

fn evidence(e: &EvidenceEntry) -> Value {
    let pair = |(label, q): &(String, Quantity)| -> Value {
        [Value::from(label.as_str()), held(q, true)].into_iter().collect()
    };
    context! {
        id => e.id.as_str(),
        label => e.label.as_str(),
        values => e.values.iter().map(pair).collect::<Value>(),
        view => e.evidence.view.as_str(),
        columns => plain(&e.evidence.columns),
        object => e.evidence.object.as_str(),
        locators => plain(&e.evidence.locators),
        formula => e.evidence.formula.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_see_the_json() {
        let golden: Report = serde_json::from_str(include_str!("../../fixtures/report/golden.json")).unwrap();
        assert!(golden.sections.iter().flat_map(|s| &s.blocks).any(|b| matches!(b, Block::Table(_))));
        let seen = serde_json::to_value(report(&golden)).unwrap();
        let mut want = serde_json::to_value(&golden).unwrap();
        cut(&mut want);
        assert_eq!(seen, want);
    }

    fn cut(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Array(items) => items.iter_mut().for_each(cut),
            serde_json::Value::Object(map) => {
                if let Some(rows) = map.get_mut("rows").and_then(|r| r.as_array_mut()) {
                    rows.truncate(ROWS);
                }
                map.values_mut().for_each(cut);
            }
            _ => {}
        }
    }
}
