//! Large delimited files: wherever a reader cuts them, on however many cores, through whatever packing, the table is the
//! same, row for row, with the same lines and the same notes.

use super::written::{COLUMNS, Dress, Made, Piece, Statement, file, statements};
use pgretro::snapshot::{Row, Snapshot};
use proptest::prelude::*;
use std::io::Write as _;

fn statement() -> impl Strategy<Value = Statement> {
    let text = prop_oneof![
        4 => "[a-zé😀,;\"'\n\r\\\\|= ]{0,24}",
        1 => Just("\\N".to_owned()),
        1 => Just("NULL".to_owned()),
        1 => Just(String::new()),
        1 => Just("\"".to_owned()),
        1 => Just("\n".to_owned()),
        1 => "\"{1,6}",
        1 => "(a,\"b\"\n){1,8}",
    ];
    (
        any::<i64>(),
        any::<Option<bool>>(),
        prop::option::weighted(0.9, text),
        prop::option::of(any::<i64>().prop_map(|n| n.max(-i64::MAX))),
        prop::option::of(-1e12..1e12_f64),
        prop::option::of(0..10_i128.pow(30)),
        prop::option::of(0..4_000_000_000_000_000_i64),
    )
        .prop_map(|(queryid, toplevel, query, calls, time, wal, since)| Statement {
            queryid,
            toplevel,
            query,
            calls,
            time,
            wal,
            since,
        })
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        12 => (statement(), 0..6_u8).prop_map(|(s, style)| Piece::Good(s, style)),
        1 => statement().prop_map(Piece::BadCell),
        1 => (0..12_u8).prop_map(Piece::BadRow),
        1 => Just(Piece::Blank),
    ]
}

fn dress(bare: bool) -> impl Strategy<Value = Dress> {
    (prop::sample::select(vec![',', ';', '|']), prop::sample::select(vec!["\n", "\r\n"]), any::<[bool; 2]>())
        .prop_map(move |(delimiter, end, [last_newline, bom])| Dress { delimiter, end, last_newline, bom, bare })
}

/// Reads the bytes in every way there is and holds each against what was written.
fn check(made: &Made) {
    let mut want = made.rows.clone();
    want.sort_by_key(|(_, line)| *line);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(made.text.as_bytes()).expect("to memory");
    let packed = packed.finish().expect("to memory");
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let ways = [
        ("in order", 1, "pg_stat_statements.csv", made.text.as_bytes()),
        ("on four threads", 4, "pg_stat_statements.csv", made.text.as_bytes()),
        ("packed", 4, "pg_stat_statements.csv.gz", packed.as_slice()),
    ];
    for (way, threads, name, bytes) in ways {
        let snapshot = pool(threads).install(|| file(name, bytes));
        let table = &snapshot.tables["pg_stat_statements"];
        let mut got = statements(table);
        got.sort_by_key(|(_, line)| *line);
        if let Some((want, got)) = want.iter().zip(&got).find(|(want, got)| want != got) {
            panic!("{way}: {want:?} became {got:?}");
        }
        assert_eq!(got.len(), want.len(), "{way}: rows");
        for (code, lines) in [("bad-row", &made.bad_rows), ("bad-cell", &made.bad_cells)] {
            let counts = &snapshot.meta.notes.counts;
            let count = counts.iter().find(|(k, _)| k.starts_with(code)).map_or(0, |(_, n)| *n);
            assert_eq!(count, lines.len() as u64, "{way}: {code}");
            let kept: Vec<u64> =
                snapshot.meta.notes.kept.iter().filter(|n| n.code == code).filter_map(|n| n.line).collect();
            assert_eq!(kept, lines[..kept.len()], "{way}: lines of {code}");
            assert_eq!(kept.len(), lines.len().min(5), "{way}: kept {code}");
        }
    }
}

/// Ids that two rows share by chance would make them one row there twice.
fn distinct(made: &Made) -> bool {
    let mut ids: Vec<i64> = made.rows.iter().map(|(s, _)| s.queryid).collect();
    ids.sort_unstable();
    ids.windows(2).all(|w| w[0] != w[1])
}

/// Pieces behind a first row of any length, which moves every cut behind it.
fn shifted(shift: usize, pieces: Vec<Piece>) -> Vec<Piece> {
    let query = Some("x".repeat(shift));
    let first = Statement { queryid: 1, toplevel: None, query, calls: None, time: None, wal: None, since: None };
    std::iter::once(Piece::Good(first, 0)).chain(pieces).collect()
}

fn few(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(few(4))]

    #[test]
    fn a_large_file_is_the_same_table_however_it_is_cut(
        pieces in prop::collection::vec(piece(), 20..60),
        dress in dress(false),
        bytes in 3_700_000..6_500_000_usize,
        shift in 0..4096_usize,
    ) {
        let made = dress.write(&shifted(shift, pieces), bytes);
        prop_assume!(distinct(&made));
        check(&made);
    }
}

