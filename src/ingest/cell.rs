//! One cell's text to its value.

use super::spelling::{NULL_WORDS, Numbers, Spelling, grouped};

/// Why a cell has no value; the words stand after the cell's text in a note.
pub(super) type Reason = &'static str;

const NOT_WHOLE: Reason = "is not a whole number";
const OUT_OF_RANGE: Reason = "is beyond the range of its type";
const LOST: Reason = "was written with too few digits by a program that rounds large numbers";
const AMBIGUOUS_NUMBER: Reason = "can be read as two different numbers, and nothing else in the file decides";
const NOT_NUMBER: Reason = "is not a number";
const NOT_BOOL: Reason = "is not a boolean";

/// Whether the text of a cell that holds no text means NULL.
pub(super) fn is_null(cell: &str, quoted: bool) -> bool {
    let cell = cell.trim();
    cell.is_empty() || (!quoted && NULL_WORDS.contains(&cell)) || matches!(cell, "NaN" | "nan" | "NaT")
}

/// A whole number written the plain way, `-123`.
#[inline]
pub(super) fn plain_int(cell: &[u8]) -> Option<i64> {
    let (negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut n = 0_i64;
    for &b in digits {
        let d = b.wrapping_sub(b'0');
        if d > 9 {
            return None;
        }
        n = n * 10 + i64::from(d);
    }
    Some(if negative { -n } else { n })
}

/// A whole number in any spelling: `1.0`, `1e+06`, `1.234.567` where the file groups digits.
pub(super) fn int(cell: &str, spelling: &Spelling) -> Result<i64, Reason> {
    if let Some(n) = plain_int(cell.as_bytes()) {
        return Ok(n);
    }
    numeric(cell, spelling).and_then(|n| i64::try_from(n).map_err(|_| OUT_OF_RANGE)).and_then(|n| {
        // The smallest value stands for NULL in storage; no statistic has it.
        if n == i64::MIN { Err(OUT_OF_RANGE) } else { Ok(n) }
    })
}

/// A whole number of any size.
pub(super) fn numeric(cell: &str, spelling: &Spelling) -> Result<i128, Reason> {
    let cell = cell.trim();
    let (sign, body) = match cell.as_bytes().first() {
        Some(b'-') => (-1, &cell[1..]),
        Some(b'+') => (1, &cell[1..]),
        _ => (1, cell),
    };
    if body.is_empty() || !body.is_ascii() {
        return Err(NOT_WHOLE);
    }
    if body.bytes().all(|b| b.is_ascii_digit()) {
        return body.parse::<i128>().map(|n| sign * n).map_err(|_| OUT_OF_RANGE);
    }
    if let Some((mantissa, exponent)) = body.split_once(['e', 'E']) {
        let exponent: usize = exponent.trim_start_matches('+').parse().map_err(|_| NOT_WHOLE)?;
        let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(NOT_WHOLE);
        }
        if fraction.len() > exponent {
            return Err(NOT_WHOLE);
        }
        // Fifteen digits survive any double; a number written with fewer than it has was rounded.
        if exponent > 15 || (exponent > 6 && exponent > fraction.len() + 3) {
            return Err(LOST);
        }
        let digits = format!("{whole}{fraction}{}", "0".repeat(exponent - fraction.len()));
        return digits.parse::<i128>().map(|n| sign * n).map_err(|_| OUT_OF_RANGE);
    }
    let mark = match spelling.numbers {
        Numbers::GroupedDot => Some('.'),
        Numbers::GroupedComma => Some(','),
        Numbers::Plain | Numbers::DecimalComma => None,
    };
    if let Some(mark) = mark
        && grouped(body, mark)
    {
        return body.replace(mark, "").parse::<i128>().map(|n| sign * n).map_err(|_| OUT_OF_RANGE);
    }
    // What a program writes that keeps whole numbers as doubles: `1.0`.
    let (whole, fraction) = body.split_once(['.', ',']).ok_or(NOT_WHOLE)?;
    if !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit()) && fraction.bytes().all(|b| b == b'0') {
        return whole.parse::<i128>().map(|n| sign * n).map_err(|_| OUT_OF_RANGE);
    }
    if grouped(body, '.') || grouped(body, ',') { Err(AMBIGUOUS_NUMBER) } else { Err(NOT_WHOLE) }
}

