//! One cell in every spelling, and what header lines may look like.

use super::written::file;
use pgretro::snapshot::{Snapshot, Value};
use pgretro::time::Timestamp;

/// A file of one statement among ordinary ones, one of its cells given.
fn with(column: &str, cell: &str) -> Snapshot {
    let columns = ["queryid", "toplevel", "query", "calls", "total_exec_time", "wal_bytes", "stats_since"];
    let usual = ["1", "t", "select 1", "7", "1.5", "8", "2026-11-22 09:00:00+00"];
    let given: Vec<&str> = columns.iter().zip(usual).map(|(c, u)| if *c == column { cell } else { u }).collect();
    let text = format!(
        "{}\n{}\n{}\n{}\n",
        columns.join(","),
        given.join(","),
        usual.join(",").replacen('1', "2", 1),
        usual.join(",").replacen('1', "3", 1),
    );
    file("pg_stat_statements.csv", text.as_bytes())
}

fn codes(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.meta.notes.kept.iter().map(|n| n.code.as_str()).filter(|c| *c != "clock").collect()
}

#[test]
fn a_cell_is_what_it_says() {
    use Value::{Bool, Float, Int, Null, Numeric, Text, Time};
    let time = |text: &str| Time(Timestamp::parse(text).expect("a time").0);
    for (column, cell, want) in [
        // Whole numbers.
        ("calls", "0", Int(0)),
        ("calls", "-0", Int(0)),
        ("calls", "007", Int(7)),
        ("calls", "+7", Int(7)),
        ("calls", " 7 ", Int(7)),
        ("calls", "\"7\"", Int(7)),
        ("calls", "-7", Int(-7)),
        ("calls", "7.0", Int(7)),
        ("calls", "1e+06", Int(1_000_000)),
        ("calls", "999999999999999999", Int(999_999_999_999_999_999)),
        ("calls", "1000000000000000000", Int(1_000_000_000_000_000_000)),
        ("calls", "9223372036854775807", Int(i64::MAX)),
        ("calls", "-9223372036854775807", Int(-i64::MAX)),
        ("calls", "00000000000000000000000007", Int(7)),
        ("queryid", "-7711000374923733943", Int(-7_711_000_374_923_733_943)),
        ("wal_bytes", "18446744073709551615", Numeric(u64::MAX.into())),
        ("wal_bytes", "170141183460469231731687303715884105727", Numeric(i128::MAX)),
        ("wal_bytes", "-5", Numeric(-5)),
        // Doubles.
        ("total_exec_time", "0", Float(0.0)),
        ("total_exec_time", "7.1930000000000005", Float(7.193_000_000_000_000_5)),
        ("total_exec_time", "1e+06", Float(1e6)),
        ("total_exec_time", "1.5E-7", Float(1.5e-7)),
        ("total_exec_time", ".5", Float(0.5)),
        ("total_exec_time", "5.", Float(5.0)),
        ("total_exec_time", "-2.5", Float(-2.5)),
        ("total_exec_time", "+2.5", Float(2.5)),
        ("total_exec_time", "\"2.5\"", Float(2.5)),
        ("total_exec_time", " 2.5 ", Float(2.5)),
        ("total_exec_time", "4.9406564584124654e-324", Float(5e-324)),
        ("total_exec_time", "0.1234567890123456789", Float(0.123_456_789_012_345_68)),
        ("total_exec_time", "123456789012345678901234567890", Float(123_456_789_012_345_678_901_234_567_890.0)),
        ("total_exec_time", "9007199254740993", Float(9_007_199_254_740_992.0)),
        ("total_exec_time", "9007199254740993.0000000001", Float(9_007_199_254_740_994.0)),
        ("total_exec_time", "NaN", Null),
        // Booleans.
        ("toplevel", "t", Bool(true)),
        ("toplevel", "f", Bool(false)),
        ("toplevel", "TRUE", Bool(true)),
        ("toplevel", "\"false\"", Bool(false)),
        ("toplevel", "1", Bool(true)),
        // Times.
        ("stats_since", "2026-11-22 09:21:53.79075-05", time("2026-11-22 14:21:53.79075+00")),
        ("stats_since", "2026-11-22 20:06:53+05:45", time("2026-11-22 14:21:53+00")),
        ("stats_since", "2026-11-22T14:21:53.000001Z", time("2026-11-22 14:21:53.000001+00")),
        ("stats_since", "\"2026-11-22 14:21:53+00\"", time("2026-11-22 14:21:53+00")),
        ("stats_since", "2024-02-29 00:00:00+00", time("2024-02-29 00:00:00+00")),
        // NULL and the empty text.
        ("calls", "", Null),
        ("calls", "\"\"", Null),
        ("total_exec_time", "", Null),
        ("wal_bytes", "", Null),
        ("toplevel", "", Null),
        ("stats_since", "", Null),
        ("query", "", Null),
        ("query", "\"\"", Text("")),
        ("query", "\\N", Text("\\N")),
        ("query", "NULL", Text("NULL")),
        // Texts.
        ("query", " a ", Text(" a ")),
        ("query", "\" a \"", Text(" a ")),
        ("query", "\"a,\"\"b\"\"\n\r\n;\t\"", Text("a,\"b\"\n\r\n;\t")),
        ("query", "\"\"\"\"", Text("\"")),
        ("query", "a\"b", Text("a\"b")),
        ("query", "größe 😀", Text("größe 😀")),
        ("query", "=1+2", Text("=1+2")),
        ("query", "back\\slash", Text("back\\slash")),
    ] {
        let snapshot = with(column, cell);
        let table = &snapshot.tables["pg_stat_statements"];
        assert_eq!(table.row(0).get(column), want, "{column} {cell:?}");
        assert_eq!(table.rows, 3, "{column} {cell:?}");
        assert!(codes(&snapshot).is_empty(), "{column} {cell:?}: {:?}", snapshot.meta.notes);
    }
}

