//! Reading the output of `pg_get_indexdef`: what an index is on, exactly enough to compare two.
//!
//! ```text
//! CREATE [UNIQUE] INDEX name ON [ONLY] [schema.]table USING method
//!   (key [COLLATE c] [opclass[(options)]] [DESC] [NULLS FIRST|LAST], ...)
//!   [INCLUDE (column, ...)] [NULLS NOT DISTINCT] [WITH (...)] [TABLESPACE t] [WHERE predicate]
//! ```
//!
//! PostgreSQL prints defaults the same way every time and leaves them out, so equal texts of the parts are equal
//! parts. Source: `ruleutils.c`, and observed on PostgreSQL 12 to 18.

mod scan;

use scan::{Scan, split};
use std::fmt::Write;

/// An index, as its definition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexDef {
    /// Whether it is unique.
    pub unique: bool,
    /// Its name, unquoted.
    pub name: String,
    /// The table's schema, unquoted, where printed.
    pub schema: Option<String>,
    /// The table, unquoted.
    pub table: String,
    /// `ON ONLY`: a partitioned index whose partitions are attached one by one.
    pub only: bool,
    /// `btree`, `hash`, ...
    pub method: String,
    /// Its keys in order.
    pub keys: Vec<Key>,
    /// Included columns, unquoted.
    pub include: Vec<String>,
    /// `NULLS NOT DISTINCT` (15+).
    pub nulls_not_distinct: bool,
    /// The condition of a partial index, as printed.
    pub predicate: Option<String>,
}

/// A key of an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The column, unquoted; or the expression as printed.
    pub text: String,
    /// Whether it is an expression.
    pub expression: bool,
    /// Collation, where it is not the column's own.
    pub collation: Option<String>,
    /// Operator class with its options, where it is not the type's default.
    pub opclass: Option<String>,
    /// Sorted downwards.
    pub descending: bool,
    /// NULLs come first.
    pub nulls_first: bool,
}

impl IndexDef {
    /// Reads a definition; `None` for a text that is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut p = Scan::new(text.trim().trim_end_matches(';'));
        p.word("CREATE")?;
        let unique = p.word("UNIQUE").is_some();
        p.word("INDEX")?;
        let name = p.ident()?;
        p.word("ON")?;
        let only = p.word("ONLY").is_some();
        let (schema, table) = p.qualified()?;
        p.word("USING")?;
        let method = p.ident()?;
        let keys = split(p.group()?).into_iter().map(Key::parse).collect::<Option<Vec<_>>>()?;
        let include = match p.word("INCLUDE") {
            Some(()) => split(p.group()?).into_iter().map(|t| Scan::new(t).ident()).collect::<Option<Vec<_>>>()?,
            None => Vec::new(),
        };
        let nulls_not_distinct = p.word("NULLS").is_some();
        if nulls_not_distinct {
            p.word("NOT")?;
            p.word("DISTINCT")?;
        }
        if p.word("WITH").is_some() {
            p.group()?;
        }
        if p.word("TABLESPACE").is_some() {
            p.ident()?;
        }
        let predicate = p.word("WHERE").map(|()| std::mem::take(&mut p.rest).trim().to_owned());
        p.rest.trim().is_empty().then_some(Self {
            unique,
            name,
            schema,
            table,
            only,
            method,
            keys,
            include,
            nulls_not_distinct,
            predicate,
        })
    }

    /// Whether any key is an expression.
    pub fn has_expression(&self) -> bool {
        self.keys.iter().any(|k| k.expression)
    }

    /// The keys in the direction in which the first of them ascends: a B-tree is read either way, so `(a DESC, b)` and
    /// `(a, b DESC)` are one order.
    pub fn ascending(&self) -> Vec<Key> {
        let turned = self.method == "btree" && self.keys.first().is_some_and(|k| k.descending);
        let turn = |k: &Key| Key { descending: !k.descending, nulls_first: !k.nulls_first, ..k.clone() };
        if turned { self.keys.iter().map(turn).collect() } else { self.keys.clone() }
    }

    /// Whether both index the same rows of the same table in the same way, or one in the direction opposite to the
    /// other; uniqueness and name aside.
    pub fn same_content(&self, other: &Self) -> bool {
        (&self.schema, &self.table, &self.method, &self.include, &self.predicate)
            == (&other.schema, &other.table, &other.method, &other.include, &other.predicate)
            && self.nulls_not_distinct == other.nulls_not_distinct
            && self.ascending() == other.ascending()
    }

    /// Whether every search that uses this B-tree could use `other`, which has more: its keys are the first keys of
    /// `other`, read in either direction, nothing it includes is missing there, and both hold the same rows.
    pub fn is_prefix_of(&self, other: &Self) -> bool {
        let more = (self.keys.len(), self.include.len()) < (other.keys.len(), other.include.len());
        self.method == "btree"
            && other.method == "btree"
            && (&self.schema, &self.table, &self.predicate) == (&other.schema, &other.table, &other.predicate)
            && more
            && other.ascending().starts_with(&self.ascending())
            && self
                .include
                .iter()
                .all(|c| other.include.contains(c) || other.keys.iter().any(|k| !k.expression && k.text == *c))
    }

    /// Whether it finds the rows that reference a key: its first keys are these columns in any order, and a condition,
    /// if any, only leaves out NULLs of one of them (the planner proves that for the check's `=`).
    pub fn supports_foreign_key(&self, columns: &[String]) -> bool {
        let leading: Vec<&str> =
            self.keys.iter().take(columns.len()).filter(|k| !k.expression).map(|k| k.text.as_str()).collect();
        let usable = match self.method.as_str() {
            // A plain column in GiST has an operator class of btree_gist, as exclusion constraints use it.
            "btree" | "gist" => true,
            "hash" => columns.len() == 1,
            _ => false,
        };
        let only_nulls_missing = |p: &str| {
            columns.iter().any(|c| {
                let mut scan = Scan::new(p.trim().strip_prefix('(').unwrap_or(p));
                scan.ident().as_deref() == Some(c) && scan.rest.trim().trim_end_matches(')') == "IS NOT NULL"
            })
        };
        usable
            && leading.len() == columns.len()
            && columns.iter().all(|c| leading.contains(&c.as_str()))
            && self.predicate.as_deref().is_none_or(only_nulls_missing)
    }

    /// The keys for people: `(order_id, placed_at DESC)`.
    pub fn keys_for_people(&self) -> String {
        let mut out = String::from("(");
        for (i, key) in self.keys.iter().enumerate() {
            let _ = write!(
                out,
                "{}{}{}",
                if i > 0 { ", " } else { "" },
                key.text,
                if key.descending { " DESC" } else { "" }
            );
        }
        out.push(')');
        if !self.include.is_empty() {
            let _ = write!(out, " INCLUDE ({})", self.include.join(", "));
        }
        if let Some(predicate) = &self.predicate {
            let _ = write!(out, " WHERE {predicate}");
        }
        out
    }
}

