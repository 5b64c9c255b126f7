//! HTML: one file, no request, readable without script, from `templates/report.html`.
//!
//! One style sheet and one script, both named by their hashes in the page's content security policy. So there can be
//! no `style=` and no `on…=` attribute anywhere: graphics use classes and geometry.

mod cell;
mod chart;
mod escape;
mod graphic;
mod markdown;
mod rows;
mod slope;
mod slots;
mod sql;

use super::Options;
use super::held::given;
use super::page::{self, Page};
use super::template::{self, add};
use crate::error::Result;
use crate::finding::{Confidence, Severity};
use crate::report::{Block, Cell, Column, CoverageItem, CoverageState, Report};
use crate::text::Text;
use crate::unit::Quantity;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, context};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;

/// The report as a page.
pub(super) fn write(report: &Report, options: &Options) -> Result<String> {
    let page = Arc::new(Page::of(report));
    let mut env = template::environment(report, &page, options)?;
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.set_formatter(|out, _, value| {
        match value.as_str() {
            Some(text) if value.is_safe() => out.write_str(text)?,
            Some(text) => out.write_str(&escape::words(text))?,
            None => out.write_str(&escape::words(&value.to_string()))?,
        }
        Ok(())
    });
    add_filters(&mut env, &page);
    let rows::Long { blocks, names } = rows::Long::of(report, &page);
    let rows = if blocks.is_empty() { String::new() } else { template::source(options, "rows.js")? };
    env.add_filter("rows_json", move |id: &str| Value::from_safe_string(blocks.get(id).cloned().unwrap_or_default()));
    let style = template::source(options, "style.css")?
        .replace("REPORT_ID", &page::anchor(&report.id))
        .replace("REPORT_NAME", &css_words(&foot(report, options)))
        + &slots::rules(report);
    if template::has(options, "page.md") {
        return from_markdown(report, options, &env, style);
    }
    // Only a page with long tables needs to make rows.
    let tables = template::source(options, "tables.js")?;
    let script = template::source(options, "script.js")?.replace("// TABLES\n", &(rows + &tables));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        sha256_base64(&style),
        sha256_base64(&script)
    );
    let context = context! {
        style => Value::from_safe_string(style),
        script => Value::from_safe_string(script),
        names => Value::from_safe_string(names),
        policy,
    };
    Ok(tidy(&template::render(&env, "report.html", context)?))
}

/// A page whose body is a Markdown template: no script, the same policy.
fn from_markdown(report: &Report, options: &Options, env: &Environment<'_>, style: String) -> Result<String> {
    let body = markdown::to_html(&super::markdown::render(report, options, "page.md")?, markdown::Author::Template);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        sha256_base64(&style)
    );
    let context = context! { style => Value::from_safe_string(style), body => Value::from_safe_string(body), policy };
    Ok(tidy(&template::render(env, "page.html", context)?))
}

/// What stands at the foot of every printed page before the report's id: `shop · 2 Mar 2026 09:00 → 3 Mar 2026 09:00 UTC`.
fn foot(report: &Report, options: &Options) -> String {
    let title = options.cover.title.as_deref().unwrap_or(&report.title);
    let window = match (report.window.from, report.window.to) {
        (Some(from), Some(to)) if report.window.snapshots > 1 => format!(" · {}", from.human_until(to)),
        (_, Some(to)) => format!(" · {}", to.human()),
        _ => String::new(),
    };
    format!("{title}{window}")
}

/// Words inside a string of a style sheet: whatever could end it, or the sheet, as its number.
fn css_words(words: &str) -> String {
    crate::ident::visible(words).chars().fold(String::new(), |mut out, c| {
        let _ = match c {
            c if c.is_ascii_alphanumeric() || " .,:_-".contains(c) => write!(out, "{c}"),
            c => write!(out, "\\{:x} ", u32::from(c)),
        };
        out
    })
}

fn add_filters(env: &mut Environment<'_>, page: &Arc<Page>) {
    let safe = Value::from_safe_string;
    let p = Arc::clone(page);
    add(env, "text", move |text: &Text| safe(cell::text(text, &p)));
    let p = Arc::clone(page);
    add(env, "title", move |text: &Text| safe(cell::title(text, &p)));
    let p = Arc::clone(page);
    add(env, "cell", move |c: &Cell| safe(cell::cell(c, &p, None)));
    let p = Arc::clone(page);
    env.add_filter("tds", move |cells: &Value, columns: &Value, table: &str, expands: bool| {
        let (cells, columns) = (given::<Vec<Cell>>(cells)?, given::<Vec<Column>>(columns)?);
        let tds = columns.iter().zip(cells.iter()).map(|(column, c)| cell::td(column, c, &p, table, expands));
        Ok::<Value, minijinja::Error>(safe(tds.collect()))
    });
    let p = Arc::clone(page);
    env.add_filter("ref", move |to: &str| safe(cell::reference(to, to, &p)));
    add(env, "data", move |q: &Quantity| safe(cell::data(*q, &q.human())));
    env.add_filter("sentence", |words: &str| crate::text::sentence(words));
    env.add_filter("remark", move |text: &str| safe(cell::remark(text)));
    env.add_filter("name", move |text: &str| safe(escape::breakable(text)));
    env.add_filter("lines", move |text: &str| safe(escape::lines(text)));
    env.add_filter("sql", move |text: &str| safe(sql::highlight(text)));
    let p = Arc::clone(page);
    env.add_filter("chart", move |c: &Value, alone: Option<bool>| match given::<Block>(c)?.as_ref() {
        Block::Chart(c) => Ok(safe(chart::chart(c, &p, alone.unwrap_or(false)))),
        _ => Err(template::wrong("chart")),
    });
    env.add_filter("markdown", |text: &str| Value::from_safe_string(markdown::to_html(text, markdown::Author::User)));
    env.add_filter("icon", move |name: &str| safe(graphic::icon(name)));
    env.add_filter("severity_class", |s: Serde<Severity>| graphic::class(*s));
    env.add_filter("tag", move |s: Serde<Severity>| safe(graphic::tag(*s)));
    env.add_filter("bars", move |c: Serde<Confidence>| safe(graphic::confidence(*c)));
    env.add_filter("score_bar", move |score: f64| safe(graphic::score(score)));
    add(env, "coverage_strip", move |items: &Vec<CoverageItem>| safe(coverage(items)));
    env.add_filter("has_files", |columns: &Value| given::<Vec<Column>>(columns).map(|c| c.iter().any(page::has_files)));
    env.add_filter("layout", |columns: &Value, rows: usize| given::<Vec<Column>>(columns).map(|c| layout(&c, rows)));
}

