//! Prose, cells and charts as Markdown.

use super::super::page::Page;
use super::super::{spark, words};
use super::escape::{self, Place};
use crate::report::{Cell, Chart};
use crate::text::{Span, Text, at_least};
use crate::unit::Quantity;

/// Prose: names and code as code spans, links where their target exists.
pub(super) fn text(text: &Text, page: &Page, place: Place) -> String {
    let mut out = String::new();
    for span in &text.0 {
        let starts = place == Place::Line && out.trim().is_empty();
        let words = |s: &str| if starts { escape::words(s) } else { escape::inner_words(s) };
        let piece = match span {
            Span::Text(s) => words(s),
            Span::Strong(s) => strong(s),
            Span::Name(s) | Span::Code(s) => escape::code(s, place),
            Span::Number(q) => words(&q.human()),
            Span::AtLeast(q) => words(&at_least(*q)),
            Span::Change(q) => words(&q.human_signed()),
            Span::Link { to, text } => reference(to, text, page),
        };
        // Two code spans side by side would read as one fence.
        if out.ends_with('`') && piece.starts_with('`') {
            out.push(' ');
        }
        out.push_str(&piece);
    }
    out
}

/// A whole line of emphasised prose.
pub(super) fn headline(line: &Text, page: &Page) -> String {
    let spans = line.0.iter().cloned().map(|span| if let Span::Strong(s) = span { Span::Text(s) } else { span });
    let line = text(&Text(spans.collect()), page, Place::Inline);
    let line = line.trim();
    if line.is_empty() { String::new() } else { format!("**{line}**") }
}

/// Emphasised words. Asterisks beside punctuation may stay asterisks, so those cases take the tag.
fn strong(text: &str) -> String {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let words = escape::words(text);
    if is_word(text.chars().next()) && is_word(text.chars().next_back()) {
        format!("**{words}**")
    } else {
        format!("<b>{words}</b>")
    }
}

/// A link to an anchor of the report, or its words alone where there is no such anchor.
pub(super) fn reference(to: &str, words: &str, page: &Page) -> String {
    let words = escape::words(words);
    page.target(to).map_or(words.clone(), |anchor| format!("[{words}](#{anchor})"))
}

/// A remark of ours: what stands between backticks is code.
pub(super) fn remark(text: &str) -> String {
    let mut out = String::new();
    for (code, piece) in crate::text::pieces(text) {
        let piece = if code { escape::code(piece, Place::Cell) } else { escape::inner_words(piece) };
        if out.ends_with('`') && piece.starts_with('`') {
            out.push(' ');
        }
        out.push_str(&piece);
    }
    out
}

/// A table cell; `table` is the id of its table.
pub(super) fn cell(cell: &Cell, page: &Page, table: Option<&str>) -> String {
    match cell {
        Cell::NotAvailable(reason) if table.is_some_and(|t| page.reason(t, reason).is_some()) => {
            let n = table.and_then(|t| page.reason(t, reason)).unwrap_or_default();
            format!("n/a ({n})")
        }
        Cell::NotAvailable(reason) if reason.is_empty() => "n/a".to_owned(),
        Cell::NotAvailable(reason) => format!("n/a: {}", remark(reason)),
        Cell::None => "–".to_owned(),
        Cell::Text(t) => text(t, page, Place::Cell),
        Cell::Number { value, change, bound } => {
            let mut out = escape::inner_words(&words::bounded(*value, *bound));
            if let Some(change) = change {
                out.push_str(" (");
                out.push_str(&escape::inner_words(&change.human_signed()));
                out.push(')');
            }
            out
        }
        Cell::Bar(bar) => escape::inner_words(&bar.value.human()),
        Cell::Spark(history) if history.points.is_empty() => "–".to_owned(),
        Cell::Spark(history) => escape::code(&spark::line(history), Place::Cell),
        Cell::Change { change, meaning } => escape::inner_words(&words::change(*change, *meaning)),
        Cell::State(state) => {
            let (shape, word) = words::state(*state);
            format!("{shape} {}", word.to_lowercase())
        }
        Cell::Severity(severity) => format!("{} {}", words::shape(*severity), severity.word()),
        Cell::Confidence(confidence) => confidence.word().to_owned(),
    }
}

