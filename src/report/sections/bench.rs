//! Benchmarks: what statements really took in the window, with bounds instead of invented percentiles.

use super::queries::{Statement, ran};
use crate::diff::moments::Maximum;
use crate::diff::{Change, Phase};
use crate::error::Result;
use crate::report::absent;
use crate::report::cells::{counted, prose};
use crate::report::draft::{Body, Draft};
use crate::report::table::table;
use crate::report::{Bound, Cell};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// What this section shows.
pub(super) const VIEWS: &[&str] = &["pg_stat_statements"];

/// How many statements are listed.
const MOST: usize = 25;

/// Writes the section.
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    if let Some(note) = absent::sentence(draft, "pg_stat_statements", "No statement was recorded.") {
        return Ok(Body::absent(vec![note]));
    }
    let statements = ran(draft)?;
    if statements.is_empty() {
        return Ok(Body::absent(vec![prose("No statement ran in the window, or none has counters on both sides.")]));
    }
    let link = draft.cite(
        "Benchmarks",
        &["pg_stat_statements"],
        &["calls", "total_exec_time", "stddev_exec_time", "min_exec_time", "max_exec_time"],
        Some("mean µ = Δtotal_exec_time ÷ Δcalls; 95 % of calls took at most min(µ + 4.36 σ, 20 µ, largest call)"),
    );
    let mut out = table("bench", "What statements took, by time")
        .about(
            Text::new()
                .t("PostgreSQL keeps no distribution: for the time that 95% of calls stay under there is a bound that holds \
                    whatever the distribution is, and no estimate. One connection's ceiling is what a single connection \
                    could do back to back, server time only; it is not a throughput. ")
                .then(link),
        )
        .name("Statement")
        .number("Calls")
        .number("Calls per second")
        .number("Mean")
        .number("95% of calls took at most")
        .number("One connection's ceiling");
    for statement in statements.iter().take(MOST) {
        out.push(cells(statement));
    }
    let shown = statements.len().min(MOST);
    Ok(Body::filled(vec![out.rows_in_all(statements.len()).block()]).count(shown))
}

fn cells(statement: &Statement<'_>) -> Vec<Cell> {
    let rate = match statement.change.rate("calls") {
        Some(rate) => Quantity::float(rate, Unit::PerSecond).map_or(Cell::None, |value| Cell::Number {
            value,
            change: None,
            bound: (!statement.change.is_whole()).then_some(Bound::AtLeast),
        }),
        None => Cell::NotAvailable("the time these calls cover is unknown or under 10 s".to_owned()),
    };
    let ceiling = statement
        .mean()
        .filter(|m| m.as_f64() > 0.0)
        .and_then(|mean| Quantity::float(1_000.0 / mean.as_f64(), Unit::PerSecond));
    let most = match p95(statement.change) {
        Some(value) => Cell::Number { value, change: None, bound: Some(Bound::AtMost) },
        None => Cell::NotAvailable("the standard deviation is not known for the window".to_owned()),
    };
    vec![
        Cell::code(statement.title()),
        counted(statement.change, "calls"),
        rate,
        Cell::number_or(statement.mean(), "no call"),
        most,
        Cell::number_or(ceiling, "no time measured"),
    ]
}

/// The time that 95 % of the window's calls stayed under, as an upper bound that holds for any distribution.
fn p95(change: Change<'_>) -> Option<Quantity> {
    let moments = change.moments(Phase::Exec)?;
    let hi = match change.maximum(Phase::Exec) {
        Some(Maximum::Exactly(ms) | Maximum::AtMost(ms)) => ms,
        Some(Maximum::AtLeast(_)) | None => f64::INFINITY,
    };
    moments.quantile(0.95, 0.0, hi.max(moments.mean)).and_then(|(_, upper)| Quantity::float(upper, Unit::Ms))
}
