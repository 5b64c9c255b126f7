//! pg_stat_statements: resets that no timestamp tells (before 1.11), and the moments of a window.

use super::entry::FELL;
use super::moments::{Cumulative, Maximum, Moments};
use super::{Class, DiffRow, RowDiff};
use crate::snapshot::{Row, Table};

/// Planning or execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// `plans`, `*_plan_time`.
    Plan,
    /// `calls`, `*_exec_time`.
    Exec,
}

impl Phase {
    const fn columns(self) -> [&'static str; 6] {
        match self {
            Self::Plan => {
                ["plans", "total_plan_time", "mean_plan_time", "stddev_plan_time", "min_plan_time", "max_plan_time"]
            }
            Self::Exec => {
                ["calls", "total_exec_time", "mean_exec_time", "stddev_exec_time", "min_exec_time", "max_exec_time"]
            }
        }
    }

    /// The sums of a row of pg_stat_statements since it began to count.
    pub fn cumulative(self, row: Row<'_>) -> Option<Cumulative> {
        let [n, total, mean, stddev, ..] = self.columns();
        Some(Cumulative { n: row.f64(n)?, total: row.f64(total)?, mean: row.f64(mean)?, stddev: row.f64(stddev)? })
    }

    /// The shortest and the longest of a row, since its marks were reset.
    pub fn marks(self, row: Row<'_>) -> Option<(f64, f64)> {
        let [.., min, max] = self.columns();
        row.f64(min).zip(row.f64(max))
    }
}

/// Adds [`FELL`] where the marks or the moments of an entry prove that it started again although every counter grew.
///
/// Up to 1.10 marks cannot be reset alone, so a maximum that fell or a minimum that rose is a reset of the entry.
pub(super) fn scan_marks(before: &Table, after: &Table, pairs: &[(u32, u32)], flags: &mut [u8]) {
    for (&(i, j), flag) in pairs.iter().zip(flags) {
        if i == RowDiff::NONE || j == RowDiff::NONE || *flag & FELL != 0 {
            continue;
        }
        let (a, b) = (before.row(i as usize), after.row(j as usize));
        if [Phase::Plan, Phase::Exec].into_iter().any(|phase| contradicts(phase, a, b)) {
            *flag |= FELL;
        }
    }
}

fn contradicts(phase: Phase, a: Row<'_>, b: Row<'_>) -> bool {
    let Some(was) = phase.cumulative(a).filter(|c| c.n > 0.0) else {
        return false;
    };
    if let (Some((min, max)), Some((new_min, new_max))) = (phase.marks(a), phase.marks(b))
        && (new_max < max || new_min > min)
    {
        return true;
    }
    phase.cumulative(b).is_some_and(|is| Moments::between(was, is).is_err())
}

/// Whether everything was most likely reset in one go: no entry that was called is left as it was, and more than half
/// of them are gone or fell.
pub(super) fn reset_is_likely(before: &Table, after: &Table, pairs: &[(u32, u32)]) -> bool {
    let (mut all, mut lost) = (0_usize, 0_usize);
    for &(i, j) in pairs.iter().filter(|(i, _)| *i != RowDiff::NONE) {
        all += 1;
        if j == RowDiff::NONE {
            lost += 1;
            continue;
        }
        let (a, b) = (before.row(i as usize), after.row(j as usize));
        match a.int("calls").zip(b.int("calls")) {
            // Called as often by chance, it would hardly have taken the same time to the nanosecond.
            Some((was, is)) if was == is && was > 0 && a.f64("total_exec_time") == b.f64("total_exec_time") => {
                return false;
            }
            Some((was, is)) if is < was => lost += 1,
            _ => {}
        }
    }
    lost * 2 > all
}

impl DiffRow<'_> {
    /// What the window's calls (or plans) of a statement were like; `None` where there were none or nothing is known.
    pub fn moments(self, phase: Phase) -> Option<Moments> {
        let verdict = self.verdict();
        if verdict.withheld.is_some() {
            return None;
        }
        match verdict.class {
            Class::Gone => None,
            Class::New | Class::Reset | Class::ResetUnsure => Moments::since_start(phase.cumulative(self.after()?)?),
            Class::Ok | Class::OkUnsure => {
                Moments::between(phase.cumulative(self.before()?)?, phase.cumulative(self.after()?)?).ok()?
            }
        }
    }

    /// The longest call (or planning) of the window, as far as the marks tell.
    pub fn maximum(self, phase: Phase) -> Option<Maximum> {
        let (_, after) = phase.marks(self.after()?)?;
        let verdict = self.verdict();
        if verdict.withheld.is_some() || verdict.class == Class::Gone {
            return None;
        }
        if verdict.class == Class::New && verdict.exact {
            return Some(Maximum::Exactly(after));
        }
        let (Some(before), false) = (self.before(), verdict.class == Class::New) else {
            return Some(Maximum::AtLeast(after));
        };
        let entry_reset = matches!(verdict.class, Class::Reset | Class::ResetUnsure);
        let since = |row: Row<'_>| row.time("minmax_stats_since");
        let marks_reset = self.after().is_some_and(|a| since(a).is_some() && since(a) != since(before));
        let (_, mark) = phase.marks(before)?;
        Some(Maximum::between(mark, after, entry_reset || marks_reset))
    }
}
