//! Markdown as HTML: what people wrote around a report, and reports whose template is Markdown.

use crate::ident::visible_multiline;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    /// Somebody outside: no markup of his own passes.
    User,
    /// Our Markdown format: its anchors, folds and code elements pass.
    Template,
}

/// HTML of a Markdown text. Headings begin at the second level; markup that is written as HTML is shown as text.
pub(super) fn to_html(text: &str, author: Author) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events: Vec<Event<'_>> = Parser::new_ext(text, options).collect();
    let top = events.iter().filter_map(level).min().unwrap_or(1);
    // A template has the heading of the page itself.
    let shift = if author == Author::User { 2 - top as i32 } else { 0 };
    let mut images = 0_usize;
    let mut links: Vec<bool> = Vec::new();
    let safe = events.into_iter().filter_map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Some(match author {
            Author::Template if html.split_inclusive('>').all(|tag| is_ours(tag.trim())) => Event::Html(html),
            _ => Event::Text(html),
        }),
        Event::Start(Tag::Image { .. }) => {
            images += 1;
            None
        }
        Event::End(TagEnd::Image) => {
            images = images.saturating_sub(1);
            None
        }
        Event::Start(Tag::Link { dest_url, title, id, link_type }) => {
            let good = is_safe(&dest_url);
            links.push(good);
            good.then_some(Event::Start(Tag::Link { dest_url, title, id, link_type }))
        }
        Event::End(TagEnd::Link) => links.pop().unwrap_or(false).then_some(Event::End(TagEnd::Link)),
        Event::Start(Tag::Heading { level, .. }) => {
            Some(Event::Start(Tag::Heading { level: moved(level, shift), id: None, classes: vec![], attrs: vec![] }))
        }
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(moved(level, shift)))),
        Event::Start(Tag::Table(_)) => Some(Event::Start(Tag::Table(vec![]))),
        Event::Text(words) => Some(Event::Text(visible(&words))),
        Event::Code(words) => Some(Event::Code(visible(&words))),
        other => Some(other),
    });
    let mut out = String::with_capacity(text.len() * 2);
    html::push_html(&mut out, safe);
    // What scrolls sideways can be reached without a mouse.
    out.replace("<table>", "<div class=\"tw\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table class=\"t\">")
        .replace("</table>", "</table></div>")
        .replace("<pre>", "<pre tabindex=\"0\">")
}

fn visible(words: &str) -> CowStr<'static> {
    CowStr::from(visible_multiline(words).into_owned())
}

fn level(event: &Event<'_>) -> Option<usize> {
    match event {
        Event::Start(Tag::Heading { level, .. }) => Some(*level as usize),
        _ => None,
    }
}

fn moved(level: HeadingLevel, by: i32) -> HeadingLevel {
    let to = (level as i32 + by).clamp(1, 6);
    HeadingLevel::try_from(to as usize).unwrap_or(HeadingLevel::H6)
}

/// Whether a link may be followed: inside the page, or to a site by a scheme that runs nothing.
fn is_safe(url: &str) -> bool {
    let lower = url.trim().to_ascii_lowercase();
    ["#", "https://", "http://", "mailto:"].iter().any(|start| lower.starts_with(start))
}

/// Whether a tag is one that our Markdown format writes.
fn is_ours(tag: &str) -> bool {
    let id = |rest: &str| rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let anchor = tag.strip_prefix("<a id=\"").and_then(|t| t.strip_suffix("\">")).is_some_and(id);
    let plain = ["details", "summary", "code", "a"].iter().any(|name| {
        let inner = tag.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or_default();
        inner == *name || inner.strip_prefix('/') == Some(name)
    });
    // Words between two tags of a line are text of ours, escaped already.
    tag.is_empty() || anchor || plain || words_and_tag(tag)
}

/// `Tables (9)</summary>`: words, then an end tag.
fn words_and_tag(text: &str) -> bool {
    text.find('<').is_some_and(|at| at > 0 && !text[..at].contains('>') && is_ours(&text[at..])) || !text.contains('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_writes_runs_nothing() {
        for (text, want) in [
            ("# One\n\n## Two", "<h2>One</h2>\n<h3>Two</h3>\n"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("a <b onclick=x>c</b>", "<p>a &lt;b onclick=x&gt;c&lt;/b&gt;</p>\n"),
            ("[x](javascript:alert(1)) [y](https://a.example)", "<p>x <a href=\"https://a.example\">y</a></p>\n"),
            ("![alt](http://a.example/x.png)", "<p>alt</p>\n"),
            ("<https://a.example>", "<p><a href=\"https://a.example\">https://a.example</a></p>\n"),
            ("[x](data:text/html,y)", "<p>x</p>\n"),
        ] {
            assert_eq!(to_html(text, Author::User), want, "{text}");
        }
    }

    #[test]
    fn templates_keep_their_anchors_and_folds() {
        let text = "<a id=\"f-01\"></a>\n\n# Title\n\n<details>\n<summary>Tables (9)</summary>\n\n| a |\n|--|\n| b |\n\n</details>\n";
        let html = to_html(text, Author::Template);
        for want in ["<a id=\"f-01\"></a>", "<h1>Title</h1>", "<details>\n<summary>Tables (9)</summary>", "</details>"]
        {
            assert!(html.contains(want), "{want}\n{html}");
        }
        for text in
            ["<details open onclick=x>", "<a id=\"x\" href=\"y\">", "<img src=x>", "<summary><img src=x></summary>"]
        {
            assert!(
                !to_html(text, Author::Template).contains("<details o")
                    && !to_html(text, Author::Template).contains("<img"),
                "{text}"
            );
        }
    }
}
