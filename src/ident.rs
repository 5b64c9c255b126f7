//! Names from PostgreSQL: quoting for SQL, qualification, and control characters made visible.
//!
//! The only place that quotes an identifier or a literal. Everything here comes from strangers.

use std::borrow::Cow;
use std::fmt::Write;

/// Quotes an identifier for SQL: always double quotes, inner quotes doubled. A name with characters that no reader sees
/// or that a page shows as escapes is written `U&"a\202Eb"`, so that what is printed and copied is the name itself.
pub fn quote_ident(name: &str) -> String {
    if name.chars().any(is_treacherous) {
        return format!("U&{}", escaped(&doubled(&name.replace('\\', "\\\\")), "\\"));
    }
    doubled(name)
}

fn doubled(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Treacherous characters as a prefix and four hexadecimal digits; all of them have no more.
fn escaped(text: &str, prefix: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_treacherous(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "{prefix}{:04X}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Quotes a string literal for SQL: single quotes doubled, the `E''` form where a backslash or a character that no
/// reader sees is inside.
pub fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') || doubled.chars().any(is_treacherous) {
        format!("E'{}'", escaped(&doubled.replace('\\', "\\\\"), "\\u"))
    } else {
        format!("'{doubled}'")
    }
}

/// `'"schema"."name"'`, to be cast to `regclass`, which knows no `U&""` inside the literal.
pub fn quote_regclass(schema: &str, name: &str) -> String {
    quote_literal(&format!("{}.{}", doubled(schema), doubled(name)))
}

/// `"schema"."name"`, for SQL.
pub fn quote_qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_ident(schema), quote_ident(name))
}

/// `schema.name` for people: unquoted, control characters visible. Never put this into SQL.
pub fn display_qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", visible(schema), visible(name))
}

/// Whether a character moves the cursor, hides text or reorders it.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{061c}')
}

/// Makes control, bidirectional and zero-width characters visible as `\n`, `\t`, `\u{202e}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    // Nearly all names are plain, which many bytes at once tell.
    let plain = text.bytes().fold(true, |all, byte| all & (b' '..=b'~').contains(&byte));
    if plain || !text.chars().any(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_treacherous(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Like [`visible`], but keeps line breaks and tabs: for query texts and SQL.
pub fn visible_multiline(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_treacherous(c) && c != '\n' && c != '\t') {
        return Cow::Borrowed(text);
    }
    let lines: Vec<_> = text
        .split('\n')
        .map(|line| line.split('\t').map(|part| visible(part.trim_end_matches('\r'))).collect::<Vec<_>>().join("\t"))
        .collect();
    Cow::Owned(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hostile_names() {
        for (name, want) in [
            ("orders", r#""orders""#),
            (r#"a"b"#, r#""a""b""#),
            ("'; drop table orders; --", r#""'; drop table orders; --""#),
            ("", r#""""#),
        ] {
            assert_eq!(quote_ident(name), want);
        }
        assert_eq!(quote_literal("it's"), "'it''s'");
        assert_eq!(quote_literal(r"back\slash"), r"E'back\\slash'");
        assert_eq!(quote_ident("a\nb\u{202e}\\\""), r#"U&"a\000Ab\202E\\""""#);
        assert_eq!(quote_literal("a\u{202e}'"), r"E'a\u202E'''");
        assert_eq!(quote_regclass("s", "a\tb"), r#"E'"s"."a\u0009b"'"#);
    }

    #[test]
    fn shows_what_would_drive_a_terminal() {
        assert_eq!(visible("a\u{1b}[31mb\nc\u{202e}"), "a\\u{1b}[31mb\\nc\\u{202e}");
        assert_eq!(visible("plain"), "plain");
        assert_eq!(visible_multiline("a\nb\tc\u{7}"), "a\nb\tc\\u{7}");
    }
}
