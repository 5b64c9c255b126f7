//! Rows written the plain way, in one pass: no quotes, no escapes, numbers of digits, ISO times.
//!
//! Nearly every row of a large export is such a row. Whatever else stands in one, it is given back untouched, and the
//! general reader ([`super::records`], [`Segment::push`]) has the say.

use super::cell;
use super::clock;
use super::digits::number;
use super::header::{Field, Layout};
use super::records::Dialect;
use super::rows::Rows;
use super::segment::Segment;
use super::spelling::{NULL_WORDS, Numbers, Spelling};
use crate::catalog::Type;
use crate::snapshot::Ints;

/// Where the cells of rows go. A row's cells come in the order of its columns, skipped ones left out.
pub(super) trait Sink {
    /// A whole number, or what is stored as such; NULL is [`Ints::NULL`].
    fn int(&mut self, at: usize, value: i64);
    /// A whole number of any size.
    fn numeric(&mut self, at: usize, value: Option<i128>);
    /// A double; NULL is NaN.
    fn float(&mut self, at: usize, value: f64);
    /// A boolean: 0, 1, or 2 for NULL.
    fn bool(&mut self, at: usize, value: u8);
    /// A text.
    fn text(&mut self, at: usize, value: Option<&str>);
    /// Takes back the cells since the last row's end.
    fn undo_row(&mut self);
    /// Takes the cells of a row that is not plain.
    fn irregular(&mut self) -> &mut Segment;
    /// Ends a row, whose cells came one by one or went to [`Sink::irregular`].
    fn end_row(&mut self, place: u64, irregular: bool);
    /// Adds parts that follow each other, each with the lines before it, to the rows of their file.
    fn append(parts: Vec<(Self, u64)>, rows: &mut Rows, layout: &Layout)
    where
        Self: Sized;
}

/// What a column's plain cells look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Skip,
    Int,
    Numeric,
    Float,
    Bool,
    Time,
    Text,
    /// Of intervals and positions, which are stored as whole numbers, only NULL is plain.
    NullInt,
    /// Of doubles with marks, too.
    NullFloat,
}

/// The plain rows of a file.
pub(super) struct Plain {
    kinds: Vec<Kind>,
    delimiter: u8,
    null_word: Option<&'static str>,
}

impl Plain {
    /// `None` where no row of the file is plain, or an empty line could be taken for one.
    pub fn new(fields: &[Field], dialect: Dialect, spelling: &Spelling) -> Option<Self> {
        let digits = dialect.delimiter.is_ascii_digit() || matches!(dialect.delimiter, b'-' | b'.' | b':' | b'+');
        if !dialect.quotes || spelling.escapes || fields.len() < 2 || digits {
            return None;
        }
        let kind = |field: &Field| match field.ty() {
            None => Kind::Skip,
            Some(Type::Int) => Kind::Int,
            Some(Type::Numeric) => Kind::Numeric,
            Some(Type::Float) if spelling.numbers == Numbers::Plain => Kind::Float,
            Some(Type::Bool) => Kind::Bool,
            Some(Type::Time) => Kind::Time,
            Some(Type::Text | Type::Array) => Kind::Text,
            Some(Type::Float) => Kind::NullFloat,
            Some(Type::Interval | Type::Lsn) => Kind::NullInt,
        };
        let kinds = fields.iter().map(kind).collect();
        Some(Self { kinds, delimiter: dialect.delimiter, null_word: spelling.null_word })
    }

