//! Rows that go on and were only kept to be shown, as lines of CSV: what [`super::csv`] would write of the same rows.

use super::cell;
use super::csv::quoted;
use super::layout::Layout;
use super::reasons::grouped;
use crate::catalog::{Type, View};
use crate::diff::{Class, DiffRow, Exact, NO_LONGER_A_VALUE, NO_VALUE, NOW_A_VALUE, ViewDiff, rate};
use crate::ingest::pairing::{Digits, Kept, Record, Rest};
use crate::snapshot::Value;
use std::ops::Range;

/// Rows that are fetched together.
const BATCH: usize = 32;

/// What the lines of a view's rows share.
pub(super) struct Lines<'a> {
    view: &'static View,
    layout: &'a Layout,
    covered_s: Option<f64>,
    /// The class and the time covered, with the commas around them.
    verdict: Vec<u8>,
    /// The delta and rate of a counter that did not move, with the commas before them.
    still: &'static [u8],
}

impl<'a> Lines<'a> {
    pub fn new(view: &'static View, layout: &'a Layout, rest: &Rest) -> Self {
        let mut verdict = Class::Ok.word().as_bytes().to_vec();
        verdict.push(b',');
        if let Some(seconds) = rest.covered_s {
            cell::float(&mut verdict, seconds);
        }
        let still: &[u8] = if rate::over(0.0, rest.covered_s).is_some() { b",0,0" } else { b",0," };
        Self { view, layout, covered_s: rest.covered_s, verdict, still }
    }

    /// Appends a row.
    pub fn write(&self, mut record: Record<'_>, out: &mut Vec<u8>) {
        for column in self.layout.key.iter().chain(&self.layout.labels) {
            match (self.ty(*column), record.name()) {
                (Type::Int, digits) => out.extend_from_slice(digits),
                (_, text) => name(text, out),
            }
            out.push(b',');
        }
        out.extend_from_slice(&self.verdict);
        let mut reasons: Vec<(&str, &str)> = Vec::new();
        for column in &self.layout.counters {
            if let Some(why) = self.counter(*column, record.number(), out) {
                reasons.push((why, self.view.columns.get(*column).map_or("", |c| c.name)));
            }
        }
        for _ in &self.layout.gauges {
            gauge(record.number(), out);
        }
        out.push(b',');
        if !reasons.is_empty() {
            quoted(grouped(reasons).join("; "), out);
        }
        out.push(b'\n');
    }

    /// Appends what a counter was, is, its delta and rate. Why it has no delta, where it has none.
    #[inline]
    fn counter(
        &self,
        column: usize,
        (is, was): (Digits<'_>, Option<Digits<'_>>),
        out: &mut Vec<u8>,
    ) -> Option<&'static str> {
        let text = is.get();
        let Some(was) = was else {
            return match text {
                [] => {
                    out.extend_from_slice(b",,,,");
                    Some(NO_VALUE)
                }
                // Most counters of most objects have a digit and did not move.
                [digit] => {
                    out.extend_from_slice(&[b',', *digit, b',', *digit]);
                    out.extend_from_slice(self.still);
                    None
                }
                _ => {
                    self.sides(column, is, is, out);
                    out.extend_from_slice(self.still);
                    None
                }
            };
        };
        self.sides(column, was, is, out);
        match (was.get(), text) {
            ([], _) | (_, []) => {
                out.extend_from_slice(b",,");
                Some(if text.is_empty() { NO_LONGER_A_VALUE } else { NOW_A_VALUE })
            }
            (before, after) => {
                let (delta, known) = if self.ty(column) == Type::Float {
                    let delta = Exact::Float(float(after)).since(Exact::Float(float(before)));
                    (delta.as_f64(), delta)
                } else {
                    let delta = whole(after).wrapping_sub(whole(before));
                    (delta as f64, Exact::Int(i128::from(delta)))
                };
                out.push(b',');
                cell::exact(out, known);
                out.push(b',');
                if let Some(rate) = rate::over(delta, self.covered_s) {
                    cell::rate(out, rate);
                }
                None
            }
        }
    }

    fn ty(&self, column: usize) -> Type {
        self.view.columns.get(column).map_or(Type::Text, |c| c.ty)
    }

    #[inline]
    fn sides(&self, column: usize, was: Digits<'_>, is: Digits<'_>, out: &mut Vec<u8>) {
        for side in [was, is] {
            out.push(b',');
            if self.ty(column) == Type::Float {
                if !side.get().is_empty() {
                    cell::float(out, float(side.get()));
                }
            } else {
                side.write(out);
            }
        }
    }
}

/// The rows of a view and those that were kept, in the order of their keys.
pub(super) struct Merged<'a> {
    kept: &'a Kept,
    /// Where each row of the view stands among all, in order.
    rows: Vec<usize>,
}

/// What stands at a place.
pub(super) enum At<'a> {
    /// A row of the view, by its position.
    Row(usize),
    /// One that was kept.
    Kept(Record<'a>),
}

impl<'a> Merged<'a> {
    pub fn new(diff: &ViewDiff, kept: &'a Kept) -> Self {
        let key = |row: DiffRow<'_>| match row.key() {
            [key] => match row.latest().map(|latest| latest.table().value(latest.index(), *key)) {
                Some(Value::Int(key)) => key,
                _ => i64::MIN,
            },
            _ => i64::MIN,
        };
        let before = |row: DiffRow<'_>| row.index() + kept.count_below(key(row));
        Self { kept, rows: diff.iter().map(before).collect() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len() + self.kept.len()
    }

