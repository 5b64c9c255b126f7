//! Texts of pg_stat_statements made fit for a parser, and kept from it where they are too long or too deep.
//!
//! Normalisation puts `$n` where the grammar wants a literal (`interval $1`, `extract($1 from x)`), PostgreSQL 18
//! shortens lists to `$1 /*, ... */`, and a list of ten thousand parameters says no more than a short one.

use super::tokens::{Token, next};
use std::fmt::Write;

/// Bytes of a text that is read at all.
const MAX_BYTES: usize = 1 << 20;
/// Tokens that the parser may get. Its recursion is bounded by them.
const MAX_TOKENS: usize = 8_000;
/// How deep parentheses, brackets and CASE may be nested.
const MAX_DEPTH: usize = 120;
/// How many signs, casts, fields, calls and NOTs may follow each other without an operand between: the parser's time
/// grows with the square of such a chain.
const MAX_CHAIN: usize = 200;
/// Elements of a list of parameters that are kept.
const KEPT_ELEMENTS: usize = 24;

/// Why a text is not given to the parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refused {
    /// Longer than what is read.
    TooLong,
    /// Nested deeper than what is read.
    TooDeep,
    /// A quote or comment that never ends: the text was cut.
    CutOff,
}

/// Words that name a type: a parameter right behind one stands for a literal.
const TYPES: &str = "interval date time timestamp timestamptz timetz zone inet cidr uuid json jsonb bytea numeric decimal \
    int integer int2 int4 int8 bigint smallint text varchar char bpchar boolean bool real float float4 \
    float8 precision xml money macaddr point box regclass regtype regproc oid name tsvector tsquery \
    daterange tsrange tstzrange int4range int8range numrange";

/// Words that end the upper bound of `BETWEEN`.
const ENDS_BOUND: &str = "and or group order limit offset fetch having window union intersect except for from where returning \
    then when else end on join left right inner full cross natural as asc desc nulls is";

/// Whether a word stands in a list.
fn listed(list: &str, word: &str) -> bool {
    list.split(' ').any(|w| w == word)
}

/// A text that the parser can be given, comments left out.
pub fn prepare(text: &str) -> Result<String, Refused> {
    if text.len() > MAX_BYTES {
        return Err(Refused::TooLong);
    }
    let mut out = Rewriter::default();
    let mut rest = text;
    while let Some((token, after)) = next(rest)? {
        rest = after;
        if let Some(token) = token {
            out.push(token)?;
        }
    }
    out.finish()
}

/// What has been written, and what must be known of it to write on.
#[derive(Default)]
struct Rewriter {
    out: String,
    /// The last words and signs, lower case, newest last.
    before: [String; 2],
    tokens: usize,
    /// Signs and the like since the last operand.
    chain: usize,
    depth: usize,
    /// Depths at which a `BETWEEN` waits for its `AND`.
    waiting: Vec<usize>,
    /// Depths at which a parenthesis of ours is open around an upper bound.
    bounds: Vec<usize>,
    /// Parameters written in a row, separated by commas.
    elements: usize,
    /// A comma behind a parameter that is written only when no parameter follows.
    comma: bool,
}

impl Rewriter {
    fn push(&mut self, token: Token<'_>) -> Result<(), Refused> {
        match token {
            Token::Parameter(p) => {
                if self.comma && self.elements >= KEPT_ELEMENTS {
                    self.comma = false;
                    return Ok(());
                }
                self.flush_comma()?;
                self.elements += 1;
                self.chain = 0;
                let [before, last] = &self.before;
                // `AT TIME ZONE $1` is an expression, `timestamp with time zone $1` a literal; both read as a string.
                let literal = listed(TYPES, last) || (before == "extract" && last == "(");
                if literal {
                    let _ = write!(self.out, " '{p}'");
                } else {
                    let _ = write!(self.out, " {p}");
                }
                self.count()?;
                self.remember("$");
            }
            Token::Other(" ") => {
                if !self.comma {
                    self.out.push(' ');
                }
            }
            Token::Other(",") if self.before[1] == "$" => self.comma = true,
            Token::Elements => {
                for _ in 0..2 {
                    self.out.push_str(", $0");
                    self.count()?;
                }
            }
            other => {
                self.flush_comma()?;
                self.elements = 0;
                self.other(other)?;
            }
        }
        Ok(())
    }

    fn other(&mut self, token: Token<'_>) -> Result<(), Refused> {
        self.chain(token)?;
        match token {
            Token::Word(word) => {
                let lower = word.to_ascii_lowercase();
                if listed(ENDS_BOUND, &lower) {
                    self.close_bound();
                }
                match lower.as_str() {
                    // Frames of windows have a BETWEEN of their own.
                    "between" if !matches!(self.before[1].as_str(), "rows" | "range" | "groups") => {
                        self.waiting.push(self.depth);
                    }
                    "case" => self.deeper()?,
                    "end" => self.shallower(),
                    _ => {}
                }
                self.out.push(' ');
                self.out.push_str(word);
                if lower == "and" && self.waiting.last() == Some(&self.depth) {
                    self.waiting.pop();
                    self.bounds.push(self.depth);
                    self.out.push_str(" (");
                }
                self.remember(&lower);
            }
            Token::Open => {
                self.out.push('(');
                self.deeper()?;
                self.remember("(");
            }
            Token::Close => {
                self.close_bound();
                self.shallower();
                self.out.push(')');
                self.remember(")");
            }
            Token::Other(sign) => {
                if matches!(sign, "," | ";") {
                    self.close_bound();
                }
                match sign {
                    "[" => self.deeper()?,
                    "]" => {
                        self.close_bound();
                        self.shallower();
                    }
                    _ => {}
                }
                self.out.push_str(sign);
                self.remember(sign);
            }
            Token::Parameter(_) | Token::Elements => {}
        }
        self.count()
    }

