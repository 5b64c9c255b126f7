//! Widths, wrapping, colours and the ASCII fallback.

use crate::finding::Severity;
use crate::ident::visible;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What may be written.
#[derive(Clone, Copy, Debug)]
pub(in crate::render) struct Paint {
    pub(in crate::render) color: bool,
    pub(in crate::render) ascii: bool,
    pub(in crate::render) width: usize,
}

/// The sixteen colours that the user's palette decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::render) enum Style {
    Plain,
    Bold,
    Red,
    Yellow,
    Blue,
    Dim,
}

impl Style {
    pub(in crate::render) const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::Red,
            Severity::High => Self::Yellow,
            Severity::Medium => Self::Plain,
            Severity::Low => Self::Blue,
            Severity::Info => Self::Dim,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Red => "1;31",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Dim => "2",
        }
    }
}

impl Paint {
    pub(in crate::render) fn style(&self, text: &str, style: Style) -> String {
        if self.color && style != Style::Plain {
            format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
        } else {
            text.to_owned()
        }
    }

    /// Words fit for this terminal: control characters visible, and ASCII only where nothing else can be shown.
    pub(in crate::render) fn words(&self, text: &str) -> String {
        let text = visible(text);
        if !self.ascii {
            return text.into_owned();
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                c if c.is_ascii() => out.push(c),
                '→' => out.push_str("->"),
                '−' | '–' | '—' => out.push('-'),
                '×' => out.push('x'),
                '÷' => out.push('/'),
                '≤' => out.push_str("<="),
                '≥' => out.push_str(">="),
                'µ' => out.push('u'),
                '·' => out.push('.'),
                '…' => out.push_str("..."),
                '’' => out.push('\''),
                c => out.extend(c.escape_unicode()),
            }
        }
        out
    }
}

/// The lines as one text without trailing spaces.
pub(in crate::render) fn finish(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// Columns a text takes.
pub(in crate::render) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Spaces on the right up to `to` columns.
pub(in crate::render) fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// Cut to `to` columns, with a sign that it was cut.
pub(in crate::render) fn fit(text: &str, to: usize, paint: &Paint) -> String {
    if width(text) <= to {
        return text.to_owned();
    }
    let dots = if paint.ascii { "..." } else { "…" };
    let (kept, _) = split(text, to.saturating_sub(width(dots)));
    format!("{}{dots}", kept.trim_end())
}

/// The longest start of at most `to` columns, and the rest.
fn split(text: &str, to: usize) -> (&str, &str) {
    let mut columns = 0;
    for (at, c) in text.char_indices() {
        columns += UnicodeWidthChar::width(c).unwrap_or(0);
        if columns > to {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// Lines of at most `to` columns; those after the first are indented. Words longer than a line are cut.
pub(in crate::render) fn wrap(text: &str, to: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    loop {
        let prefix = if lines.is_empty() { "" } else { indent };
        let room = to.saturating_sub(width(prefix)).max(1);
        if width(rest) <= room {
            lines.push(format!("{prefix}{rest}"));
            return lines;
        }
        let (start, end) = split(rest, room);
        let (line, next) = match start.rfind(' ') {
            _ if end.starts_with(' ') => (start, end),
            Some(space) if !start.get(..space).unwrap_or_default().trim().is_empty() => rest.split_at(space),
            _ if start.is_empty() => (rest, ""),
            _ => (start, end),
        };
        lines.push(format!("{prefix}{}", line.trim_end()));
        rest = next.trim_start();
        if rest.is_empty() {
            return lines;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_by_columns() {
        assert_eq!(wrap("one two three", 7, "  "), ["one two", "  three"]);
        assert_eq!(wrap("unbreakable", 4, ""), ["unbr", "eaka", "ble"]);
        assert_eq!(wrap("🐘🐘🐘", 4, ""), ["🐘🐘", "🐘"]);
        assert_eq!(wrap("", 4, ""), [""]);
    }

    #[test]
    fn cuts_by_columns() {
        let paint = Paint { color: false, ascii: false, width: 80 };
        assert_eq!(fit("🐘🐘🐘", 5, &paint), "🐘🐘…");
        assert_eq!(fit("abc", 3, &paint), "abc");
    }

    #[test]
    fn ascii_is_ascii() {
        let paint = Paint { color: false, ascii: true, width: 80 };
        assert_eq!(paint.words("a → 3.2× größe"), "a -> 3.2x gr\\u{f6}\\u{df}e");
    }
}
