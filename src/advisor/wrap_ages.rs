//! Databases whose oldest transaction or multixact id is too old, gathered by what is wrong: one holder of old ids, or one
//! setting, makes all of them old at once.

use super::horizon::look_at_holders;
use super::vacuum_cure::freeze;
use super::wrap_limits::{Reason, fell, oldest_tables, overdue_words, reason_words, verdict};
use super::{AutovacuumSettings, Check, Checked, Context, TableFact, show};
use crate::catalog::wraparound::Limits;
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// Databases of one finding whose numbers are shown.
const SHOWN: usize = 8;

/// The kind of ids.
#[derive(Clone, Copy, Debug)]
pub struct Ids {
    /// "transaction id".
    pub noun: &'static str,
    /// Age of a database's oldest one, a column of `database_sizes`.
    pub column: &'static str,
    /// Age of a table's oldest one, a column of `table_sizes`.
    pub table_column: &'static str,
    /// The function of a database's age, with its argument: "age(datfrozenxid)".
    pub function: &'static str,
    /// The same of a table of `pg_class`: "age(relfrozenxid)".
    pub table_function: &'static str,
    /// The setting above which a vacuum is forced, and its value.
    pub setting: (&'static str, fn(&AutovacuumSettings) -> f64),
    /// What there is at the limit: "refused writes".
    pub refused: &'static str,
    /// Who is refused then: "New transactions".
    pub who: &'static str,
    /// Ages at which something happens, by major version.
    pub limits: fn(u8) -> Limits,
    /// What else is done about a table where the limit is near.
    pub emergency: fn(&TableFact<'_>) -> Option<Fix>,
}

/// A database that is worth a finding.
#[derive(Clone, Copy)]
struct Old<'a> {
    row: Row<'a>,
    name: &'a str,
    age: f64,
    severity: Severity,
    reason: Reason,
    fell: bool,
}

/// What is wrong with a database, the worse first. All of one kind are one finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// No vacuum gets through.
    Stuck,
    /// One got through, and late.
    Late,
    /// The routine vacuum begins.
    Routine,
}

impl Old<'_> {
    fn kind(&self) -> Kind {
        match () {
            () if self.severity == Severity::Info => Kind::Routine,
            () if self.fell => Kind::Late,
            () => Kind::Stuck,
        }
    }
}

/// Judges every database by the age of its oldest id.
pub fn check(cx: &Context<'_>, ids: Ids) -> Check {
    let state = cx.state_or_skip("database_sizes")?;
    let limits = (ids.limits)(cx.major());
    let max_age = (ids.setting.1)(&cx.facts.autovacuum);
    let mut old: Vec<Old<'_>> = Vec::new();
    let mut most: f64 = 0.0;
    for row in state.table.iter() {
        let Some(age) = row.f64(ids.column).filter(|a| *a >= 0.0) else { continue };
        most = most.max(age);
        let name = row.text("datname").unwrap_or_default();
        let fell = fell(cx, name, ids.column);
        let Some((severity, reason)) = verdict(cx, age, max_age, fell) else { continue };
        old.push(Old { row, name, age, severity, reason, fell });
    }
    old.sort_by(|a, b| (b.severity, b.age).partial_cmp(&(a.severity, a.age)).unwrap_or(std::cmp::Ordering::Equal));
    let mut checked = Checked::default();
    for kind in [Kind::Stuck, Kind::Late, Kind::Routine] {
        let group: Vec<Old<'_>> = old.iter().filter(|o| o.kind() == kind).copied().collect();
        checked.findings.extend(report(cx, ids, kind, &group, (limits.refusal, max_age)));
    }
    checked.looked_at = format!(
        "{} databases, the oldest at {} of {} {}s",
        state.table.rows,
        show(most, Unit::Xids),
        show(limits.refusal, Unit::Xids),
        ids.noun
    );
    Ok(checked)
}

