//! The template engine: strict about what is undefined, our filters, templates from the binary or from a folder.

use super::held::{Given, given};
use super::page::{self, Page};
use super::places::places;
use super::{Options, values, words};
use crate::error::{Error, Result};
use crate::finding::{Effort, Risk, Severity, SubjectKind, Verb};
use crate::report::{CoverageState, Horizon, Report};
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
    ("tables.js", include_str!("../../templates/tables.js")),
    ("rows.js", include_str!("../../templates/rows.js")),
    ("page.html", include_str!("../../templates/page.html")),
];

/// A file of the user's whose macros replace those of the same name in `blocks.html` or `blocks.md`.
const MACROS: [(&str, &str); 2] = [("blocks.html", "macros.html"), ("blocks.md", "macros.md")];

/// The built-in templates by their names, and what they are given, in words.
pub fn built_in() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUILT_IN.iter().copied().chain([("README.md", include_str!("../../templates/README.md"))])
}

/// An engine that knows the page as `report` and the filters that all formats share.
pub(super) fn environment(report: &Report, page: &Arc<Page>, options: &Options) -> Result<Environment<'static>> {
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
    env.add_global("report", values::report(report));
    env.add_global("cover", values::cover(&options.cover));
    let reasons = Arc::clone(page);
    env.add_filter("reasons", move |id: &str| reasons.reasons.get(id).cloned().unwrap_or_default());
    let anchors = Arc::clone(page);
    env.add_filter("target", move |to: &str| anchors.target(to));
    let lists = Arc::clone(page);
    env.add_filter("full_list", move |number: &str| match lists.lists.get(number) {
        Some(list) => context! {
            anchor => list.anchor.as_str(), title => list.title.as_str(), filter => list.filter.as_str()
        },
        None => Value::from(()),
    });
    let inside = Arc::clone(page);
    env.add_filter("inside", move |path: &str| inside.inside(path).to_owned());
    let of_entry = Arc::clone(page);
    env.add_filter("places", move |locators: &Value| places(locators, |path| of_entry.inside(path).to_owned()));
    env.add_global("folder", page.folder.as_str());
    let rows = Arc::clone(page);
    env.add_filter("hidden", move |table: &Value| hidden(&rows, table));
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

/// Whether the user's folder has a file.
pub(super) fn has(options: &Options, name: &str) -> bool {
    options.templates.as_ref().is_some_and(|folder| folder.join(name).is_file())
}

/// A template, with the user's macros behind those that it has.
fn load(folder: Option<&std::path::Path>, name: &str) -> Result<Option<String>, minijinja::Error> {
    let mut text = file_or_built_in(folder, name)?;
    if let Some((_, macros)) = MACROS.iter().find(|(of, _)| *of == name)
        && let Some(more) = file_or_built_in(folder, macros)?
        && let Some(text) = &mut text
    {
        text.push_str(MORE);
        text.push_str(&more);
    }
    Ok(text)
}

/// Stands between the macros of a template and the user's.
const MORE: &str = "\n{# macros of the user #}\n";

fn file_or_built_in(folder: Option<&std::path::Path>, name: &str) -> Result<Option<String>, minijinja::Error> {
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

/// A template's error: file, line, what is wrong, and the expression it is about.
fn failure(error: &minijinja::Error, name: &str) -> Error {
    let source = error.template_source().unwrap_or_default();
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) => {
            let (file, line) = own_place(name, line, source);
            format!("`{file}` line {line}")
        }
        _ => format!("`{name}`"),
    };
    let mut message = format!("render template {place}: {}", error.kind());
    if let Some(detail) = error.detail() {
        message.push_str(": ");
        message.push_str(detail);
    }
    if let Some(expression) = error.range().and_then(|range| source.get(range)).filter(|e| e.len() < 200) {
        message.extend([": `", expression.trim(), "`"]);
    }
    Error::Template { message }
}

/// The user's file and line where an error is in macros that were put behind a template.
fn own_place<'n>(name: &'n str, line: usize, source: &str) -> (&'n str, usize) {
    let macros = MACROS.iter().find(|(of, _)| *of == name).map(|(_, macros)| *macros);
    let before = source.split_once(MORE).map(|(own, _)| own.matches('\n').count() + MORE.matches('\n').count());
    match (macros, before) {
        (Some(macros), Some(before)) if line > before => (macros, line - before),
        _ => (name, line),
    }
}

/// How many rows of a table the page does not show, and whether the JSON report has them all.
fn hidden(page: &Page, table: &Value) -> Result<Value, minijinja::Error> {
    let shown = table.get_attr("rows")?.len().unwrap_or_default() as u64;
    let id = table.get_attr("id")?;
    let in_report = id.as_str().and_then(|id| page.rows.get(id)).map_or(shown, |n| *n as u64);
    let unfold = id.as_str().and_then(|id| page.details.get(id)).map_or(0, |n| *n as u64);
    let all = u64::try_from(table.get_attr("rows_in_all")?).unwrap_or(in_report).max(in_report);
    Ok(context! {
        rows => crate::unit::group_int(all.saturating_sub(shown) as i64),
        any => all > shown,
        shown => crate::unit::group_int(shown as i64),
        in_report => crate::unit::group_int(in_report as i64),
        all => crate::unit::group_int(all as i64),
        complete => all == in_report,
        details => if unfold > shown { Some(crate::unit::group_int(unfold as i64)) } else { None },
    })
}

