//! A dump whose every name, text and setting is an attack: on the page, on Markdown, on the terminal, on SQL.

use super::house::root;
use super::plant::plant;
use super::redact::{outputs, report_of};
use pgretro::finding::Fix;
use pgretro::report::{Block, Report};
use pulldown_cmark::{Event, Options as Markdown, Parser, Tag};
use std::collections::BTreeSet;

/// What names are made of. Each comes with a number, so that names stay different.
const ATTACKS: &[&str] = &[
    "<script>window.pwned=1</script>",
    "\"><img src=x onerror=\"window.pwned=1\">",
    "' onmouseover='window.pwned=1' x='",
    "</script></style></title></textarea><script>window.pwned=1</script>",
    "<svg/onload=window.pwned=1>",
    "<a href=\"javascript:window.pwned=1\">click</a>",
    "[x](javascript:window.pwned=1)",
    "![x](http://attack.example/x.png)",
    "`code` ```fence``` |pipe|",
    "{{ 7*7 }}{% include \"/etc/passwd\" %}",
    "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J",
    "\u{202e}txt.exe\u{2066}",
    "=HYPERLINK(\"http://attack.example\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "'; drop table orders; --",
    "\"; drop table orders; --",
    "$$; drop table orders; $$",
    "\\'; drop table orders; --\\",
    "--> <!-- ]]> <![CDATA[",
    "line\nbreak\r\n# heading\n- item",
    "\u{2028}\u{2029}\u{200b}\u{feff}",
    "&lt;b&gt; &#60; \u{fffd}\u{0}nul",
    "javascript:window.pwned=1//",
    "expression(alert(1)); url(http://attack.example) }",
];

/// The attacks in turn; the hundredth is a megabyte long.
fn attacks() -> Box<dyn FnMut() -> String> {
    let mut n = 0_usize;
    Box::new(move || {
        n += 1;
        let attack = ATTACKS[n % ATTACKS.len()];
        if n == 100 { format!("{attack}{}", "A".repeat(1 << 20)) } else { format!("{attack}{n}") }
    })
}

/// The report of the attacked shop, and the names in it.
fn attacked() -> (Report, BTreeSet<String>) {
    let scratch = tempfile::tempdir().expect("a folder");
    let from = [root().join("fixtures/shop/before"), root().join("fixtures/shop/after")];
    let (folders, planted) = plant(&from, scratch.path(), attacks());
    let report = report_of(&folders);
    (report, planted.words.into_values().collect())
}

/// A page of attacks for the browser's tests.
pub fn page() -> String {
    outputs(&attacked().0).remove(0).1
}

#[test]
fn no_format_lets_an_attack_through() {
    let (report, names) = attacked();
    assert!(report.findings.len() > 10, "{} findings", report.findings.len());
    let texts = outputs(&report);
    let text = |format: &str| &texts.iter().find(|(name, _)| *name == format).expect("a format").1;
    let treacherous = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    for format in ["html", "md", "txt"] {
        let found = text(format).find(treacherous);
        assert!(found.is_none(), "{format}: {:?}", found.map(|at| &text(format)[at.saturating_sub(40)..][..60]));
    }
    let html = text("html");
    let inert = html.matches("<script type=\"application/json\"").count();
    assert_eq!(html.matches("<script").count(), inert + 1, "scripts beside the page's own");
    assert_eq!(html.matches("</script").count(), inert + 1);
    for tag in ["<img", "<svg/", "<a href=\"java", "<style>window", "<!--", "<iframe"] {
        assert!(!html.contains(tag), "{tag}");
    }
    let mut markdown = Markdown::empty();
    markdown.insert(Markdown::ENABLE_TABLES);
    for event in Parser::new_ext(text("md"), markdown) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => assert!(dest_url.starts_with('#'), "{dest_url}"),
            Event::Start(Tag::Image { dest_url, .. }) => panic!("an image {dest_url}"),
            Event::Html(html) | Event::InlineHtml(html) => {
                let tag = html.trim_start_matches(['<', '/']).split(|c: char| !c.is_ascii_alphanumeric()).next();
                assert!(matches!(tag, Some("a" | "details" | "summary" | "code" | "br")), "{html}");
                assert!(!html.contains("script") || html.contains("&lt;"), "{html}");
            }
            _ => {}
        }
    }
    let read = pgretro::render::read(text("json")).expect("the JSON is read back");
    assert!(read == report);
    assert!(names.len() > 100, "{}", names.len());
}

