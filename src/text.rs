//! Prose as data: words, names, code and quantities, so that every format prints the same value in its own way.

use crate::unit::Quantity;
use serde::{Deserialize, Serialize};

/// A run of prose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Plain words.
    Text(String),
    /// Emphasised words.
    Strong(String),
    /// The name of a database object, user or file: hostile, shown as a name.
    Name(String),
    /// Code: a setting, a column, a short SQL fragment.
    Code(String),
    /// A number with its unit.
    Number(Quantity),
    /// A number that is a lower bound: part of what it counts is not known.
    AtLeast(Quantity),
    /// A change with its sign.
    Change(Quantity),
    /// A link to an anchor of this report, `f-01`, `e7`, `coverage`.
    Link {
        /// The anchor, without `#`.
        to: String,
        /// The words of the link.
        text: String,
    },
}

/// A piece of prose: one paragraph or one cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Text(pub Vec<Span>);

impl Text {
    /// Empty prose, to be filled by the chained methods.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether nothing has been said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends plain words.
    #[must_use]
    pub fn t(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Text(words.into()));
        self
    }

    /// Appends emphasised words.
    #[must_use]
    pub fn strong(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Strong(words.into()));
        self
    }

    /// Appends the name of an object.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.push(Span::Name(name.into()));
        self
    }

    /// Appends code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.0.push(Span::Code(code.into()));
        self
    }

    /// Appends a number.
    #[must_use]
    pub fn n(mut self, quantity: Quantity) -> Self {
        self.0.push(Span::Number(quantity));
        self
    }

    /// Appends a number that is a lower bound.
    #[must_use]
    pub fn at_least(mut self, quantity: Quantity) -> Self {
        self.0.push(Span::AtLeast(quantity));
        self
    }

    /// Appends a number, or `n/a` where it is unknown.
    #[must_use]
    pub fn opt(self, quantity: Option<Quantity>) -> Self {
        match quantity {
            Some(q) => self.n(q),
            None => self.t("n/a"),
        }
    }

    /// Appends a number and the word that agrees with it as it is printed: `1 file`, `1.2 files`, `0 files`.
    #[must_use]
    pub fn many(self, quantity: impl Into<Option<Quantity>>, one: &str, more: &str) -> Self {
        let quantity = quantity.into();
        let word = if quantity.is_some_and(|q| q.human() == "1") { one } else { more };
        self.opt(quantity).t(format!(" {word}"))
    }

    /// Appends a link to an anchor of the report.
    #[must_use]
    pub fn link(mut self, to: impl Into<String>, text: impl Into<String>) -> Self {
        self.0.push(Span::Link { to: to.into(), text: text.into() });
        self
    }

    /// Appends other prose.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Several pieces with something between them.
    pub fn joined(pieces: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut out = Self::new();
        for (nr, piece) in pieces.into_iter().enumerate() {
            out = if nr > 0 { out.t(between) } else { out }.then(piece);
        }
        out
    }

    /// Its numbers and changes, in order.
    pub fn numbers(&self) -> impl Iterator<Item = Quantity> + '_ {
        self.0.iter().filter_map(|span| match span {
            Span::Number(q) | Span::AtLeast(q) | Span::Change(q) => Some(*q),
            _ => None,
        })
    }

    /// The words alone, numbers in their short form, control characters visible: for terminals, titles and tests.
    pub fn plain(&self) -> String {
        self.0
            .iter()
            .map(|span| match span {
                Span::Text(s) | Span::Strong(s) | Span::Name(s) | Span::Code(s) | Span::Link { text: s, .. } => {
                    crate::ident::visible(s).into_owned()
                }
                Span::Number(q) => q.human(),
                Span::AtLeast(q) => at_least(*q),
                Span::Change(q) => q.human_signed(),
            })
            .collect()
    }
}

/// A number in prose, said to be a lower bound. None is no bound, but what was counted.
#[must_use]
pub fn at_least(number: Quantity) -> String {
    let shown = number.human();
    if number.as_f64() == 0.0 { format!("{shown} counted") } else { format!("≥ {shown}") }
}

/// Words with a capital at their beginning.
#[must_use]
pub fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Pieces of a remark of ours, and whether each stood between backticks. Where they do not pair, nothing is code.
#[must_use]
pub fn pieces(text: &str) -> Vec<(bool, &str)> {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![(false, text)];
    }
    parts.into_iter().enumerate().map(|(i, part)| (i % 2 == 1, part)).filter(|(_, part)| !part.is_empty()).collect()
}

/// A remark of ours as prose: what stands between backticks is code.
#[must_use]
pub fn remark(text: &str) -> Text {
    pieces(text).into_iter().fold(Text::new(), |out, (code, piece)| if code { out.code(piece) } else { out.t(piece) })
}

/// The folder that all paths are in, with the separator at its end; empty where there is none, or one path only.
#[must_use]
pub fn folder<'p>(paths: impl Iterator<Item = &'p str>) -> &'p str {
    let mut common: Option<&str> = None;
    let mut several = false;
    for path in paths {
        let Some(known) = common else {
            common = Some(path);
            continue;
        };
        several |= known != path;
        let same = known.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
        common = known.get(..known.floor_char_boundary(same));
    }
    let end = |known: &str| known.rfind(['/', '\\']).map_or(0, |at| at + 1);
    common.filter(|_| several).and_then(|known| known.get(..end(known))).unwrap_or_default()
}

/// A count with the word that agrees with it: `1 table`, `2 tables`.
pub fn counted(n: usize, one: &str, more: &str) -> String {
    let digits = crate::unit::group_int(i64::try_from(n).unwrap_or(i64::MAX));
    format!("{digits} {}", if n == 1 { one } else { more })
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Self::new().t(words)
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self::new().t(words)
    }
}

#[cfg(test)]
mod tests {
    use super::{Text, folder, pieces, sentence};
    use crate::unit::{Quantity, Unit};

    #[test]
    fn of_nothing_counted_no_bound_is_said() {
        let said = |n| Text::new().at_least(Quantity::int(n, Unit::Bytes)).t(" of it").plain();
        assert_eq!([said(2_048), said(0)], ["≥ 2 kB of it", "0 bytes counted of it"]);
    }

    #[test]
    fn paired_backticks_are_code() {
        assert_eq!(pieces("no `a_b` here"), [(false, "no "), (true, "a_b"), (false, " here")]);
        assert_eq!(pieces("one ` alone"), [(false, "one ` alone")]);
        assert_eq!(pieces("`x`"), [(true, "x")]);
    }

    #[test]
    fn a_sentence_begins_with_a_capital() {
        assert_eq!(
            ["", "the server is", "ähnlich", "3 of 4"].map(sentence),
            ["", "The server is", "Ähnlich", "3 of 4"]
        );
    }

    #[test]
    fn a_folder_is_what_all_paths_share() {
        let of = |paths: &[&'static str]| folder(paths.iter().copied());
        assert_eq!(of(&["/d/a/x.csv", "/d/b/x.csv", "/d/b/xy.csv"]), "/d/");
        assert_eq!(of(&["/d/ä.csv", "/d/ö.csv"]), "/d/");
        assert_eq!(of(&["/d/a.csv", "/d/a.csv"]), "");
        assert_eq!(of(&["a.csv", "b.csv"]), "");
        assert_eq!(of(&[]), "");
    }
}
