//! Words that must stay words: nothing from a dump becomes markup, a link or a mention.

use crate::ident::{visible, visible_multiline};

/// Where a piece of text will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the start of a paragraph.
    Line,
    /// Later in a line.
    Inline,
    /// In a table, where a pipe ends the cell even inside a code span.
    Cell,
}

/// Plain words at the start of a line or inside it. Line breaks become spaces; what could start markup is escaped,
/// and only that.
pub(super) fn words(text: &str) -> String {
    escape(text, true)
}

/// Plain words that never stand at the start of a line, as in a table cell.
pub(super) fn inner_words(text: &str) -> String {
    escape(text, false)
}

fn escape(text: &str, starts_line: bool) -> String {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b == b' ' || b == b',';
    if text.bytes().all(harmless) && !text.starts_with(' ') {
        return text.to_owned();
    }
    let text: String = text.split(['\n', '\r', '\t']).collect::<Vec<_>>().join(" ");
    let chars: Vec<char> = visible(&text).chars().collect();
    let at = |i: usize| chars.get(i).copied();
    let mut out = String::with_capacity(chars.len() + 8);
    let mut i = 0;
    while let Some(c) = at(i) {
        let previous = i.checked_sub(1).and_then(at);
        let next = at(i + 1);
        let before = chars.get(..i).unwrap_or_default();
        let first = starts_line && before.iter().all(|c| *c == ' ');
        let inside_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match c {
            // GitHub turns these into mentions and issue links, also after a backslash.
            '@' | '#' if starts_reference(c, previous, next) => {
                let end = (i + 1..chars.len()).find(|j| !at(*j).is_some_and(is_reference)).unwrap_or(chars.len());
                out.push_str(&code(&chars.get(i..end).unwrap_or_default().iter().collect::<String>(), Place::Line));
                i = end;
                continue;
            }
            '@' if inside_word(previous) && inside_word(next) => out.push_str("&#64;"),
            '<' => out.push_str("&lt;"),
            '&' if next.is_some_and(|n| n.is_ascii_alphabetic() || n == '#') => out.push_str("&amp;"),
            ':' if next == Some('/') && at(i + 2) == Some('/') => out.push_str("&#58;"),
            '.' if ends_with_www(&out) => out.push_str("&#46;"),
            '_' if inside_word(previous) && inside_word(next) => out.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' => {
                out.push('\\');
                out.push(c);
            }
            '>' | '=' if first => {
                out.push('\\');
                out.push(c);
            }
            '-' | '+' if first && next.is_none_or(|n| n == ' ' || n == c) => {
                out.push('\\');
                out.push(c);
            }
            '.' | ')'
                if starts_line
                    && is_list_number(chars.get(..i).unwrap_or_default())
                    && next.is_none_or(|n| n == ' ') =>
            {
                out.push('\\');
                out.push(c);
            }
            ' ' if previous == Some(' ') => {}
            c => out.push(c),
        }
        i += 1;
    }
    out
}

fn starts_reference(c: char, previous: Option<char>, next: Option<char>) -> bool {
    match c {
        '@' => !previous.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric),
        _ => next.is_some_and(|n| n.is_ascii_digit()),
    }
}

const fn is_reference(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '#' | '@' | '-' | '/')
}

fn ends_with_www(out: &str) -> bool {
    let tail = out.get(out.len().saturating_sub(3)..).unwrap_or_default();
    tail.eq_ignore_ascii_case("www")
}

fn is_list_number(before: &[char]) -> bool {
    let mut digits = before.iter().skip_while(|c| **c == ' ').peekable();
    digits.peek().is_some() && digits.all(char::is_ascii_digit)
}

/// A code span: the fence is longer than any run of backticks inside. Control characters and line breaks are shown
/// as escapes, so that a name stays recognisable.
pub(super) fn code(text: &str, place: Place) -> String {
    let text = visible(text);
    if text.trim().is_empty() {
        return format!("<code>{}</code>", entities(if text.is_empty() { "(empty)" } else { &text }));
    }
    if place == Place::Cell && text.contains('|') && text.contains('\\') {
        // Parsers disagree on a backslash before an escaped pipe.
        return format!("<code>{}</code>", entities(&text));
    }
    let text = if place == Place::Cell { text.replace('|', "\\|") } else { text.into_owned() };
    let fence = "`".repeat(longest_run(&text) + 1);
    let edge = |c: Option<char>| matches!(c, Some('`' | ' '));
    let pad = if edge(text.chars().next()) || edge(text.chars().next_back()) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A fenced block; nothing inside can close it.
pub(super) fn fenced(language: &str, text: &str) -> String {
    let text = visible_multiline(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let language: String = language.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// Text inside an HTML element of a Markdown file.
pub(super) fn html(text: &str) -> String {
    let text: String = text.split(['\n', '\r', '\t']).collect::<Vec<_>>().join(" ");
    visible(&text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn entities(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() {
            out.push(c);
        } else {
            let _ = write!(out, "&#{};", u32::from(c));
        }
    }
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_only_what_could_be_markup() {
        for (text, want) in [
            ("pg_stat_io and a-b, 5 < 6", "pg_stat_io and a-b, 5 &lt; 6"),
            ("*b* _i_ [l](#x) `c` a|b ~~s~~", r"\*b\* \_i\_ \[l\](\#x) \`c\` a\|b \~\~s\~\~"),
            ("- item", r"\- item"),
            ("-7,915", "-7,915"),
            ("---", r"\---"),
            ("1. one", r"1\. one"),
            ("1.5 ms", "1.5 ms"),
            ("# head #", r"\# head \#"),
            ("see #12 and @ops/dba", "see `#12` and `@ops/dba`"),
            ("a@b.example http://x www.y.z", "a&#64;b.example http&#58;//x www&#46;y.z"),
            ("two\nlines", "two lines"),
            ("&copy; R&D & co", "&amp;copy; R&amp;D & co"),
            (">99.9%", r"\>99.9%"),
        ] {
            assert_eq!(words(text), want, "{text}");
        }
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        for (name, place, want) in [
            ("orders", Place::Line, "`orders`"),
            ("a``b", Place::Line, "```a``b```"),
            ("`a", Place::Line, "`` `a ``"),
            ("a|b", Place::Cell, r"`a\|b`"),
            ("a|b", Place::Line, "`a|b`"),
            ("a\\|b", Place::Cell, "<code>a&#92;&#124;b</code>"),
            ("a\nb", Place::Cell, "`a\\nb`"),
            ("", Place::Line, "<code>&#40;empty&#41;</code>"),
        ] {
            assert_eq!(code(name, place), want, "{name}");
        }
        assert_eq!(fenced("sql", "a\n```\n"), "````sql\na\n```\n````");
    }
}
