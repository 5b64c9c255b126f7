//! Markdown: GitHub's flavour, readable as plain text, from `templates/report.md`.

mod cell;
mod escape;

use super::page::Page;
use super::{Options, template};
use crate::error::Result;
use crate::report::{Cell, Chart, Panel, Report};
use crate::text::Text;
use escape::Place;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment};
use std::sync::Arc;

/// The report as Markdown.
pub(super) fn write(report: &Report, options: &Options) -> Result<String> {
    let page = Arc::new(Page::of(report));
    let mut env = template::environment(&page, options)?;
    env.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    env.set_formatter(|out, _, value| {
        let text = value.to_string();
        out.write_str(&if value.is_safe() { text } else { escape::words(&text) })?;
        Ok(())
    });
    add_filters(&mut env, &page);
    Ok(tidy(&template::render(&env, "report.md", Value::UNDEFINED)?))
}

fn add_filters(env: &mut Environment<'_>, page: &Arc<Page>) {
    let safe = Value::from_safe_string;
    let p = Arc::clone(page);
    env.add_filter("text", move |text: Serde<Text>| safe(cell::text(&text, &p, Place::Line)));
    let p = Arc::clone(page);
    env.add_filter("cell_text", move |text: Serde<Text>| safe(cell::text(&text, &p, Place::Cell)));
    let p = Arc::clone(page);
    env.add_filter("inline_text", move |text: Serde<Text>| safe(cell::text(&text, &p, Place::Inline)));
    let p = Arc::clone(page);
    env.add_filter("headline", move |text: Serde<Text>| safe(cell::headline(&text, &p)));
    let p = Arc::clone(page);
    env.add_filter("cell", move |c: Serde<Cell>| safe(cell::cell(&c, &p, None)));
    let p = Arc::clone(page);
    env.add_filter("cell_of", move |c: Serde<Cell>, table: &str| safe(cell::cell(&c, &p, Some(table))));
    env.add_filter("remark", move |text: &str| safe(cell::remark(text)));
    let p = Arc::clone(page);
    env.add_filter("ref", move |to: &str| safe(cell::reference(to, to, &p)));
    env.add_filter("code", move |text: &str| safe(escape::code(text, Place::Line)));
    env.add_filter("cell_code", move |text: &str| safe(escape::code(text, Place::Cell)));
    env.add_filter("summary", move |text: Serde<Text>| safe(escape::html(&text.plain())));
    env.add_filter("fenced", move |text: &str, language: &str| safe(escape::fenced(language, text)));
    env.add_filter("chart", move |chart: Serde<Chart>| safe(cell::chart(&chart)));
    env.add_filter("panel", move |panel: Serde<Panel>| safe(escape::code(&super::spark::panel(&panel), Place::Cell)));
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
