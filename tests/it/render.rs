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
        text.extend(["--- ", name, "\n", &terminal(&report, options).replace('\u{1b}', "<ESC>")]);
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

/// The page without its style, script and their hashes, which have their own tests.
fn body(html: &str) -> String {
    let cut = |text: &str, from: &str, to: &str| {
        let (head, rest) = text.split_once(from).expect("there");
        let (_, tail) = rest.split_once(to).expect("closed");
        format!("{head}{from}…{to}{tail}")
    };
    let text = cut(html, "<style>", "</style>");
    let text = cut(&text, "<script>", "</script>");
    let text = cut(&text, "style-src &#39;sha256-", "&#39;");
    cut(&text, "script-src &#39;sha256-", "&#39;")
}

#[test]
fn golden_html() {
    assert_snapshot("report.html", &body(&written(&golden(), "html")));
}

/// Every tag of a page as `name class`, end tags with a slash. Optional breaks, chart labels with the lines to them, and
/// the room that a cell asks for (`w`, `m`, `tx`) depend on lengths.
fn html_shape(html: &str) -> Vec<String> {
    let html = body(html);
    let mut out = Vec::new();
    let mut rest = html.as_str();
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        // A quoted attribute may hold anything but a quote.
        let mut quoted = false;
        let end = rest.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let Some(end) = end else { panic!("a tag that does not end: {}", &rest[..rest.len().min(80)]) };
        let tag = &rest[..end];
        rest = &rest[end..];
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        if matches!(name.trim_start_matches('/'), "wbr" | "text") {
            continue;
        }
        let names: Vec<&str> = tag.split('"').step_by(2).flat_map(str::split_whitespace).collect();
        let class = tag.split_once("class=\"").map_or("", |(_, c)| c.split('"').next().unwrap_or_default());
        if class == "ld" {
            continue;
        }
        let class: Vec<&str> = class.split(' ').filter(|c| !matches!(*c, "w" | "m" | "tx")).collect();
        let names = names.iter().filter(|name| **name != "class=");
        out.push(format!("{} .{}", names.copied().collect::<Vec<_>>().join(" "), class.join(" ")));
    }
    out
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

#[test]
fn html_keeps_to_its_policy() {
    let html = written(&golden(), "html");
    for tag in html_shape(&html) {
        let attributes = tag.split_whitespace().skip(1);
        for attribute in attributes {
            assert!(!attribute.starts_with("style=") && !attribute.starts_with("on"), "{tag}");
            assert!(!attribute.starts_with("src") && attribute != "ping=", "{tag}");
        }
        assert!(
            !["link", "img", "iframe", "object", "embed", "base", "form"].contains(&tag.split(' ').next().unwrap()),
            "{tag}"
        );
    }
    let body = body(&html);
    for (_, rest) in body.match_indices("href=\"").map(|(at, m)| body.split_at(at + m.len())) {
        assert!(rest.starts_with('#'), "{}", &rest[..40]);
    }
    let style = html.split_once("<style>").and_then(|(_, s)| s.split_once("</style>")).expect("a style").0;
    for loading in ["http", "url(", "@import", "@font-face"] {
        assert!(!style.contains(loading), "{loading} in the style sheet");
    }
}

#[test]
fn script_makes_no_markup_and_no_request() {
    let (own, rows) = (include_str!("../../templates/script.js"), include_str!("../../templates/rows.js"));
    let script = format!("{own}{rows}");
    for forbidden in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "D.write",
        "eval(",
        "new Function",
        "fetch(",
        "XMLHttpRequest",
        "import(",
        "WebSocket",
        "sendBeacon",
        ".src",
        "createContextualFragment",
        "DOMParser",
        "</",
    ] {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
    assert_eq!(script.matches("http").count(), 1, "only the SVG namespace");
    assert!(own.len() <= 12_000, "{} bytes of script", own.len());
    assert!(rows.len() <= 12_000, "{} bytes of script for long tables", rows.len());
}

