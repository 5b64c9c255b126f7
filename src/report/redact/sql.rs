//! SQL: read token by token, never parsed, so that any text comes out as something.

use super::known;
use super::names::Pseudonyms;
use super::place::Kind;
use super::prose::{self, Trust};

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// The dump's: what is not a word of PostgreSQL is private; literals and comments go.
    Dump,
    /// The program's statements: names stand in double quotes, its literals are settings. `CREATE` and `ALTER TABLE`
    /// carry definitions of the dump.
    Program,
    /// A fragment, or no SQL at all.
    Code,
}

/// What stands for a literal in a statement of the dump.
const GONE: &str = "?";
/// What stands for it in a statement that somebody may want to run.
const GONE_LITERAL: &str = "'…'";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Space,
    Comment,
    Literal,
    Quoted,
    Number,
    Word,
    Sign,
}

/// A text of SQL with its private parts replaced.
pub(super) fn rewrite(names: &mut Pseudonyms, text: &str, from: From) -> String {
    let from = if from == From::Code && is_statement(text) { From::Dump } else { from };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut dotted = false;
    // Whether the next word starts a statement, and whether this one carries a definition of the dump.
    let (mut first, mut strict) = (true, from == From::Dump);
    while let Some((token, length)) = next(rest) {
        let (piece, after) = rest.split_at(length);
        match token {
            Token::Sign => {
                out.push_str(piece);
                if piece == ";" {
                    first = true;
                    strict = from == From::Dump;
                }
            }
            Token::Comment if from == From::Dump => {
                if !out.is_empty() && !out.ends_with(char::is_whitespace) {
                    out.push(' ');
                }
            }
            Token::Comment => out.push_str(&comment(names, piece)),
            Token::Literal if strict => out.push_str(if from == From::Dump { GONE } else { GONE_LITERAL }),
            Token::Literal => out.push_str(&literal(names, piece)),
            Token::Number if strict && names.what.queries => {
                out.push_str(if from == From::Dump { GONE } else { GONE_LITERAL });
            }
            Token::Number | Token::Space => out.push_str(piece),
            Token::Quoted => out.push_str(&quoted(names, piece)),
            Token::Word => {
                if first && from == From::Program {
                    let word = piece.to_ascii_uppercase();
                    strict = word == "CREATE" || (word == "ALTER" && after.trim_start().starts_with("TABLE"));
                }
                first = false;
                match word(names, piece, strict, dotted || after.starts_with('.')) {
                    Some(new) => out.push_str(&new),
                    None => out.push_str(piece),
                }
            }
        }
        dotted = piece == ".";
        rest = after;
    }
    if from == From::Dump { out.trim().to_owned() } else { out }
}

/// Whether a fragment is a statement that clients send, not a word or command of the program.
pub(super) fn is_statement(text: &str) -> bool {
    const VERBS: [&str; 13] = [
        "select", "insert", "update", "delete", "with", "copy", "call", "merge", "create", "declare", "fetch",
        "prepare", "where",
    ];
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    text.starts_with("/*") || text.starts_with("--") || {
        let verb = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        VERBS.iter().any(|v| v.eq_ignore_ascii_case(verb)) && text.len() > verb.len()
    }
}

/// The same of a text that may be any words: signs of SQL are asked for too.
pub(super) fn is_plainly_a_statement(text: &str) -> bool {
    is_statement(text) && (text.starts_with("/*") || text.starts_with("--") || text.contains(['"', '$', '=', '(', '*']))
}

