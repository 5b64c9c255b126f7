//! Charts. What they show is in the model as numbers; how they are drawn is the renderers' matter.

use crate::text::Text;
use crate::time::Timestamp;
use crate::unit::Quantity;
use serde::{Deserialize, Serialize};

/// A chart; each prints its numbers in words too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "chart", rename_all = "snake_case")]
pub enum Chart {
    /// Two values per object, at most 8 objects.
    Slope {
        /// What is measured.
        title: String,
        /// A link to where its numbers were read, for its heading.
        #[serde(default, skip_serializing_if = "Text::is_empty")]
        source: Text,
        /// The objects.
        lines: Vec<Line>,
    },
    /// Small panels with one history each.
    Multiples {
        /// What they show.
        title: String,
        /// A link to where its numbers were read, for its heading.
        #[serde(default, skip_serializing_if = "Text::is_empty")]
        source: Text,
        /// The panels, in order.
        panels: Vec<Panel>,
    },
    /// Objects × time.
    Heatmap(Heat),
    /// Events on a time axis.
    Timeline {
        /// What it shows.
        title: String,
        /// A link to where its numbers were read, for its heading.
        #[serde(default, skip_serializing_if = "Text::is_empty")]
        source: Text,
        /// Where the axis begins.
        from: Timestamp,
        /// Where it ends.
        to: Timestamp,
        /// A line for each kind of event.
        lanes: Vec<Lane>,
    },
    /// Parts of a whole.
    Strip {
        /// What is split.
        title: String,
        /// A link to where its numbers were read, for its heading.
        #[serde(default, skip_serializing_if = "Text::is_empty")]
        source: Text,
        /// 3 to 5 parts.
        parts: Vec<Part>,
    },
}

/// A line of a slope chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Line {
    /// The object.
    pub name: String,
    /// Its value in A.
    pub before: Quantity,
    /// Its value in B.
    pub after: Quantity,
    /// The change from A to B.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Quantity>,
    /// Whether it is the one to look at.
    pub emphasised: bool,
}

/// A panel of small multiples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Panel {
    /// What is measured.
    pub title: String,
    /// The last value.
    pub value: Quantity,
    /// The change over the window.
    pub change: Option<Quantity>,
    /// The snapshot that the value is of, from 1, where it is not the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_up_to: Option<usize>,
    /// The samples; `None` is a gap.
    pub points: Vec<(Timestamp, Option<f64>)>,
    /// Events on the time axis.
    pub marks: Vec<Mark>,
}

/// One number of several objects at several moments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Heat {
    /// What is measured.
    pub title: String,
    /// Which objects these are.
    pub about: String,
    /// A link to where its numbers were read.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub source: Text,
    /// The moments, as short as they can be told apart.
    pub columns: Vec<String>,
    /// Positions of moments before which the statistics were reset.
    pub breaks: Vec<usize>,
    /// The objects, worst first.
    pub rows: Vec<HeatRow>,
}

/// An object of a heatmap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HeatRow {
    /// Its name.
    pub name: String,
    /// Its number at each moment; `None` is unknown.
    pub cells: Vec<Option<Quantity>>,
    /// How dark each is, 0 to 5.
    pub steps: Vec<Option<u8>>,
}

/// Events of one kind on a time axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lane {
    /// The kind.
    pub label: String,
    /// The events, in time order.
    pub marks: Vec<Mark>,
    /// Further ones that are not listed.
    pub further: u64,
}

/// An event on a time axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: MarkKind,
    /// In words.
    pub label: String,
}

/// Kinds of events on a time axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// Statistics reset.
    Reset,
    /// Restart or crash.
    Restart,
    /// Anything else.
    Other,
}

/// A part of a strip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Part {
    /// What it is.
    pub label: String,
    /// How much.
    pub value: Quantity,
}