    /// Reads the row that starts at `at` of `text`; where the next one starts. `None`: the row is not plain, or not
    /// whole, and what was given to the sink has to be taken back.
    #[inline]
    pub fn row(&self, text: &str, mut at: usize, sink: &mut impl Sink) -> Option<usize> {
        let bytes = text.as_bytes();
        let last = self.kinds.len() - 1;
        for (column, kind) in self.kinds.iter().enumerate() {
            let end = match kind {
                Kind::Int => {
                    let (value, end) = int(bytes, at)?;
                    let end = if end == at { self.null(bytes, at)? } else { end };
                    sink.int(column, value);
                    end
                }
                Kind::Text => {
                    let end = self.end(bytes, at, column == last)?;
                    let cell = text.get(at..end)?;
                    sink.text(column, (!cell.is_empty() && self.null_word != Some(cell)).then_some(cell));
                    end
                }
                Kind::Time => {
                    let end = self.end(bytes, at, column == last)?;
                    let cell = bytes.get(at..end)?;
                    let value = if is_null(cell) { Ints::NULL } else { clock::plain_time(cell)? };
                    sink.int(column, value);
                    end
                }
                Kind::Float => {
                    let end = self.end(bytes, at, column == last)?;
                    let cell = bytes.get(at..end)?;
                    let plain = cell.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'e' | b'+'));
                    let value = if is_null(cell) {
                        f64::NAN
                    } else if plain {
                        text.get(at..end)?.parse().ok().filter(|x: &f64| x.is_finite())?
                    } else {
                        return None;
                    };
                    sink.float(column, value);
                    end
                }
                Kind::Bool => {
                    let end = self.end(bytes, at, column == last)?;
                    let cell = bytes.get(at..end)?;
                    sink.bool(column, if is_null(cell) { 2 } else { cell::boolean(text.get(at..end)?).ok()? });
                    end
                }
                Kind::Numeric => {
                    let (value, end) = int(bytes, at)?;
                    let end = if end == at { self.null(bytes, at)? } else { end };
                    sink.numeric(column, (value != Ints::NULL).then_some(i128::from(value)));
                    end
                }
                Kind::NullInt => {
                    sink.int(column, Ints::NULL);
                    self.null(bytes, at)?
                }
                Kind::NullFloat => {
                    sink.float(column, f64::NAN);
                    self.null(bytes, at)?
                }
                Kind::Skip => self.end(bytes, at, column == last)?,
            };
            let after = *bytes.get(end)?;
            at = if column < last {
                if after != self.delimiter {
                    return None;
                }
                end + 1
            } else if after == b'\n' {
                end + 1
            } else if after == b'\r' && bytes.get(end + 1) == Some(&b'\n') {
                end + 2
            } else {
                return None;
            };
        }
        Some(at)
    }

    /// The end of an unquoted cell.
    #[inline]
    fn end(&self, bytes: &[u8], at: usize, last: bool) -> Option<usize> {
        let end = special_byte(bytes, at, self.delimiter)?;
        match bytes.get(end)? {
            b'"' => None,
            b'\n' if last && end > at && bytes.get(end - 1) == Some(&b'\r') => Some(end - 1),
            _ => Some(end),
        }
    }

    /// The end of a cell that is NULL.
    fn null(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let end = self.end(bytes, at, true)?;
        is_null(bytes.get(at..end)?).then_some(end)
    }
}

/// The first delimiter, line feed or quote from `at` on. Cells are short: a search that has to start up is slower.
#[inline]
fn special_byte(bytes: &[u8], mut at: usize, delimiter: u8) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The highest bit of the first byte that is zero, and perhaps of some behind it.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let [delimiters, breaks, quotes] = [delimiter, b'\n', b'"'].map(|b| u64::from(b) * ONES);
    while let Some(word) = word(bytes, at) {
        let found = zero(word ^ delimiters) | zero(word ^ breaks) | zero(word ^ quotes);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let step = bytes.get(at..)?.iter().position(|&b| b == delimiter || b == b'\n' || b == b'"')?;
    Some(at + step)
}

/// Whether an unquoted cell of a number or time is NULL.
fn is_null(cell: &[u8]) -> bool {
    cell.is_empty()
        || (!cell.first().is_some_and(u8::is_ascii_digit) && NULL_WORDS.iter().any(|w| w.as_bytes() == cell))
}

/// A whole number and where it ends; [`Ints::NULL`], and its own start, where no digit stands. `None` where it is too long
/// for the plain way.
#[inline]
fn int(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    // Nearly all numbers are shorter than a word, which is looked at as a whole: no branch for each digit.
    if let Some(word) = word(bytes, at) {
        let values = word ^ DIGITS;
        // The highest bit of each byte that is no digit; bytes behind the first such one may be wrong.
        let length = (((values.wrapping_add(0x7676_7676_7676_7676)) | values) & HIGHS).trailing_zeros() as usize / 8;
        if length == 1 {
            return Some((i64::from(values as u8), at + 1));
        }
        if (2..8).contains(&length) {
            return Some((number(values << (64 - 8 * length)) as i64, at + length));
        }
    }
    long_int(bytes, at)
}

const DIGITS: u64 = 0x3030_3030_3030_3030;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Eight bytes, the first one lowest.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.first_chunk().map(|b| u64::from_le_bytes(*b))
}

/// The same digit by digit.
fn long_int(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let negative = bytes.get(at) == Some(&b'-');
    let start = at + usize::from(negative);
    let (mut end, mut n) = (start, 0_i64);
    while let Some(byte) = bytes.get(end) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        n = n.wrapping_mul(10).wrapping_add(i64::from(digit));
        end += 1;
    }
    match end - start {
        0 if negative => None,
        0 => Some((Ints::NULL, at)),
        1..=18 => Some((if negative { -n } else { n }, end)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_word_at_once_is_what_the_digits_say(text in "-?[0-9]{0,20}[,\n\x00-\x7f]{0,9}|.{0,12}", at in 0_usize..4) {
            prop_assert_eq!(int(text.as_bytes(), at), long_int(text.as_bytes(), at));
        }

        #[test]
        fn a_cell_ends_where_the_first_special_byte_stands(text in "[a-z,;\n\"é\x00-\x7f]{0,40}", at in 0_usize..4) {
            let special = |b: &u8| matches!(b, b',' | b'\n' | b'"');
            let wanted = text.as_bytes().get(at..).and_then(|rest| rest.iter().position(special)).map(|n| at + n);
            prop_assert_eq!(special_byte(text.as_bytes(), at, b','), wanted);
        }
    }
}
