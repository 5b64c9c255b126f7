//! Comparisons as a policy writes them: `on`, `>= 2GB`, `> 0 and <= 10min`.

use crate::catalog::settings::{Amount, parse};
use std::cmp::Ordering;
use std::fmt;

/// What a value is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// All comparisons hold.
    All(Vec<Compare>),
    /// It is one of these.
    OneOf(Vec<String>),
    /// The list it holds, separated by commas, has all of these.
    Contains(Vec<String>),
    /// The list it holds, separated by commas, has none of these.
    Lacks(Vec<String>),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    /// How.
    pub op: Op,
    /// With what, as written.
    pub value: String,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// The same.
    Equal,
    /// Not the same.
    NotEqual,
    /// At least.
    AtLeast,
    /// At most.
    AtMost,
    /// More than.
    More,
    /// Less than.
    Less,
}

/// Longer spellings first, so that `>=` is not `>`.
const OPS: [(&str, Op); 7] = [
    (">=", Op::AtLeast),
    ("<=", Op::AtMost),
    ("!=", Op::NotEqual),
    ("==", Op::Equal),
    (">", Op::More),
    ("<", Op::Less),
    ("=", Op::Equal),
];

impl Op {
    /// How it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::Less => "<",
        }
    }

    /// Whether it asks which of two is larger.
    pub const fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Whether it holds for a value that lies so to the wanted one.
    pub const fn holds(self, found: Ordering) -> bool {
        match self {
            Self::Equal => found.is_eq(),
            Self::NotEqual => found.is_ne(),
            Self::AtLeast => found.is_ge(),
            Self::AtMost => found.is_le(),
            Self::More => found.is_gt(),
            Self::Less => found.is_lt(),
        }
    }
}

impl Expect {
    /// Reads `on`, `>= 2GB`, `> 0 and <= 10min`. Without a sign in front the whole text is the value.
    ///
    /// # Errors
    /// What is wrong, and a hint.
    pub fn parse(text: &str) -> Result<Self, (String, &'static str)> {
        if starts(text).is_none() {
            return Ok(Self::All(vec![Compare { op: Op::Equal, value: text.to_owned() }]));
        }
        let mut all = Vec::new();
        for part in text.split(" and ") {
            let Some((op, value)) = starts(part) else {
                return Err((
                    format!("`{}` begins with no sign", part.trim()),
                    "write `=`, `!=`, `>=`, `<=`, `>` or `<` before each value",
                ));
            };
            let value = value.trim();
            if op.orders() && parse(value, None).number().is_none() {
                return Err((
                    format!("`{value}` is no number that anything could be larger or smaller than"),
                    "write a number, a size such as `2GB`, or a time such as `10min`",
                ));
            }
            all.push(Compare { op, value: value.to_owned() });
        }
        Ok(Self::All(all))
    }

    /// Every value that it names.
    pub fn values(&self) -> Vec<&str> {
        match self {
            Self::All(all) => all.iter().map(|c| c.value.as_str()).collect(),
            Self::OneOf(v) | Self::Contains(v) | Self::Lacks(v) => v.iter().map(String::as_str).collect(),
        }
    }
}

/// The sign that a text begins with, and the rest.
fn starts(part: &str) -> Option<(Op, &str)> {
    OPS.iter().find_map(|(sign, op)| Some((*op, part.trim().strip_prefix(sign)?)))
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(all) => {
                let shown: Vec<String> = all.iter().map(|c| format!("{} {}", c.op.sign(), quoted(&c.value))).collect();
                f.write_str(&shown.join(" and "))
            }
            Self::OneOf(values) => write!(f, "is one of {}", values.join(", ")),
            Self::Contains(values) => write!(f, "contains {}", values.join(", ")),
            Self::Lacks(values) => write!(f, "does not contain {}", values.join(", ")),
        }
    }
}

/// An empty text, or one with space in it, in quotes.
pub(super) fn quoted(value: &str) -> String {
    if value.is_empty() || value.contains(char::is_whitespace) { format!("'{value}'") } else { value.to_owned() }
}

/// Whether two amounts are measured in the same kind of unit, so that one can be larger than the other.
pub(super) fn order(found: &Amount, wanted: &Amount) -> Option<Ordering> {
    match (found, wanted) {
        (Amount::Bytes(a), Amount::Bytes(b)) => Some(a.cmp(b)),
        (Amount::Ms(_), Amount::Ms(_)) | (Amount::Number(_), Amount::Number(_)) => {
            found.number().zip(wanted.number()).map(|(a, b)| a.total_cmp(&b))
        }
        // 0 is 0 in every unit.
        (_, Amount::Number(n)) if n.as_f64() == 0.0 => found.number().map(|a| a.total_cmp(&0.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_signs_and_plain_values() {
        for (text, want) in [
            ("on", "= on"),
            ("= on", "= on"),
            (">= 2GB", ">= 2GB"),
            (">=2GB", ">= 2GB"),
            ("> 0 and <= 10min", "> 0 and <= 10min"),
            ("!= trust", "!= trust"),
            ("", "= ''"),
            ("cp %p /archive and done", "= 'cp %p /archive and done'"),
            ("<> 3", "error"),
            ("> big", "error"),
            (">= 1 and 3", "error"),
            (">=", "error"),
        ] {
            let said = Expect::parse(text).map_or_else(|_| "error".to_owned(), |e| e.to_string());
            assert_eq!(said, want, "{text}");
        }
    }

    #[test]
    fn only_amounts_of_one_kind_have_an_order() {
        let amount = |text| parse(text, None);
        for (a, b, want) in [
            ("2GB", "1024MB", Some(Ordering::Greater)),
            ("60s", "1min", Some(Ordering::Equal)),
            ("0.1", "0.2", Some(Ordering::Less)),
            ("2GB", "60s", None),
            ("on", "1", None),
            ("5min", "0", Some(Ordering::Greater)),
        ] {
            assert_eq!(order(&amount(a), &amount(b)), want, "{a} {b}");
        }
    }
}
