//! What began to be scanned or stopped being scanned, and when.
//!
//! Silence is news only where there used to be none of it: the counter has to have moved in several windows, the silence
//! has to be several times the longest one before it, and at the pace of before it would have moved many times.

use super::activity::{Activity, Span};
use serde::Serialize;

/// Windows on each side.
const WINDOWS: u64 = 3;
/// How many times the longest silence between two moves.
const LONGER: f64 = 3.0;
/// Moves missed at the pace of before, or made since.
const MISSED: f64 = 10.0;

/// What happened to a counter of scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// It did not move until the window given.
    Began,
    /// It has not moved since the window given.
    Stopped,
}

/// Whether a counter began or stopped to move, and in which window; `None` where nothing may be said.
pub fn news(a: &Activity) -> Option<(News, Span)> {
    if a.moved < WINDOWS {
        return None;
    }
    let pace = a.gained / a.active_s;
    if !pace.is_finite() || pace <= 0.0 {
        return None;
    }
    let silent = |quiet_s: f64| quiet_s > LONGER * a.longest_quiet_s && quiet_s * pace >= MISSED;
    let mean_window = (a.quiet_before_s + a.active_s + a.quiet_after_s) / a.windows as f64;
    let several = |quiet_s: f64| quiet_s >= (WINDOWS as f64 - 0.5) * mean_window;
    if silent(a.quiet_after_s) && several(a.quiet_after_s) {
        return a.last.map(|span| (News::Stopped, span));
    }
    if silent(a.quiet_before_s) && several(a.quiet_before_s) {
        return a.first.map(|span| (News::Began, span));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn of(gains: &[u32]) -> Activity {
        let mut out = Activity::default();
        let at = |i: usize| Some(Timestamp::from_seconds(i as i64 * 3_600));
        for (i, gain) in gains.iter().enumerate() {
            out.step(at(i), at(i + 1), f64::from(*gain), 3_600.0);
        }
        out
    }

    #[test]
    fn tells_when_something_stopped_or_began() {
        let hour = |i: i64| Timestamp::from_seconds(i * 3_600);
        assert_eq!(news(&of(&[9, 8, 7, 0, 9, 9, 0, 0, 0, 0, 0])), Some((News::Stopped, (hour(5), hour(6)))));
        assert_eq!(news(&of(&[0, 0, 0, 0, 5, 6, 4, 7])), Some((News::Began, (hour(4), hour(5)))));
    }

    #[test]
    fn silence_that_used_to_be_is_no_news() {
        for (gains, why) in [
            (&[9, 0, 0, 0, 9, 0, 0, 9, 0, 0, 0][..], "it has paused as long before"),
            (&[1, 0, 1, 1, 0, 0, 0, 0], "one scan an hour: a few are missed by chance"),
            (&[9, 9, 0, 0, 0, 0, 0, 0], "moved in two windows only"),
            (&[9, 9, 9, 9, 9, 0], "one quiet window"),
            (&[9, 9, 9, 9, 9, 9], "never quiet"),
        ] {
            assert_eq!(news(&of(gains)), None, "{why}");
        }
    }
}