/// A double.
pub(super) fn float(cell: &str, spelling: &Spelling) -> Result<f64, Reason> {
    let cell = cell.trim();
    if !cell.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-' | b'+' | b'e' | b'E')) {
        return match cell.to_ascii_lowercase().trim_start_matches(['+', '-']) {
            "infinity" | "inf" => Err(OUT_OF_RANGE),
            _ => Err(NOT_NUMBER),
        };
    }
    let unsigned = cell.trim_start_matches(['-', '+']);
    let text = match spelling.numbers {
        Numbers::Plain if !cell.contains(',') => return finite(cell),
        Numbers::Plain => return Err(if grouped(unsigned, ',') { AMBIGUOUS_NUMBER } else { NOT_NUMBER }),
        Numbers::DecimalComma if cell.contains('.') => return Err(AMBIGUOUS_NUMBER),
        Numbers::DecimalComma => cell.replace(',', "."),
        Numbers::GroupedDot => marked(cell, '.', ',')?,
        Numbers::GroupedComma => marked(cell, ',', '.')?,
    };
    finite(&text)
}

fn marked(cell: &str, group: char, decimal: char) -> Result<String, Reason> {
    let (whole, fraction) = cell.split_once(decimal).unwrap_or((cell, ""));
    let digits = whole.trim_start_matches(['-', '+']);
    if digits.contains(group) && !grouped(digits, group) {
        return Err(NOT_NUMBER);
    }
    let whole = whole.replace(group, "");
    Ok(if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") })
}

fn finite(text: &str) -> Result<f64, Reason> {
    text.parse::<f64>().ok().filter(|x| x.is_finite()).ok_or(NOT_NUMBER)
}

/// A boolean, in the words of PostgreSQL and of spreadsheets.
pub(super) fn boolean(cell: &str) -> Result<u8, Reason> {
    match cell {
        "t" | "true" => return Ok(1),
        "f" | "false" => return Ok(0),
        _ => {}
    }
    match cell.trim().to_ascii_lowercase().as_str() {
        "t" | "true" | "1" | "1.0" | "yes" | "y" | "on" | "wahr" | "vrai" | "verdadero" | "vero" => Ok(1),
        "f" | "false" | "0" | "0.0" | "no" | "n" | "off" | "falsch" | "faux" | "falso" => Ok(0),
        _ => Err(NOT_BOOL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: Spelling = Spelling::PLAIN;
    const GERMAN: Spelling = Spelling { numbers: Numbers::GroupedDot, ..PLAIN };
    const COMMA: Spelling = Spelling { numbers: Numbers::DecimalComma, ..PLAIN };

    #[test]
    fn reads_whole_numbers() {
        for (cell, spelling, want) in [
            ("0", PLAIN, Ok(0)),
            ("-7711000374923733943", PLAIN, Ok(-7_711_000_374_923_733_943)),
            ("9223372036854775807", PLAIN, Ok(i64::MAX)),
            ("9223372036854775808", PLAIN, Err(OUT_OF_RANGE)),
            ("1.0", PLAIN, Ok(1)),
            ("209639.000", PLAIN, Ok(209_639)),
            ("1e+06", PLAIN, Ok(1_000_000)),
            ("1.234567e+06", PLAIN, Ok(1_234_567)),
            ("-9,19765E+18", PLAIN, Err(LOST)),
            ("16.532", PLAIN, Err(AMBIGUOUS_NUMBER)),
            ("16.532", GERMAN, Ok(16_532)),
            ("54.205.347", GERMAN, Ok(54_205_347)),
            ("1.5", PLAIN, Err(NOT_WHOLE)),
            ("twelve", PLAIN, Err(NOT_WHOLE)),
            ("-", PLAIN, Err(NOT_WHOLE)),
            ("1e", PLAIN, Err(NOT_WHOLE)),
        ] {
            assert_eq!(int(cell, &spelling), want, "{cell}");
        }
    }

    #[test]
    fn reads_doubles() {
        for (cell, spelling, want) in [
            ("7.1930000000000005", PLAIN, Ok(7.193_000_000_000_000_5)),
            ("1e+06", PLAIN, Ok(1e6)),
            ("6,125", PLAIN, Err(AMBIGUOUS_NUMBER)),
            ("6,125", COMMA, Ok(6.125)),
            ("1.234", COMMA, Err(AMBIGUOUS_NUMBER)),
            ("1.234,5", GERMAN, Ok(1234.5)),
            ("1.234", GERMAN, Ok(1234.0)),
            ("0,0429644027850761", COMMA, Ok(0.042_964_402_785_076_1)),
            ("5e-05", GERMAN, Ok(5e-5)),
            ("1.23.4", GERMAN, Err(NOT_NUMBER)),
            ("abc", PLAIN, Err(NOT_NUMBER)),
        ] {
            assert_eq!(float(cell, &spelling), want, "{cell}");
        }
    }

    proptest! {
        #[test]
        fn nothing_in_a_cell_is_fatal(cell in "\\PC{0,30}") {
            for spelling in [PLAIN, GERMAN, COMMA] {
                let _ = (int(&cell, &spelling), float(&cell, &spelling), boolean(&cell));
            }
        }
    }
}