/// A chart as the table of its numbers.
pub(super) fn chart(chart: &Chart, page: &Page) -> String {
    let mut out = String::new();
    let mut line = |cells: &[String]| {
        out.push_str("| ");
        out.push_str(&cells.join(" | "));
        out.push_str(" |\n");
    };
    let plain = |s: &str| escape::inner_words(s);
    let head = |title: &str, source: &Text| {
        format!("{} {}", plain(title), text(source, page, Place::Cell)).trim_end().to_owned()
    };
    match chart {
        Chart::Slope { title, source, lines } => {
            line(&[head(title, source), "A".into(), "B".into()]);
            line(&[":--".into(), "--:".into(), "--:".into()]);
            for l in lines {
                let name = escape::code(&l.name, Place::Cell);
                let name = if l.emphasised { format!("**{name}**") } else { name };
                line(&[name, plain(&l.before.human()), plain(&l.after.human())]);
            }
        }
        Chart::Multiples { title, source, panels } => {
            line(&[head(title, source), "Last".into(), "Change".into(), "History".into(), "Events".into()]);
            line(&[":--".into(), "--:".into(), "--:".into(), ":--".into(), ":--".into()]);
            for p in panels {
                let change = p.change.map_or_else(|| "–".to_owned(), |c| plain(&c.human_signed()));
                let events: Vec<String> = p.marks.iter().map(|m| plain(&m.label)).collect();
                let events = if events.is_empty() { "–".to_owned() } else { events.join("; ") };
                let history = escape::code(&spark::panel(p), Place::Cell);
                let of = p.known_up_to.map_or_else(String::new, |n| format!(" (snapshot {n})"));
                let last = format!("{}{of}", p.value.human());
                line(&[plain(&p.title), plain(&last), change, history, events]);
            }
        }
        Chart::Heatmap(heat) => {
            let mark = |i: usize| if heat.breaks.contains(&i) { "╎ " } else { "" };
            let head = heat.columns.iter().enumerate().map(|(i, c)| format!("{}{}", mark(i), plain(c)));
            line(&std::iter::once(plain(&heat.title)).chain(head).collect::<Vec<_>>());
            line(
                &std::iter::once(":--")
                    .chain(heat.columns.iter().map(|_| "--:"))
                    .map(str::to_owned)
                    .collect::<Vec<_>>(),
            );
            for row in &heat.rows {
                let cell = |c: &Option<Quantity>| c.map_or_else(|| "n/a".to_owned(), |q| plain(&q.human()));
                let cells = row.cells.iter().map(cell);
                line(&std::iter::once(escape::code(&row.name, Place::Cell)).chain(cells).collect::<Vec<_>>());
            }
            out.extend(["\n", &plain(&heat.about)]);
            if !heat.breaks.is_empty() {
                out.push_str(" `╎`: statistics reset before this moment.");
            }
            if !heat.source.is_empty() {
                out.extend([" ", &text(&heat.source, page, Place::Inline)]);
            }
            out.push('\n');
        }
        Chart::Timeline { title, source, from, to, lanes } => {
            line(&[head(title, source), "Times".into(), "When".into(), "First of them".into()]);
            line(&[":--".into(), "--:".into(), ":--".into(), ":--".into()]);
            for lane in lanes {
                let times = (lane.marks.len() as u64).saturating_add(lane.further);
                let course = escape::code(&spark::lane(lane, *from, *to), Place::Cell);
                let mut shown: Vec<String> = lane.marks.iter().take(3).map(|m| plain(&m.label)).collect();
                if times > 3 {
                    shown.push(format!("{} more", times - 3));
                }
                line(&[plain(&lane.label), times.to_string(), course, shown.join("; ")]);
            }
        }
        Chart::Strip { title, source, parts } => {
            let whole: f64 = parts.iter().map(|p| p.value.as_f64()).sum();
            line(&[head(title, source), "Amount".into(), "Share".into()]);
            line(&[":--".into(), "--:".into(), "--:".into()]);
            for p in parts {
                let share = Quantity::share(p.value.as_f64(), whole).map_or_else(|| "n/a".to_owned(), Quantity::human);
                line(&[plain(&p.label), plain(&p.value.human()), plain(&share)]);
            }
        }
    }
    out
}
