//! Transaction and multixact ids: when vacuum is forced, when writes are refused.
//!
//! Source of the failsafe: `vacuum.c`, PostgreSQL 14 to 18.

use crate::catalog::wraparound::Limits;
use crate::snapshot::Snapshot;
use crate::trend::forecast::{Forecast, Kind, Speed, when};
use crate::trend::pace::pace;
use crate::trend::watch::{Clock, Watch};
use crate::unit::Unit;
use crate::version::NEWEST;

/// The ids of one kind.
struct Ids<'a> {
    kind: Kind,
    clock: &'a Clock,
    age: &'static str,
    freeze: &'static str,
    failsafe: &'static str,
}

pub(super) fn forecasts(watch: &Watch, last: &Snapshot) -> Vec<Forecast> {
    let xid = Ids {
        kind: Kind::Xid,
        clock: &watch.xid,
        age: "datfrozenxid_age",
        freeze: "autovacuum_freeze_max_age",
        failsafe: "vacuum_failsafe_age",
    };
    let multixact = Ids {
        kind: Kind::Multixact,
        clock: &watch.multixact,
        age: "datminmxid_age",
        freeze: "autovacuum_multixact_freeze_max_age",
        failsafe: "vacuum_multixact_failsafe_age",
    };
    [xid, multixact].iter().flat_map(|ids| of(ids, watch, last)).collect()
}

fn of(ids: &Ids<'_>, watch: &Watch, last: &Snapshot) -> Vec<Forecast> {
    let oldest = watch.databases.as_deref().and_then(|table| {
        table
            .iter()
            .filter_map(|r| Some((r.f64(ids.age)?, r.text("datname").unwrap_or("(unnamed)"))))
            .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
    });
    let Some((age, database)) = oldest else { return Vec::new() };
    let major = last.meta.major().unwrap_or(NEWEST);
    let speed = pace(ids.clock.points().iter()).map(Speed::from);
    let freeze = watch.surroundings.setting(ids.freeze);
    let failsafe = watch
        .surroundings
        .setting(ids.failsafe)
        .filter(|_| major >= 14)
        .zip(freeze)
        .map(|(failsafe, freeze)| failsafe.max(1.05 * freeze));
    let limits = match ids.kind {
        Kind::Multixact => Limits::multixact(major),
        _ => Limits::xid(major),
    };
    let source = ids.clock.is_by_age().then_some("pace by the ages of databases: the dump does not state the next id");
    let members = (ids.kind == Kind::Multixact).then_some("space of members may run out earlier: not exported");
    let note: Vec<&str> = source.into_iter().chain(members).collect();
    let note = (!note.is_empty()).then(|| note.join("; "));
    [
        (freeze, "vacuum against wraparound starts (routine)"),
        (failsafe, "vacuum drops its brakes (failsafe)"),
        (Some(limits.warning), "warnings begin"),
        (Some(limits.refusal), "new ids are refused"),
    ]
    .into_iter()
    .filter_map(|(limit, milestone)| {
        let limit = limit?;
        let remaining = (limit - age).max(0.0);
        Some(Forecast {
            kind: ids.kind,
            subject: database.to_owned(),
            milestone: milestone.to_owned(),
            now: age,
            limit: Some(limit),
            remaining: Some(remaining),
            unit: Unit::Xids,
            speed,
            answer: when(Some(remaining), speed.as_ref(), last.meta.taken_at, true),
            note: note.clone(),
        })
    })
    .collect()
}
