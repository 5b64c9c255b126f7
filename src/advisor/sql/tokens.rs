//! Tokens of SQL: just enough to know what is quoted, commented out, a parameter.

use super::prepare::Refused;

/// A token, as far as preparing a text has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A keyword or an unquoted name.
    Word(&'t str),
    /// `$1`.
    Parameter(&'t str),
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// A sign, a number, a quoted text or name; one blank for white space and comments.
    Other(&'t str),
    /// `/*, ... */`: what PostgreSQL 18 leaves of a list's further elements.
    Elements,
}

/// A token, none for a comment to the end of the line, and what follows it.
type Step<'t> = Option<(Option<Token<'t>>, &'t str)>;

/// The next token and what follows it; no token for comments.
pub(super) fn next(text: &str) -> Result<Step<'_>, Refused> {
    let Some(c) = text.chars().next() else { return Ok(None) };
    let cut = |at: usize| text.split_at_checked(at).ok_or(Refused::CutOff);
    let other = |at: usize| cut(at).map(|(head, rest)| Some((Some(Token::Other(head)), rest)));
    if text.starts_with("--") {
        return Ok(Some((None, text.find('\n').map_or("", |at| &text[at..]))));
    }
    if text.starts_with("/*") {
        let end = comment(text).ok_or(Refused::CutOff)?;
        let (inside, rest) = cut(end)?;
        let token = (inside.trim_start_matches("/*").trim_start().starts_with(", ...")).then_some(Token::Elements);
        return Ok(Some((token.or(Some(Token::Other(" "))), rest)));
    }
    match c {
        '(' => Ok(Some((Some(Token::Open), &text[1..]))),
        ')' => Ok(Some((Some(Token::Close), &text[1..]))),
        '\'' | '"' => other(quoted(text, 0, false).ok_or(Refused::CutOff)?),
        '$' => dollar(text),
        c if c.is_alphabetic() || c == '_' => {
            let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$'))).unwrap_or(text.len());
            // `E'…'`, `U&"…"`, `B'…'`: the prefix belongs to the quote.
            let prefix = text.get(..end).unwrap_or_default();
            if end == 1 && text[1..].starts_with('\'') {
                return other(quoted(text, 1, prefix.eq_ignore_ascii_case("e")).ok_or(Refused::CutOff)?);
            }
            if prefix.eq_ignore_ascii_case("u") && (text[1..].starts_with("&'") || text[1..].starts_with("&\"")) {
                return other(quoted(text, 2, false).ok_or(Refused::CutOff)?);
            }
            let (word, rest) = cut(end)?;
            Ok(Some((Some(Token::Word(word)), rest)))
        }
        c if c.is_ascii_digit() => {
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_')).unwrap_or(text.len());
            cut(end).map(|(number, rest)| Some((Some(Token::Other(number)), rest)))
        }
        c if c.is_whitespace() => {
            let end = text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len());
            Ok(Some((Some(Token::Other(" ")), text.get(end..).unwrap_or_default())))
        }
        c => other(c.len_utf8()),
    }
}

/// `$1`, `$tag$ … $tag$`, or a lone dollar.
fn dollar(text: &str) -> Result<Step<'_>, Refused> {
    let rest = &text[1..];
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if digits > 0 {
        let (parameter, after) = text.split_at_checked(digits + 1).ok_or(Refused::CutOff)?;
        return Ok(Some((Some(Token::Parameter(parameter)), after)));
    }
    let name = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    if rest.get(name..).is_some_and(|r| r.starts_with('$')) {
        let tag = text.get(..name + 2).ok_or(Refused::CutOff)?;
        let body = text.get(name + 2..).ok_or(Refused::CutOff)?;
        let end = body.find(tag).ok_or(Refused::CutOff)? + 2 * tag.len();
        let (whole, after) = text.split_at_checked(end).ok_or(Refused::CutOff)?;
        return Ok(Some((Some(Token::Other(whole)), after)));
    }
    Ok(Some((Some(Token::Other("$")), rest)))
}

/// Where a quote that begins at `from` ends; a doubled one goes on.
fn quoted(text: &str, from: usize, escapes: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(from)?;
    let mut at = from + 1;
    loop {
        let byte = *bytes.get(at)?;
        if escapes && byte == b'\\' {
            at += 2;
        } else if byte == quote {
            if bytes.get(at + 1) == Some(&quote) {
                at += 2;
            } else {
                return Some(at + 1);
            }
        } else {
            at += 1;
        }
    }
}

/// Where a comment ends; comments nest.
fn comment(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0_usize);
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => {
                (depth, at) = (depth.saturating_sub(1), at + 2);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}
