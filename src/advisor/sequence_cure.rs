//! How a sequence near its end gets room: its columns first, then itself.

use super::index_cure::{LOCK_TIMEOUT, with_timeout};
use super::sequences::{Own, Use};
use crate::finding::{Fix, Risk, Subject, Verb};
use crate::ident::{quote_ident, quote_qualified, quote_regclass};
use std::fmt::Write;

/// The column first, then the sequence; where the dump does not tell the column, what finds it.
pub fn cures(it: &Use<'_>, subject: &Subject) -> Vec<Fix> {
    let Some(column) = it.column else { return vec![cure_without_column(it, subject)] };
    let table = quote_qualified(
        column.text("table_schemaname").unwrap_or_default(),
        column.text("table_relname").unwrap_or_default(),
    );
    let column_of =
        format!("ALTER TABLE {table} ALTER COLUMN {}", quote_ident(column.text("column_name").unwrap_or_default()));
    let narrow =
        column.text("column_type").filter(|kind| matches!(*kind, "smallint" | "int2" | "integer" | "int4" | "int"));
    // The new file has no visibility map, and the column no statistics.
    let to = |kind: &str| with_timeout(&format!("{column_of} TYPE {kind};\nVACUUM (ANALYZE) {table};"));
    let mut fixes: Vec<Fix> = narrow
        .map(|narrow| {
            Fix::new(Verb::Alter, Risk::R2, format!("{} column", subject.name), to("bigint"))
                .lock(COLUMN_LOCK)
                .when_not(NOT_THE_COLUMN_YET)
                .undo(format!(
                    "-- rewrites the table again, with the same locks; fails once a value is out of range\n{}",
                    to(narrow)
                ))
        })
        .into_iter()
        .collect();
    if let Some(wider) = Wider::of(it).filter(|_| !(it.by_column && it.row.text("data_type") == Some("bigint"))) {
        fixes.push(
            Fix::new(Verb::Alter, Risk::R1, &subject.name, with_timeout(&wider.sql))
                .lock(SEQUENCE_LOCK)
                .when_not("Before the column that stores its values holds bigint: inserts would then fail with an overflow instead.")
                .undo(with_timeout(&format!("{REFUSED}{}", wider.undo))),
        );
    }
    fixes
}

/// What a wider column breaks elsewhere.
const NOT_THE_COLUMN_YET: &str = "On a large table under load: add a bigint column, fill it by trigger and in batches, then swap. \
     Columns that reference this one need the same. Before what reads it holds bigint: variables and parameters of functions \
     (\"integer out of range\"), drivers, logical subscribers (widen there first). While a view uses it: it is refused until \
     the view is dropped, to be made again afterwards.";
/// Seen on PostgreSQL 15: the keys are made anew, each with a look through its table.
const COLUMN_LOCK: &str = "ACCESS EXCLUSIVE while the whole table and its indexes are rewritten; also on tables whose foreign keys \
     reference the column, while these are checked again";
const SEQUENCE_LOCK: &str = "SHARE ROW EXCLUSIVE on the sequence: waits for open transactions that drew a number, and further nextval wait behind it";
const REFUSED: &str = "-- refused once last_value is beyond the old limit\n";

/// A sequence made as wide as it can be, and as it was.
struct Wider {
    sql: String,
    undo: String,
}

impl Wider {
    /// `None` where it is as wide already.
    fn of(it: &Use<'_>) -> Option<Self> {
        let (kind, own) = (it.row.text("data_type"), it.own());
        if own == Own::Last {
            return None;
        }
        let (schema, name) = it.name();
        let sequence = quote_qualified(schema, name);
        let word = if it.step > 0 { "MAXVALUE" } else { "MINVALUE" };
        let mut change = if kind == Some("bigint") { String::new() } else { " AS bigint".to_owned() };
        let mut undo = kind.filter(|k| *k != "bigint").map_or_else(String::new, |k| format!(" AS {k}"));
        // A limit that somebody chose stays when the type changes.
        if own == Own::Chosen {
            let old = if it.step > 0 { it.row.int("max_value") } else { it.row.int("min_value") };
            let _ = write!(change, " NO {word}");
            let _ = write!(undo, " {word} {}", old.unwrap_or(i64::MIN));
        }
        Some(Self {
            sql: format!("ALTER SEQUENCE {sequence}{change};"),
            undo: format!("ALTER SEQUENCE {sequence}{undo};"),
        })
    }
}

/// Where the dump does not tell the column: what finds it, and what then has to be done. The sequence alone would be the
/// wrong half where its column is an integer, so it is commented out.
fn cure_without_column(it: &Use<'_>, subject: &Subject) -> Fix {
    let (schema, name) = it.name();
    let sequence = quote_regclass(schema, name);
    let look = format!(
        "SELECT a.attrelid::regclass AS table_name, a.attname, format_type(a.atttypid, a.atttypmod)\n\
         FROM pg_attribute a WHERE (a.attrelid, a.attnum) IN (\n  \
         SELECT refobjid, refobjsubid FROM pg_depend\n  \
         WHERE classid = 'pg_class'::regclass AND objid = {sequence}::regclass AND deptype IN ('a', 'i')\n  \
         UNION ALL SELECT f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid\n  \
         WHERE d.classid = 'pg_attrdef'::regclass AND d.refobjid = {sequence}::regclass AND d.deptype = 'n');\n\
         -- no row does not mean that it feeds no column: a trigger or the application may call nextval\n\
         -- each column that is narrower first; rewrites the whole table under ACCESS EXCLUSIVE, which tables whose foreign keys\n\
         -- reference the column get too: under load add a column, fill it in batches, swap\n\
         -- {LOCK_TIMEOUT} ALTER TABLE <table> ALTER COLUMN <column> TYPE bigint;"
    );
    let Some(wider) = Wider::of(it) else { return Fix::diagnose(&subject.name, look) };
    let sql = format!("{look}\n-- the sequence only when all its columns hold bigint\n-- {LOCK_TIMEOUT} {}", wider.sql);
    Fix::new(Verb::Alter, Risk::R2, &subject.name, sql)
        .lock(format!("the look: none beyond ACCESS SHARE; the sequence: {SEQUENCE_LOCK}"))
        .when_not(NOT_THE_COLUMN_YET)
        .undo(with_timeout(&format!("{REFUSED}{}", wider.undo)))
}
