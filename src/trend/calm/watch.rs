//! What of a view's rows has to stay as it is for them to go on: what the decision on a row and the search for events ask.

use crate::catalog::{Type, View};
use crate::diff::{self, Witness};
use crate::ingest::succession::{Number, Watch};
use crate::trend::Followed;
use crate::trend::object::LOOKS;

/// For the rows of a view; `None` where more is asked of them than a few numbers and times.
pub(super) fn of(followed: &Followed) -> Option<Watch> {
    let view = followed.view;
    let witness = |at: usize| diff::witness(view, at);
    let positions = |names: &[&str]| names.iter().filter_map(|n| view.column(n)).map(|(at, _)| at).collect();
    let all = || view.columns.iter().enumerate();
    if all().any(|(_, c)| c.name == "stats_reset" || c.name == "stats_since" || c.name == "relfilenode") {
        return None;
    }
    let numbers = all().filter_map(|(at, c)| Some((at, number(view, at).filter(|_| c.kind.is_counter())?))).collect();
    let times = all().filter(|(at, c)| c.ty == Type::Time && witness(*at) == Some(Witness::Time));
    Some(Watch {
        view,
        numbers,
        times: times.map(|(at, _)| at).collect(),
        looks: positions(&LOOKS),
        followed: followed.columns.iter().map(|(at, _)| *at).collect(),
        sortable: all().filter(|(_, c)| diff::is_sorted_by(c)).map(|(at, _)| at).collect(),
        limits: diff::LIMITS.to_vec(),
        beside: crate::catalog::VIEWS
            .iter()
            .filter(|v| diff::is_evidence(v) || v.name == "meta")
            .map(|v| v.name)
            .collect(),
    })
}

/// What a counter may do. That it rose is an event where it counts vacuums by hand.
fn number(view: &View, at: usize) -> Option<Number> {
    let name = view.columns.get(at)?.name;
    Some(if name == "vacuum_count" { Number::Still } else { Number::Counter })
}
