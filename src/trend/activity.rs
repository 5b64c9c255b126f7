//! When a counter moved and when it stood still: what was used for the last time when, or for the first time.

use crate::time::Timestamp;

/// A window, by its two snapshots.
pub type Span = (Timestamp, Timestamp);

/// A counter's moves. Only windows of known time count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    /// Windows in which it moved.
    pub moved: u64,
    /// Windows in all.
    pub windows: u64,
    /// The first window in which it moved.
    pub first: Option<Span>,
    /// The last one.
    pub last: Option<Span>,
    /// Seconds without a move before the first.
    pub quiet_before_s: f64,
    /// Seconds without a move since the last.
    pub quiet_after_s: f64,
    /// The longest time without a move between two windows that moved.
    pub longest_quiet_s: f64,
    /// Seconds of windows from the first move to the last, both included.
    pub active_s: f64,
    /// What it gained.
    pub gained: f64,
}

impl Activity {
    /// One more window.
    #[inline]
    pub fn step(&mut self, from: Option<Timestamp>, at: Option<Timestamp>, delta: f64, covered_s: f64) {
        let Some(span) = from.zip(at) else { return };
        self.windows += 1;
        if delta <= 0.0 {
            *(if self.moved == 0 { &mut self.quiet_before_s } else { &mut self.quiet_after_s }) += covered_s;
            return;
        }
        if self.moved > 0 {
            self.longest_quiet_s = self.longest_quiet_s.max(self.quiet_after_s);
            self.active_s += self.quiet_after_s;
        }
        self.active_s += covered_s;
        self.quiet_after_s = 0.0;
        self.moved += 1;
        self.gained += delta;
        self.first = self.first.or(Some(span));
        self.last = Some(span);
    }

    /// Appends a later stretch of time.
    pub fn append(&mut self, later: &Self) {
        self.windows += later.windows;
        if later.moved == 0 {
            *(if self.moved == 0 { &mut self.quiet_before_s } else { &mut self.quiet_after_s }) += later.quiet_before_s;
            return;
        }
        let between = self.quiet_after_s + later.quiet_before_s;
        if self.moved == 0 {
            self.quiet_before_s += later.quiet_before_s;
        } else {
            self.longest_quiet_s = self.longest_quiet_s.max(between);
            self.active_s += between;
        }
        self.longest_quiet_s = self.longest_quiet_s.max(later.longest_quiet_s);
        self.active_s += later.active_s;
        self.quiet_after_s = later.quiet_after_s;
        self.moved += later.moved;
        self.gained += later.gained;
        self.first = self.first.or(later.first);
        self.last = later.last;
    }
}
