//! What kind of statement a text is, by its leading words alone. Not a parser: a text is never rejected.

/// A family of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// `SELECT`, `VALUES`, `TABLE`, `WITH` that writes nothing.
    Query,
    /// `INSERT`, `UPDATE`, `DELETE`, `MERGE`, also inside `WITH`.
    Write,
    /// `COPY`: loads, exports, dumps.
    Copy,
    /// `VACUUM`, `ANALYZE`, `REINDEX`, `CLUSTER`, `CREATE INDEX`, `REFRESH MATERIALIZED VIEW`, `CHECKPOINT`.
    Maintenance,
    /// Any other change of the schema or of rights.
    Definition,
    /// `BEGIN`, `COMMIT`, `ROLLBACK`, savepoints, two-phase commit.
    Transaction,
    /// `CALL`, `DO`: their inner statements may be counted too.
    Procedure,
    /// `SET`, `SHOW`, `LISTEN`, `LOCK`, cursors, prepared statements and the like.
    Session,
    /// Nothing known: hidden or empty text.
    Unknown,
}

impl Family {
    /// Whether it is part of the application's everyday work, in contrast to maintenance, loads and schema changes.
    pub const fn is_workload(self) -> bool {
        matches!(self, Self::Query | Self::Write | Self::Procedure)
    }

    /// How people call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Write => "write",
            Self::Copy => "copy",
            Self::Maintenance => "maintenance",
            Self::Definition => "schema change",
            Self::Transaction => "transaction control",
            Self::Procedure => "procedure call",
            Self::Session => "session command",
            Self::Unknown => "unknown",
        }
    }
}

/// The words of a statement in upper case, comments, string literals and quoted identifiers left out.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    Words { rest: text }
}

struct Words<'a> {
    rest: &'a str,
}

impl Iterator for Words<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            let c = self.rest.chars().next()?;
            if self.rest.starts_with("--") {
                self.rest = self.rest.find('\n').map_or("", |i| &self.rest[i..]);
            } else if self.rest.starts_with("/*") {
                self.rest = after_comment(self.rest);
            } else if c == '\'' || c == '"' {
                self.rest = after_quoted(&self.rest[1..], c);
            } else if c.is_alphabetic() || c == '_' {
                let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some(word.to_uppercase());
            } else if c == '$' || c.is_numeric() {
                // `$1`, `12e3`: neither is a word.
                let end = self.rest[c.len_utf8()..].find(|c: char| !(c.is_alphanumeric() || c == '_'));
                self.rest = end.map_or("", |i| &self.rest[i + c.len_utf8()..]);
            } else {
                self.rest = &self.rest[c.len_utf8()..];
            }
        }
    }
}

/// The text behind a block comment; comments nest.
fn after_comment(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut rest = text;
    loop {
        if let Some(inner) = rest.strip_prefix("/*") {
            depth += 1;
            rest = inner;
        } else if let Some(outer) = rest.strip_prefix("*/") {
            rest = outer;
            depth -= 1;
            if depth == 0 {
                return rest;
            }
        } else {
            let Some(c) = rest.chars().next() else { return "" };
            rest = &rest[c.len_utf8()..];
        }
    }
}

fn after_quoted(text: &str, quote: char) -> &str {
    text.find(quote).map_or("", |i| &text[i + quote.len_utf8()..])
}

/// The family of a statement.
pub fn family(text: &str) -> Family {
    let mut words = words(text);
    let Some(first) = words.next() else { return Family::Unknown };
    match first.as_str() {
        "SELECT" | "VALUES" | "TABLE" => Family::Query,
        "WITH" => with_family(text),
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" => Family::Write,
        "COPY" => Family::Copy,
        "VACUUM" | "ANALYZE" | "ANALYSE" | "REINDEX" | "CLUSTER" | "CHECKPOINT" | "REFRESH" => Family::Maintenance,
        "CREATE" => {
            let second = words.next().unwrap_or_default();
            let index = second == "INDEX" || (second == "UNIQUE" && words.next().as_deref() == Some("INDEX"));
            if index { Family::Maintenance } else { Family::Definition }
        }
        "ALTER" | "DROP" | "TRUNCATE" | "COMMENT" | "GRANT" | "REVOKE" | "SECURITY" | "IMPORT" | "REASSIGN" => {
            Family::Definition
        }
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "RELEASE" => Family::Transaction,
        "PREPARE" => {
            if words.next().as_deref() == Some("TRANSACTION") {
                Family::Transaction
            } else {
                Family::Session
            }
        }
        "CALL" | "DO" => Family::Procedure,
        "SET" | "RESET" | "SHOW" | "DISCARD" | "LISTEN" | "NOTIFY" | "UNLISTEN" | "LOCK" | "DECLARE" | "FETCH"
        | "MOVE" | "CLOSE" | "EXECUTE" | "DEALLOCATE" | "LOAD" | "EXPLAIN" => Family::Session,
        _ => Family::Unknown,
    }
}

