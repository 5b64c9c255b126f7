//! A function with its body.

use crate::advisor::sql::{Canonical, Piece, Refused, Routine, atomic, canonical, routine};
use crate::diff::Change;
use crate::ident::{display_qualified, quote_qualified, visible};
use crate::snapshot::Row;

/// `"schema"."name"(types)` for SQL; none where the types of arguments, which come from the dump and would be part of the
/// statement, are more than what names of types need.
pub fn sql_signature(row: Row<'_>) -> Option<String> {
    let args = row.text("identity_args").unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | ',' | '_' | '.' | '[' | ']');
    (args.chars().all(plain) && !args.contains("..")).then_some(())?;
    Some(format!("{}({args})", quote_qualified(row.text("schemaname")?, row.text("funcname")?)))
}

/// A function that the dump defines.
#[derive(Debug)]
pub struct Function<'a> {
    /// Its row of `function_definitions`.
    pub row: Row<'a>,
    /// Its row of `pg_stat_user_functions` over the window.
    pub change: Option<Change<'a>>,
    /// Its body; none where it was not exported, or is in a language that is not read.
    pub body: Option<Result<Routine, Refused>>,
    /// Whether the body is of the standard (`BEGIN ATOMIC`), whose statements pg_stat_statements does not record.
    pub is_atomic: bool,
    /// What it is called: with its arguments only where another function has its name.
    pub label: String,
    /// The forms of the body's pieces by which statements are told.
    pub(super) forms: Vec<(usize, Canonical)>,
}

impl<'a> Function<'a> {
    pub(super) fn read(row: Row<'a>) -> Self {
        let standard = row.text("sql_body").filter(|b| !b.is_empty());
        let source = row.text("source").filter(|b| !b.is_empty());
        let body = match (standard, source) {
            (Some(body), _) => Some(atomic(body)),
            (None, Some(body)) => routine(row.text("language").unwrap_or_default(), body),
            (None, None) => None,
        };
        let mut function =
            Self { row, change: None, body, is_atomic: standard.is_some(), label: String::new(), forms: Vec::new() };
        function.label = function.display();
        let forms = function.pieces().iter().enumerate().flat_map(|(at, piece)| {
            piece.texts().into_iter().filter_map(move |text| Some((at, canonical(&text).ok()?)))
        });
        function.forms = forms.collect();
        function
    }

    /// Its schema.
    pub fn schema(&self) -> &'a str {
        self.row.text("schemaname").unwrap_or_default()
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.row.text("funcname").unwrap_or_default()
    }

    /// `schema.name` for people, as `pg_stat_user_functions` names it.
    pub fn display(&self) -> String {
        display_qualified(self.schema(), self.name())
    }

    /// The same with its arguments.
    pub fn signature(&self) -> String {
        format!("{}({})", self.display(), visible(self.row.text("identity_args").unwrap_or_default()))
    }

    /// The statements of its body.
    pub fn pieces(&self) -> &[Piece] {
        match &self.body {
            Some(Ok(routine)) => &routine.pieces,
            _ => &[],
        }
    }

    /// Lines of `EXECUTE` whose statement is only known when it runs.
    pub fn dynamic(&self) -> &[usize] {
        match &self.body {
            Some(Ok(routine)) => &routine.dynamic,
            _ => &[],
        }
    }

    /// Whether a word is the name of one of its arguments or variables.
    pub(super) fn is_variable(&self, word: &str) -> bool {
        let declared = match &self.body {
            Some(Ok(routine)) => routine.variables.contains(word),
            _ => false,
        };
        declared || self.row.array("argnames").iter().any(|n| n == word)
    }

    /// Whether a name as the server prints it may be this function's: `f`, `app.f(integer)`, `"App 2"."F"()`.
    pub(super) fn is_called(&self, printed: &str) -> bool {
        if printed == self.name() {
            return true;
        }
        let Some((parts, rest)) = parts(printed) else { return false };
        let named = match parts.as_slice() {
            [name] => name == self.name(),
            [schema, name] => schema == self.schema() && name == self.name(),
            _ => false,
        };
        let Some(arguments) = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')) else { return named };
        let list = |text: &'_ str| text.split(", ").filter(|a| !a.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let (given, own) = (list(arguments), list(self.row.text("identity_args").unwrap_or_default()));
        named && given.len() == own.len() && own.iter().zip(&given).all(|(own, given)| own.ends_with(given.as_str()))
    }
}

/// The identifiers at the start of a name, quotes taken off, and what follows them.
fn parts(printed: &str) -> Option<(Vec<String>, &str)> {
    let mut parts = Vec::new();
    let mut rest = printed;
    loop {
        let (part, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let end = (0..quoted.len()).find(|at| {
                let quotes = quoted.get(..=*at).map_or(0, |t| t.len() - t.trim_end_matches('"').len());
                quotes % 2 == 1 && !quoted.get(at + 1..).is_some_and(|t| t.starts_with('"'))
            })?;
            (quoted.get(..end)?.replace("\"\"", "\""), quoted.get(end + 1..)?)
        } else {
            let end = rest.find(['.', '(']).unwrap_or(rest.len());
            (rest.get(..end)?.to_owned(), rest.get(end..)?)
        };
        parts.push(part);
        match after.strip_prefix('.') {
            Some(more) => rest = more,
            None => return Some((parts, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::literal::literal;

    #[test]
    fn a_function_is_told_by_the_names_that_the_server_prints() {
        let snapshot = literal("2026-11-22 10:00:00+00")
            .view(
                "function_definitions",
                "funcid | schemaname | funcname | identity_args | language | source",
                &["1 | App 2 | T\"ouch | a integer, IN b double precision | sql | select 1"],
            )
            .build();
        let function = Function::read(snapshot.table("function_definitions").unwrap().iter().next().unwrap());
        for (printed, want) in [
            ("T\"ouch", true),
            ("\"App 2\".\"T\"\"ouch\"(integer, double precision)", true),
            ("\"T\"\"ouch\"(integer, double precision)", true),
            ("\"App 2\".\"T\"\"ouch\"(integer)", false),
            ("\"App 3\".\"T\"\"ouch\"(integer, double precision)", false),
            ("touch(integer, double precision)", false),
            ("\"", false),
            ("", false),
        ] {
            assert_eq!(function.is_called(printed), want, "{printed}");
        }
    }
}
