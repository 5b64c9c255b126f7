//! How one file writes numbers, times and NULL, told from its first part.

use chrono_tz::Tz;

/// How a file writes its cells. What the first part of the file does not show stays unknown, and a cell that depends
/// on it becomes a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spelling {
    /// The word that stands for NULL where it is not quoted, besides the empty cell.
    pub null_word: Option<&'static str>,
    /// Whether an empty quoted cell is NULL: every cell of the file is quoted, so it cannot say otherwise.
    pub quotes_all: bool,
    /// Whether cells use COPY's backslash escapes.
    pub escapes: bool,
    pub numbers: Numbers,
    pub dates: Dates,
    /// Zone of times written without an offset.
    pub zone: Option<Tz>,
}

/// Marks inside numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// `1234.56`
    Plain,
    /// `1234,56`
    DecimalComma,
    /// `1.234,56`
    GroupedDot,
    /// `1,234.56`
    GroupedComma,
}

/// The order of numeric dates with slashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dates {
    Unknown,
    DayFirst,
    MonthFirst,
}

impl Spelling {
    /// What COPY's CSV writes.
    pub const PLAIN: Self = Self {
        null_word: None,
        quotes_all: false,
        escapes: false,
        numbers: Numbers::Plain,
        dates: Dates::Unknown,
        zone: None,
    };
}

/// Words that exports write for NULL.
pub(super) const NULL_WORDS: &[&str] = &["NULL", "null", "\\N", "∅", "<NULL>", "(null)", "[NULL]", "[null]", "None"];

/// What the cells of typed columns (no texts) show about a file.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one observation")]
pub(super) struct Evidence {
    null_word: Option<&'static str>,
    /// `1,5` where a number with a fraction may stand: a comma before one, two or more than three digits.
    decimal_comma: bool,
    /// `1.5`, likewise.
    decimal_dot: bool,
    /// `54.205` or `1.234.567` where a whole number must stand.
    grouped_dot: bool,
    /// `54,205`, likewise.
    grouped_comma: bool,
    /// A comma before exactly three digits in a number that may have a fraction.
    comma_three: bool,
    day_first: bool,
    month_first: bool,
}

impl Evidence {
    /// Looks at a cell of a column that holds numbers, booleans or times. `whole`: only whole numbers belong there.
    pub fn see(&mut self, cell: &str, quoted: bool, whole: bool) {
        if !quoted && let Some(word) = NULL_WORDS.iter().find(|w| **w == cell) {
            self.null_word = Some(word);
            return;
        }
        if let Some((first, second)) = slashed(cell) {
            self.day_first |= first > 12;
            self.month_first |= second > 12;
            return;
        }
        let digits = cell.strip_prefix('-').unwrap_or(cell);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',') {
            return;
        }
        let (dots, commas) = (digits.matches('.').count(), digits.matches(',').count());
        match (dots, commas) {
            (0, 0) => {}
            (1.., 1..) => {
                let comma_last = digits.rfind(',') > digits.rfind('.');
                self.decimal_comma |= comma_last;
                self.grouped_dot |= comma_last;
                self.decimal_dot |= !comma_last;
                self.grouped_comma |= !comma_last;
            }
            (_, 0) if grouped(digits, '.') && (dots > 1 || (whole && !digits.ends_with(".000"))) => {
                self.grouped_dot = true;
            }
            (1, 0) if !whole && !grouped(digits, '.') => self.decimal_dot = true,
            (0, _) if grouped(digits, ',') && (commas > 1 || whole) => self.grouped_comma = true,
            (0, 1) if grouped(digits, ',') => self.comma_three = true,
            (0, 1) => self.decimal_comma = true,
            _ => {}
        }
    }

    /// What follows for the file; `semicolons`: its cells are separated by semicolons, as programs do that write
    /// decimal commas.
    pub fn conclude(&self, semicolons: bool, spelling: &mut Spelling) {
        spelling.null_word = self.null_word;
        spelling.dates = match (self.day_first, self.month_first) {
            (true, false) => Dates::DayFirst,
            (false, true) => Dates::MonthFirst,
            _ => Dates::Unknown,
        };
        let decimal_comma = self.decimal_comma || (self.comma_three && semicolons && !self.grouped_comma);
        spelling.numbers = match (decimal_comma, self.decimal_dot, self.grouped_dot, self.grouped_comma) {
            (true, false, false, false) => Numbers::DecimalComma,
            (_, false, true, false) => Numbers::GroupedDot,
            (false, _, false, true) => Numbers::GroupedComma,
            _ => Numbers::Plain,
        };
    }
}

/// Whether `digits` is `1.234.567`: groups of three after a first group of one to three.
pub(super) fn grouped(digits: &str, mark: char) -> bool {
    let mut groups = digits.split(mark);
    let first = groups.next().unwrap_or_default();
    let mut any = false;
    (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && first.bytes().all(|b| b.is_ascii_digit())
        && groups.all(|g| {
            any = true;
            g.len() == 3 && g.bytes().all(|b| b.is_ascii_digit())
        })
        && any
}

/// The two first numbers of `22/11/2026 ...`.
pub(super) fn slashed(cell: &str) -> Option<(u32, u32)> {
    let mut parts = cell.splitn(3, '/');
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    year.get(..4).filter(|y| y.bytes().all(|b| b.is_ascii_digit()))?;
    Some((first.parse().ok().filter(|n| *n <= 31)?, second.parse().ok().filter(|n| *n <= 31)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(whole: &[&str], fractional: &[&str], semicolons: bool) -> Numbers {
        let mut evidence = Evidence::default();
        for cell in whole {
            evidence.see(cell, false, true);
        }
        for cell in fractional {
            evidence.see(cell, false, false);
        }
        let mut spelling = Spelling::PLAIN;
        evidence.conclude(semicolons, &mut spelling);
        spelling.numbers
    }

    #[test]
    fn concludes_only_what_is_certain() {
        for (whole, fractional, semicolons, want) in [
            (&["1", "20"][..], &["1.5", "1.234"][..], false, Numbers::Plain),
            (&["16.532", "1"], &["790,88"], true, Numbers::GroupedDot),
            (&["54.205.347"], &[], true, Numbers::GroupedDot),
            (&["16532"], &["790,88", "6,125"], true, Numbers::DecimalComma),
            (&["16532"], &["6,125"], true, Numbers::DecimalComma),
            (&["16532"], &["6,125"], false, Numbers::Plain),
            (&["1,234,567"], &["1,234.5"], false, Numbers::GroupedComma),
            (&["1.0", "7.0"], &["1.5"], false, Numbers::Plain),
            (&["1.000", "7.000"], &[], false, Numbers::Plain),
            (&["16.532"], &["1.5"], false, Numbers::Plain),
        ] {
            assert_eq!(told(whole, fractional, semicolons), want, "{whole:?} {fractional:?}");
        }
    }
}