    /// What stands at these places.
    pub fn each(&self, range: Range<usize>, mut take: impl FnMut(At<'a>)) {
        let mut next = self.rows.partition_point(|at| *at < range.start);
        let mut fetched = 0;
        for at in range {
            if at >= fetched {
                fetched = at + BATCH;
                self.kept.fetch(at - next..fetched - next);
            }
            if self.rows.get(next) == Some(&at) {
                take(At::Row(next));
                next += 1;
            } else if let Some(record) = self.kept.record(at - next) {
                take(At::Kept(record));
            }
        }
    }
}

/// Appends what a gauge was, is, and how it changed.
#[inline]
fn gauge((is, was): (Digits<'_>, Option<Digits<'_>>), out: &mut Vec<u8>) {
    out.push(b',');
    was.unwrap_or(is).write(out);
    out.push(b',');
    is.write(out);
    out.push(b',');
    match (was.as_ref().map(Digits::get), is.get()) {
        (_, []) | (Some([]), _) => {}
        (None, _) => out.push(b'0'),
        (Some(before), after) => cell::whole(out, whole(after).wrapping_sub(whole(before))),
    }
}

/// Appends a name's cell, as a file has it.
#[inline]
fn name(cell: &[u8], out: &mut Vec<u8>) {
    match cell {
        [] => {}
        // Written again, for what has to be quoted or defused here need not have been there.
        [b'"', inner @ .., b'"'] => quoted(String::from_utf8_lossy(inner).replace("\"\"", "\""), out),
        _ => quoted(cell, out),
    }
}

/// A number of at most 16 digits.
#[inline]
fn whole(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |n, digit| 10 * n + i64::from(digit - b'0'))
}

fn float(text: &[u8]) -> f64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use crate::cli::diff::choose::Rows;
    use crate::cli::diff::csv;
    use crate::cli::diff::layout::Layout;
    use crate::diff::tests::files::{FATES, Fate, write};
    use crate::diff::{Diff, Foremost, Options, ViewDiff, diff};
    use crate::ingest::{self, Opened, Wanted};
    use proptest::prelude::*;
    use std::path::Path;
    use std::sync::Arc;

    const VIEWS: [&str; 2] = ["pg_stat_user_tables", "pg_stat_user_indexes"];

    fn open(folder: &Path) -> Opened {
        ingest::open(&[folder.to_owned()], &ingest::Options::default()).unwrap().remove(0)
    }

    /// Both ways to every row.
    fn both(folder: &Path) -> (Option<Diff>, Diff) {
        let (a, b) = (open(&folder.join("a")), open(&folder.join("b")));
        let (wanted, options) = (Wanted::all(), Options::default());
        let kept = Foremost { most: 0, moved: false, by: &|_| None, keep: Some(&Layout::keep), least: 0 };
        let kept = kept.diff(&a, &b, &wanted, &options);
        let whole = diff(Arc::new(a.read(&wanted).unwrap()), Arc::new(b.read(&wanted).unwrap()), &options).unwrap();
        (kept, whole)
    }

    fn lines(view: &ViewDiff) -> Vec<String> {
        let mut out = Vec::new();
        csv::write(view, &Rows::All(view.rows.len()), &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    fn assert_same(kept: &Diff, whole: &Diff) {
        for name in VIEWS {
            let (own, all) = (lines(&kept.views[name]), lines(&whole.views[name]));
            assert_eq!(own.len(), all.len(), "{name}");
            for (own, all) in own.iter().zip(&all) {
                assert_eq!(own, all, "{name}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]
        #[test]
        fn lines_are_those_of_rows_that_were_subtracted(
            dice in prop::collection::vec((0_usize..40, 0_usize..FATES.len()), 1400..1700),
        ) {
            let fates: Vec<Fate> = dice.iter().map(|(die, fate)| match die {
                0 => FATES[*fate],
                n if n % 2 == 1 => Fate::Idle,
                _ => Fate::Busy,
            }).collect();
            let folder = tempfile::tempdir().unwrap();
            write(&folder.path().join("a"), &fates, false);
            write(&folder.path().join("b"), &fates, true);
            let (kept, whole) = both(folder.path());
            let kept = kept.expect("is written the plain way");
            let given = kept.views[VIEWS[0]].rows.len();
            prop_assert!(given < fates.len() / 2, "{given} of {} rows are not kept only", fates.len());
            assert_same(&kept, &whole);
        }
    }

    /// Makes a file odd.
    type Change = fn(&str) -> String;

    /// Numbers and windows that are shown otherwise than they are written.
    #[test]
    fn what_is_shown_otherwise_is_the_same() {
        let fates: Vec<Fate> = (0..1200).map(|n| if n % 3 == 0 { Fate::Busy } else { Fate::Idle }).collect();
        let odd: [(&str, bool, Change); 4] = [
            ("a number with zeros before it", false, |text| text.replace(",app,t_6,", ",app,t_6,00")),
            ("a long duration", true, |text| text.replace("6.5\n", "6.5000000000000001e2\n")),
            ("a counter that became NULL", true, |text| text.replace(",app,t_6,7,", ",app,t_6,,")),
            ("times too near for a rate", true, |text| text.replace(" 12:50:", " 12:10:")),
        ];
        for (what, short, change) in odd {
            let folder = tempfile::tempdir().unwrap();
            write(&folder.path().join("a"), &fates, false);
            write(&folder.path().join("b"), &fates, true);
            let path = folder.path().join("b/pg_stat_user_tables.csv");
            let text = std::fs::read_to_string(&path).unwrap();
            let changed = change(&text);
            assert_ne!(text, changed, "{what}");
            std::fs::write(&path, changed).unwrap();
            let (kept, whole) = both(folder.path());
            assert_eq!(kept.is_some(), short, "{what}");
            if let Some(kept) = kept {
                assert_same(&kept, &whole);
            }
        }
    }
}
