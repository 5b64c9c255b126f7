//! Markdown: GitHub's flavour, readable as plain text, from `templates/report.md`.

mod cell;
mod escape;

use super::Options;
use super::held::given;
use super::page::Page;
use super::template::{self, add};
use crate::error::Result;
use crate::report::{Block, Cell, Report};
use crate::text::Text;
use escape::Place;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment};
use std::sync::Arc;

/// The report as Markdown.
pub(super) fn write(report: &Report, options: &Options) -> Result<String> {
    render(report, options, "report.md")
}

/// The report by one of the Markdown templates.
pub(super) fn render(report: &Report, options: &Options, name: &str) -> Result<String> {
    let page = Arc::new(Page::of(report));
    let mut env = template::environment(report, &page, options)?;
    env.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    env.set_formatter(|out, _, value| {
        match value.as_str() {
            Some(text) if value.is_safe() => out.write_str(text)?,
            Some(text) => out.write_str(&escape::words(text))?,
            None => out.write_str(&escape::words(&value.to_string()))?,
        }
        Ok(())
    });
    add_filters(&mut env, &page);
    Ok(tidy(&template::render(&env, name, Value::UNDEFINED)?))
}

fn add_filters(env: &mut Environment<'_>, page: &Arc<Page>) {
    let safe = Value::from_safe_string;
    let p = Arc::clone(page);
    add(env, "text", move |text: &Text| safe(cell::text(text, &p, Place::Line)));
    let p = Arc::clone(page);
    add(env, "cell_text", move |text: &Text| safe(cell::text(text, &p, Place::Cell)));
    let p = Arc::clone(page);
    add(env, "inline_text", move |text: &Text| safe(cell::text(text, &p, Place::Inline)));
    let p = Arc::clone(page);
    add(env, "headline", move |text: &Text| safe(cell::headline(text, &p)));
    let p = Arc::clone(page);
    add(env, "cell", move |c: &Cell| safe(cell::cell(c, &p, None)));
    let p = Arc::clone(page);
    env.add_filter("row", move |cells: &Value, table: &str| {
        let mut line = String::from("|");
        for cell in given::<Vec<Cell>>(cells)?.iter() {
            line.extend([" ", &cell::cell(cell, &p, Some(table)), " |"]);
        }
        Ok::<Value, minijinja::Error>(safe(line))
    });
    // Of the user's own words only markup in the form of HTML is made harmless.
    env.add_filter("own_words", |text: &str| Value::from_safe_string(text.replace('<', "&lt;")));
    env.add_filter("remark", move |text: &str| safe(cell::remark(text)));
    let p = Arc::clone(page);
    env.add_filter("ref", move |to: &str| safe(cell::reference(to, to, &p)));
    env.add_filter("code", move |text: &str| safe(escape::code(text, Place::Line)));
    env.add_filter("cell_code", move |text: &str| safe(escape::code(text, Place::Cell)));
    add(env, "summary", move |text: &Text| safe(escape::html(&text.plain())));
    env.add_filter("fenced", move |text: &str, language: &str| safe(escape::fenced(language, text)));
    let p = Arc::clone(page);
    env.add_filter("chart", move |c: &Value| match given::<Block>(c)?.as_ref() {
        Block::Chart(c) => Ok(safe(cell::chart(c, &p))),
        _ => Err(template::wrong("chart")),
    });
}

/// Cuts trailing spaces and repeated empty lines outside fenced blocks, so that templates can be laid out freely.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<usize> = None;
    let mut empty = true;
    for line in text.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        let rest = line.get(ticks..).unwrap_or_default();
        match fence {
            Some(open) if ticks >= open && rest.trim().is_empty() => fence = None,
            None if ticks >= 3 && !rest.contains('`') => fence = Some(ticks),
            Some(_) => {
                out.push_str(line);
                out.push('\n');
                continue;
            }
            None => {}
        }
        let line = line.trim_end();
        if !(line.is_empty() && empty) {
            out.push_str(line);
            out.push('\n');
        }
        empty = line.is_empty();
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}
