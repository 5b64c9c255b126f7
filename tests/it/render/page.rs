//! The page: its shape, its policy, whose markup it is made of, where its links lead.

use super::{assert_snapshot, written};
use crate::golden::golden;
use pgretro::report::{Block, Chart, Report};
use std::collections::BTreeSet;

/// The page without its style, script and their hashes, which have their own tests.
pub fn body(html: &str) -> String {
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
/// the room that a cell or a name asks for (`w`, `m`, `tx`, `s`) depend on lengths.
pub fn html_shape(html: &str) -> Vec<String> {
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
        let class: Vec<&str> = class.split(' ').filter(|c| !matches!(*c, "w" | "m" | "tx" | "s")).collect();
        let names = names.iter().filter(|name| **name != "class=");
        out.push(format!("{} .{}", names.copied().collect::<Vec<_>>().join(" "), class.join(" ")));
    }
    out
}

/// A slope chart with no other beside it has the whole width; of two in a row each has half.
#[test]
fn a_slope_chart_alone_leaves_no_half_of_the_page_empty() {
    let mut report = golden();
    let wide = |report: &Report| written(report, "html").matches("class=\"slope xl\"").count();
    assert_eq!(wide(&report), 1);
    for section in &mut report.sections {
        if let Some(at) = section.blocks.iter().position(|b| matches!(b, Block::Chart(Chart::Slope { .. }))) {
            let twin = section.blocks[at].clone();
            section.blocks.insert(at, twin);
        }
    }
    assert_eq!(wide(&report), 0);
}

/// Of many areas with deductions the lowest are on the first screen with the actions; the others unfold, none is lost.
#[test]
fn many_deductions_leave_room_for_the_actions() {
    let mut report = golden();
    let area = report.verdict.categories.iter().find(|c| !c.deductions.is_empty()).expect("one").clone();
    let mut rows = |n: usize| {
        report.verdict.categories = vec![area.clone(); n];
        let html = written(&report, "html");
        let folded = html.split_once("<details class=\"rest\">").map_or("", |(_, rest)| rest);
        let folded = folded.split_once("</details>").map_or("", |(folded, _)| folded);
        (html.matches("<td class=\"r\">").count(), folded.matches("<td class=\"r\">").count())
    };
    assert_eq!(rows(5), (5, 0));
    assert_eq!(rows(9), (9, 5));
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
    let (own, rows) = (include_str!("../../../templates/script.js"), include_str!("../../../templates/rows.js"));
    let tables = include_str!("../../../templates/tables.js");
    let script = format!("{own}{tables}{rows}");
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
    assert!(own.len() <= 6_000, "{} bytes of script", own.len());
    assert!(tables.len() <= 9_000, "{} bytes of script for tables", tables.len());
    assert!(rows.len() <= 12_000, "{} bytes of script for long tables", rows.len());
}

#[test]
fn only_our_own_markup_is_trusted() {
    for (name, template) in [
        ("report.html", include_str!("../../../templates/report.html")),
        ("blocks.html", include_str!("../../../templates/blocks.html")),
        ("report.md", include_str!("../../../templates/report.md")),
        ("blocks.md", include_str!("../../../templates/blocks.md")),
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
