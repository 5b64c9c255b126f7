//! One row of a view over a history: its names and the series of its columns.

use super::sawtooth::Sawtooth;
use super::statements::Statement;
use super::trigger::Surroundings;
use super::{Followed, Series, Step};
use crate::catalog::{Epoch, View};
use crate::diff::{Class, DiffRow, Exact};
use crate::snapshot::{Row, Value};
use crate::time::Timestamp;
use std::fmt;

/// A cell that identifies a row; outlives its table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Whole(i128),
    /// A text, or what is shown like one.
    Text(Box<str>),
}

impl Part {
    /// A cell's.
    pub fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(b),
            Value::Int(n) | Value::Interval(n) => Self::Whole(i128::from(n)),
            Value::Numeric(n) => Self::Whole(n),
            Value::Time(t) => Self::Whole(i128::from(t.0)),
            Value::Float(x) => Self::Text(x.to_string().into()),
            Value::Text(s) => Self::Text(s.into()),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("–"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Whole(n) => write!(f, "{n}"),
            Self::Text(t) => f.write_str(t),
        }
    }
}

/// A row's key: the cells of its key columns, by column position.
pub type Key = Vec<(usize, Part)>;

/// The key of a row.
pub(super) fn key_of(row: Row<'_>, columns: &[usize]) -> Key {
    columns.iter().map(|c| (*c, Part::of(row.table().value(row.index(), *c)))).collect()
}

/// An object of a history.
#[derive(Clone, Debug)]
pub struct Object {
    /// What identifies it, newest spelling.
    pub key: Key,
    /// Its names: the label columns that stand at the row's head, by column position.
    pub labels: Vec<(usize, Box<str>)>,
    /// A series for each column followed, in their order.
    pub series: Vec<Series>,
    /// The first snapshot that has it.
    pub first_seen: Option<Timestamp>,
    /// The last one.
    pub last_seen: Option<Timestamp>,
    /// Whether it came after the first snapshot.
    pub created: bool,
    /// Whether the last snapshot lacks it.
    pub gone: bool,
    /// Whether it means another object under the same key now: gone and come again.
    pub came_again: bool,
    /// Its dead rows, where the history is watched and it is a table.
    pub sawtooth: Option<Box<Sawtooth>>,
    /// Its calls, where the history is watched and it is a statement.
    pub statement: Option<Box<Statement>>,
    /// Values of the counters followed, while it is missing.
    left: Option<Vec<Option<Exact>>>,
}

/// The label columns that name a row: texts before its first number.
pub(super) fn label_columns(view: &View, key: &[usize]) -> Vec<usize> {
    const NAMES: &[&str] = &[
        "schemaname",
        "relname",
        "indexrelname",
        "funcname",
        "sequencename",
        "datname",
        "slot_name",
        "application_name",
        "name",
        "query",
        "sequenceowner",
    ];
    view.columns
        .iter()
        .enumerate()
        .filter(|(i, c)| !key.contains(i) && NAMES.contains(&c.name) && c.name != "sequenceowner")
        .map(|(i, _)| i)
        .collect()
}

impl Object {
    /// An object that somebody else followed: its names by column position, and a series for each column followed.
    pub fn assembled(key: Key, labels: Vec<(usize, Box<str>)>, series: Vec<Series>) -> Self {
        Self {
            key,
            labels,
            series,
            first_seen: None,
            last_seen: None,
            created: false,
            gone: false,
            came_again: false,
            sawtooth: None,
            statement: None,
            left: None,
        }
    }

    /// An object at its first sight, in the snapshot before a window (then its values there are its first points) or in
    /// the one after it.
    pub(super) fn new(followed: &Followed, key: Key, watched: bool) -> Self {
        let is = |name: &str| watched && followed.view.name == name;
        Self {
            sawtooth: is("pg_stat_user_tables").then(Box::default),
            statement: is("pg_stat_statements").then(Box::default),
            key,
            labels: Vec::new(),
            series: followed.columns.iter().map(|(_, measure)| Series::new(*measure)).collect(),
            first_seen: None,
            last_seen: None,
            created: false,
            gone: false,
            came_again: false,
            left: None,
        }
    }

