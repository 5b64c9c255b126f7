//! Names made of what markup is made of: they change nothing but themselves.

use super::page::html_shape;
use super::written;
use crate::golden::golden;
use pgretro::report::Report;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options as Markdown, Parser, Tag, TagEnd};

/// The golden report with one of its names replaced wherever it stands, as a name, as code and in prose.
pub fn with_name(name: &str) -> Report {
    fn replace(value: &mut serde_json::Value, name: &str) {
        match value {
            serde_json::Value::String(s) if s == "public.orders" => name.clone_into(s),
            serde_json::Value::Array(list) => list.iter_mut().for_each(|v| replace(v, name)),
            serde_json::Value::Object(map) => map.values_mut().for_each(|v| replace(v, name)),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(golden()).expect("JSON");
    replace(&mut value, name);
    let mut report: Report = serde_json::from_value(value).expect("a report");
    name.clone_into(&mut report.title);
    report.verdict.headline = pgretro::text::Text::new().t(name).name(name).strong(name);
    report.verdict.reason = pgretro::text::Text::new().t(name).strong(name).name(name).t(name);
    for (i, entry) in report.evidence.iter_mut().enumerate() {
        entry.label = if i == 0 { name.to_owned() } else { format!("a {name} b") };
        entry.evidence.formula = Some(name.to_owned());
    }
    report
}

/// What GitHub reads beyond plain Markdown.
pub fn github() -> Markdown {
    Markdown::ENABLE_TABLES
        | Markdown::ENABLE_TASKLISTS
        | Markdown::ENABLE_STRIKETHROUGH
        | Markdown::ENABLE_FOOTNOTES
        | Markdown::ENABLE_MATH
        | Markdown::ENABLE_GFM
}

/// Every element of a Markdown text without its words.
fn markdown_shape(text: &str) -> Vec<String> {
    Parser::new_ext(text, github())
        .filter_map(|event| match event {
            Event::Start(Tag::Strong) => Some("<b>".to_owned()),
            Event::End(TagEnd::Strong) => Some("</b>".to_owned()),
            Event::Start(tag) => Some(format!("{tag:?}")),
            Event::End(tag) => Some(format!("/{tag:?}")),
            Event::InlineHtml(html) if !matches!(&*html, "<code>" | "</code>") => Some(html.into_string()),
            Event::Html(html) if !html.contains("summary") => Some(html.into_string()),
            Event::Rule => Some("rule".to_owned()),
            Event::TaskListMarker(_) => Some("task".to_owned()),
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) => Some("math".to_owned()),
            _ => None,
        })
        .collect()
}

/// Names made of what markup is made of.
fn hostile_name() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "|",
        "`",
        "``",
        "```",
        "\\",
        "*",
        "**",
        "_",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        "#",
        "##",
        "+",
        "-",
        "---",
        "!",
        "~",
        "~~",
        "@",
        "&",
        "&lt;",
        "\n",
        "\n\n",
        "\r",
        "\t",
        " ",
        "    ",
        "\"",
        "'",
        "=",
        "===",
        ":",
        "://",
        "http://",
        "www.",
        "$",
        "$$",
        "^",
        "{",
        "}",
        "1.",
        "1)",
        "a",
        "b_c",
        "[x](#e1)",
        "![i](x)",
        "<br>",
        "</script>",
        "<!--",
        "-->",
        "</details>",
        "\u{202e}",
        "\u{1b}[31m",
        "\0",
        "🐘",
        "é",
        "%",
        ";",
        "[^1]",
        ":smile:",
        "| --- |",
    ]);
    prop::collection::vec(pieces, 1..8).prop_map(|v| v.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_names_do_not_change_markdown(name in hostile_name()) {
        let plain = markdown_shape(&written(&with_name("orders"), "md"));
        let hostile = markdown_shape(&written(&with_name(&name), "md"));
        let first = plain.iter().zip(&hostile).position(|(a, b)| a != b);
        let around = |v: &[String]| first.map(|i| v[i.saturating_sub(8)..(i + 4).min(v.len())].join(" "));
        prop_assert_eq!(around(&plain), around(&hostile), "{:?}", name);
        prop_assert_eq!(plain.len(), hostile.len(), "{:?}", name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_names_do_not_change_html(name in hostile_name()) {
        let plain = html_shape(&written(&with_name("orders"), "html"));
        let hostile = html_shape(&written(&with_name(&name), "html"));
        let first = plain.iter().zip(&hostile).position(|(a, b)| a != b);
        let around = |v: &[String]| first.map(|i| v[i.saturating_sub(8)..(i + 4).min(v.len())].join(" "));
        prop_assert_eq!(around(&plain), around(&hostile), "{:?}", name);
        prop_assert_eq!(plain.len(), hostile.len(), "{:?}", name);
    }
}
