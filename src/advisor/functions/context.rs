//! CONTEXT of the server's log: which function a statement ran in.
//!
//! Only its English words are known: with another `lc_messages` nothing is recognised, and nothing is claimed.

/// A function that was running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its name as the server prints it: `f(integer)`, of a function in SQL without arguments; none for a `DO` block.
    pub name: Option<String>,
    /// The line of its body, in PL/pgSQL.
    pub line: Option<usize>,
    /// The statement of its body, from 1, in SQL.
    pub statement: Option<usize>,
}

/// Quoted texts in a context, which may go over several lines.
const QUOTED: [&str; 3] = ["SQL statement \"", "SQL expression \"", "PL/pgSQL assignment \""];
/// What an anonymous block is called.
const BLOCK: &str = "inline_code_block";

/// The innermost function of a context.
pub fn innermost(context: &str) -> Option<Frame> {
    let mut in_text = false;
    for line in context.lines().map(str::trim) {
        if in_text {
            in_text = !line.ends_with('"');
            continue;
        }
        if let Some(text) = QUOTED.iter().find_map(|q| line.strip_prefix(q)) {
            in_text = !text.ends_with('"');
        } else if let Some(frame) = sql(line).or_else(|| plpgsql(line)) {
            return Some(frame);
        }
    }
    None
}

/// `SQL function "f" statement 2`.
fn sql(line: &str) -> Option<Frame> {
    let (name, rest) = line.strip_prefix("SQL function \"")?.rsplit_once("\" ")?;
    let statement = rest.strip_prefix("statement ").and_then(|n| n.parse().ok());
    Some(Frame { name: Some(name.to_owned()), line: None, statement })
}

/// `PL/pgSQL function f(integer) line 8 at SQL statement`.
fn plpgsql(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("PL/pgSQL function ")?;
    let place = [" line ", " during ", " while "].iter().filter_map(|word| rest.rfind(word)).min()?;
    let (name, place) = rest.split_at_checked(place)?;
    let line = place.strip_prefix(" line ").and_then(|p| p.split(' ').next()).and_then(|n| n.parse().ok());
    Some(Frame { name: (name != BLOCK).then(|| name.to_owned()), line, statement: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_function_is_told() {
        let frame =
            |name: Option<&str>, line, statement| Some(Frame { name: name.map(str::to_owned), line, statement });
        for (context, want) in [
            ("SQL function \"f_sql\" statement 2", frame(Some("f_sql"), None, Some(2))),
            ("SQL function \"od\"d\" during startup", frame(Some("od\"d"), None, None)),
            (
                "SQL statement \"update t set k = k\n where a = 'PL/pgSQL function no() line 1 at x'\n\"\nPL/pgSQL function f_pl(integer, double precision) line 15 at SQL statement",
                frame(Some("f_pl(integer, double precision)"), Some(15), None),
            ),
            (
                "SQL statement \"insert into u values (new.id)\"\nPL/pgSQL function trg() line 1 at SQL statement\nSQL statement \"update t set k = k where id = r.id\"\nPL/pgSQL function f_pl(integer) line 15 at SQL statement",
                frame(Some("trg()"), Some(1), None),
            ),
            (
                "SQL expression \"(select 1)\"\nPL/pgSQL function app.f() line 4 during statement block local variable initialization",
                frame(Some("app.f()"), Some(4), None),
            ),
            ("PL/pgSQL function f() during function entry", frame(Some("f()"), None, None)),
            (
                "SQL statement \"SELECT 1\"\nPL/pgSQL function inline_code_block line 1 at PERFORM",
                frame(None, Some(1), None),
            ),
            ("PL/pgSQL-Funktion f() Zeile 3 bei SQL-Anweisung", None),
            ("while updating tuple (0,1) in relation \"t\"", None),
            ("", None),
        ] {
            assert_eq!(innermost(context), want, "{context}");
        }
    }
}
