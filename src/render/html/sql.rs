//! SQL for reading: keywords and comments marked, everything escaped.

use super::escape::lines;

const KEYWORDS: [&str; 62] = [
    "ADD",
    "ALTER",
    "ANALYZE",
    "AND",
    "AS",
    "BEGIN",
    "BY",
    "CASCADE",
    "COLUMN",
    "COMMIT",
    "CONCURRENTLY",
    "CONSTRAINT",
    "COPY",
    "CREATE",
    "DATABASE",
    "DELETE",
    "DROP",
    "ELSE",
    "END",
    "EXISTS",
    "EXPLAIN",
    "FOREIGN",
    "FROM",
    "FULL",
    "FUNCTION",
    "GROUP",
    "HAVING",
    "IF",
    "IN",
    "INDEX",
    "INSERT",
    "INTO",
    "IS",
    "JOIN",
    "KEY",
    "LEFT",
    "LIMIT",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "PREPARED",
    "REFERENCES",
    "REINDEX",
    "RESET",
    "ROLE",
    "ROLLBACK",
    "SELECT",
    "SEQUENCE",
    "SET",
    "SYSTEM",
    "TABLE",
    "THEN",
    "TO",
    "UNIQUE",
    "UPDATE",
    "USING",
    "VACUUM",
    "VALIDATE",
    "WHERE",
    "WITH",
];

/// What a piece of SQL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Keyword,
    Comment,
}

/// SQL as HTML for a `<pre>`.
pub(super) fn highlight(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() * 2);
    let mut rest = sql;
    while let Some((kind, end)) = next(rest) {
        let (piece, after) = rest.split_at(end);
        let escaped = lines(piece);
        match kind {
            Kind::Plain => out.push_str(&escaped),
            Kind::Keyword => out.extend(["<span class=\"k\">", &escaped, "</span>"]),
            Kind::Comment => out.extend(["<span class=\"cm\">", &escaped, "</span>"]),
        }
        rest = after;
    }
    out
}

/// The next piece and where it ends; `None` at the end. Never ends inside a character.
fn next(sql: &str) -> Option<(Kind, usize)> {
    let first = sql.chars().next()?;
    let until = |pattern: &str, from: usize| {
        sql.get(from..).and_then(|s| s.find(pattern)).map_or(sql.len(), |i| from + i + pattern.len())
    };
    Some(match first {
        '-' if sql.starts_with("--") => (Kind::Comment, sql.find('\n').unwrap_or(sql.len())),
        '/' if sql.starts_with("/*") => (Kind::Comment, until("*/", 2)),
        '\'' => (Kind::Plain, until("'", 1)),
        '"' => (Kind::Plain, until("\"", 1)),
        c if is_word(c) => {
            let end = sql.find(|c| !is_word(c)).unwrap_or(sql.len());
            let word = sql.get(..end).unwrap_or_default();
            let known = word.len() < 16 && KEYWORDS.contains(&word.to_ascii_uppercase().as_str());
            // Lowercase words are as often names; SQL that we print writes keywords in capitals.
            (if known && word == word.to_ascii_uppercase() { Kind::Keyword } else { Kind::Plain }, end)
        }
        c => (Kind::Plain, c.len_utf8()),
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_keywords_outside_names_and_texts() {
        assert_eq!(
            highlight("-- DROP <x>\nDROP INDEX \"TABLE</script>\"; SELECT 'FROM'"),
            "<span class=\"cm\">-- DROP &lt;x&gt;</span>\n<span class=\"k\">DROP</span> <span class=\"k\">INDEX</span> \
             &quot;TABLE&lt;/script&gt;&quot;; <span class=\"k\">SELECT</span> &#39;FROM&#39;"
        );
    }

    #[test]
    fn reads_any_text_to_its_end() {
        for text in ["'open", "\"open", "/* open", "🐘é$1", "--", ""] {
            let _ = highlight(text);
        }
        assert!(KEYWORDS.is_sorted());
    }
}