/// A token of SQL, as PostgreSQL's lexer tells them apart.
#[derive(Debug, PartialEq)]
enum Token {
    Name(String),
    Literal,
    End,
    Other,
}

/// The tokens of statements; panics where a quote or comment does not end.
fn tokens(sql: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let chars: Vec<char> = sql.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let rest: String = chars[at..chars.len().min(at + 3)].iter().collect();
        let (prefix, quote) = match () {
            () if rest.starts_with("U&\"") => (2, '"'),
            () if rest.starts_with("E'") => (1, '\''),
            () if rest.starts_with(['"', '\'']) => (0, chars[at]),
            () if rest.starts_with("--") => {
                at += chars[at..].iter().take_while(|c| **c != '\n').count();
                continue;
            }
            () => {
                match chars[at] {
                    ';' => out.push(Token::End),
                    c if c.is_whitespace() => {}
                    _ => out.push(Token::Other),
                }
                at += 1;
                continue;
            }
        };
        let mut name = String::new();
        at += prefix + 1;
        loop {
            let c = *chars.get(at).unwrap_or_else(|| panic!("an open quote: {sql}"));
            at += 1;
            if c == '\\' && prefix == 1 {
                at += 1;
            } else if c == '\\' && prefix == 2 {
                if chars[at] == '\\' {
                    name.push('\\');
                    at += 1;
                } else {
                    let code: String = chars[at..at + 4].iter().collect();
                    name.push(char::from_u32(u32::from_str_radix(&code, 16).expect("hex")).expect("a character"));
                    at += 4;
                }
            } else if c == quote && chars.get(at) == Some(&quote) {
                name.push(c);
                at += 1;
            } else if c == quote {
                break;
            } else {
                name.push(c);
            }
        }
        out.push(if quote == '"' { Token::Name(name) } else { Token::Literal });
    }
    out
}

fn statements(report: &Report) -> Vec<String> {
    let of = |fix: &Fix| [Some(fix.sql.clone()), fix.undo.clone()].into_iter().flatten().collect::<Vec<_>>();
    let mut all: Vec<String> = report.findings.iter().flat_map(|f| f.finding.fixes.iter().flat_map(of)).collect();
    all.extend(report.actions.iter().flat_map(|a| a.fixes.iter().flat_map(of)));
    for block in report.sections.iter().flat_map(|s| &s.blocks) {
        if let Block::Sql(sql) = block {
            all.push(sql.sql.clone());
            all.extend(sql.undo.clone());
        }
    }
    all
}

#[test]
fn statements_name_the_objects_they_mean() {
    let (report, names) = attacked();
    let mut checked = 0;
    for sql in statements(&report) {
        for token in tokens(&sql) {
            let Token::Name(name) = token else { continue };
            let ours = name == "public" || name.starts_with('<') && name.ends_with('>') && !name.contains("script");
            let made = names.iter().any(|n| name.starts_with(n.chars().take(20).collect::<String>().as_str()));
            assert!(ours || names.contains(&name) || made, "`{name}` in\n{sql}");
            checked += usize::from(names.contains(&name));
        }
    }
    assert!(checked > 20, "{checked} names");
}

#[test]
fn a_name_with_control_characters_costs_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let text =
        "relid,schemaname,relname,seq_scan,n_live_tup,n_dead_tup\n1,public,a\u{7}\u{0}b,3,5,0\n2,public,c,1,1,0\n";
    std::fs::write(folder.path().join("pg_stat_user_tables.csv"), text).expect("a file");
    let json = r#"[{"indexrelid":1,"relid":1,"schemaname":"public","relname":"lone\ud800","indexrelname":"nul\u0000","idx_scan":4}]"#;
    std::fs::write(folder.path().join("pg_stat_user_indexes.json"), json).expect("a file");
    let report = report_of(&[folder.path().to_path_buf()]);
    let texts = outputs(&report);
    assert!(texts[1].1.contains("a\\u{7}\\u{0}b"), "{}", texts[1].1);
    assert!(texts[1].1.contains("nul"), "{}", texts[1].1);
    assert!(!texts.iter().any(|(_, t)| t.contains('\0')));
}
