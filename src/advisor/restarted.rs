//! Rows of counters that started again inside the window.

use crate::catalog::{Shape, carrier};
use crate::diff::{Chain, Change, Class, ViewChange};
use crate::version::NEWEST;

/// How many rows of all cumulative views started again.
#[derive(Debug, Default)]
pub struct Restarted<'a> {
    /// Rows that could: what is gone is none of them, but for statements that a reset took away.
    pub all: usize,
    /// Those that did.
    pub again: usize,
    /// Those of which it cannot be ruled out.
    pub unsure: usize,
    /// The views of those that did.
    pub views: Vec<&'a str>,
}

impl<'a> Restarted<'a> {
    /// Counts them.
    pub fn of(chain: &'a Chain) -> Self {
        let mut out = Self::default();
        let major = chain.last().meta.major().unwrap_or(NEWEST);
        let info = chain.view("pg_stat_statements_info").and_then(|v| v.present().next());
        let statements_reset = info.is_some_and(|c| c.class().began_again());
        // What an older version exports in another view is counted there.
        let own = |(name, view): &(&&'static str, &'a ViewChange)| {
            view.view.shape == Shape::Counters && carrier(name, major) == **name
        };
        for (name, view) in chain.views.iter().filter(own) {
            let mut here = 0;
            for class in view.iter().map(Change::class) {
                let taken = class == Class::Gone && *name == "pg_stat_statements" && statements_reset;
                out.all += usize::from(class != Class::Gone || taken);
                here += usize::from(class.began_again() || taken);
                out.unsure += usize::from(class == Class::OkUnsure);
            }
            out.again += here;
            out.views.extend((here > 0).then_some(*name));
        }
        out
    }
}