/// A filter was given something else than it is for.
pub(super) fn wrong(wanted: &str) -> minijinja::Error {
    minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, format!("this is no {wanted}"))
}

/// Adds a filter of one value of ours.
pub(super) fn add<T: Given, O: Into<Value>>(
    env: &mut Environment<'_>,
    name: &'static str,
    filter: impl Fn(&T) -> O + Send + Sync + 'static,
) {
    env.add_filter(name, move |value: &Value| given::<T>(value).map(|v| filter(&v).into()));
}

fn add_filters(env: &mut Environment<'_>) {
    env.add_filter("variant", variant);
    env.add_filter("inner", inner);
    add(env, "human", |q: &Quantity| q.human());
    add(env, "exact", |q: &Quantity| q.exact());
    add(env, "signed", |q: &Quantity| q.human_signed());
    env.add_filter("when", |t: Serde<Timestamp>| t.human());
    env.add_filter("until", |from: Serde<Timestamp>, to: Serde<Timestamp>| from.human_until(*to));
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
    env.add_filter("measure_columns", measure_columns);
    env.add_filter("setting_in_words", |measure: &Value| setting_in_words(measure).map(Value::from));
    env.add_filter("with_detail", with_detail);
    env.add_filter("beyond", |list: &Value, shown: usize| list.len().unwrap_or(0).saturating_sub(shown));
    env.add_filter("assessed", assessed);
    env.add_filter("by_reason", by_reason);
    env.add_filter("read_by", read_by);
    env.add_filter("by_way", by_way);
}

/// The value columns that any of a finding's measures fills, with their heads.
fn measure_columns(measures: &Value, snapshots: usize) -> Result<Value, minijinja::Error> {
    let after = if snapshots > 1 { "B" } else { "Value" };
    let mut columns = Vec::new();
    for (key, label) in [("before", "A"), ("after", after), ("window", "Window")] {
        for measure in measures.try_iter()? {
            let words = key == "after" && setting_in_words(&measure)?.is_some();
            if words || !measure.get_attr(key)?.is_none() {
                columns.push(context! { key, label });
                break;
            }
        }
    }
    Ok(Value::from(columns))
}

/// What a setting is that has no number: `off`.
fn setting_in_words(measure: &Value) -> Result<Option<String>, minijinja::Error> {
    for key in ["before", "after", "window"] {
        if !measure.get_attr(key)?.is_none() {
            return Ok(None);
        }
    }
    let evidence = measure.get_attr("evidence")?;
    let evidence = given::<crate::finding::Evidence>(&evidence)?;
    Ok(evidence.formula.as_deref().and_then(|f| f.strip_prefix("setting ")).map(str::to_owned))
}

/// The first rows that have something to unfold, with their names.
fn with_detail(rows: &Value) -> Result<Value, minijinja::Error> {
    let mut out = Vec::new();
    for row in rows.try_iter()? {
        let detail = row.get_attr("detail")?;
        if detail.is_true() {
            let cells = row.get_attr("cells")?;
            let name = given::<Vec<crate::report::Cell>>(&cells)?;
            let name = name.first().map_or_else(|| Value::from("none"), |cell| super::held::held(cell, true));
            out.push(context! { name, detail });
        }
        if out.len() == 10 {
            break;
        }
    }
    Ok(Value::from(out))
}

/// Entries that share their remark, together: `remark`, and `members` in the order met. The largest group is first.
fn by_reason(list: &Value) -> Result<Value, minijinja::Error> {
    let mut groups = groups(list, "remark")?;
    groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    Ok(groups.into_iter().map(|(remark, members)| context! { remark, members }).collect())
}

/// Evidence of several checks, each once, in the order of the register.
fn read_by(list: &Value) -> Result<Vec<Value>, minijinja::Error> {
    let mut read: Vec<Value> = Vec::new();
    for check in list.try_iter()? {
        for id in check.get_attr("evidence")?.try_iter()? {
            if !read.contains(&id) {
                read.push(id);
            }
        }
    }
    read.sort_by_key(|id| (id.len(), id.clone()));
    Ok(read)
}

/// Missing sources that are got in the same way, together: `how`, and `members` in the order met. The largest group is last.
fn by_way(list: &Value) -> Result<Value, minijinja::Error> {
    let mut groups = groups(list, "how_to_get")?;
    groups.sort_by_key(|(_, members)| members.len());
    Ok(groups.into_iter().map(|(how, members)| context! { how, members }).collect())
}

/// Entries by what they have in an attribute, in the order met.
fn groups(list: &Value, attribute: &str) -> Result<Vec<(Value, Vec<Value>)>, minijinja::Error> {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for entry in list.try_iter()? {
        let of = entry.get_attr(attribute)?;
        match groups.iter_mut().find(|(known, _)| *known == of) {
            Some((_, members)) => members.push(entry),
            None => groups.push((of, vec![entry])),
        }
    }
    Ok(groups)
}

/// How many areas have a score.
fn assessed(report: &Value) -> Result<usize, minijinja::Error> {
    let mut n = 0;
    for category in report.get_attr("verdict")?.get_attr("categories")?.try_iter()? {
        n += usize::from(!category.get_attr("score")?.is_none());
    }
    Ok(n)
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
