//! One spelling for all texts that pg_stat_statements counts as one statement, so that a statement that stands in the
//! body of a function is found again.
//!
//! The server replaces constants by `$n` and keeps everything else as it was written. Here both sides lose their
//! constants, comments, white space and the case of keywords. Two texts that differ only in a constant are one.

use super::prepare::Refused;
use super::tokens::{Token, next};

/// Bytes of a text that is compared at all.
const MAX_BYTES: usize = 1 << 20;

/// A text without its constants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canonical {
    /// The words and signs, a blank between two.
    pub exact: String,
    /// The same with each list of constants as one: PostgreSQL 18 shortens them.
    pub folded: String,
    /// Whether the text itself has such a shortened list.
    pub shortened: bool,
}

/// The canonical form; none of a text that is cut off or too long.
pub fn canonical(text: &str) -> Result<Canonical, Refused> {
    if text.len() > MAX_BYTES {
        return Err(Refused::TooLong);
    }
    let mut out = Writer::default();
    let mut rest = text;
    while let Some((token, after)) = next(rest)? {
        rest = after;
        if let Some(token) = token {
            out.push(token);
        }
    }
    while out.words.last().is_some_and(|w| w == ";") {
        out.words.pop();
    }
    let folded = fold(&out.words);
    Ok(Canonical { exact: out.words.join(" "), folded: folded.join(" "), shortened: out.shortened })
}

/// A constant.
const CONSTANT: &str = "$";

#[derive(Default)]
struct Writer {
    words: Vec<String>,
    shortened: bool,
}

impl Writer {
    fn push(&mut self, token: Token<'_>) {
        match token {
            Token::Word(word) => {
                let lower = word.to_lowercase();
                // The server takes these for constants in some places and for a part of the grammar in others.
                if matches!(lower.as_str(), "true" | "false" | "null") {
                    return self.constant();
                }
                if lower == "from"
                    && let [.., before, open, field] = self.words.as_mut_slice()
                    && (before.as_str(), open.as_str()) == ("extract", "(")
                {
                    CONSTANT.clone_into(field);
                }
                self.words.push(lower);
            }
            Token::Parameter(_) => self.constant(),
            Token::Open => self.words.push("(".to_owned()),
            Token::Close => self.words.push(")".to_owned()),
            Token::Elements => self.shortened = true,
            Token::Other(" ") => {}
            Token::Other(other) => match other.chars().next() {
                Some(c) if c.is_ascii_digit() => {
                    // `.5`
                    if self.words.last().is_some_and(|w| w == ".") && !self.is_field() {
                        self.words.pop();
                    }
                    self.constant();
                }
                Some('"') => self.words.push(name(other)),
                Some('u' | 'U') if other.contains('"') => self.words.push(other.to_owned()),
                _ if other.len() > 1 => self.constant(),
                _ => self.words.push(other.to_owned()),
            },
        }
    }

    /// Whether the dot that was written last stands behind a name, a parenthesis or a bracket.
    fn is_field(&self) -> bool {
        let before = self.words.len().checked_sub(2).and_then(|at| self.words.get(at));
        before.is_some_and(|w| w.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | ')' | ']')))
    }

    fn constant(&mut self) {
        // A sign before a number is a part of it in some places and stands by itself in others.
        if self.words.last().is_some_and(|w| w == "-") {
            self.words.pop();
        }
        // `'a' 'b'` over two lines is one constant, as is `1e-5`.
        if self.words.last().is_none_or(|w| w != CONSTANT) {
            self.words.push(CONSTANT.to_owned());
        }
    }
}

/// A quoted name, without quotes where it needs none.
fn name(quoted: &str) -> String {
    let inside = quoted.trim_matches('"');
    let meant = matches!(inside, "true" | "false" | "null" | "extract" | "from");
    let plain = !meant
        && inside.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && inside.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { inside.to_owned() } else { quoted.to_owned() }
}

/// Lists of constants as one constant.
fn fold(words: &[String]) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::with_capacity(words.len());
    for word in words {
        if word == CONSTANT
            && let [.., before, comma] = out.as_slice()
            && (*before, *comma) == (CONSTANT, ",")
        {
            out.pop();
            continue;
        }
        out.push(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(written: &str, recorded: &str) -> bool {
        let (written, recorded) = (canonical(written).unwrap(), canonical(recorded).unwrap());
        if recorded.shortened { written.folded == recorded.folded } else { written.exact == recorded.exact }
    }

    #[test]
    fn what_the_server_recorded_is_found_in_what_was_written() {
        for (written, recorded) in [
            (
                "  -- count them\n select count(*) from t where k = p_k and s <> 'x' and k > $1 - 5 /* c */ and ok = true;",
                "-- count them\n  select count(*) from t where k = p_k and s <> $2 and k > $1 - $3 /* c */ and ok = $4",
            ),
            (
                "select count(*) from t where k = -1 and s is not null and at > now() - interval '1 day'",
                "select count(*) from t where k = $1 and s is not null and at > now() - interval $2",
            ),
            ("SELECT a FROM t WHERE b IN (1, 2, 3)", "select a from t where b in ($1 /*, ... */)"),
            ("select a from t where b in (1, 2)", "select a from t where b in ($1, $2)"),
            (
                "select extract(epoch from \"at\"), .5, 1e-5, E'it\\'s' from t",
                "select extract($1 from at), $2, $3, $4 from t",
            ),
            ("select 'a'\n'b' from \"T\"", "select $1 from \"T\""),
            ("select numeric(5, 2) '1'", "select numeric(5, 2) $1"),
            ("select $tag$ ' $tag$, u&'d\\0061t'", "select $1, $2"),
        ] {
            assert!(
                same(written, recorded),
                "{written}\n{recorded}\n{:?}\n{:?}",
                canonical(written),
                canonical(recorded)
            );
        }
    }

    #[test]
    fn what_differs_stays_apart() {
        for (one, other) in [
            ("select a from t where b = 1", "select a from t where c = $1"),
            ("select a from \"T\"", "select a from t"),
            ("select a from t where b in (1, 2)", "select a from t where b in ($1, $2, $3)"),
            ("select a.b from t", "select a . c from t"),
            ("select a from t for update skip locked", "select a from t for update"),
        ] {
            assert!(!same(one, other), "{one}");
        }
    }

    #[test]
    fn what_is_cut_off_has_no_form() {
        assert_eq!(canonical("select 'a").err(), Some(Refused::CutOff));
        assert_eq!(canonical(&" ".repeat(2 << 20)).err(), Some(Refused::TooLong));
    }

    proptest! {
        #[test]
        fn a_form_is_its_own(text in "([a-z$0-9'\"(),/*ü .-]|extract|from|null|\\$1){0,40}") {
            if let Ok(once) = canonical(&text) {
                let again = canonical(&once.exact).unwrap();
                prop_assert_eq!(again.exact, once.exact);
            }
        }
    }
}
