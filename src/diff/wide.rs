//! Loops over rows, on all cores where they are many.

use rayon::prelude::*;
use std::ops::Range;

/// Rows of one task; fewer are not worth the pool's start.
pub(super) const TASK: usize = 16 * 1024;

/// What `of` finds in each run of rows, in the order of the rows. The pool is not worth its start where rows are few.
pub(super) fn collect<T: Send>(rows: usize, of: impl Fn(Range<usize>) -> Vec<T> + Sync) -> Vec<T> {
    if rows <= TASK {
        return of(0..rows);
    }
    let runs: Vec<Vec<T>> =
        (0..rows.div_ceil(TASK)).into_par_iter().map(|n| of(n * TASK..((n + 1) * TASK).min(rows))).collect();
    runs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_row_comes_once_and_in_order() {
        for rows in [0, 1, super::TASK, super::TASK + 1, 3 * super::TASK + 5] {
            let all = super::collect(rows, |run| run.filter(|row| row % 3 == 0).collect());
            assert_eq!(all, (0..rows).step_by(3).collect::<Vec<_>>());
        }
    }
}