#[test]
fn a_cell_that_is_none_of_it_is_null_and_noted() {
    for (column, cell) in [
        ("calls", "12x"),
        ("calls", "1.5"),
        ("calls", "9223372036854775808"),
        ("calls", "-9223372036854775808"),
        ("calls", "99999999999999999999999999999999999999999999"),
        ("calls", "- 7"),
        ("calls", "--7"),
        ("calls", "0x10"),
        ("calls", "seven"),
        ("calls", "1e+17"),
        ("wal_bytes", "170141183460469231731687303715884105728"),
        ("wal_bytes", "8.5"),
        ("total_exec_time", "1.2.3"),
        ("total_exec_time", "fast"),
        ("total_exec_time", "1e999"),
        ("total_exec_time", "Infinity"),
        ("total_exec_time", "1e"),
        ("total_exec_time", "."),
        ("toplevel", "perhaps"),
        ("stats_since", "yesterday"),
        ("stats_since", "2026-02-30 00:00:00+00"),
        ("stats_since", "2026-11-22 25:00:00+00"),
    ] {
        let snapshot = with(column, cell);
        let table = &snapshot.tables["pg_stat_statements"];
        assert_eq!(table.row(0).get(column), Value::Null, "{column} {cell:?}");
        assert_eq!(table.rows, 3, "{column} {cell:?}");
        let note = snapshot.meta.notes.kept.iter().find(|n| n.code == "bad-cell");
        assert_eq!(
            note.map(|n| (n.line, n.column.as_deref())),
            Some((Some(2), Some(column))),
            "{column} {cell:?}: {:?}",
            snapshot.meta.notes
        );
    }
}

#[test]
fn null_is_spelled_in_many_ways() {
    for word in ["NULL", "null", "\\N", "(null)", "[NULL]", "None", "<NULL>", "∅"] {
        // A word that typed columns use for NULL is NULL in texts as well, unless it is quoted.
        let text = format!(
            "queryid,query,calls,stats_since\n1,{word},{word},{word}\n2,\"{word}\",5,2026-11-22 09:00:00+00\n3,x,{word},\n"
        );
        let snapshot = file("pg_stat_statements.csv", text.as_bytes());
        let table = &snapshot.tables["pg_stat_statements"];
        let got: Vec<_> =
            table.iter().map(|r| (r.text("query"), r.int("calls"), r.time("stats_since").is_some())).collect();
        assert_eq!(got, [(None, None, false), (Some(word), Some(5), true), (Some("x"), None, false)], "{word}");
        assert!(codes(&snapshot).is_empty(), "{word}: {:?}", snapshot.meta.notes);
    }
    // A file that quotes every cell cannot say which empty one is NULL.
    let text = "\"queryid\",\"query\",\"calls\"\n\"1\",\"\",\"\"\n\"2\",\"x\",\"5\"\n";
    let snapshot = file("pg_stat_statements.csv", text.as_bytes());
    let row = snapshot.tables["pg_stat_statements"].row(0);
    assert_eq!((row.text("query"), row.int("calls")), (None, None));
}