/// A `WITH` query writes where one of its parts does; `FOR UPDATE` at its end is no write.
fn with_family(text: &str) -> Family {
    let mut previous = String::new();
    for word in words(text) {
        let writes = match word.as_str() {
            "INSERT" | "DELETE" | "MERGE" => true,
            "UPDATE" => !matches!(previous.as_str(), "FOR" | "KEY"),
            _ => false,
        };
        if writes {
            return Family::Write;
        }
        previous = word;
    }
    Family::Query
}

/// Whether a query condenses many rows into few by its nature: aggregates, grouping, `DISTINCT`, `EXISTS`, `LIMIT`.
pub fn condenses(text: &str) -> bool {
    words(text).any(|w| {
        matches!(
            w.as_str(),
            "COUNT"
                | "SUM"
                | "AVG"
                | "MIN"
                | "MAX"
                | "GROUP"
                | "HAVING"
                | "DISTINCT"
                | "EXISTS"
                | "OVER"
                | "UNION"
                | "INTERSECT"
                | "EXCEPT"
                | "ARRAY_AGG"
                | "STRING_AGG"
                | "JSON_AGG"
                | "JSONB_AGG"
                | "BOOL_OR"
                | "BOOL_AND"
                | "PERCENTILE_CONT"
                | "PERCENTILE_DISC"
        )
    })
}

/// A statement on one line for a title: comments left out, white space folded, cut at `limit` characters.
pub fn one_line(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut space = false;
    let mut count = 0;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |i| &rest[i..]);
        } else if rest.starts_with("/*") {
            rest = after_comment(rest);
            space = true;
        } else if c.is_whitespace() {
            rest = &rest[c.len_utf8()..];
            space = true;
        } else if c == '\'' || c == '"' {
            // What stands in quotes is kept as it is: `'--'` is no comment.
            let end = rest[1..].find(c).map_or(rest.len(), |i| i + 2);
            push(&mut out, &rest[..end], &mut space, &mut count);
            rest = &rest[end..];
        } else {
            push(&mut out, &rest[..c.len_utf8()], &mut space, &mut count);
            rest = &rest[c.len_utf8()..];
        }
        if count > limit {
            let mut cut: String = out.chars().take(limit.saturating_sub(1)).collect();
            cut.truncate(cut.trim_end().len());
            cut.push('…');
            return cut;
        }
    }
    out
}

fn push(out: &mut String, piece: &str, space: &mut bool, count: &mut usize) {
    if *space && !out.is_empty() {
        out.push(' ');
        *count += 1;
    }
    *space = false;
    out.push_str(piece);
    *count += piece.chars().count();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_families_apart() {
        for (text, want) in [
            ("select 1", Family::Query),
            ("(select 1) union (select 2)", Family::Query),
            ("/* job */ -- c\n update t set a = $1", Family::Write),
            ("with x as (select 1) select * from x", Family::Query),
            ("with x as (delete from t returning *) select count(*) from x", Family::Write),
            ("with x as (select 1) select * from t for update", Family::Query),
            ("with x as (select 1) select * from t for no key update skip locked", Family::Query),
            ("with x as (select 'delete') select 1", Family::Query),
            ("COPY public.t TO stdout", Family::Copy),
            ("create unique index concurrently i on t (a)", Family::Maintenance),
            ("create table t (index int)", Family::Definition),
            ("create unlogged table t ()", Family::Definition),
            ("vacuum (verbose) t", Family::Maintenance),
            ("refresh materialized view m", Family::Maintenance),
            ("prepare transaction 'x'", Family::Transaction),
            ("PREPARE p AS select 1", Family::Session),
            ("do $$ begin end $$", Family::Procedure),
            ("<insufficient privilege>", Family::Unknown),
            ("", Family::Unknown),
            ("/* never closed", Family::Unknown),
            ("'", Family::Unknown),
        ] {
            assert_eq!(family(text), want, "{text}");
        }
    }

    #[test]
    fn sees_what_condenses_rows() {
        for (text, want) in [
            ("select count(*) from t", true),
            ("select a from t where exists (select 1 from u)", true),
            ("select a, b from t where c = $1", false),
            ("select \"count\" from t", false),
            ("select discount from t", false),
        ] {
            assert_eq!(condenses(text), want, "{text}");
        }
    }

    #[test]
    fn folds_to_one_line() {
        for (text, limit, want) in [
            (
                "select  a,\n\tb -- both\nfrom t /* x */ where c = '  -- no'",
                80,
                "select a, b from t where c = '  -- no'",
            ),
            ("select 12345678", 10, "select 12…"),
            ("\n\n", 10, ""),
            ("select 'ünü", 80, "select 'ünü"),
        ] {
            assert_eq!(one_line(text, limit), want, "{text}");
        }
    }
}
