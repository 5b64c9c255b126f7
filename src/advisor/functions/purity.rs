//! Whether a body shows anything that a STABLE function must not do.

use super::{Function, Read};
use crate::advisor::sql::Kind;
use crate::advisor::statement::{Family, family, words};

/// Functions of the server that are volatile and have no prefix that says so.
const VOLATILE: &str = "random setseed nextval setval currval lastval clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 \
    set_config query_to_xml cursor_to_xml query_to_xmlschema cursor_to_xmlschema txid_status dblink_exec txid_current";
/// Prefixes of functions that act on the server or on large objects.
const ACTING: [&str; 4] = ["pg_", "lo_", "uuid_generate_", "dblink"];
/// Commands of PL/pgSQL that a function which may be called at any time must not have.
const COMMANDS: [&str; 9] = ["INSERT", "UPDATE", "DELETE", "MERGE", "COMMIT", "ROLLBACK", "EXECUTE", "CALL", "NOTIFY"];

/// Whether nothing in a function's body writes, locks, builds statements or calls what may change its result within a
/// statement; `volatile` tells it of functions that the dump defines. What is not in the text is not seen: `false` is
/// certain, `true` is not.
pub fn looks_pure(function: &Function<'_>, read: &Read, source: &str, volatile: &dyn Fn(&str) -> bool) -> bool {
    if !matches!(&function.body, Some(Ok(_))) || !function.dynamic().is_empty() {
        return false;
    }
    let queries = function.pieces().iter().zip(read).all(|(piece, read)| {
        let only_reads =
            read.as_ref().is_ok_and(|s| s.blocks.iter().all(|b| b.kind == Kind::Select && b.lock.is_none()));
        only_reads && family(&piece.statement()) == Family::Query
    });
    let acts = |name: &str| {
        VOLATILE.split_whitespace().any(|v| v == name) || ACTING.iter().any(|p| name.starts_with(p)) || volatile(name)
    };
    queries && words(source).all(|w| !COMMANDS.contains(&w.as_str()) && !acts(&w.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::sql::{Names, Text, read_all};
    use crate::snapshot::literal::literal;

    fn pure(language: &str, source: &str) -> bool {
        let row = format!("1 | app | f | a integer | {language} | {source}");
        let snapshot = literal("2026-11-22 10:00:00+00")
            .view("function_definitions", "funcid | schemaname | funcname | identity_args | language | source", &[&row])
            .build();
        let function = Function::read(snapshot.table("function_definitions").unwrap().iter().next().unwrap());
        let texts: Vec<String> = function.pieces().iter().map(crate::advisor::sql::Piece::statement).collect();
        let texts: Vec<Text<'_>> = texts.iter().map(|sql| Text { sql, nested: true, path: &[] }).collect();
        let read = read_all(&texts, &Names::default());
        looks_pure(&function, &read, source, &|name| name == "writes")
    }

    #[test]
    fn what_writes_or_calls_what_is_volatile_is_not_pure() {
        for (language, source, want) in [
            ("plpgsql", "begin return lower(trim(p)); end", true),
            ("plpgsql", "declare v int; begin select max(a) into v from t where b = p; return v + 1; end", true),
            ("sql", "select lower(p)", true),
            ("plpgsql", "begin return random(); end", false),
            ("plpgsql", "begin perform pg_sleep(1); return p; end", false),
            ("plpgsql", "begin return writes(p); end", false),
            ("plpgsql", "begin insert into t values (1); return p; end", false),
            ("plpgsql", "begin execute q into v; return v; end", false),
            ("plpgsql", "begin truncate t; return p; end", false),
            ("sql", "select a from t for update", false),
            ("sql", "with x as (delete from t returning a) select a from x", false),
            ("sql", "select nextval('s')", false),
            ("c", "f", false),
        ] {
            assert_eq!(pure(language, source), want, "{source}");
        }
    }
}