impl Key {
    fn parse(text: &str) -> Option<Self> {
        let mut p = Scan::new(text.trim());
        let (text, expression) = p.column_or_expression()?;
        let collation = match p.word("COLLATE") {
            Some(()) => Some(p.qualified_text()?),
            None => None,
        };
        let mut key = Self { text, expression, collation, opclass: None, descending: false, nulls_first: false };
        let is_option = |p: &Scan<'_>| ["ASC", "DESC", "NULLS"].iter().any(|w| p.clone().word(w).is_some());
        if !p.rest.trim().is_empty() && !is_option(&p) {
            let mut class = p.qualified_text()?;
            if p.rest.trim_start().starts_with('(') {
                let _ = write!(class, "({})", p.group()?);
            }
            key.opclass = Some(class);
        }
        key.descending = p.word("DESC").is_some();
        if !key.descending {
            p.word("ASC");
        }
        key.nulls_first = key.descending;
        if p.word("NULLS").is_some() {
            key.nulls_first = p.word("FIRST").is_some();
            if !key.nulls_first {
                p.word("LAST")?;
            }
        }
        p.rest.trim().is_empty().then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> IndexDef {
        IndexDef::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn reads_what_postgres_prints() {
        let d = parse("CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)");
        assert_eq!((d.unique, d.name.as_str(), d.table.as_str(), d.method.as_str()), (true, "t_pkey", "t", "btree"));
        let d = parse(
            r#"CREATE INDEX "a b" ON ONLY "sché ma"."t""x" USING btree (lower((email)::text) COLLATE "C" text_pattern_ops, "Col,umn" DESC NULLS LAST, b NULLS FIRST) INCLUDE (c, "d)") NULLS NOT DISTINCT WITH (fillfactor='70') TABLESPACE fast WHERE ((state = 'a''b)'::text) AND (x IS NOT NULL))"#,
        );
        assert!(d.only && d.nulls_not_distinct && d.has_expression());
        assert_eq!((d.schema.as_deref(), d.table.as_str()), (Some("sché ma"), "t\"x"));
        assert_eq!(d.include, ["c", "d)"]);
        assert_eq!(d.predicate.as_deref(), Some("((state = 'a''b)'::text) AND (x IS NOT NULL))"));
        let keys: Vec<_> =
            d.keys.iter().map(|k| (k.text.as_str(), k.expression, k.descending, k.nulls_first)).collect();
        assert_eq!(
            keys,
            [("lower((email)::text)", true, false, false), ("Col,umn", false, true, false), ("b", false, false, true)]
        );
        assert_eq!(
            (d.keys[0].collation.as_deref(), d.keys[0].opclass.as_deref()),
            (Some("\"C\""), Some("text_pattern_ops"))
        );
        let d = parse(
            r"CREATE INDEX i ON s.t USING gist (((a || E'\')'::text)), b gist_trgm_ops (siglen='32'), EXTRACT(epoch FROM at))",
        );
        assert_eq!(d.keys.iter().map(|k| k.expression).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(d.keys[1].opclass.as_deref(), Some("gist_trgm_ops(siglen='32')"));
    }

    #[test]
    fn refuses_what_is_no_definition() {
        for text in [
            "",
            "CREATE INDEX",
            "DROP INDEX x",
            "CREATE INDEX i ON t USING btree (a",
            "CREATE INDEX i ON t USING btree (a) HUH",
            "CREATE INDEX i ON t USING btree (\"a)",
        ] {
            assert_eq!(IndexDef::parse(text), None, "{text}");
        }
    }

    #[test]
    fn compares_prefixes() {
        let on = |keys: &str| parse(&format!("CREATE INDEX i ON public.t USING btree {keys}"));
        for (short, long, want) in [
            ("(a)", "(a, b)", true),
            ("(a)", "(b, a)", false),
            ("(a, b)", "(a)", false),
            ("(a)", "(a)", false),
            ("(a)", "(a DESC, b)", true),
            ("(a)", "(a DESC NULLS LAST, b)", false),
            ("(a, b)", "(a DESC, b, c)", false),
            ("(a DESC, b)", "(a, b DESC, c)", true),
            ("(a)", "(a) INCLUDE (b)", true),
            ("(a) INCLUDE (b)", "(a) INCLUDE (b, c)", true),
            ("(a) INCLUDE (b)", "(a) INCLUDE (c, d)", false),
            ("(a)", "(a text_pattern_ops, b)", false),
            ("(a)", "(a, b) WHERE (b > 0)", false),
            ("(a) INCLUDE (c)", "(a, b)", false),
            ("(a) INCLUDE (b)", "(a, b)", true),
            ("(lower(a))", "(lower(a), b)", true),
        ] {
            assert_eq!(on(short).is_prefix_of(&on(long)), want, "{short} {long}");
        }
    }

    #[test]
    fn the_same_order_either_way() {
        let on = |keys: &str| parse(&format!("CREATE INDEX i ON public.t USING {keys}"));
        for (one, other, want) in [
            ("btree (a)", "btree (a DESC)", true),
            ("btree (a NULLS FIRST)", "btree (a DESC NULLS LAST)", true),
            ("btree (a)", "btree (a DESC NULLS LAST)", false),
            ("btree (a, b DESC)", "btree (a DESC, b)", true),
            ("btree (a, b)", "btree (a DESC, b)", false),
            ("btree (a DESC) WHERE (b > 0)", "btree (a)", false),
        ] {
            assert_eq!(
                (on(one).same_content(&on(other)), on(other).same_content(&on(one))),
                (want, want),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn knows_what_serves_a_foreign_key() {
        let serves = |using: &str, columns: &[&str]| {
            let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
            parse(&format!("CREATE INDEX i ON public.t USING {using}")).supports_foreign_key(&columns)
        };
        for (using, columns, want) in [
            ("btree (order_id)", &["order_id"][..], true),
            ("btree (b, a, c)", &["a", "b"], true),
            ("btree (c, a, b)", &["a", "b"], false),
            ("btree (lower(order_id))", &["order_id"], false),
            ("hash (order_id)", &["order_id"], true),
            ("gin (order_id)", &["order_id"], false),
            ("gist (order_id, during)", &["order_id"], true),
            ("gist (during, order_id)", &["order_id"], false),
            ("btree (order_id) WHERE (order_id IS NOT NULL)", &["order_id"], true),
            ("btree (order_id) WHERE (\"order_id\" IS NOT NULL)", &["order_id"], true),
            ("btree (order_id) WHERE (state = 1)", &["order_id"], false),
            ("btree (order_id) WHERE ((order_id IS NOT NULL) AND (state = 1))", &["order_id"], false),
        ] {
            assert_eq!(serves(using, columns), want, "{using}");
        }
    }

    proptest! {
        #[test]
        fn any_name_comes_back(name in ".{1,12}", table in ".{1,12}", column in ".{1,12}", included in ".{1,12}") {
            // As PostgreSQL prints names; ours are written so that unseen characters can be copied.
            let [n, t, c, i] = [&name, &table, &column, &included].map(|s| format!("\"{}\"", s.replace('"', "\"\"")));
            let d = parse(&format!("CREATE INDEX {n} ON {t}.{t} USING btree ({c} DESC, x) INCLUDE ({i}) WHERE ({c} > 0)"));
            prop_assert_eq!((d.name, d.table, d.keys[0].text.clone(), d.include[0].clone()), (name, table, column, included));
            prop_assert!(d.keys[0].descending && d.keys.len() == 2);
        }

        #[test]
        fn nothing_panics(text in ".{0,60}") {
            let _ = IndexDef::parse(&text);
            let _ = IndexDef::parse(&format!("CREATE INDEX i ON t USING btree ({text})"));
            let _ = IndexDef::parse(&format!("CREATE INDEX i ON t USING btree (a) {text}"));
        }
    }
}