fn report<'a>(
    cx: &Context<'a>,
    ids: Ids,
    kind: Kind,
    group: &[Old<'a>],
    (refusal, max_age): (f64, f64),
) -> Option<Finding> {
    let worst = group.first()?;
    let (setting, _) = ids.setting;
    let (times, way) = (worst.age / max_age.max(1.0), worst.age / refusal);
    // Told by what is wrong, not by a database: another one is the oldest tomorrow.
    let subject = match kind {
        Kind::Stuck => format!("{}s", ids.noun),
        Kind::Late => format!("{}s, late vacuum", ids.noun),
        Kind::Routine => format!("{}s, routine vacuum", ids.noun),
    };
    let title = match group.len() - 1 {
        0 => Text::new().t(format!("Oldest {} of ", ids.noun)).name(worst.name).t(" is "),
        more => Text::new().t(format!("Oldest {}s of ", ids.noun)).name(worst.name).t(" and ").many(
            Quantity::float(more as f64, Unit::Count),
            "more database are up to ",
            "more databases are up to ",
        ),
    };
    let title = title.opt(Quantity::float(worst.age, Unit::Xids)).t(" old").then(reason_words(
        worst.reason,
        times,
        setting,
        way,
        ids.refused,
    ));
    let mut finding = cx
        .finding(worst.severity, Subject::new(SubjectKind::Server, subject), title)
        .why(
            Text::new()
                .t(format!("{} are refused at an age of ", ids.who))
                .opt(Quantity::float(refusal, Unit::Xids))
                .t(format!("; {setting} is "))
                .opt(Quantity::float(max_age, Unit::Xids))
                .t(overdue_words(worst.reason, worst.severity, worst.fell)),
        )
        .members(group.iter().map(|o| Subject::new(SubjectKind::Database, o.name)).collect())
        .measures(group.iter().take(SHOWN).map(|o| cx.read(&format!("Age of {}", o.name), o.row, ids.column)));
    let rows: [(Row<'a>, &[&str]); 1] = [(worst.row, &[ids.column])];
    for (label, value, unit, of) in [
        (format!("Oldest age ÷ {setting}"), times, Unit::Times, max_age),
        (format!("Way to {}", ids.refused), way, Unit::Share, refusal),
    ] {
        let formula = format!("{} ÷ {}", show(worst.age, Unit::Xids), show(of, Unit::Xids));
        finding = finding.measure(cx.computed(&label, Quantity::float(value, unit), formula, &rows));
    }
    if group.len() > 1 {
        let columns = [ids.column];
        let rows: Vec<(Row<'a>, &[&str])> = group.iter().map(|o| (o.row, &columns[..])).collect();
        let count = Quantity::count(group.len());
        let formula = format!("1 and {} more", Quantity::count(group.len() - 1).human());
        finding =
            finding.measure(cx.computed(&format!("Databases with old {}s", ids.noun), Some(count), formula, &rows));
    }
    finding = finding
        .share(Some(way))
        .effort(Effort::M)
        .verify(format!("{} falls below {setting} in every database.", ids.function));
    if kind == Kind::Routine {
        return Some(finding.not("No emergency: at this age autovacuum begins its routine vacuum against wraparound."));
    }
    // While somebody needs the old ids, no vacuum makes the age less.
    finding = finding.fix(look_at_holders());
    let own = cx.chain.last().meta.database.as_deref();
    let is_own = |o: &Old<'_>| own == Some(o.name);
    let mut named = false;
    for table in oldest_tables(cx, ids.table_column).into_iter().filter(|_| group.iter().any(is_own)) {
        let Some(sizes) = table.sizes.filter(|s| s.f64(ids.table_column).is_some_and(|age| age > max_age)) else {
            continue;
        };
        named = true;
        finding = finding.measure(cx.read(&format!("Age of {}", table.display()), sizes, ids.table_column));
        finding = finding.fix(freeze(table));
        if worst.severity == Severity::Critical {
            finding = finding.fixes((ids.emergency)(table));
        }
    }
    if !named || group.iter().any(|o| !is_own(o)) {
        finding = finding.fix(Fix::diagnose(
            format!("oldest tables by {}", ids.noun),
            format!(
                "-- in each of the databases; one that takes no connections, as template0, is left to autovacuum\n\
                 SELECT oid::regclass, {}, pg_size_pretty(pg_table_size(oid)) FROM pg_class\n\
                 WHERE relkind IN ('r', 'm', 't') ORDER BY 2 DESC LIMIT 20;",
                ids.table_function
            ),
        ));
    }
    Some(finding)
}
