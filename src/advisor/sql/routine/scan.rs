//! The tokens of a body with their places, and what stands between two of them.

use super::{Form, Piece};
use crate::advisor::sql::prepare::Refused;
use crate::advisor::sql::tokens::{Token, next};

/// Bytes of a body that is read at all.
const MAX_BYTES: usize = 1 << 20;

/// A token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'t> {
    pub token: Token<'t>,
    /// Where it begins and ends in the text.
    pub from: usize,
    pub to: usize,
    /// Its line, from 1.
    pub line: usize,
    /// Parentheses and brackets that are open before it.
    pub depth: usize,
}

/// A text as tokens, without white space and comments.
#[derive(Debug)]
pub(super) struct Scanned<'t> {
    pub text: &'t str,
    pub tokens: Vec<Placed<'t>>,
}

pub(super) fn scan(text: &str) -> Result<Scanned<'_>, Refused> {
    if text.len() > MAX_BYTES {
        return Err(Refused::TooLong);
    }
    let mut tokens = Vec::new();
    let (mut rest, mut line, mut depth) = (text, 1, 0_usize);
    while let Some((token, after)) = next(rest)? {
        let from = text.len() - rest.len();
        let to = text.len() - after.len();
        if let Some(token) = token.filter(|t| !matches!(t, Token::Other(" ") | Token::Elements)) {
            if matches!(token, Token::Close | Token::Other("]")) {
                depth = depth.saturating_sub(1);
            }
            tokens.push(Placed { token, from, to, line, depth });
            if matches!(token, Token::Open | Token::Other("[")) {
                depth += 1;
            }
        }
        line += text.get(from..to).unwrap_or_default().matches('\n').count();
        rest = after;
    }
    Ok(Scanned { text, tokens })
}

impl Scanned<'_> {
    /// The word at a place in lower case, a sign as it is; empty where neither stands there.
    pub fn word(&self, at: usize) -> String {
        match self.tokens.get(at).map(|t| t.token) {
            Some(Token::Word(word)) => word.to_lowercase(),
            Some(Token::Other(sign)) if sign.len() == 1 => sign.to_owned(),
            Some(Token::Open) => "(".to_owned(),
            _ => String::new(),
        }
    }

    /// The first place from `from` on that has one of these words, as deep as `from`; `end` where there is none.
    pub fn until(&self, from: usize, end: usize, words: &[&str]) -> usize {
        let depth = self.tokens.get(from).map_or(0, |t| t.depth);
        let stops = |at: &usize| {
            self.tokens.get(*at).is_some_and(|t| t.depth <= depth) && words.contains(&self.word(*at).as_str())
        };
        (from..end.min(self.tokens.len())).find(stops).unwrap_or(end)
    }

    /// The text between two places.
    pub fn between(&self, from: usize, to: usize) -> &str {
        let last = to.checked_sub(1).and_then(|at| self.tokens.get(at));
        match (self.tokens.get(from), last) {
            (Some(first), Some(last)) if from < to => self.text.get(first.from..last.to).unwrap_or_default(),
            _ => "",
        }
    }

    /// Whether a query stands between two places.
    pub fn has_query(&self, from: usize, to: usize) -> bool {
        (from..to).any(|at| matches!(self.word(at).as_str(), "select" | "values" | "table"))
    }

    /// What stands between two places as a piece; none of expressions without a query, which the server computes by itself.
    pub fn piece(&self, from: usize, to: usize, form: Form) -> Option<Piece> {
        if from >= to || (form != Form::Statement && !self.has_query(from, to)) {
            return None;
        }
        let line = self.tokens.get(from)?.line;
        let sql = match (form, self.into(from, to)) {
            (Form::Statement, Some((a, b))) => format!("{} {}", self.between(from, a), self.between(b, to)),
            _ => self.between(from, to).to_owned(),
        };
        Some(Piece { line, sql, form })
    }

    /// `INTO [STRICT] target, …` of PL/pgSQL: from its word to what follows it.
    fn into(&self, from: usize, to: usize) -> Option<(usize, usize)> {
        let at = (from + 1..to)
            .find(|at| self.word(*at) == "into" && !matches!(self.word(at - 1).as_str(), "insert" | "merge"))?;
        let mut next = at + 1;
        if self.word(next) == "strict" {
            next += 1;
        }
        loop {
            next = self.target(next, to);
            if self.word(next) != "," || next >= to {
                return Some((at, next.min(to)));
            }
            next += 1;
        }
    }

    /// Behind a target: a name, its fields and elements.
    pub fn target(&self, from: usize, to: usize) -> usize {
        let mut at = from + 1;
        while at < to {
            match self.word(at).as_str() {
                "." => at += 2,
                "[" => at = self.until(at, to, &["]"]) + 1,
                _ => break,
            }
        }
        at.min(to)
    }
}
