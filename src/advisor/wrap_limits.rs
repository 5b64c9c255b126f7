//! How bad the age of transaction and multixact ids is.

use super::{Context, TableFact};
use crate::finding::Severity;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// Why an age is worth a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is far on its way to the limit.
    Way,
    /// It is above the setting that forces a vacuum, which has not got through: how near the limit is, is another matter.
    Overdue,
}

/// How bad the age of the oldest id is, and why; `None` while no vacuum is forced.
///
/// Far above the setting means that the forced vacuum, which nothing switches off, does not get through. Where it was
/// seen to get through in the window (`fell`), it is late and no more.
pub fn verdict(cx: &Context<'_>, age: f64, max_age: f64, fell: bool) -> Option<(Severity, Reason)> {
    let high_age = cx.rule.thresholds.iter().any(|t| t.name == "high_age").then(|| cx.threshold("high_age"));
    if age >= cx.threshold("critical_age") {
        Some((Severity::Critical, Reason::Way))
    } else if high_age.is_some_and(|high| age > high) {
        Some((Severity::High, Reason::Way))
    } else if age > cx.threshold("high_factor") * max_age {
        Some((if fell { Severity::Medium } else { Severity::High }, Reason::Overdue))
    } else if age > cx.threshold("medium_factor") * max_age {
        Some((Severity::Medium, Reason::Overdue))
    } else if age > max_age {
        Some((Severity::Info, Reason::Overdue))
    } else {
        None
    }
}

/// ", 11.0 times autovacuum_freeze_max_age and 0.1% of the way to refused writes": the reason first.
pub fn reason_words(reason: Reason, times: f64, setting: &'static str, way: f64, refused: &'static str) -> Text {
    let way = Quantity::float(way, Unit::Share);
    match reason {
        Reason::Way => Text::new().t(", ").opt(way).t(format!(" of the way to {refused}")),
        Reason::Overdue => Text::new()
            .t(", ")
            .opt(Quantity::float(times, Unit::Times))
            .t(format!(" {setting}, "))
            .opt(way)
            .t(format!(" of the way to {refused}")),
    }
}

/// What the setting's being passed means, after its value.
pub fn overdue_words(reason: Reason, severity: Severity, fell: bool) -> &'static str {
    match (reason, severity) {
        (Reason::Way, _) | (_, Severity::Info) => ".",
        (Reason::Overdue, _) if fell => {
            ". The vacuum that begins there comes late: the age fell between two snapshots and is above it all the same."
        }
        (Reason::Overdue, _) => {
            ". The vacuum that begins there cannot be switched off: it does not get through, or \
                                   does not keep up."
        }
    }
}

/// Whether the age of a database's oldest id fell over the snapshots, which only a vacuum does.
pub fn fell(cx: &Context<'_>, database: &str, column: &str) -> bool {
    let ages = cx.samples("database_sizes").filter_map(|(_, table)| {
        table.iter().find(|r| r.text("datname") == Some(database)).and_then(|r| r.f64(column))
    });
    let ages: Vec<f64> = ages.collect();
    ages.windows(2).any(|pair| matches!(pair, [a, b] if b < a))
}

/// How many of the oldest tables are worth naming.
const NAMED: usize = 5;

/// The oldest tables of the exported database by an age column of `table_sizes`, oldest first.
pub fn oldest_tables<'c, 'a>(cx: &'c Context<'a>, column: &str) -> Vec<&'c TableFact<'a>> {
    let mut all: Vec<(i64, &TableFact<'a>)> =
        cx.facts.tables.iter().filter_map(|t| Some((t.sizes?.int(column)?, t))).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| (a.1.schema(), a.1.name()).cmp(&(b.1.schema(), b.1.name()))));
    all.into_iter().take(NAMED).map(|(_, t)| t).collect()
}