proptest! {
    #![proptest_config(few(2))]

    #[test]
    fn quotes_where_none_belong_do_not_mislead_the_cutting(
        pieces in prop::collection::vec(piece(), 20..60),
        dress in dress(true),
        shift in 0..4096_usize,
    ) {
        let inch = Statement { queryid: 77, toplevel: None, query: Some("3\" disk".to_owned()), calls: None, time: None, wal: None, since: None };
        let mut pieces = shifted(shift, pieces);
        pieces.push(Piece::Good(inch, 0));
        let made = dress.write(&pieces, 4_200_000);
        prop_assume!(distinct(&made));
        check(&made);
    }
}

/// One line whose every byte means something to a reader of CSV.
const TRICKY: &str = "10,5,ID,t,\"a,\"\"b\"\"\n,\r\n\"\"\",-1,2.5e-3,12345678901234567890,2026-11-22 09:21:53.5-05\r\n";

#[test]
fn no_byte_is_a_bad_place_for_a_cut() {
    // Rows of one length that fill a file over the sizes readers like; each shift puts the next byte there.
    let row = |id: i64| TRICKY.replace("ID", &format!("{id:019}"));
    let period = row(0).len();
    for shift in 0..period {
        let mut text = format!("{}\r\n10,5,1,,\"{}\",,,,\r\n", COLUMNS.join(","), "x".repeat(shift));
        let mut rows = 0;
        while text.len() < (256 << 10) + 3 * period {
            rows += 1;
            text += &row(rows + 1);
        }
        let snapshot = file("pg_stat_statements.csv", text.as_bytes());
        assert!(snapshot.meta.notes.kept.iter().all(|n| n.code == "clock"), "{shift}: {:?}", snapshot.meta.notes);
        let got = statements(&snapshot.tables["pg_stat_statements"]);
        assert_eq!(got.len() as i64, rows + 1, "{shift}");
        for (n, (statement, line)) in (1..).zip(&got) {
            let want = Statement {
                queryid: n,
                toplevel: (n > 1).then_some(true),
                query: Some(if n > 1 { "a,\"b\"\n,\r\n\"".to_owned() } else { "x".repeat(shift) }),
                calls: (n > 1).then_some(-1),
                time: (n > 1).then_some(0.0025),
                wal: (n > 1).then_some(12_345_678_901_234_567_890),
                since: (n > 1).then_some(1_795_357_313_500_000),
            };
            assert_eq!((statement, *line), (&want, if n > 1 { 3 * (n as u64 - 1) } else { 2 }), "{shift}");
        }
    }
}

/// A file of three statements, the text of the second given.
fn three(text: &str) -> Vec<u8> {
    let row = |id: i64, text: &str| format!("10,5,{id},t,{text},7,1.5,8,\n");
    format!("{}\n{}{}{}", COLUMNS.join(","), row(1, "a"), row(2, text), row(3, "c")).into_bytes()
}

fn ids(snapshot: &Snapshot) -> Vec<Option<i64>> {
    let mut ids: Vec<_> = snapshot.tables["pg_stat_statements"].iter().map(|r| r.int("queryid")).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_record_of_megabytes_is_read() {
    let text = format!("\"{}\"", "select 1, \"\"x\"\"\n".repeat(900_000));
    let snapshot = file("pg_stat_statements.csv", &three(&text));
    let table = &snapshot.tables["pg_stat_statements"];
    assert!(snapshot.meta.notes.is_empty(), "{:?}", snapshot.meta.notes);
    assert_eq!(ids(&snapshot), [Some(1), Some(2), Some(3)]);
    let long = table.iter().find(|r| r.int("queryid") == Some(2)).expect("the long one");
    assert_eq!(long.text("query").map(str::len), Some(900_000 * "select 1, \"x\"\n".len()));
    assert_eq!(long.int("calls"), Some(7));
    let last = table.iter().find(|r| r.int("queryid") == Some(3)).and_then(Row::place);
    assert_eq!(last.expect("a place").1, "line 900004");
}

#[test]
fn a_record_too_long_costs_itself_and_nothing_else() {
    const LONG: usize = 40 << 20;
    for (name, text, kept) in [
        ("one line", "x".repeat(LONG), &[Some(1), Some(3)][..]),
        ("one quoted line", format!("\"{}\"", "x".repeat(LONG)), &[Some(1), Some(3)]),
        ("lines", format!("\"{}\"", "select 1,\n".repeat(LONG / 10)), &[Some(1), Some(3)]),
        // What a quote that is never closed swallows can be rows all the same.
        ("open", format!("\"{}", "x\n10,5,9,t,z,7,1.5,8,\n"), &[Some(1), Some(3), Some(9)]),
    ] {
        let snapshot = file("pg_stat_statements.csv", &three(&text));
        assert_eq!(ids(&snapshot), kept, "{name}");
        let first = snapshot.meta.notes.kept.iter().find(|n| n.code == "bad-row");
        assert_eq!(first.and_then(|n| n.line), Some(3), "{name}: {:?}", snapshot.meta.notes.kept);
    }
}
