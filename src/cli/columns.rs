//! Tables of plain text, for people: names cut to a width, cells below each other.

use crate::ident::visible;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The longest name shown whole, in columns.
const NAME: usize = 48;

/// A name or statement on one line, cut with a sign that it was cut.
pub(super) fn short(name: &str) -> String {
    let name = visible(&name.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned();
    if name.width() <= NAME {
        return name;
    }
    let mut out = String::new();
    for c in name.chars() {
        if out.width() >= NAME - 1 {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Lines in columns: the first two to the left, numbers to the right.
pub(super) fn align(lines: &[Vec<String>], out: &mut String) {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> =
        (0..columns).map(|c| lines.iter().filter_map(|l| l.get(c)).map(|t| t.width()).max().unwrap_or(0)).collect();
    for line in lines {
        let mut text = String::from(" ");
        for (at, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width.saturating_sub(cell.width()));
            let _ = if at < 2 { write!(text, " {cell}{pad}") } else { write!(text, "  {pad}{cell}") };
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
}