/// The next token and its length in bytes; an open literal or comment ends with the text.
fn next(text: &str) -> Option<(Token, usize)> {
    let first = text.chars().next()?;
    let end = |from: usize, close: &str| {
        text.get(from..).and_then(|rest| rest.find(close)).map_or(text.len(), |at| from + at + close.len())
    };
    let run = |from: usize, of: fn(char) -> bool| {
        text.get(from..).and_then(|rest| rest.find(|c| !of(c))).map_or(text.len(), |at| from + at)
    };
    Some(match first {
        c if c.is_whitespace() => (Token::Space, run(0, char::is_whitespace)),
        '-' if text.starts_with("--") => (Token::Comment, text.find('\n').unwrap_or(text.len())),
        '/' if text.starts_with("/*") => (Token::Comment, nested_comment(text)),
        '\'' => (Token::Literal, closing(text, 1, '\'', false)),
        '"' => (Token::Quoted, closing(text, 1, '"', false)),
        'e' | 'E' if text[1..].starts_with('\'') => (Token::Literal, closing(text, 2, '\'', true)),
        'b' | 'B' | 'x' | 'X' | 'n' | 'N' if text[1..].starts_with('\'') => {
            (Token::Literal, closing(text, 2, '\'', false))
        }
        'u' | 'U' if text[1..].starts_with("&'") => (Token::Literal, closing(text, 3, '\'', false)),
        'u' | 'U' if text[1..].starts_with("&\"") => (Token::Quoted, closing(text, 3, '"', false)),
        '$' => match dollar(text) {
            Some(tag) => (Token::Literal, end(tag.len(), tag)),
            None => (Token::Sign, run(1, |c| c.is_ascii_digit())),
        },
        c if c.is_ascii_digit() => {
            (Token::Number, run(0, |c| c.is_ascii_alphanumeric() || c == '.' || c == '_' || c == '…'))
        }
        c if prose::in_word(c) => (Token::Word, run(0, prose::in_word)),
        c => (Token::Sign, c.len_utf8()),
    })
}

/// The end of a quoted text: a doubled quote does not close it, nor where it escapes one behind a backslash.
fn closing(text: &str, from: usize, quote: char, escapes: bool) -> usize {
    let mut chars = text.char_indices().skip_while(|(at, _)| *at < from).peekable();
    while let Some((at, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return at + c.len_utf8();
            }
        }
    }
    text.len()
}

/// The end of a comment; comments nest.
fn nested_comment(text: &str) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        if rest.starts_with("/*") {
            depth = depth.saturating_add(1);
            at += 2;
        } else if rest.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// `$$` or `$tag$` at the start.
fn dollar(text: &str) -> Option<&str> {
    let tag = text.get(1..)?.find('$')?;
    let name = text.get(1..=tag)?;
    let fits = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if fits { text.get(..tag + 2) } else { None }
}

fn word(names: &mut Pseudonyms, word: &str, strict: bool, dotted: bool) -> Option<String> {
    let folded = word.to_lowercase();
    let known = |names: &Pseudonyms| names.knows(word) || names.knows(&folded);
    let shipped = known::postgres(&folded);
    let own = shipped || (!strict && (known::own(word) || known::numeric(word) || word.len() == 1));
    if own && !(dotted && known(names) && !known::system(&folded)) {
        return None;
    }
    let met = if names.knows(word) { word } else { &folded };
    if strict { names.of(met, Kind::Column) } else { names.of_unknown(met) }
}

/// A quoted identifier; the placeholders of the program stay.
fn quoted(names: &mut Pseudonyms, piece: &str) -> String {
    let start = piece.find('"').map_or(0, |at| at + 1);
    let inner = piece.get(start..).unwrap_or_default();
    let inner = inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\"");
    let inner = if piece.starts_with('"') { inner } else { unescaped(&inner) };
    let placeholder = inner
        .strip_prefix('<')
        .and_then(|t| t.strip_suffix('>'))
        .is_some_and(|t| t.split(|c| !prose::in_word(c)).all(|w| w.is_empty() || known::own(w)));
    if placeholder || known::system(&inner) {
        return piece.to_owned();
    }
    let units: Vec<String> =
        inner.split('.').map(|unit| names.of(unit, Kind::Column).unwrap_or_else(|| unit.to_owned())).collect();
    crate::ident::quote_ident(&units.join("."))
}

/// The name inside `U&""`, where `\000A` is a character.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        rest = if let Some(c) = code {
            out.push(c);
            after.get(4..).unwrap_or_default()
        } else {
            out.push('\\');
            after.strip_prefix('\\').unwrap_or(after)
        };
    }
    out + rest
}

/// A literal of the program: a setting's value, a name to look up, a quoted name with its schema.
fn literal(names: &mut Pseudonyms, piece: &str) -> String {
    let start = piece.find('\'').map_or(0, |at| at + 1);
    let inner = piece.get(start..).unwrap_or_default();
    let inner = inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'");
    let new = if inner.contains('"') {
        rewrite(names, &inner, From::Program)
    } else if names.knows(&inner) {
        names.of_unknown(&inner).unwrap_or_else(|| inner.clone())
    } else {
        names.mixed(&inner)
    };
    if new == inner { piece.to_owned() } else { crate::ident::quote_literal(&new) }
}