#[test]
fn only_our_own_markup_is_trusted() {
    for (name, template) in [
        ("report.html", include_str!("../../templates/report.html")),
        ("blocks.html", include_str!("../../templates/blocks.html")),
        ("report.md", include_str!("../../templates/report.md")),
        ("blocks.md", include_str!("../../templates/blocks.md")),
    ] {
        assert!(!template.contains("safe"), "{name}");
        assert!(!template.contains("autoescape"), "{name}");
    }
    let mut trusting = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/render"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).expect("a source").contains("from_safe_string") {
                trusting.push(
                    path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src/render")).expect("inside").to_owned(),
                );
            }
        }
    }
    trusting.sort();
    assert_eq!(trusting, [std::path::Path::new("html/mod.rs"), std::path::Path::new("markdown/mod.rs")]);
}

#[test]
fn html_links_and_ids() {
    let body = body(&written(&golden(), "html"));
    let values = |attribute: &str| -> Vec<String> {
        body.split(&format!(" {attribute}=\""))
            .skip(1)
            .map(|r| r.split('"').next().unwrap_or_default().to_owned())
            .collect()
    };
    let ids = values("id");
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "an id occurs twice");
    for href in values("href") {
        assert!(unique.contains(&href[1..].to_owned()), "{href}");
    }
    assert_eq!(body.matches("<h1").count(), 1);
}

/// A report with nothing in it.
fn empty() -> Report {
    let mut report = golden();
    report.findings.clear();
    report.checks.clear();
    report.actions.clear();
    report.evidence.clear();
    report.verdict.categories.clear();
    for section in &mut report.sections {
        section.blocks.retain(|b| matches!(b, pgretro::report::Block::Verdict | pgretro::report::Block::Findings));
    }
    report
}

#[test]
fn empty_page_is_small() {
    let html = written(&empty(), "html");
    assert!(html.len() <= 60 * 1024, "{} bytes", html.len());
}

/// The golden report with its statements table made long.
pub fn long(rows: usize) -> Report {
    use pgretro::report::{Block, Row};
    let mut report = golden();
    for block in report.sections.iter_mut().flat_map(|s| &mut s.blocks) {
        if let Block::Table(table) = block
            && table.id == "indexes"
        {
            let cells = table.rows[0].cells.clone();
            table.rows = (0..rows)
                .map(|i| {
                    let mut cells = cells.clone();
                    cells[0] = pgretro::report::Cell::name(format!("public.index_{i:05}"));
                    Row { cells, detail: vec![] }
                })
                .collect();
            table.rows_in_all = rows as u64;
        }
    }
    report
}

