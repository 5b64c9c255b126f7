//! Templates of the user's own: whole files, single macros, a page written in Markdown; and what stands around a report.

use super::golden::golden;
use pgretro::render::{self, Cover, Logo, Options, built_in};
use std::path::Path;

fn written(format: &str, options: &Options) -> Result<String, String> {
    let format = render::by_name(format).expect("a format");
    render::render(&golden(), format, options).map_err(|e| e.to_string())
}

fn with(files: &[(&str, &str)]) -> (tempfile::TempDir, Options) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let options = Options { templates: Some(folder.path().to_owned()), ..Options::default() };
    (folder, options)
}

#[test]
fn one_macro_is_replaced_and_the_others_stay() {
    let card = "{% macro cards(list) %}\n<p>MY CARDS {{ list|length }}</p>\n{% endmacro %}";
    let (_folder, options) = with(&[("macros.html", card)]);
    let page = written("html", &options).expect("renders");
    assert!(page.contains("<p>MY CARDS ") && !page.contains("<ol class=\"acts\">"));
    let plain = written("html", &Options::default()).expect("renders");
    assert_eq!(page.matches("<table").count(), plain.matches("<table").count());
    let (_folder, options) = with(&[("macros.md", "{% macro cards(list) %}\nMY CARDS\n{% endmacro %}")]);
    assert!(written("md", &options).expect("renders").contains("MY CARDS"));
}

#[test]
fn a_page_in_markdown_becomes_html() {
    let template = "{% import \"blocks.md\" as b %}\n# Mine: {{ report.title }}\n\n{% for f in report.findings %}\n{{ b.one_finding(f) }}\n{% endfor %}\n";
    let (_folder, options) = with(&[("page.md", template)]);
    let page = written("html", &options).expect("renders");
    assert!(page.contains("<h1>Mine: shop</h1>") && page.contains("<pre tabindex=\"0\">"), "{page}");
    assert!(!page.contains("<script") && page.contains("default-src &#39;none&#39;"));
    for finding in &golden().findings {
        assert!(page.contains(&format!("<a id=\"{}\"></a>", finding.number.to_lowercase())), "{}", finding.number);
    }
    assert!(!written("md", &options).expect("renders").contains("Mine:"));
    // The whole Markdown report fits into it.
    let (_folder, options) = with(&[("page.md", "{% include \"report.md\" %}")]);
    let page = written("html", &options).expect("renders");
    assert_eq!(page.matches("<details>").count(), page.matches("</details>").count());
    assert!(page.matches("<table class=\"t\">").count() > 5);
    assert!(!page.contains("&lt;a id=") && !page.contains("&lt;details"), "markup of ours as text");
}

#[test]
fn errors_name_file_line_and_name() {
    for (files, format, want) in [
        (
            vec![("report.md", "# {{ report.title }}\n\n{{ report.titel }}\n")],
            "md",
            vec!["`report.md` line 3", "titel"],
        ),
        (vec![("report.html", "{{ nothing }}")], "html", vec!["`report.html` line 1", "nothing"]),
        (
            vec![("macros.html", "\n{% macro cards(list) %}{{ list.lenght }}{% endmacro %}")],
            "html",
            vec!["`macros.html` line 2", "list.lenght"],
        ),
        (vec![("page.md", "one\n{{ report.title|loud }}")], "html", vec!["`page.md` line 2", "loud"]),
        (vec![("blocks.md", "{% macro x( %}")], "md", vec!["`blocks.md` line 1"]),
    ] {
        let (_folder, options) = with(&files);
        let error = written(format, &options).expect_err("an error");
        for part in want {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

#[test]
fn exported_templates_are_those_in_use() {
    let files: Vec<(&str, &str)> = built_in().collect();
    assert!(files.iter().any(|(name, _)| *name == "README.md"));
    let (_folder, options) = with(&files);
    for format in ["html", "md"] {
        assert_eq!(written(format, &options), written(format, &Options::default()), "{format}");
    }
    // The README's first page works, and every filter it names exists.
    let readme = files.iter().find(|(name, _)| *name == "README.md").expect("there").1;
    let example = readme.split("```jinja\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let (_folder, options) = with(&[("page.md", example)]);
    assert!(written("html", &options).expect("renders").contains("<h1>shop</h1>"));
    let rows = readme.split("## Filters").nth(1).expect("there").split("##").next().expect("there");
    for line in rows.lines().skip_while(|l| !l.starts_with("| ---")).skip(1).filter(|l| l.starts_with('|')) {
        for name in line.split('|').nth(1).expect("a cell").split('`').skip(1).step_by(2) {
            let used = |format: &str, file: &str| {
                let (_folder, options) = with(&[(file, &format!("{{{{ 1|{name} }}}}") as &str)]);
                written(format, &options).err().unwrap_or_default().contains("unknown filter")
            };
            assert!(!used("html", "report.html") || !used("md", "report.md"), "{name}");
        }
    }
}

fn cover() -> Cover {
    Cover {
        title: Some("Health <check>".to_owned()),
        customer: Some("Example & Sons".to_owned()),
        author: Some("Jane".to_owned()),
        logo: Some(Logo { kind: "image/png", bytes: b"\x89PNG".to_vec() }),
        introduction: Some("# Why\n\nWe *looked*. <script>alert(1)</script>".to_owned()),
        closing: Some("Mail [us](mailto:a@b.example).".to_owned()),
    }
}

#[test]
fn a_cover_stands_around_the_report() {
    let options = Options { cover: cover(), ..Options::default() };
    let page = written("html", &options).expect("renders");
    for want in [
        "<title>Health &lt;check&gt;: PostgreSQL report</title>",
        "For Example &amp; Sons · by Jane",
        "src=\"data:image/png;base64,iVBORw==\"",
        "<h2>Why</h2>",
        "<em>looked</em>",
        "&lt;script&gt;alert(1)",
        "<a href=\"mailto:a@b.example\">us</a>",
    ] {
        assert!(page.contains(want), "{want}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    let text = written("md", &options).expect("renders");
    assert!(text.starts_with("<a id=\"verdict\"></a>\n# Health &lt;check>"), "{}", &text[..80]);
    assert!(text.contains("# Why") && text.contains("&lt;script>") && text.contains("(mailto:a@b.example)"));
}

#[test]
fn the_command_writes_templates_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |more: &[&str], to: &Path| {
        std::process::Command::new(env!("CARGO_BIN_EXE_pgretro"))
            .args(["templates", "export"])
            .arg(to)
            .args(more)
            .output()
            .expect("runs")
    };
    let to = folder.path().join("mine");
    assert!(run(&[], &to).status.success());
    assert_eq!(std::fs::read_dir(&to).expect("a folder").count(), built_in().count());
    assert!(run(&[], &to).status.success(), "the same again");
    std::fs::write(to.join("style.css"), "changed").expect("a file");
    let refused = run(&[], &to);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("style.css"));
    assert_eq!(std::fs::read_to_string(to.join("style.css")).expect("a file"), "changed");
    assert!(run(&["--force"], &to).status.success());
    assert_ne!(std::fs::read_to_string(to.join("style.css")).expect("a file"), "changed");
}