/// A comment of the program. A definition in it is one of the dump.
fn comment(names: &mut Pseudonyms, piece: &str) -> String {
    let Some(at) = piece.find("CREATE ").or_else(|| piece.find("ALTER ")) else {
        return prose::rewrite(names, piece, Trust::Words);
    };
    let (words, definition) = piece.split_at(at);
    format!("{}{}", prose::rewrite(names, words, Trust::Words), rewrite(names, definition, From::Program))
}

#[cfg(test)]
mod tests {
    use super::super::Redact;
    use super::super::place::Place;
    use super::*;

    fn names(what: &str) -> Pseudonyms {
        let mut names = Pseudonyms::new(Redact::parse(what).unwrap());
        names.learn(Place::Name(Kind::Table), "public.orders");
        names.learn(Place::Name(Kind::Index), "public.orders_pkey");
        names.learn(Place::Name(Kind::Slot), "cdc_slot");
        names.learned();
        names
    }

    #[test]
    fn statements_become_shapes() {
        for (what, text, want) in [
            (
                "all",
                "SELECT count(*), qx FROM Orders o WHERE \"Na\"\"me\" = 'it''s' AND id = 4711 -- secret\n/* a /* b */ */",
                "SELECT count(*), name_1 FROM table_1 name_2 WHERE \"name_3\" = ? AND name_4 = ?",
            ),
            (
                "queries",
                "select qx from orders where a = E'x\\'y' and b = $1 and c = 7",
                "select qx from orders where a = ? and b = $1 and c = ?",
            ),
            ("names", "select qx from orders where b = 7", "select name_1 from table_1 where name_2 = 7"),
            ("hosts", "select qx from orders where host = 'db1'", "select qx from orders where host = ?"),
            ("all", "DO $x$ begin secret(); end $x$", "DO ?"),
            ("all", "select $$open", "select ?"),
            ("all", "select 'cut…", "select ?"),
        ] {
            assert_eq!(rewrite(&mut names(what), text, From::Dump), want, "{text}");
        }
    }

    #[test]
    fn statements_of_the_program_stay_statements() {
        for (text, want) in [
            ("DROP INDEX CONCURRENTLY \"public\".\"orders_pkey\";", "DROP INDEX CONCURRENTLY \"public\".\"index_1\";"),
            (
                "SET lock_timeout = '5s';\nVACUUM \"public\".\"orders\";",
                "SET lock_timeout = '5s';\nVACUUM \"public\".\"table_1\";",
            ),
            ("SELECT pg_drop_replication_slot('cdc_slot');", "SELECT pg_drop_replication_slot('slot_1');"),
            ("SELECT '\"public\".\"orders\"'::regclass;", "SELECT '\"public\".\"table_1\"'::regclass;"),
            (
                "-- undo: CREATE INDEX orders_pkey ON public.orders USING btree (status) WHERE (kind = 'x'::text);\nSELECT 1;",
                "-- undo: CREATE INDEX index_1 ON public.table_1 USING btree (name_1) WHERE (name_2 = '…'::text);\nSELECT 1;",
            ),
            (
                "ALTER ROLE \"<role of this workload>\" SET work_mem = '64MB';",
                "ALTER ROLE \"<role of this workload>\" SET work_mem = '64MB';",
            ),
        ] {
            assert_eq!(rewrite(&mut names("all"), text, From::Program), want, "{text}");
        }
    }

    #[test]
    fn fragments_keep_what_is_no_name() {
        for (text, want) in [
            ("log_lock_waits = on", "log_lock_waits = on"),
            ("pgretro report BEFORE AFTER -o report.html", "pgretro report BEFORE AFTER -o report.html"),
            ("(qx, created)", "(name_1, created)"),
            ("\"$user\", public", "\"$user\", public"),
            ("UPDATE orders SET qx = 'a'", "UPDATE table_1 SET name_1 = ?"),
        ] {
            assert_eq!(rewrite(&mut names("all"), text, From::Code), want, "{text}");
        }
    }

    #[test]
    fn any_text_comes_to_its_end() {
        for text in ["", "'", "\"", "$", "$1$", "/*/*", "é'", "E'\\", "U&\"", "🐘$🐘$x", "1e5…", "\u{0}"] {
            let _ = rewrite(&mut names("all"), text, From::Dump);
        }
    }
}