    /// Its first values.
    pub(super) fn start(
        &mut self,
        followed: &Followed,
        row: Row<'_>,
        at: Option<Timestamp>,
        surroundings: Option<&Surroundings>,
    ) {
        if let (Some(sawtooth), Some(surroundings)) = (&mut self.sawtooth, surroundings) {
            sawtooth.start(row, at, surroundings.trigger(row));
        }
        self.first_seen = at;
        self.last_seen = at;
        for ((column, _), series) in followed.columns.iter().zip(&mut self.series) {
            series.start(at, number(row, *column).filter(|_| is_meaningful(row, *column, false)));
        }
    }

    /// Its name for people: its own names, else its key.
    pub fn name(&self, view: &View) -> String {
        let part = |name: &str| {
            self.labels
                .iter()
                .find(|(c, _)| view.columns.get(*c).is_some_and(|d| d.name == name))
                .map(|(_, t)| t.to_string())
                .or_else(|| {
                    self.key
                        .iter()
                        .find(|(c, _)| view.columns.get(*c).is_some_and(|d| d.name == name))
                        .filter(|(_, p)| matches!(p, Part::Text(_)))
                        .map(|(_, p)| p.to_string())
                })
        };
        if let Some(query) = part("query") {
            return query;
        }
        let own: Vec<String> =
            ["schemaname", "relname", "indexrelname", "funcname", "sequencename", "slot_name", "application_name"]
                .into_iter()
                .filter_map(part)
                .collect();
        if !own.is_empty() {
            return own.join(".");
        }
        let shared = || view.name.starts_with("pg_stat_database").then(|| "(shared objects)".to_owned());
        part("datname").or_else(shared).unwrap_or_else(|| self.key_text())
    }

    /// Whether it is PostgreSQL's own.
    pub fn is_system(&self, view: &View) -> bool {
        let schema = self.labels.iter().find(|(c, _)| view.columns.get(*c).is_some_and(|d| d.name == "schemaname"));
        schema.is_some_and(|(_, s)| matches!(&**s, "pg_catalog" | "information_schema" | "pg_toast"))
    }

    /// Its key where that is one whole number.
    pub(super) fn whole_key(&self) -> Option<i64> {
        match self.key.as_slice() {
            [(_, Part::Whole(n))] => i64::try_from(*n).ok(),
            _ => None,
        }
    }

    /// Its key, parts separated by a slash; `(cluster)` where a view has one row.
    pub fn key_text(&self) -> String {
        if self.key.is_empty() {
            return "(cluster)".to_owned();
        }
        self.key.iter().map(|(_, part)| part.to_string()).collect::<Vec<_>>().join(" / ")
    }

    /// Takes over the names of a row.
    pub(super) fn take_names(&mut self, row: Row<'_>, columns: &[usize]) {
        let names = || {
            columns.iter().filter_map(|c| match row.table().value(row.index(), *c) {
                Value::Text(t) => Some((*c, t)),
                _ => None,
            })
        };
        // Nearly always they are the same.
        if !names().eq(self.labels.iter().map(|(c, t)| (*c, &**t))) {
            self.labels = names().map(|(c, t)| (c, t.into())).collect();
        }
    }

