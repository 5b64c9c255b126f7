//! Words, identifiers and groups of printed SQL.

/// What is left to read.
#[derive(Clone, Debug)]
pub(super) struct Scan<'t> {
    pub(super) rest: &'t str,
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

impl<'t> Scan<'t> {
    pub(super) const fn new(rest: &'t str) -> Self {
        Self { rest }
    }

    /// A keyword.
    pub(super) fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.rest.trim_start().strip_prefix(word)?;
        if rest.starts_with(is_word_char) {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    /// An identifier, unquoted.
    pub(super) fn ident(&mut self) -> Option<String> {
        let text = self.rest.trim_start();
        if let Some(quoted) = text.strip_prefix('"') {
            let mut name = String::new();
            let mut chars = quoted.char_indices().peekable();
            while let Some((at, c)) = chars.next() {
                if c != '"' {
                    name.push(c);
                } else if chars.next_if(|(_, next)| *next == '"').is_some() {
                    name.push('"');
                } else {
                    self.rest = quoted.get(at + 1..)?;
                    return Some(name);
                }
            }
            return None;
        }
        let end = text.find(|c| !is_word_char(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// `[schema.]name`.
    pub(super) fn qualified(&mut self) -> Option<(Option<String>, String)> {
        let first = self.ident()?;
        match self.rest.strip_prefix('.') {
            Some(rest) => {
                self.rest = rest;
                Some((Some(first), self.ident()?))
            }
            None => Some((None, first)),
        }
    }

    /// `[schema.]name` as printed.
    pub(super) fn qualified_text(&mut self) -> Option<String> {
        let start = self.rest.trim_start();
        self.rest = start;
        self.qualified()?;
        start.get(..start.len() - self.rest.len()).map(str::to_owned)
    }

    /// The inside of a pair of parentheses.
    pub(super) fn group(&mut self) -> Option<&'t str> {
        let text = self.rest.trim_start().strip_prefix('(')?;
        let end = outside(text).find(|(_, c, depth)| *c == ')' && *depth == 0).map(|(at, _, _)| at)?;
        self.rest = text.get(end + 1..)?;
        text.get(..end)
    }

    /// A column's name, or an expression: in parentheses, or a call.
    pub(super) fn column_or_expression(&mut self) -> Option<(String, bool)> {
        let start = self.rest.trim_start();
        self.rest = start;
        if start.starts_with('(') {
            return Some((self.group()?.trim().to_owned(), true));
        }
        let (_, name) = self.qualified()?;
        if !self.rest.starts_with('(') {
            return Some((name, false));
        }
        self.group()?;
        start.get(..start.len() - self.rest.len()).map(|call| (call.to_owned(), true))
    }
}

/// The characters that stand outside of quotes, with how many parentheses are open before each.
fn outside(text: &str) -> impl Iterator<Item = (usize, char, i32)> + '_ {
    let (mut quote, mut escape, mut depth, mut previous) = (None, false, 0_i32, ' ');
    let mut skip = false;
    text.char_indices().filter_map(move |(at, c)| {
        let before = std::mem::replace(&mut previous, c);
        if let Some(end) = quote {
            if std::mem::take(&mut skip) {
                // The character after a backslash in an E'' string.
            } else if escape && c == '\\' {
                skip = true;
            } else if c == end {
                // A doubled quote closes and opens again, which comes to the same.
                quote = None;
            }
            return None;
        }
        match c {
            '"' | '\'' => {
                quote = Some(c);
                escape = c == '\'' && (before == 'E' || (before == '\'' && escape));
                return None;
            }
            '(' | '[' => depth += 1,
            ')' | ']' => {
                let inside = depth;
                depth -= 1;
                return Some((at, c, inside));
            }
            _ => {}
        }
        Some((at, c, depth))
    })
}

/// Splits at commas outside of parentheses and quotes.
pub(super) fn split(list: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _, _) in outside(list).filter(|(_, c, depth)| *c == ',' && *depth == 0) {
        parts.extend(list.get(start..at));
        start = at + 1;
    }
    parts.extend(list.get(start..));
    parts
}
