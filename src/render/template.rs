//! The template engine: strict about what is undefined, our filters, templates from the binary or from a folder.

use super::page::{self, Page};
use super::{Options, words};
use crate::error::{Error, Result};
use crate::finding::{Effort, Measure, Risk, Severity, SubjectKind, Verb};
use crate::report::{Cell, CoverageState, Horizon, Report, Row, Table};
use crate::time::Timestamp;
use crate::unit::Quantity;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{Environment, UndefinedBehavior, context};
use std::sync::Arc;

/// The built-in templates. A folder given by the user replaces those it has.
const BUILT_IN: &[(&str, &str)] = &[
    ("report.md", include_str!("../../templates/report.md")),
    ("blocks.md", include_str!("../../templates/blocks.md")),
    ("report.html", include_str!("../../templates/report.html")),
    ("blocks.html", include_str!("../../templates/blocks.html")),
    ("style.css", include_str!("../../templates/style.css")),
    ("script.js", include_str!("../../templates/script.js")),
];

/// An engine that knows the page as `report` and the filters that all formats share.
pub(super) fn environment(page: &Arc<Page>, options: &Options) -> Result<Environment<'static>> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_debug(true);
    env.set_auto_reload(false);
    // Recursion is the depth of blocks in blocks.
    env.set_recursion_limit(100);
    env.set_syntax(
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(|e| failure(&e, "the syntax"))?,
    );
    let folder = options.templates.clone();
    env.set_loader(move |name| load(folder.as_deref(), name));
    add_filters(&mut env);
    env.add_global("report", Value::from(Serde(&page.report)));
    let reasons = Arc::clone(page);
    env.add_filter("reasons", move |id: &str| reasons.reasons.get(id).cloned().unwrap_or_default());
    let anchors = Arc::clone(page);
    env.add_filter("target", move |to: &str| anchors.target(to));
    let rows = Arc::clone(page);
    env.add_filter("hidden", move |table: Serde<Table>| hidden(&rows, &table));
    Ok(env)
}

/// Text of a template or of a file beside the templates (style, script).
pub(super) fn source(options: &Options, name: &str) -> Result<String> {
    load(options.templates.as_deref(), name)
        .map_err(|e| failure(&e, name))?
        .ok_or_else(|| Error::Template { message: format!("render template `{name}`: there is none") })
}

/// Renders a template with nothing but the globals.
pub(super) fn render(env: &Environment<'_>, name: &str, context: Value) -> Result<String> {
    env.get_template(name).and_then(|template| template.render(context)).map_err(|e| failure(&e, name))
}

fn load(folder: Option<&std::path::Path>, name: &str) -> Result<Option<String>, minijinja::Error> {
    if let Some(path) = folder.map(|f| f.join(name)) {
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok(Some(text)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => {
                let message = format!("could not read `{}`: {e}", path.display());
                return Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message));
            }
        }
    }
    Ok(BUILT_IN.iter().find(|(n, _)| *n == name).map(|(_, text)| (*text).to_owned()))
}

/// A template's error: where, and what.
fn failure(error: &minijinja::Error, name: &str) -> Error {
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!("`{name}` line {line}"),
        _ => format!("`{name}`"),
    };
    let mut message = format!("render template {place}: {}", error.kind());
    if let Some(detail) = error.detail() {
        message.push_str(": ");
        message.push_str(detail);
    }
    Error::Template { message }
}

/// How many rows of a table the page does not show, and whether the JSON report has them all.
fn hidden(page: &Page, table: &Table) -> Value {
    let shown = table.rows.len() as u64;
    let in_report = page.rows.get(&table.id).map_or(shown, |n| *n as u64);
    let all = table.rows_in_all.max(in_report);
    context! {
        rows => crate::unit::group_int(all.saturating_sub(shown) as i64),
        any => all > shown,
        shown => crate::unit::group_int(shown as i64),
        in_report => crate::unit::group_int(in_report as i64),
        all => crate::unit::group_int(all as i64),
        complete => all == in_report,
    }
}