/// How a table is laid out: whether it is made of words, whether its head follows the reader, whether print may break it:
/// rows of many columns have two lines there.
fn layout(columns: &[Column], rows: usize) -> Value {
    use crate::report::ColumnKind::{Graphic, Number, Text};
    let count = |kinds: &[crate::report::ColumnKind]| columns.iter().filter(|c| kinds.contains(&c.kind)).count();
    context! {
        words => count(&[Number, Graphic]) <= count(&[Text]).max(1) && columns.len() <= 7,
        dense => columns.len() >= 7,
        crowded => columns.len() >= 9,
        tall => rows * if columns.len() >= 7 { 2 } else { 1 } > 24,
        long => rows > 30 && columns.len() <= 8,
        tools => rows > page::FILTERED,
    }
}

/// One square per expected source: filled, outlined, missing.
fn coverage(items: &[CoverageItem]) -> String {
    const PER_LINE: usize = 48;
    let mut items: Vec<&CoverageItem> = items.iter().filter(|i| i.state != CoverageState::NotApplicable).collect();
    // Those of a state stand together, so that the strip reads as a share.
    items.sort_by_key(|i| match i.state {
        CoverageState::Captured => 0,
        CoverageState::Empty => 1,
        CoverageState::Missing | CoverageState::NotApplicable => 2,
    });
    let count = |state| items.iter().filter(|i| i.state == state).count();
    let said = format!(
        "{} of {} expected sources captured, {} captured but empty, {} missing",
        count(CoverageState::Captured) + count(CoverageState::Empty),
        items.len(),
        count(CoverageState::Empty),
        count(CoverageState::Missing)
    );
    let width = items.len().clamp(1, PER_LINE) * 16;
    let height = items.len().div_ceil(PER_LINE).max(1) * 16;
    let mut out = format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{said}\">"
    );
    for (i, item) in items.iter().enumerate() {
        let class = match item.state {
            CoverageState::Captured => "c1",
            CoverageState::Empty => "c2",
            CoverageState::Missing | CoverageState::NotApplicable => "c3",
        };
        let (x, y) = (i % PER_LINE * 16, i / PER_LINE * 16);
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{x}.7\" y=\"{y}.7\" width=\"11.6\" height=\"11.6\" rx=\"2\"><title>{}</title></rect>",
            escape::escape(&item.name)
        );
    }
    out.push_str("</svg>");
    out
}

/// Elements whose lines stay as they are, with their start and end.
const KEPT: [(&str, &str); 3] = [("<pre", "</pre>"), ("<style", "</style>"), ("<script", "</script>")];

/// Cuts the empty lines that templates leave, except inside `<pre>`, style and script.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut keep: Option<(&str, &str)> = None;
    for line in text.lines() {
        let line = if keep.is_none() { line.trim() } else { line };
        if keep.is_none() && line.is_empty() {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        match keep {
            Some(kept) if line.contains(kept.1) && !opens(line, kept) => keep = None,
            None if line.contains('<') => keep = KEPT.into_iter().find(|kept| opens(line, *kept)),
            _ => {}
        }
    }
    out
}

/// Whether an element is opened in a line and not closed after that.
fn opens(line: &str, (start, end): (&str, &str)) -> bool {
    // From tag to tag: searching for words is slower in lines as short as these.
    let mut tags = memchr::memrchr_iter(b'<', line.as_bytes()).filter_map(|at| line.get(at..));
    tags.find(|rest| rest.starts_with(start)).is_some_and(|rest| !rest.contains(end))
}

/// The hash of a content security policy.
fn sha256_base64(text: &str) -> String {
    super::values::base64(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_like_everybody() {
        assert_eq!(sha256_base64(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(sha256_base64("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn no_name_leaves_its_string_in_the_style_sheet() {
        assert_eq!(css_words("shop_1 v.2"), "shop_1 v.2");
        let hostile = css_words("a\"}</style>\\\n{é");
        assert!(!hostile.contains(['"', '<', '>', '}', '{', '\n']), "{hostile}");
        assert!(hostile.starts_with("a\\22 \\7d \\3c \\2f style\\3e "), "{hostile}");
    }

    #[test]
    fn keeps_the_lines_of_pre() {
        let text = "<p>\n\n  a</p>\n<pre>x\n\n  y</pre>\n\n<pre>one</pre>\n\n<b>z</b>\n";
        assert_eq!(tidy(text), "<p>\na</p>\n<pre>x\n\n  y</pre>\n<pre>one</pre>\n<b>z</b>\n");
    }
}
