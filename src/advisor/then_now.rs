//! Then and now: an object's last window against what was before it, and a statement's calls on both sides.

use super::{Context, Skip, show};
use crate::diff::moments::Moments;
use crate::diff::{Chain, Change, Class, DiffRow, Phase};
use crate::finding::Doubt;
use crate::snapshot::Row;
use crate::unit::Unit;

/// A statement's calls over some time.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// Their mean and deviation.
    pub exec: Moments,
    /// Rows returned or changed.
    pub rows: f64,
    /// Shared blocks found or read.
    pub blocks: f64,
    /// Seconds that this covers, where known.
    pub seconds: Option<f64>,
}

impl Side {
    /// Rows per call.
    pub fn rows_per_call(&self) -> f64 {
        self.rows / self.exec.n
    }

    /// Shared blocks per call.
    pub fn blocks_per_call(&self) -> f64 {
        self.blocks / self.exec.n
    }
}

/// A statement before and in the last window.
#[derive(Clone, Copy, Debug)]
pub struct ThenNow {
    /// Before.
    pub then: Side,
    /// In the last window.
    pub now: Side,
    /// C1 where "before" is everything since the statistics began, not windows of this report.
    pub doubt: Option<Doubt>,
}

/// Seconds of the last window, where a rate can be made of them (threshold `min_window_s`).
pub fn last_window_or_skip(ctx: &Context<'_>) -> Result<f64, Skip> {
    let last = ctx.chain.windows.last().and_then(|w| w.elapsed_s).unwrap_or(0.0);
    let least = ctx.threshold("min_window_s");
    if last >= least {
        return Ok(last);
    }
    let shown = |s| show(s, Unit::Seconds);
    Err(Skip(format!("the last window of {} is shorter than the {} this check needs", shown(last), shown(least))))
}

/// An object's row in the last window, and those in the windows before it, the newest first, back to the one in which it
/// began; `None` where there is no other window.
pub fn last_and_before<'a>(
    chain: &'a Chain,
    change: Change<'a>,
    view: &str,
) -> Option<(DiffRow<'a>, Option<Vec<DiffRow<'a>>>)> {
    let places = change.windows();
    let windows = chain.windows.iter().zip(&places);
    let mut rows = windows.rev().map(|(window, place)| Some(window.views.get(view)?.row((*place)? as usize)));
    let last = rows.next()??;
    if chain.windows.len() < 2 {
        return Some((last, None));
    }
    let mut out = Vec::new();
    for row in rows.map_while(|row| row) {
        out.push(row);
        // What was counted in an earlier epoch may be of an earlier version of the application.
        if !matches!(row.class(), Class::Ok | Class::OkUnsure) {
            break;
        }
    }
    Some((last, Some(out)))
}

/// Splits a statement's calls: three or more snapshots, the last window against the windows before it, back to the last
/// reset; two snapshots, the window against everything counted up to its start.
pub fn split<'a>(chain: &'a Chain, change: Change<'a>) -> Option<ThenNow> {
    let (last, before) = last_and_before(chain, change, "pg_stat_statements")?;
    let now = side(last)?;
    let Some(before) = before else {
        if !matches!(last.class(), Class::Ok | Class::OkUnsure) {
            return None;
        }
        let row = last.before()?;
        let exec = Moments::since_start(Phase::Exec.cumulative(row)?)?;
        let then = Side { exec, rows: row.f64("rows")?, blocks: blocks(row)?, seconds: None };
        return Some(ThenNow { then, now, doubt: Some(Doubt::C1) });
    };
    let parts: Vec<Side> = before.into_iter().filter_map(side).collect();
    let exec = Moments::merge(parts.iter().map(|p| p.exec).collect::<Vec<_>>())?;
    let then = Side {
        exec,
        rows: parts.iter().map(|p| p.rows).sum(),
        blocks: parts.iter().map(|p| p.blocks).sum(),
        seconds: parts.iter().map(|p| p.seconds).sum::<Option<f64>>(),
    };
    Some(ThenNow { then, now, doubt: None })
}

fn side(row: DiffRow<'_>) -> Option<Side> {
    let delta = |column| row.delta_of(column).map_or(0.0, crate::diff::Exact::as_f64);
    Some(Side {
        exec: row.moments(Phase::Exec)?,
        rows: delta("rows"),
        blocks: delta("shared_blks_hit") + delta("shared_blks_read"),
        seconds: row.verdict().covered_s,
    })
}

fn blocks(row: Row<'_>) -> Option<f64> {
    Some(row.f64("shared_blks_hit")? + row.f64("shared_blks_read")?)
}

/// Welch's t of two means: how many standard errors the later one lies above the earlier one. `None` where a deviation is
/// not known.
pub fn welch_t(then: &Moments, now: &Moments) -> Option<f64> {
    let error = then.sigma.upper()?.powi(2) / then.n + now.sigma.upper()?.powi(2) / now.n;
    let t = (now.mean - then.mean) / error.sqrt();
    t.is_finite().then_some(t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::moments::Sigma;

    #[test]
    fn welch_counts_standard_errors() {
        let of = |n, mean, s| Moments { n, total: n * mean, mean, sigma: Sigma::Exactly(s) };
        let t = welch_t(&of(100.0, 10.0, 10.0), &of(100.0, 20.0, 10.0)).unwrap();
        assert!((t - 7.071).abs() < 0.001, "{t}");
        assert_eq!(welch_t(&of(100.0, 10.0, 0.0), &of(100.0, 10.0, 0.0)), None);
    }
}
