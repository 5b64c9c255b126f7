//! What the formats print of the golden report, and what hostile names cannot do to them.

use super::golden::golden;
use pgretro::render::{self, Options};
use pgretro::report::Report;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options as Markdown, Parser, Tag, TagEnd};
use std::collections::BTreeSet;

fn written(report: &Report, format: &str) -> String {
    let format = render::by_name(format).expect("a format");
    render::render(report, format, &Options::default()).expect("renders")
}

fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn golden_markdown() {
    assert_snapshot("report.md", &written(&golden(), "md"));
}

fn terminal(report: &Report, options: &Options) -> String {
    render::render(report, render::by_name("txt").expect("a format"), options).expect("renders")
}

#[test]
fn golden_terminal() {
    let report = golden();
    let files = vec!["report.html".to_owned(), "report.md".to_owned()];
    let wide = Options { files, ..Options::default() };
    let narrow = Options { width: 40, ..wide.clone() };
    let ascii = Options { ascii: true, ..wide.clone() };
    let color = Options { color: true, ..wide.clone() };
    let quiet = Options { quiet: true, ..wide.clone() };
    let mut text = String::new();
    for (name, options) in [("80", &wide), ("40", &narrow), ("ascii", &ascii), ("color", &color), ("quiet", &quiet)] {
        text.push_str(&format!("--- {name}\n{}", terminal(&report, options).replace('\u{1b}', "<ESC>")));
    }
    assert_snapshot("report.txt", &text);
}

#[test]
fn terminal_summary_fits() {
    let hostile = with_name("public.\u{1b}[2J🐘🐘🐘_a_very_long_name_that_goes_on_and_on_and_on_and_on\n\r\t");
    for report in [golden(), hostile] {
        for width in 40..=100 {
            for ascii in [false, true] {
                let text = terminal(&report, &Options { width, ascii, ..Options::default() });
                for line in text.lines() {
                    assert!(unicode_width::UnicodeWidthStr::width(line) <= width, "{width}: {line}");
                    assert!(!line.chars().any(char::is_control), "{line:?}");
                    assert!(!ascii || line.is_ascii(), "{line:?}");
                }
                assert!(width < 80 || text.lines().count() <= 24, "{width}: {} lines", text.lines().count());
            }
        }
    }
}

#[test]
fn json_is_the_report() {
    let text = written(&golden(), "json");
    assert!(text.ends_with("}\n"));
    assert!(render::read(&text).expect("reads") == golden());
}

#[test]
fn json_of_something_else_is_refused() {
    for (text, want) in [
        ("", "not JSON"),
        ("{}", "no report"),
        ("[1]", "not JSON"),
        (r#"{"schema": 1, "views": {}}"#, "no report"),
        (r#"{"schema": 99, "sections": []}"#, "newer"),
        (r#"{"schema": 1, "sections": []}"#, "missing field"),
    ] {
        let error = render::read(text).expect_err(text);
        assert!(error.to_string().contains(want), "{text}: {error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn same_report_same_bytes() {
    for format in render::FORMATS {
        assert_eq!(written(&golden(), format.name), written(&golden(), format.name), "{}", format.name);
    }
}

#[test]
fn every_markdown_link_has_its_target() {
    let text = written(&golden(), "md");
    let anchors: BTreeSet<&str> =
        text.split("<a id=\"").skip(1).filter_map(|rest| rest.split_once('"').map(|(id, _)| id)).collect();
    let mut links = 0;
    for event in Parser::new_ext(&text, github()) {
        if let Event::Start(Tag::Link { dest_url, .. }) = event {
            let target = dest_url.strip_prefix('#').unwrap_or_else(|| panic!("{dest_url} leaves the report"));
            assert!(anchors.contains(target), "#{target}");
            links += 1;
        }
    }
    assert!(links > 20, "{links} links");
}

/// The golden report with one of its names replaced wherever it stands, as a name, as code and in prose.
fn with_name(name: &str) -> Report {
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
    report.title = name.to_owned();
    report.verdict.headline = pgretro::text::Text::new().t(name).name(name).strong(name);
    report.verdict.reason = pgretro::text::Text::new().t(name).strong(name).name(name).t(name);
    for (i, entry) in report.evidence.iter_mut().enumerate() {
        entry.label = if i == 0 { name.to_owned() } else { format!("a {name} b") };
        entry.evidence.formula = Some(name.to_owned());
    }
    report
}

/// What GitHub reads beyond plain Markdown.
fn github() -> Markdown {
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