/// A table whose first 50 rows come again: the page shows those from here, and makes the others by its script.
pub fn twice() -> Report {
    use pgretro::report::{AreaState, Bar, Block, Bound, Cell, Column, ColumnKind, Meaning, Row, Spark};
    use pgretro::text::Text;
    use pgretro::unit::{Number, Quantity, Unit};
    const UNITS: [Unit; 16] = [
        Unit::Count,
        Unit::Rows,
        Unit::Blocks,
        Unit::Bytes,
        Unit::Ms,
        Unit::Seconds,
        Unit::Share,
        Unit::Times,
        Unit::PerSecond,
        Unit::PerDay,
        Unit::BytesPerSecond,
        Unit::Sessions,
        Unit::Xids,
        Unit::Lsn,
        Unit::Time,
        Unit::Plain,
    ];
    // Halves that round to even, ends of scales, and what lies between.
    const EDGES: [f64; 24] = [
        0.0,
        0.5,
        0.25,
        0.125,
        0.375,
        0.062_5,
        1.5,
        2.5,
        12.25,
        12.75,
        99.95,
        99.949_9,
        9.995,
        9.994_9,
        0.01,
        0.009_99,
        0.000_5,
        0.000_49,
        1e-9,
        59.999,
        59_999.6,
        3_599.6,
        259_199.6,
        12_845_056.0,
    ];
    let mut seed = 7_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut float = |i: usize| match EDGES.get(i) {
        Some(x) => *x,
        None => random() * 10_f64.powi(i32::try_from(i % 12).unwrap_or(0) - 3),
    };
    let mut columns = vec![Column { label: "Name".into(), kind: ColumnKind::Name, order: None }];
    let mut cells: Vec<Vec<Cell>> = Vec::new();
    let names = ["a.b_1", "app.Orders", "app.orders", "ü.x|y", "public.orders_pkey", "public.order"];
    cells.push((0..50).map(|i| Cell::name(format!("{}_{}", names[i % names.len()], i / 9))).collect());
    let bounds = [None, Some(Bound::AtLeast), Some(Bound::AtMost), Some(Bound::Estimate)];
    for (k, unit) in UNITS.into_iter().cycle().take(48).enumerate() {
        columns.push(Column { label: format!("{unit:?} {k}"), kind: ColumnKind::Number, order: None });
        let number = |x: f64| match k / 16 {
            0 => Quantity::int((x * 1e6) as i64 + if unit == Unit::Time { 1_767_264_991_322_233 } else { 0 }, unit),
            _ => Quantity { value: Number::Float(x), unit },
        };
        let cell = |i: usize| match i % 17 {
            13 => Cell::None,
            14 => Cell::NotAvailable("not captured, as a reason that is told below".into()),
            15 => Cell::text("not seen since then"),
            _ => Cell::Number {
                value: number(float(i)),
                change: i.is_multiple_of(3).then(|| number(float(i + 1) - float(i))),
                bound: bounds[if i == 7 { 1 } else { k / 7 % 4 }],
            },
        };
        cells.push((0..50).map(cell).collect());
    }
    for k in 0..3 {
        columns.push(Column { label: format!("Graphic {k}"), kind: ColumnKind::Graphic, order: None });
        let spark = |i: usize, x: f64| {
            let shown = |x: f64| Quantity::float(x, UNITS[8]).map(Quantity::human).unwrap_or_default();
            let short = |x: f64| format!("{x:.3e}").parse::<f64>().unwrap_or(0.0);
            let points =
                vec![Some(short(x)), (!i.is_multiple_of(5)).then_some(0.0), Some(short(x / 3.0)), Some(short(x / 7.0))];
            let label = format!("{} to {}, last {}", shown(0.0), shown(x), shown(x / 7.0));
            let reset = i.is_multiple_of(11);
            let label = if reset { format!("{label}; broken off once") } else { label };
            Cell::Spark(Spark { points, resets: if reset { vec![2] } else { vec![] }, restarts: vec![3], label })
        };
        let bar = |x: f64, mark| {
            let value = Quantity::float(x / 100.0, Unit::Share).unwrap_or(Quantity::int(0, Unit::Share));
            Cell::Bar(Bar { value, fraction: (x / 100.0).min(1.0), mark })
        };
        let cell = |i: usize| match k {
            0 => spark(i, float(i) + 1.0),
            1 => bar(float(i), None),
            _ => bar(float(i), i.is_multiple_of(2).then_some(0.5)),
        };
        cells.push((0..50).map(cell).collect());
    }
    columns.push(Column { label: "Words".into(), kind: ColumnKind::Text, order: None });
    let words = |i: usize| match i % 5 {
        0 => Cell::Text(Text::new().t("see ").link("f-01", "F-01").t(" of ").name("a.b_c").code("x < 1").strong("!")),
        1 => Cell::text("a"),
        2 => Cell::text("words that are longer than thirty letters"),
        3 => Cell::code("select </script>"),
        _ if i < 10 => Cell::State(AreaState::PartlyAssessed),
        _ if i < 20 => {
            let meaning = if i < 15 { Some(Meaning::Worse) } else { None };
            Cell::Change { change: Quantity::int(1_536 - 100 * i as i64, Unit::Bytes), meaning }
        }
        _ => Cell::text("some words"),
    };
    cells.push((0..50).map(words).collect());
    let row = |i: usize| Row { cells: cells.iter().map(|column| column[i % 50].clone()).collect(), detail: vec![] };
    let mut report = golden();
    for block in report.sections.iter_mut().flat_map(|s| &mut s.blocks) {
        if let Block::Table(table) = block
            && table.id == "indexes"
        {
            table.columns.clone_from(&columns);
            table.rows = (0..100).map(row).collect();
            table.rows_in_all = 100;
            table.totals = vec![];
        }
    }
    report
}

