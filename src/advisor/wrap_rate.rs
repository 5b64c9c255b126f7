//! How fast transaction ids are used: by the server's own counter, never by commits, many of which use none.

use super::Context;
use crate::snapshot::Table;
use std::collections::BTreeMap;

/// Seconds of a day.
pub const DAY: f64 = 86_400.0;

/// Transaction ids used over some time.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Ids.
    pub used: f64,
    /// Seconds.
    pub seconds: f64,
    /// Where it was read from.
    pub how: &'static str,
}

impl Rate {
    /// Ids a second.
    pub fn per_second(&self) -> f64 {
        self.used / self.seconds
    }
}

/// The use of transaction ids in the window; `None` where the dump does not tell.
pub fn rate(cx: &Context<'_>) -> Option<Rate> {
    let (first, last) = (&cx.chain.first().meta, &cx.chain.last().meta);
    let seconds = cx.chain.elapsed_s.filter(|s| *s > 0.0)?;
    if let Some(used) = last.next_xid.zip(first.next_xid).and_then(|(b, a)| b.checked_sub(a)).filter(|n| *n >= 0) {
        return Some(Rate { used: used as f64, seconds, how: "next_xid then and now" });
    }
    let ages = |t: &Table| -> BTreeMap<String, f64> {
        t.iter().filter_map(|r| Some((r.text("datname")?.to_owned(), r.f64("datfrozenxid_age")?))).collect()
    };
    let before = ages(cx.chain.first().table("database_sizes")?);
    let after = ages(cx.last("database_sizes")?);
    let aged = after.iter().filter_map(|(name, age)| Some(age - before.get(name)?)).reduce(f64::max)?;
    Some(Rate { used: aged.max(0.0), seconds, how: "the age of the database that aged most, then and now" })
}
