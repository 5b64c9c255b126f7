//! CONTEXT of the server's log: which function a statement ran in.
//!
//! The server writes it in the language of `lc_messages`. Known are the words of its own translations that name function
//! and place in this order; of any other language nothing is recognised, and nothing is claimed.

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

/// How a language writes its lines.
struct Words {
    /// What stands before the name of a function in SQL, behind it with the number of the statement, and behind it at start.
    sql: [&'static str; 3],
    /// What stands before the signature of a function in PL/pgSQL, and between it and the line.
    plpgsql: [&'static str; 2],
    /// What stands before a quoted statement and before a quoted expression.
    quoted: [&'static str; 2],
    /// What closes a quoted text.
    close: &'static str,
}

/// The translations of PostgreSQL (15): English, German, Spanish, French, Italian, Japanese, Russian, Swedish, Ukrainian.
const LANGUAGES: [Words; 9] = [
    Words {
        sql: ["SQL function \"", "\" statement ", "\" during startup"],
        plpgsql: ["PL/pgSQL function ", " line "],
        quoted: ["SQL statement \"", "SQL expression \""],
        close: "\"",
    },
    Words {
        sql: ["SQL-Funktion »", "« Anweisung ", "« beim Start"],
        plpgsql: ["PL/pgSQL-Funktion ", " Zeile "],
        quoted: ["SQL-Anweisung »", "SQL-Ausdruck »"],
        close: "«",
    },
    Words {
        sql: ["función SQL «", "» en la sentencia ", "» durante el inicio"],
        plpgsql: ["función PL/pgSQL ", " en la línea "],
        quoted: ["sentencia SQL: «", "expresión SQL «"],
        close: "»",
    },
    Words {
        sql: ["fonction SQL « ", " », instruction ", " » lors du lancement"],
        plpgsql: ["fonction PL/pgSQL ", ", ligne "],
        quoted: ["instruction SQL « ", "expression SQL « "],
        close: " »",
    },
    Words {
        sql: ["funzione SQL \"", "\" istruzione ", "\" durante l'avvio"],
        plpgsql: ["funzione PL/pgSQL ", " riga "],
        quoted: ["istruzione SQL \"", "Espressione SQL \""],
        close: "\"",
    },
    Words {
        sql: ["SQL関数\"", "\"の行番号 ", "\"の起動中"],
        plpgsql: ["PL/pgSQL関数", "の"],
        quoted: ["SQL文 \"", "SQL関数\""],
        close: "\"",
    },
    Words {
        sql: ["SQL-функция \"", "\", оператор ", "\" (при старте)"],
        plpgsql: ["функция PL/pgSQL ", ", строка "],
        quoted: ["SQL-оператор: \"", "SQL-выражение \""],
        close: "\"",
    },
    Words {
        sql: ["SQL-funktion \"", "\" sats ", "\" under uppstart"],
        plpgsql: ["PL/pgSQL-funktion ", " rad "],
        quoted: ["SQL-sats: \"", "SQL-uttryck \""],
        close: "\"",
    },
    Words {
        sql: ["SQL функція \"", "\" оператор ", "\" під час запуску"],
        plpgsql: ["Функція PL/pgSQL ", " рядок "],
        quoted: ["SQL-оператор \"", "SQL вираз \""],
        close: "\"",
    },
];
/// A quoted text that no language but English has words for.
const ASSIGNMENT: (&str, &str) = ("PL/pgSQL assignment \"", "\"");
/// What an anonymous block is called.
const BLOCK: &str = "inline_code_block";

/// The innermost function of a context.
pub fn innermost(context: &str) -> Option<Frame> {
    let mut closed_by: Option<&str> = None;
    for line in context.lines().map(str::trim) {
        if let Some(close) = closed_by {
            closed_by = Some(close).filter(|_| !line.ends_with(close));
            continue;
        }
        // Japanese writes an expression with the words of a function: only the end tells.
        if let Some(frame) = LANGUAGES.iter().find_map(|words| sql(line, words)) {
            return Some(frame);
        }
        let quoted = LANGUAGES.iter().flat_map(|w| w.quoted.map(|q| (q, w.close))).chain([ASSIGNMENT]);
        let opened: Vec<(&str, &str)> =
            quoted.filter_map(|(open, close)| Some((line.strip_prefix(open)?, close))).collect();
        if let Some((_, close)) = opened.first() {
            closed_by = Some(*close).filter(|_| !opened.iter().any(|(text, close)| text.ends_with(close)));
        } else if let Some(frame) = LANGUAGES.iter().find_map(|words| plpgsql(line, words)) {
            return Some(frame);
        }
    }
    None
}

/// Whether a context speaks of functions in words that are not known.
pub fn is_foreign(context: &str) -> bool {
    context.contains("PL/pgSQL") && innermost(context).is_none()
}

/// `SQL function "f" statement 2`.
fn sql(line: &str, words: &Words) -> Option<Frame> {
    let [before, statement, startup] = words.sql;
    let rest = line.strip_prefix(before)?;
    if let Some(name) = rest.strip_suffix(startup) {
        return Some(Frame { name: Some(name.to_owned()), line: None, statement: None });
    }
    let (name, number) = rest.rsplit_once(statement)?;
    Some(Frame { name: Some(name.to_owned()), line: None, statement: Some(number.parse().ok()?) })
}

/// `PL/pgSQL function f(integer) line 8 at SQL statement`.
fn plpgsql(line: &str, words: &Words) -> Option<Frame> {
    let [before, between] = words.plpgsql;
    let (name, place) = signature(line.strip_prefix(before)?)?;
    let number = place.strip_prefix(between).map(|p| p.chars().take_while(char::is_ascii_digit).collect::<String>());
    Some(Frame { name: name.map(str::to_owned), line: number.and_then(|n| n.parse().ok()), statement: None })
}

/// A function with the types of its arguments, and what follows; no name for an anonymous block.
fn signature(text: &str) -> Option<(Option<&str>, &str)> {
    if let Some(rest) = text.strip_prefix(BLOCK) {
        return Some((None, rest));
    }
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    let (name, rest) = text.split_at_checked(at + 1)?;
                    return Some((Some(name), rest));
                }
            }
            _ => {}
        }
    }
    None
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
            (
                "PL/pgSQL function app.\"odd (name\"(text) line 3 at RETURN",
                frame(Some("app.\"odd (name\"(text)"), Some(3), None),
            ),
            ("funkcja PL/pgSQL f() wiersz 3 w SQL", None),
            ("while updating tuple (0,1) in relation \"t\"", None),
            ("", None),
        ] {
            assert_eq!(innermost(context), want, "{context}");
        }
    }

    #[test]
    fn other_languages_of_the_server_are_read() {
        let found = |context: &str| innermost(context).map(|f| (f.name.unwrap_or_default(), f.line, f.statement));
        for (context, line, statement) in [
            ("SQL-Funktion »f(integer)« Anweisung 2", None, Some(2)),
            (
                "SQL-Anweisung »update t set k = k\n where a = 1«\nPL/pgSQL-Funktion f(integer) Zeile 8 bei SQL-Anweisung",
                Some(8),
                None,
            ),
            ("función SQL «f(integer)» en la sentencia 2", None, Some(2)),
            ("sentencia SQL: «select 1»\nfunción PL/pgSQL f(integer) en la línea 8 en sentencia SQL", Some(8), None),
            ("fonction SQL « f(integer) », instruction 2", None, Some(2)),
            ("instruction SQL « select 1 »\nfonction PL/pgSQL f(integer), ligne 8 à instruction SQL", Some(8), None),
            ("istruzione SQL \"select 1\"\nfunzione PL/pgSQL f(integer) riga 8 a istruzione SQL", Some(8), None),
            ("SQL関数\"a + 1\"\nPL/pgSQL関数f(integer)の8行目 - SQL ステートメント", Some(8), None),
            ("SQL関数\"f(integer)\"の行番号 2", None, Some(2)),
            ("функция PL/pgSQL f(integer), строка 8, оператор SQL-оператор", Some(8), None),
            ("PL/pgSQL-funktion f(integer) rad 8 vid SQL-sats", Some(8), None),
            ("Функція PL/pgSQL f(integer) рядок 8 в SQL-оператор", Some(8), None),
            ("PL/pgSQL-Funktion f(integer) beim Eintritts in die Funktion", None, None),
        ] {
            assert_eq!(found(context), Some(("f(integer)".to_owned(), line, statement)), "{context}");
        }
        assert_eq!(found("SQL関数\"a + 1\""), None, "an expression, not a function");
    }

    #[test]
    fn words_that_are_not_known_are_known_not_to_be() {
        assert!(is_foreign("funkcja PL/pgSQL f() wiersz 3 w SQL"));
        for context in ["PL/pgSQL function f() line 3 at SQL statement", "SQL statement \"select 1\"", ""] {
            assert!(!is_foreign(context), "{context}");
        }
    }
}