fn add_filters(env: &mut Environment<'_>) {
    env.add_filter("variant", variant);
    env.add_filter("inner", inner);
    env.add_filter("human", |q: Serde<Quantity>| q.human());
    env.add_filter("exact", |q: Serde<Quantity>| q.exact());
    env.add_filter("signed", |q: Serde<Quantity>| q.human_signed());
    env.add_filter("when", |t: Serde<Timestamp>| t.human());
    env.add_filter("day", |t: Serde<Timestamp>| t.human_date());
    env.add_filter("duration", |s: f64| Quantity::float(s, crate::unit::Unit::Seconds).map(Quantity::human));
    env.add_filter("points", |x: f64| format!("{x:.2}"));
    env.add_filter("score", |x: f64| format!("{x:.1}"));
    env.add_filter("grouped", crate::unit::group_int);
    env.add_filter("anchor", |name: &str| page::anchor(name));
    env.add_filter("table_anchor", |id: &str| page::table_anchor(id));
    env.add_filter("severity", |s: Serde<Severity>| words::severity(*s));
    env.add_filter("shape", |s: Serde<Severity>| words::shape(*s));
    env.add_filter("effort", |e: Serde<Effort>| words::effort(*e));
    env.add_filter("horizon", |h: Serde<Horizon>| words::horizon(*h));
    env.add_filter("verb", |v: Serde<Verb>| words::verb(*v));
    env.add_filter("risk", |r: Serde<Risk>| words::risk(*r));
    env.add_filter("kind", |k: Serde<SubjectKind>| words::kind(*k));
    env.add_filter("coverage_state", |s: Serde<CoverageState>| words::coverage(*s));
    env.add_filter("confidence", |c: Serde<crate::finding::Confidence>| c.word());
    env.add_filter("doubt", |d: Serde<crate::finding::Doubt>| d.sentence());
    env.add_filter("measure_columns", |m: Serde<Vec<Measure>>, snapshots: usize| measure_columns(&m, snapshots));
    env.add_filter("with_detail", |rows: Serde<Vec<Row>>| with_detail(&rows));
    env.add_filter("beyond", |list: &Value, shown: usize| list.len().unwrap_or(0).saturating_sub(shown));
    env.add_filter("assessed", |report: Serde<Report>| assessed(&report));
}

/// The value columns that any of a finding's measures fills, with their heads.
fn measure_columns(measures: &[Measure], snapshots: usize) -> Value {
    let after = if snapshots > 1 { "B" } else { "Value" };
    [
        ("before", "A", measures.iter().any(|m| m.before.is_some())),
        ("after", after, measures.iter().any(|m| m.after.is_some())),
        ("window", "Window", measures.iter().any(|m| m.window.is_some())),
    ]
    .into_iter()
    .filter(|(_, _, filled)| *filled)
    .map(|(key, label, _)| context! { key, label })
    .collect()
}

/// The first rows that have something to unfold, with their names.
fn with_detail(rows: &[Row]) -> Value {
    rows.iter()
        .filter(|row| !row.detail.is_empty())
        .take(10)
        .map(|row| {
            let name = row.cells.first().unwrap_or(&Cell::None);
            context! { name => Value::from(Serde(name)), detail => Value::from(Serde(&row.detail)) }
        })
        .collect()
}

/// How many areas have a score.
fn assessed(report: &Report) -> usize {
    report.verdict.categories.iter().filter(|c| c.score.is_some()).count()
}

/// Which variant an enum value is: `number` for `{"number": ...}`, `none` for `"none"`.
fn variant(value: &Value) -> Option<String> {
    if value.kind() == ValueKind::Map {
        return value.try_iter().ok()?.next().map(|key| key.to_string());
    }
    value.as_str().map(str::to_owned)
}

/// What an enum value carries.
fn inner(value: &Value) -> Option<Value> {
    let key = value.try_iter().ok()?.next()?;
    value.get_item(&key).ok()
}