#[test]
fn long_tables_are_cut_and_said_so() {
    let report = long(120);
    let html = written(&report, "html");
    let (page, data) = html.split_once("<script type=\"application/json\" id=\"d-t-indexes\">").expect("a data block");
    let shown = |text: &str| (0..120).filter(|i| text.contains(&format!("index_<wbr>{i:05}"))).count();
    assert_eq!(shown(page), 50);
    let data: serde_json::Value = serde_json::from_str(data.split("</script>").next().unwrap()).expect("JSON");
    assert_eq!(data["rows"], 120);
    assert_eq!(data["columns"][0]["c"].as_str().map(str::len), Some(120), "each name follows the one before");
    let names = html.split_once("id=\"d-names\">").expect("names").1;
    assert!(names.starts_with("\"|#public.index_00000|"), "{}", &names[..80]);
    assert!(!written(&golden(), "html").contains("d-names"), "a page without long tables has none");
    assert!(html.contains("Showing 50 of 120"));
    let md = written(&report, "md");
    assert!(md.contains("`public.index_00049`") && !md.contains("`public.index_00050`"));
    assert!(md.contains("… 70 more in the JSON report"));
}

#[test]
fn all_formats_show_the_same_evidence() {
    let report = golden();
    let json: serde_json::Value = serde_json::from_str(&written(&report, "json")).expect("JSON");
    let md = written(&report, "md");
    let html = body(&written(&report, "html"));
    for (i, entry) in report.evidence.iter().enumerate() {
        let id = entry.id.to_lowercase();
        let md_row = md.lines().find(|l| l.contains(&format!("<a id=\"{id}\">"))).expect("a Markdown row");
        let html_row = html.lines().find(|l| l.contains(&format!("<tr id=\"{id}\">"))).expect("an HTML row");
        for (k, (label, value)) in entry.values.iter().enumerate() {
            assert_eq!(json["evidence"][i]["values"][k][1]["value"].as_f64(), Some(value.as_f64()));
            assert!(md_row.contains(&format!("{label} {}", value.human())), "{id} {label}: {md_row}");
            let (raw, exact, human) = (value.as_f64(), value.exact(), value.human());
            assert!(
                html_row.contains(&format!("<data value=\"{raw}\" title=\"{exact}\">{human}</data>")),
                "{id}: {html_row}"
            );
        }
    }
    let txt = terminal(&report, &Options { width: 100, ..Options::default() });
    for finding in report.findings.iter().take(3) {
        for span in &finding.finding.title.0 {
            if let pgretro::text::Span::Number(q) = span {
                assert!(txt.contains(&q.human()), "{}: {}", finding.number, q.human());
            }
        }
    }
}

#[test]
fn templates_of_the_user_replace_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("report.md"), "{{ report.title }} has {{ report.findings|length }}\n").unwrap();
    let options = Options { templates: Some(folder.path().to_owned()), ..Options::default() };
    let md = render::by_name("md").expect("a format");
    assert_eq!(render::render(&golden(), md, &options).expect("renders"), "shop has 5\n");
    std::fs::write(folder.path().join("report.md"), "one\n{{ report.nothing }}\n").unwrap();
    let error = render::render(&golden(), md, &options).expect_err("strict");
    assert!(error.to_string().contains("`report.md` line 2"), "{error}");
    std::fs::write(folder.path().join("report.md"), "{% for %}\n").unwrap();
    assert!(render::render(&golden(), md, &options).is_err());
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
