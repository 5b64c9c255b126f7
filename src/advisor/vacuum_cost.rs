//! What autovacuum's cost settings let it do, and how they are raised.

use super::Context;
use super::cure::{Effect, set_system};
use crate::finding::Fix;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The built-in delay from PostgreSQL 12 on, in milliseconds.
const BUILT_IN_DELAY_MS: f64 = 2.0;
/// A delay this long slows autovacuum more than any limit makes up for: it goes back to the built-in one first.
const LONG_DELAY_MS: f64 = 10.0;
/// The built-in limit, which less than is a mistake more often than a choice.
const BUILT_IN_LIMIT: f64 = 200.0;

/// The settings as autovacuum uses them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostSettings<'a> {
    /// Milliseconds that it sleeps when it has spent its limit; 0: never.
    pub delay_ms: f64,
    /// What it spends before it sleeps; all workers share it.
    pub limit: f64,
    own_delay: Option<&'a str>,
    own_limit: Option<&'a str>,
}

impl<'a> CostSettings<'a> {
    /// Reads them; `None` where they are not known.
    pub fn read(cx: &Context<'a>) -> Option<Self> {
        let value = |name: &str| cx.setting(name).and_then(|s| Some((s.value?, s.text)));
        let (own_delay, own_limit) = (value("autovacuum_vacuum_cost_delay"), value("autovacuum_vacuum_cost_limit"));
        let either = |own: Option<(f64, &str)>, least: f64, other: &str| {
            own.map(|o| o.0).filter(|v| *v >= least).or_else(|| value(other).map(|v| v.0))
        };
        Some(Self {
            delay_ms: either(own_delay, 0.0, "vacuum_cost_delay")?,
            limit: either(own_limit, 1.0, "vacuum_cost_limit")?,
            own_delay: own_delay.map(|o| o.1),
            own_limit: own_limit.map(|o| o.1),
        })
    }

    /// What it may spend in a second, where it sleeps at all.
    pub fn per_second(&self) -> f64 {
        self.limit * 1e3 / self.delay_ms
    }

    /// The settings that are proposed: a long delay goes back to the built-in one; the limit to what is wanted of the
    /// present one, within bounds, as far as the delay does not make up for it.
    pub fn faster(&self, times: f64, most_limit: f64) -> Self {
        let delay_ms = if self.delay_ms >= LONG_DELAY_MS { BUILT_IN_DELAY_MS } else { self.delay_ms };
        let still = times * delay_ms / self.delay_ms;
        let limit = if still > 1.0 { (self.limit * still).min(most_limit) } else { self.limit };
        Self { delay_ms, limit: limit.max(self.limit).max(BUILT_IN_LIMIT), ..*self }
    }

    /// The statements that make these settings of `before`, the delay first.
    pub fn fixes(&self, before: &Self) -> Vec<Fix> {
        let times = Quantity::float(self.per_second() / before.per_second(), Unit::Times);
        let when_not = || {
            Text::new()
                .t("While storage is saturated: vacuums read and write up to ")
                .opt(times)
                .t(" as fast with all that is proposed here.")
        };
        // Seen on PostgreSQL 15: the worker that was at work went on at the old pace for its whole table.
        let lock = "no lock; up to PostgreSQL 15 a worker keeps the old value until it is done with its table";
        let mut fixes = Vec::new();
        if self.delay_ms < before.delay_ms {
            let old = before.own_delay.map(|d| format!("{d}ms"));
            let value = format!("{}ms", self.delay_ms);
            let old = old.as_deref().map(|d| if d.starts_with('-') { "-1" } else { d });
            fixes.push(set_system("autovacuum_vacuum_cost_delay", &value, Effect::Reload, old, when_not()).lock(lock));
        }
        if self.limit > before.limit {
            let old = Some(before.own_limit.unwrap_or("-1"));
            let value = format!("{:.0}", self.limit);
            fixes.push(set_system("autovacuum_vacuum_cost_limit", &value, Effect::Reload, old, when_not()).lock(lock));
        }
        fixes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_delay_goes_first() {
        for (delay_ms, limit, times, want) in [
            (2.0, 200.0, 2.0, (2.0, 400.0)),
            (2.0, 2_000.0, 2.0, (2.0, 2_000.0)),
            (2.0, 1.0, 2.0, (2.0, 200.0)),
            (100.0, 1.0, 2.0, (2.0, 200.0)),
            (100.0, 200.0, 2.0, (2.0, 200.0)),
            (20.0, 200.0, 10.0, (2.0, 200.0)),
            (20.0, 200.0, 15.0, (2.0, 300.0)),
            (5.0, 5_000.0, 2.0, (5.0, 5_000.0)),
        ] {
            let now = CostSettings { delay_ms, limit, own_delay: None, own_limit: None };
            let faster = now.faster(times, 2_000.0);
            assert_eq!((faster.delay_ms, faster.limit), want, "{delay_ms} {limit} {times}");
        }
    }
}
