//! Prose and table cells as HTML.

use super::super::page::{Page, has_files};
use super::super::words;
use super::escape::{breakable, escape, words as prose};
use super::graphic;
use crate::report::{Bound, Cell, Column, ColumnKind, Meaning};
use crate::text::{Span, Text, at_least};
use crate::unit::{Number, Quantity};
use std::fmt::Write;

/// Letters up to which a name stays on its line.
const NAME: usize = 24;
/// Letters above which a cell asks for room.
const LONG: usize = 30;
/// Letters above which a cell asks for a little.
const MIDDLE: usize = 7;

/// Prose: names can break, numbers carry their exact value, links go only to anchors that exist.
pub(super) fn text(text: &Text, page: &Page) -> String {
    spans(text, page, "obj")
}

/// A heading: a short name stays on its line.
pub(super) fn title(text: &Text, page: &Page) -> String {
    spans(text, page, "obj s")
}

fn spans(text: &Text, page: &Page, short: &str) -> String {
    text.0
        .iter()
        .map(|span| match span {
            Span::Text(s) => prose(s),
            Span::Strong(s) => format!("<b>{}</b>", prose(s)),
            Span::Name(s) => {
                let class = if s.chars().nth(NAME).is_none() { short } else { "obj" };
                format!("<span class=\"{class}\">{}</span>", breakable(s))
            }
            Span::Code(s) => format!("<code>{}</code>", breakable(s)),
            Span::Number(q) => data(*q, &q.human()),
            Span::AtLeast(q) => element(*q, &at_least(*q), &words::bounded_exact(*q, Some(Bound::AtLeast))),
            Span::Change(q) => data(*q, &q.human_signed()),
            Span::Link { to, text } => reference(to, text, page),
        })
        .collect()
}

/// A link to an anchor of the report, or its words alone where there is no such anchor.
pub(super) fn reference(to: &str, words: &str, page: &Page) -> String {
    let words = prose(words);
    match page.target(to) {
        Some(anchor) if is_evidence(&anchor) => format!("<a class=\"ev\" href=\"#{anchor}\">{words}</a>"),
        Some(anchor) => format!("<a href=\"#{anchor}\">{words}</a>"),
        None => words,
    }
}

