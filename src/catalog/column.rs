//! A column: what its numbers mean and how they subtract.

use crate::unit::Unit;
use crate::version::{Majors, OLDEST};

/// How a column's values relate between two snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Part of the object's identity: joins snapshots.
    Id,
    /// Describes the object: the later value is shown, a change is reported.
    Label,
    /// Cumulative, starts again at a reset.
    Counter,
    /// Sum over members (indexes of a table): falls when a member goes, which is no reset.
    Sum,
    /// A level: both values and their difference.
    Gauge,
    /// A counter that a named event sets back to zero.
    SelfResetting(&'static str),
    /// When something last happened; NULL is never since the reset.
    Time,
    /// When the statistics were reset.
    Reset,
    /// The largest value since the reset: never subtracted.
    HighWater,
    /// The smallest value since the reset: never subtracted.
    LowWater,
    /// Mean or standard deviation: never subtracted, see `diff::moments`.
    Moment,
    /// A distribution of the optimizer: compared as a whole.
    Array,
    /// Equal in every snapshot, or a setting changed.
    Constant,
}

impl Kind {
    /// The word of `catalog --json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Label => "label",
            Self::Counter => "counter",
            Self::Sum => "sum",
            Self::Gauge => "gauge",
            Self::SelfResetting(_) => "self_resetting",
            Self::Time => "time",
            Self::Reset => "reset",
            Self::HighWater => "high_water",
            Self::LowWater => "low_water",
            Self::Moment => "moment",
            Self::Array => "array",
            Self::Constant => "constant",
        }
    }

    /// Whether `diff` gives the column a delta and a rate.
    pub const fn is_counter(self) -> bool {
        matches!(self, Self::Counter | Self::Sum)
    }

    /// Whether `diff` gives the column two values and a signed change.
    pub const fn is_gauge(self) -> bool {
        matches!(self, Self::Gauge | Self::SelfResetting(_))
    }
}

/// How a column is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `smallint`, `integer`, `bigint`, `oid`, `xid`: exact.
    Int,
    /// `numeric` that holds whole numbers (`wal_bytes`): exact.
    Numeric,
    /// `double precision`, `real`.
    Float,
    /// `boolean`.
    Bool,
    /// `text`, `name`, `inet`, `"char"`, ...
    Text,
    /// `timestamp with time zone`.
    Time,
    /// `interval`, in microseconds.
    Interval,
    /// `pg_lsn`.
    Lsn,
    /// An array, kept in PostgreSQL's text form `{a,b}`.
    Array,
}

/// Where older versions exported a column: another view, another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The view that exported it; `None` is the same view.
    pub view: Option<&'static str>,
    /// Its name there.
    pub name: &'static str,
    /// First major of that spelling.
    pub since: u8,
    /// Last major of that spelling.
    pub until: u8,
}

/// A column of a view.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its present name; everything above ingest knows only this one.
    pub name: &'static str,
    /// How its values relate between snapshots.
    pub kind: Kind,
    /// What its numbers count.
    pub unit: Unit,
    /// How it is stored.
    pub ty: Type,
    /// Majors that export it, under any name or view.
    pub majors: Majors,
    /// Older names and places.
    pub moved: &'static [Moved],
    /// One line for people.
    pub about: &'static str,
}

impl Column {
    const fn new(name: &'static str, kind: Kind, unit: Unit, ty: Type, about: &'static str) -> Self {
        Self { name, kind, unit, ty, majors: Majors { since: OLDEST, until: None }, moved: &[], about }
    }

    /// First major that exports it.
    pub const fn since(mut self, major: u8) -> Self {
        self.majors.since = major;
        self
    }

    /// Last major that exports it.
    pub const fn until(mut self, major: u8) -> Self {
        self.majors.until = Some(major);
        self
    }

    /// Older spellings.
    pub const fn was(mut self, moved: &'static [Moved]) -> Self {
        self.moved = moved;
        self
    }

    /// Stored as another type than the constructor's default. Times and positions bring their unit along.
    pub const fn typed(mut self, ty: Type) -> Self {
        self.ty = ty;
        match ty {
            Type::Time => self.unit = Unit::Time,
            Type::Lsn => self.unit = Unit::Lsn,
            _ => {}
        }
        self
    }

    /// The spelling in force in `major`: view (`None` = the column's own) and name.
    pub fn exported_as(&self, major: u8) -> (Option<&'static str>, &'static str) {
        self.moved.iter().find(|m| m.since <= major && major <= m.until).map_or((None, self.name), |m| (m.view, m.name))
    }
}

/// A number that identifies the object.
pub const fn id(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::Id, Unit::Plain, Type::Int, about)
}
/// A text that identifies the object.
pub const fn id_text(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::Id, Unit::Plain, Type::Text, about)
}
/// A yes or no that describes the object.
pub const fn flag(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::Label, Unit::Plain, Type::Bool, about)
}
/// A number that describes the object and is no quantity: an OID, a process id, a port.
pub const fn number(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::Label, Unit::Plain, Type::Int, about)
}
/// A text that describes the object.
pub const fn label(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::Label, Unit::Plain, Type::Text, about)
}
/// A cumulative integer.
pub const fn counter(name: &'static str, unit: Unit, about: &'static str) -> Column {
    Column::new(name, Kind::Counter, unit, Type::Int, about)
}
/// A cumulative time in milliseconds.
pub const fn duration(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::Counter, Unit::Ms, Type::Float, about)
}
/// A cumulative integer summed over members.
pub const fn sum(name: &'static str, unit: Unit, about: &'static str) -> Column {
    Column::new(name, Kind::Sum, unit, Type::Int, about)
}
/// A level.
pub const fn gauge(name: &'static str, unit: Unit, about: &'static str) -> Column {
    Column::new(name, Kind::Gauge, unit, Type::Int, about)
}
/// A count that `event` sets back to zero.
pub const fn self_resetting(name: &'static str, unit: Unit, event: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::SelfResetting(event), unit, Type::Int, about)
}
/// When something last happened.
pub const fn time(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::Time, Unit::Time, Type::Time, about)
}
/// When the statistics were reset.
pub const fn reset(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::Reset, Unit::Time, Type::Time, about)
}
/// A maximum in milliseconds.
pub const fn high_water(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::HighWater, Unit::Ms, Type::Float, about)
}
/// A minimum in milliseconds.
pub const fn low_water(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::LowWater, Unit::Ms, Type::Float, about)
}
/// A mean or standard deviation in milliseconds.
pub const fn moment(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::Moment, Unit::Ms, Type::Float, about)
}
/// An array or distribution.
pub const fn array(name: &'static str, about: &'static str) -> Column {
    Column::new(name, Kind::Array, Unit::Plain, Type::Array, about)
}
/// A constant number.
pub const fn constant(name: &'static str, unit: Unit, about: &'static str) -> Column {
    Column::new(name, Kind::Constant, unit, Type::Int, about)
}

/// The column had another name in the same view, from major `since` to `until`.
pub const fn renamed(name: &'static str, since: u8, until: u8) -> Moved {
    Moved { view: None, name, since, until }
}
/// The column stood in another view, from major `since` to `until`.
pub const fn moved(view: &'static str, name: &'static str, since: u8, until: u8) -> Moved {
    Moved { view: Some(view), name, since, until }
}