    /// One more window.
    pub(super) fn step(
        &mut self,
        followed: &Followed,
        row: DiffRow<'_>,
        window: &Window,
        surroundings: Option<&Surroundings>,
    ) {
        let class = row.class();
        if class == Class::Gone {
            self.gone = true;
            self.left = row.before().map(|r| followed.columns.iter().map(|(c, _)| exact(r, *c)).collect());
            return;
        }
        let Some(after) = row.after() else { return };
        let back = self.left.take().filter(|_| class == Class::New);
        let since = self.last_seen;
        self.gone = false;
        self.last_seen = window.at.or(self.last_seen);
        if class == Class::New && self.first_seen.is_none() {
            self.first_seen = window.at;
            self.created = true;
        }
        if let (Some(sawtooth), Some(surroundings)) = (&mut self.sawtooth, surroundings) {
            sawtooth.step(row, window.at, surroundings.trigger(after), window.broken.is_some() || back.is_some());
        }
        if let Some(statement) = &mut self.statement {
            statement.step(row, window.from, window.at);
        }
        let anew = back.as_ref().is_some_and(|left| {
            followed.columns.iter().zip(left).any(|((c, _), was)| {
                followed.view.columns.get(*c).is_some_and(|d| d.kind.is_counter())
                    && was.zip(exact(after, *c)).is_some_and(|(was, is)| was.fell_to(is))
            })
        });
        self.came_again |= anew;
        let covered_s = row.verdict().covered_s;
        let (exactly, gap) = (row.is_exact(), gap(followed.view, row, window));
        for (at, ((column, _), series)) in followed.columns.iter().zip(&mut self.series).enumerate() {
            let mut step = Step {
                from: window.from,
                at: window.at,
                value: number(after, *column),
                delta: row.delta(*column).0,
                covered_s,
                class,
                exact: exactly,
                gap,
            };
            if let Some(left) = &back {
                step.from = since;
                step.exact = false;
                step.gap = Some("missing in a snapshot in between");
                step.class = if anew { Class::Reset } else { Class::OkUnsure };
                if anew {
                    step.gap = Some("gone and come again");
                } else {
                    let was = left.get(at).copied().flatten();
                    step.delta = was.zip(exact(after, *column)).map(|(a, b)| b.since(a)).filter(|d| !d.is_negative());
                    step.covered_s = since.zip(window.at).map(|(a, b)| b.seconds_since(a));
                }
            }
            let restarted = series.is_interrupted() || step.class.began_again();
            step.value = step.value.filter(|_| is_meaningful(after, *column, restarted));
            series.step(&step);
        }
    }
}

/// The times of a window, by the view's own clock where it has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub from: Option<Timestamp>,
    pub at: Option<Timestamp>,
    /// Why no line may be drawn across, for rows of views that say nothing of it themselves.
    pub broken: Option<&'static str>,
}

/// Why a row's line is interrupted in a window.
fn gap(view: &View, row: DiffRow<'_>, window: &Window) -> Option<&'static str> {
    if let Some(why) = window.broken {
        return Some(why);
    }
    let verdict = row.verdict();
    if verdict.withheld.is_some() {
        return Some("not comparable");
    }
    match verdict.class {
        Class::Reset => Some("reset"),
        Class::ResetUnsure => Some("reset, most likely"),
        Class::New if row.before().is_some() && view.epoch != Epoch::None => Some("statistics began anew"),
        _ => rewritten(row).then_some("rewritten"),
    }
}

/// Whether the table's file was replaced.
fn rewritten(row: DiffRow<'_>) -> bool {
    let file = |r: Option<Row<'_>>| r.and_then(|r| r.int("relfilenode"));
    file(row.before()).zip(file(row.after())).is_some_and(|(a, b)| a != b)
}

/// Times that say that a vacuum or analyze looked at a table.
pub const LOOKS: [&str; 4] = ["last_vacuum", "last_autovacuum", "last_analyze", "last_autoanalyze"];

/// Whether a column is an estimate of live or dead rows.
pub(super) fn is_estimate(view: &View, column: usize) -> bool {
    view.name == "pg_stat_user_tables"
        && view.columns.get(column).is_some_and(|c| matches!(c.name, "n_live_tup" | "n_dead_tup"))
}

/// Estimates of live and dead rows begin again at 0 with the counters and mean nothing until a vacuum or analyze looks
/// at the table.
fn is_meaningful(row: Row<'_>, column: usize, restarted: bool) -> bool {
    let Some(view) = row.table().view else { return true };
    !is_estimate(view, column) || !restarted || LOOKS.iter().any(|c| row.time(c).is_some())
}

fn exact(row: Row<'_>, column: usize) -> Option<Exact> {
    Exact::of(row.table().value(row.index(), column))
}

/// A cell as a point.
fn number(row: Row<'_>, column: usize) -> Option<f64> {
    exact(row, column).map(Exact::as_f64)
}
