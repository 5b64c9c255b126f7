//! The formula by which autovacuum starts on a table: the one computation that trends, rules and report share.
//!
//! ```text
//! vacuum   dead rows > vt + vsf · reltuples                           (18+: at most autovacuum_vacuum_max_threshold)
//! insert   rows inserted since vacuum > vit + visf · reltuples · u    (13+; u: share of pages not frozen on 18+, else 1)
//! analyze  rows changed since analyze > at + asf · reltuples
//! ```
//!
//! The comparison is strict, `reltuples` below 0 counts as 0, a storage parameter of the table goes before the setting.
//! Source: `autovacuum.c` (`relation_needs_vacanalyze`); thresholds observed on PostgreSQL 12 to 18.

use crate::snapshot::Row;

/// The settings of the formula, which a table may override.
pub const PARAMETERS: [&str; 7] = [
    "autovacuum_vacuum_threshold",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_max_threshold",
    "autovacuum_vacuum_insert_threshold",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_analyze_threshold",
    "autovacuum_analyze_scale_factor",
];

/// `base + factor · rows`, in rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// The threshold.
    pub base: f64,
    /// The scale factor.
    pub factor: f64,
    /// What it scales.
    pub rows: f64,
}

impl Term {
    /// Its value.
    pub fn value(self) -> f64 {
        self.base + self.factor * self.rows
    }
}

/// When autovacuum starts on a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Dead rows, before the cap.
    pub dead: Term,
    /// The cap (18+), where it is not switched off.
    pub most: Option<f64>,
    /// Inserted rows; `None` before 13 or switched off.
    pub inserted: Option<Term>,
    /// Changed rows, for analyze.
    pub changed: Term,
    /// The share of pages not frozen yet that scales inserted rows; 1 where every row counts.
    pub unfrozen: f64,
}

impl Thresholds {
    /// Those of a table of `rows` rows: `parameter` gives each of [`PARAMETERS`] as it holds for the table, `sizes` is its
    /// row of `table_sizes`.
    pub fn of(mut parameter: impl FnMut(&'static str) -> Option<f64>, rows: f64, sizes: Option<Row<'_>>) -> Self {
        let [vt, vsf, most, vit, visf, at, asf] = PARAMETERS.map(&mut parameter);
        let unfrozen = unfrozen(sizes);
        Self {
            dead: Term { base: vt.unwrap_or(50.0), factor: vsf.unwrap_or(0.2), rows },
            most: most.filter(|m| *m >= 0.0),
            inserted: vit.filter(|base| *base >= 0.0).map(|base| Term {
                base,
                factor: visf.unwrap_or(0.2),
                rows: rows * unfrozen,
            }),
            changed: Term { base: at.unwrap_or(50.0), factor: asf.unwrap_or(0.1), rows },
            unfrozen,
        }
    }

    /// Dead rows above which autovacuum comes.
    pub fn vacuum(&self) -> f64 {
        let plain = self.dead.value();
        self.most.map_or(plain, |most| plain.min(most))
    }

    /// Whether the cap is what counts.
    pub fn is_capped(&self) -> bool {
        self.most.is_some_and(|most| most < self.dead.value())
    }
}

/// The share of pages that inserts can still fill with rows to freeze, where exported (18+).
fn unfrozen(sizes: Option<Row<'_>>) -> f64 {
    let pages = sizes.and_then(|r| r.f64("relpages")).unwrap_or(0.0);
    let frozen = sizes.and_then(|r| r.f64("relallfrozen")).unwrap_or(0.0);
    if pages > 0.0 && frozen > 0.0 { 1.0 - frozen.min(pages) / pages } else { 1.0 }
}

/// A boolean storage parameter, as PostgreSQL accepts it.
pub fn is_true(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let off = |word: &str| !text.is_empty() && word.starts_with(&text);
    !(text == "0" || (text.len() > 1 && off("off")) || off("false") || off("no"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thresholds(given: &[(&str, f64)], rows: f64) -> Thresholds {
        let parameter = |name: &'static str| given.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        Thresholds::of(parameter, rows, None)
    }

    #[test]
    fn bases_factors_and_the_cap() {
        let plain = thresholds(&[], 1_000.0);
        assert_eq!((plain.vacuum(), plain.changed.value(), plain.inserted), (250.0, 150.0, None));
        let capped = thresholds(&[("autovacuum_vacuum_max_threshold", 100.0)], 1_000.0);
        assert_eq!((capped.vacuum(), capped.is_capped()), (100.0, true));
        let off = thresholds(&[("autovacuum_vacuum_max_threshold", -1.0)], 1_000.0);
        assert_eq!((off.vacuum(), off.is_capped()), (250.0, false));
        let inserts = |base| thresholds(&[("autovacuum_vacuum_insert_threshold", base)], 1_000.0).inserted;
        assert_eq!((inserts(1_000.0).map(Term::value), inserts(-1.0)), (Some(1_200.0), None));
    }

    #[test]
    fn booleans_as_postgres_reads_them() {
        for (text, want) in [
            ("true", true),
            ("on", true),
            ("o", true),
            ("1", true),
            ("of", false),
            ("off", false),
            ("FALSE", false),
            ("f", false),
            ("no", false),
            ("0", false),
        ] {
            assert_eq!(is_true(text), want, "{text}");
        }
    }
}
