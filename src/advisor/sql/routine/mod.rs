//! Bodies of functions taken apart: the statements that stand in them, each with its line.
//!
//! Nothing is executed and nothing guessed: what `EXECUTE` puts together while it runs is counted, and a body that is cut
//! off or longer than what is read has no pieces.

mod plpgsql;
mod scan;

use super::prepare::Refused;
use super::tokens::Token;
use scan::{Scanned, scan};
use std::collections::BTreeSet;

/// Pieces of one body that are kept.
const MAX_PIECES: usize = 2_000;

/// What a piece of a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A whole statement.
    Statement,
    /// An expression with a query in it, which PL/pgSQL executes as a statement.
    Expression,
    /// An assignment of such an expression.
    Assignment,
}

/// A statement of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its line, from 1 at what follows the opening quote: as CONTEXT counts them.
    pub line: usize,
    /// Its text: `INTO` and its targets left out, `PERFORM` as `SELECT`.
    pub sql: String,
    /// What it is.
    pub form: Form,
}

impl Piece {
    /// The texts that pg_stat_statements may know it by: up to 13 an expression has a `SELECT` of its own.
    pub fn texts(&self) -> Vec<String> {
        let value = match self.form {
            Form::Statement => return vec![self.sql.clone()],
            Form::Expression => self.sql.as_str(),
            Form::Assignment => self.sql.split_once('=').map_or(self.sql.as_str(), |(_, value)| value),
        };
        vec![self.sql.clone(), format!("SELECT {value}")]
    }

    /// The piece as a statement that can be parsed.
    pub fn statement(&self) -> String {
        self.texts().pop().unwrap_or_default()
    }
}

/// A body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routine {
    /// Its statements, in the order of the text.
    pub pieces: Vec<Piece>,
    /// Lines of `EXECUTE` whose statement is not known before it runs.
    pub dynamic: Vec<usize>,
    /// Names of variables that it declares.
    pub variables: BTreeSet<String>,
}

/// Takes a body apart; none of a language that is not read.
///
/// # Errors
/// Where the text is cut off or too long.
pub fn routine(language: &str, source: &str) -> Option<Result<Routine, Refused>> {
    match language {
        "sql" => Some(scan(source).map(|s| statements(&s))),
        "plpgsql" => Some(scan(source).map(|s| plpgsql::read(&s))),
        _ => None,
    }
}

/// The statements of a function in SQL.
fn statements(scanned: &Scanned<'_>) -> Routine {
    let mut out = Routine::default();
    let mut from = 0;
    while from < scanned.tokens.len() && out.pieces.len() < MAX_PIECES {
        let to = scanned.until(from, scanned.tokens.len(), &[";"]);
        if to > from {
            out.pieces.extend(scanned.piece(from, to, Form::Statement));
        }
        from = to + 1;
    }
    out
}

/// The statements of a body that was created with `BEGIN ATOMIC` or `RETURN`, as the server prints it.
///
/// # Errors
/// Where the text is cut off or too long.
pub fn atomic(body: &str) -> Result<Routine, Refused> {
    let scanned = scan(body)?;
    let word = |at: usize| match scanned.tokens.get(at).map(|t| t.token) {
        Some(Token::Word(w)) => w.to_lowercase(),
        _ => String::new(),
    };
    if word(0) == "return" {
        let piece = scanned.piece(1, scanned.tokens.len(), Form::Expression);
        return Ok(Routine { pieces: piece.into_iter().collect(), ..Routine::default() });
    }
    let mut inner = Scanned { text: scanned.text, tokens: scanned.tokens.clone() };
    if word(0) == "begin" && word(1) == "atomic" {
        inner.tokens.drain(..2);
        if matches!(inner.tokens.last().map(|t| t.token), Some(Token::Word(w)) if w.eq_ignore_ascii_case("end")) {
            inner.tokens.pop();
        }
    }
    Ok(statements(&inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_of_sql_end_with_semicolons() {
        let body = "\n  update t set a = ';' where b = (select 1); -- ;\n\n  select (1);\n;";
        let read = routine("sql", body).unwrap().unwrap();
        let lines: Vec<(usize, &str)> = read.pieces.iter().map(|p| (p.line, p.sql.as_str())).collect();
        assert_eq!(lines, [(2, "update t set a = ';' where b = (select 1)"), (4, "select (1)")]);
        assert_eq!(routine("c", "x"), None);
        assert!(routine("sql", "select 'x").unwrap().is_err());
    }

    #[test]
    fn bodies_of_the_standard_are_read() {
        let read = atomic("BEGIN ATOMIC\n SELECT count(*) AS count\n    FROM t;\n DELETE FROM u;\nEND").unwrap();
        let lines: Vec<(usize, &str)> = read.pieces.iter().map(|p| (p.line, p.sql.as_str())).collect();
        assert_eq!(lines, [(2, "SELECT count(*) AS count\n    FROM t"), (4, "DELETE FROM u")]);
        let read = atomic("RETURN ( SELECT max(t.a) FROM t)").unwrap();
        assert_eq!((read.pieces[0].form, read.pieces[0].sql.as_str()), (Form::Expression, "( SELECT max(t.a) FROM t)"));
        assert!(atomic("RETURN (a + 1)").unwrap().pieces.is_empty());
    }
}