#[test]
fn columns_are_found_by_name() {
    for (header, row) in [
        ("queryid,query,calls,rows", "1,q,5,6"),
        ("rows,calls,query,queryid", "6,5,q,1"),
        ("QueryID,QUERY,Calls,ROWS", "1,q,5,6"),
        ("\"queryid\",\"query\",\"calls\",\"rows\"", "1,q,5,6"),
        (" queryid , query , calls , rows ", "1,q,5,6"),
        // The first of two columns of one name counts.
        ("queryid,query,calls,rows,calls", "1,q,5,6,99"),
        // A program's row numbers, and empty cells behind the last.
        (",queryid,query,calls,rows", "0,1,q,5,6"),
        ("queryid,query,calls,rows", "1,q,5,6,,"),
    ] {
        for (end, tail) in [("\n", "\n"), ("\r\n", "\r\n"), ("\n", "")] {
            for delimiter in [",", ";", "\t"] {
                let text = format!("{header}{end}{row}{tail}").replace(',', delimiter);
                let snapshot = file("pg_stat_statements.csv", text.as_bytes());
                let table = snapshot.tables.get("pg_stat_statements");
                let table = table.unwrap_or_else(|| panic!("{text:?}: {:?}", snapshot.meta.notes));
                assert_eq!(table.rows, 1, "{text:?}");
                let row = table.row(0);
                let got = (row.int("queryid"), row.text("query"), row.int("calls"), row.int("rows"));
                assert_eq!(got, (Some(1), Some("q"), Some(5), Some(6)), "{text:?}");
            }
        }
    }
}

#[test]
fn a_column_nobody_knows_is_kept_and_noted() {
    let snapshot = file("pg_stat_statements.csv", b"queryid,mood,calls\n1,\"so, so\",5\n2,,6\n");
    let table = &snapshot.tables["pg_stat_statements"];
    assert_eq!(table.extra.len(), 1);
    let (name, texts) = &table.extra[0];
    assert_eq!((name.as_str(), texts.get(0), texts.get(1)), ("mood", Some("so, so"), None));
    assert_eq!(table.row(1).int("calls"), Some(6));
    assert_eq!(codes(&snapshot), ["unknown-column"]);
}

#[test]
fn rows_too_short_or_too_long_are_left_out() {
    let text = "queryid,query,calls\n1,a,5\n2,b\n3,c,5,x\n4,\"d\ne\",5\n\n5,f,5,\n6\n7,g,5";
    let snapshot = file("pg_stat_statements.csv", text.as_bytes());
    let table = &snapshot.tables["pg_stat_statements"];
    let got: Vec<_> = table.iter().map(|r| (r.int("queryid"), r.place().expect("a place").1)).collect();
    let want = [(1, 2), (4, 5), (5, 8), (7, 10)].map(|(id, line)| (Some(id), format!("line {line}")));
    assert_eq!(got, want);
    let lines: Vec<_> = snapshot.meta.notes.kept.iter().filter(|n| n.code == "bad-row").map(|n| n.line).collect();
    assert_eq!(lines, [Some(3), Some(4), Some(9)]);
}

#[test]
fn the_text_format_of_copy_has_its_own_escapes() {
    let text = "queryid\tquery\tcalls\n1\t\\N\t\\N\n2\ta\\tb\\nc\\\\d\t5\n3\t\t6\n4\t\"q\"\t7\n5\t\\\\N\t8\n";
    let snapshot = file("pg_stat_statements.tsv", text.as_bytes());
    let table = &snapshot.tables["pg_stat_statements"];
    let got: Vec<_> = table.iter().map(|r| (r.text("query"), r.int("calls"))).collect();
    assert_eq!(
        got,
        [
            (None, None),
            (Some("a\tb\nc\\d"), Some(5)),
            (Some(""), Some(6)),
            (Some("\"q\""), Some(7)),
            (Some("\\N"), Some(8))
        ]
    );
    assert!(codes(&snapshot).is_empty(), "{:?}", snapshot.meta.notes);
}
