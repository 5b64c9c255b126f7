//! What the formats print of the golden report.
//!
//! * `page`: the HTML of it: what it is made of, its policy, its links
//! * `long`: reports with long tables, with nothing in them
//! * `hostile`: what names made of markup cannot do

mod hostile;
mod long;
mod page;

use super::golden::golden;
use hostile::{github, with_name};
pub use long::{long, twice};
use page::body;
use pgretro::render::{self, Options};
use pgretro::report::Report;
use pulldown_cmark::{Event, Parser, Tag};
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
    let between = Options { width: 60, ..wide.clone() };
    for (name, options) in
        [("80", &wide), ("60", &between), ("40", &narrow), ("ascii", &ascii), ("color", &color), ("quiet", &quiet)]
    {
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