    fn chain(&mut self, token: Token<'_>) -> Result<(), Refused> {
        let last = self.before[1].as_str();
        match token {
            Token::Word(w) if w.eq_ignore_ascii_case("not") => self.chain += 1,
            // The type of a cast and the name of a field go on with the chain.
            Token::Word(_) if matches!(last, ":" | ".") => {}
            Token::Open if last == ")" => self.chain += 1,
            Token::Open | Token::Close => {}
            Token::Other(s) if s.len() == 1 && "+-~!@#%^&|*/<>=:.`?".contains(s) => self.chain += 1,
            _ => self.chain = 0,
        }
        if self.chain > MAX_CHAIN { Err(Refused::TooDeep) } else { Ok(()) }
    }

    fn remember(&mut self, token: &str) {
        self.before.swap(0, 1);
        token.clone_into(&mut self.before[1]);
    }

    fn flush_comma(&mut self) -> Result<(), Refused> {
        if std::mem::take(&mut self.comma) {
            self.close_bound();
            self.out.push(',');
            self.remember(",");
            return self.count();
        }
        Ok(())
    }

    /// The parser reads what follows an upper bound as a part of it, so the bound gets parentheses.
    fn close_bound(&mut self) {
        while self.bounds.last().is_some_and(|d| *d >= self.depth) {
            self.bounds.pop();
            self.out.push(')');
        }
    }

    fn deeper(&mut self) -> Result<(), Refused> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Refused::TooDeep) } else { Ok(()) }
    }

    fn shallower(&mut self) {
        self.waiting.retain(|d| *d < self.depth);
        self.depth = self.depth.saturating_sub(1);
    }

    fn count(&mut self) -> Result<(), Refused> {
        self.tokens += 1;
        if self.tokens > MAX_TOKENS { Err(Refused::TooLong) } else { Ok(()) }
    }

    fn finish(mut self) -> Result<String, Refused> {
        self.flush_comma()?;
        self.depth = 0;
        self.close_bound();
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tidy(text: &str) -> String {
        prepare(text).unwrap().split_whitespace().collect()
    }

    #[test]
    fn mends_what_normalisation_broke() {
        for (given, want) in [
            ("select interval $1, x", "select interval '$1', x"),
            ("select now() - INTERVAL $1", "select now() - INTERVAL '$1'"),
            ("select extract($1 from x)", "select extract( '$1' from x)"),
            ("select x at time zone $1", "select x at time zone '$1'"),
            ("a in ($1 /*, ... */)", "a in( $1 , $0, $0)"),
            ("a /* c /* d */ ' */ = b -- e\n and c", "a = b and c"),
            ("a = E'it\\'s' and b = $q$ ' $1 $q$", "a = E'it\\'s' and b = $q$ ' $1 $q$"),
        ] {
            assert_eq!(tidy(given), want.split_whitespace().collect::<String>(), "{given}");
        }
    }

    #[test]
    fn upper_bounds_get_parentheses() {
        for (given, want) in [
            ("a between $1 and $2 or b", "a between $1 and ( $2) or b"),
            ("(a between b and c + 1)", "( a between b and ( c + 1))"),
            (
                "a between $1 and f($2, $3) and b between c and d",
                "a between $1 and ( f( $2, $3)) and b between c and ( d)",
            ),
            ("a between $1 and $2, b", "a between $1 and ( $2), b"),
            ("rows between unbounded preceding and current row", "rows between unbounded preceding and current row"),
            ("case when a between $1 and $2 then b end", "case when a between $1 and ( $2) then b end"),
        ] {
            assert_eq!(tidy(given), want.split_whitespace().collect::<String>(), "{given}");
        }
    }

    #[test]
    fn long_lists_are_shortened() {
        let list: Vec<String> = (1..5000).map(|n| format!("${n}")).collect();
        let text = prepare(&format!("select a from t where b in ({}) and c = $1", list.join(", "))).unwrap();
        assert!(text.contains("$24)") && !text.contains("$25") && text.contains("c ="), "{text}");
    }

    #[test]
    fn refuses_what_could_hurt() {
        assert_eq!(prepare(&"(".repeat(500)), Err(Refused::TooDeep));
        assert_eq!(prepare(&"case ".repeat(500)), Err(Refused::TooDeep));
        assert_eq!(prepare(&"a + ".repeat(20_000)), Err(Refused::TooLong));
        for chain in ["not ", "- ", "::int", ".b", "()", "not (", "- not "] {
            assert_eq!(prepare(&format!("a{}", chain.repeat(1_000))), Err(Refused::TooDeep), "{chain}");
        }
        assert!(prepare(&format!("select {} 1", "a::int + -b.c(1) * ".repeat(400))).is_ok());
        assert_eq!(prepare(&"a".repeat(2 << 20)), Err(Refused::TooLong));
        for cut in ["a = 'x", "a /* b", "a = $q$ b", "\"a", "e'\\"] {
            assert_eq!(prepare(cut), Err(Refused::CutOff), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "([a-z$0-9'\"(),/*ü \\\\-]|between|and|case|end|\\$1){0,40}") {
            let _ = prepare(&text);
        }
    }
}