fn is_evidence(anchor: &str) -> bool {
    anchor.strip_prefix('e').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// A number in its short form with the exact one behind it.
pub(super) fn data(quantity: Quantity, shown: &str) -> String {
    element(quantity, shown, &quantity.exact())
}

fn element(quantity: Quantity, shown: &str, exact: &str) -> String {
    format!("<data value=\"{}\" title=\"{}\">{}</data>", raw(quantity), escape(exact), escape(shown))
}

/// The number as a machine reads it.
pub(super) fn raw(quantity: Quantity) -> String {
    match quantity.value {
        Number::Int(n) => n.to_string(),
        Number::Float(x) => x.to_string(),
    }
}

/// A change beside its value: an arrow and its size; grey, unless it is known what it means, and then with the word.
fn change(quantity: Quantity, meaning: Option<Meaning>) -> String {
    let signed = quantity.human_signed();
    let (class, word) = match meaning {
        None => ("d", String::new()),
        Some(Meaning::Better) => ("d g", format!(" {}", Meaning::Better.word())),
        Some(Meaning::Worse) => ("d w", format!(" {}", Meaning::Worse.word())),
    };
    let arrow =
        |arrow: &str, size: &str| format!("<span class=\"{class}\">{arrow} {}{word}</span>", data(quantity, size));
    match signed.chars().next() {
        Some('+') => arrow("▲", signed.trim_start_matches('+')),
        Some('−') => arrow("▼", signed.trim_start_matches('−')),
        _ => "<span class=\"d\" title=\"unchanged\">=</span>".to_owned(),
    }
}

/// A remark of ours: what stands between backticks is code.
pub(super) fn remark(text: &str) -> String {
    crate::text::pieces(text)
        .into_iter()
        .map(|(code, piece)| if code { format!("<code>{}</code>", breakable(piece)) } else { prose(piece) })
        .collect()
}

/// What is inside a cell; `table` is the id of the table it stands in.
pub(super) fn cell(cell: &Cell, page: &Page, table: Option<&str>) -> String {
    match cell {
        Cell::NotAvailable(reason) => {
            if let Some(n) = table.and_then(|t| page.reason(t, reason)) {
                return format!("<span class=\"na\">n/a <sup>{n}</sup></span>");
            }
            let mut out = "<span class=\"na\">n/a</span>".to_owned();
            if !reason.is_empty() {
                let _ = write!(out, " <span class=\"na small\">{}</span>", remark(reason));
            }
            out
        }
        Cell::None => "<span class=\"na\">–</span>".to_owned(),
        Cell::Text(t) => text(t, page),
        Cell::Number { value, change: by, bound } => {
            let shown = element(*value, &page.shown(*value, *bound), &words::bounded_exact(*value, *bound));
            by.map_or_else(|| shown.clone(), |by| shown.clone() + &change(by, None))
        }
        Cell::Bar(bar) => {
            format!("<span class=\"barc\">{}{}</span>", graphic::bar(bar, 52), data(bar.value, &bar.value.human()))
        }
        Cell::Spark(spark) if spark.points.is_empty() => "<span class=\"na\">–</span>".to_owned(),
        Cell::Spark(spark) => graphic::spark(spark),
        Cell::Change { change: by, meaning } => change(*by, *meaning),
        Cell::Severity(severity) => graphic::tag(*severity),
        Cell::State(state) => graphic::state(*state),
        Cell::Confidence(confidence) => graphic::confidence(*confidence),
    }
}

/// Whether a cell has more letters of words.
fn longer(content: &Cell, letters: usize) -> bool {
    matches!(content, Cell::Text(t) if t.plain().chars().nth(letters).is_some())
}

/// Whether the words of a cell can be broken.
fn has_space(content: &Cell) -> bool {
    matches!(content, Cell::Text(t) if t.plain().contains(' '))
}

/// A cell in its element: the row's header for the name, right-aligned for numbers.
pub(super) fn td(column: &Column, content: &Cell, page: &Page, table: &str, expands: bool) -> String {
    let short;
    let content = match content.as_name().filter(|_| has_files(column)).map(|path| page.inside(path)) {
        Some(path) => {
            short = Cell::name(path);
            &short
        }
        None => content,
    };
    let inner = cell(content, page, Some(table));
    match column.kind {
        ColumnKind::Name => {
            let button = if expands {
                let name = match content {
                    Cell::Text(t) => t.plain(),
                    _ => String::new(),
                };
                format!(
                    "<button type=\"button\" class=\"xb js-only\" aria-expanded=\"false\" aria-label=\"Details of {}\"></button>",
                    escape(&name)
                )
            } else {
                String::new()
            };
            let wide = longer(content, NAME);
            let class = match (wide, expands) {
                (true, true) => " class=\"w ex\"",
                (true, false) => " class=\"w\"",
                (false, true) => " class=\"ex\"",
                (false, false) => "",
            };
            format!("<th scope=\"row\"{class}>{button}{inner}</th>")
        }
        ColumnKind::Text if content.as_name().is_some() && longer(content, MIDDLE) && !longer(content, NAME) => {
            format!("<td class=\"nm\" data-l=\"{}\">{inner}</td>", escape(&column.label))
        }
        ColumnKind::Text if longer(content, LONG) => {
            format!("<td class=\"w\" data-l=\"{}\">{inner}</td>", escape(&column.label))
        }
        ColumnKind::Text if longer(content, MIDDLE) => {
            format!("<td class=\"m\" data-l=\"{}\">{inner}</td>", escape(&column.label))
        }
        ColumnKind::Number if longer(content, MIDDLE) && has_space(content) => {
            format!("<td class=\"n tx\" data-l=\"{}\">{inner}</td>", escape(&column.label))
        }
        ColumnKind::Text => format!("<td data-l=\"{}\">{inner}</td>", escape(&column.label)),
        ColumnKind::Number => format!("<td class=\"n\" data-l=\"{}\">{inner}</td>", escape(&column.label)),
        ColumnKind::Graphic => format!("<td class=\"n g\" data-l=\"{}\">{inner}</td>", escape(&column.label)),
    }
}
