//! One cell's text to its value.

use super::spelling::{Dates, NULL_WORDS, Numbers, Spelling, grouped, slashed};
use crate::time::Timestamp;
use chrono::TimeZone;

/// Why a cell has no value; the words stand after the cell's text in a note.
pub(super) type Reason = &'static str;

const NOT_WHOLE: Reason = "is not a whole number";
const OUT_OF_RANGE: Reason = "is beyond the range of its type";
const LOST: Reason = "was written with too few digits by a program that rounds large numbers";
const AMBIGUOUS_NUMBER: Reason = "can be read as two different numbers, and nothing else in the file decides";
const NOT_NUMBER: Reason = "is not a number";
const NOT_BOOL: Reason = "is not a boolean";
const NOT_TIME: Reason = "is not a time";
const AMBIGUOUS_DATE: Reason = "has day and month in an order that nothing in the file decides";

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
    Ok(format!("{}.{fraction}", whole.replace(group, "")))
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

/// A point in time as microseconds, and whether the text said its offset.
pub(super) fn time(cell: &str, spelling: &Spelling) -> Result<(i64, bool), Reason> {
    if let Some(t) = plain_time(cell.as_bytes()) {
        return Ok((t, true));
    }
    let cell = cell.trim();
    if let Some((t, known)) = Timestamp::parse(cell) {
        return Ok(if known { (t.0, true) } else { (placed(t.0, spelling), false) });
    }
    if let Some(t) = epoch(cell) {
        return Ok((t, true));
    }
    let (t, known) = Timestamp::parse(iso_of(cell, spelling)?.as_str()).ok_or(NOT_TIME)?;
    Ok(if known { (t.0, true) } else { (placed(t.0, spelling), false) })
}

/// `2026-11-22 14:22:11.59282+00`, the spelling nearly every file has.
#[inline]
pub(super) fn plain_time(cell: &[u8]) -> Option<i64> {
    let (head, mut rest) = cell.split_at_checked(19)?;
    let two = |at: usize| -> Option<i64> {
        let (a, b) = (head[at].wrapping_sub(b'0'), head[at + 1].wrapping_sub(b'0'));
        (a <= 9 && b <= 9).then(|| i64::from(a) * 10 + i64::from(b))
    };
    if head[4] != b'-' || head[7] != b'-' || head[13] != b':' || head[16] != b':' || !matches!(head[10], b' ' | b'T') {
        return None;
    }
    let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let longest = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > longest || hour > 23 || minute > 59 || second > 59 || year < 1 {
        return None;
    }
    let mut micros = 0_i64;
    if let [b'.', fraction @ ..] = rest {
        let mut scale = 100_000;
        let mut len = 0;
        for &b in fraction.iter().take(6) {
            let d = b.wrapping_sub(b'0');
            if d > 9 {
                break;
            }
            micros += i64::from(d) * scale;
            scale /= 10;
            len += 1;
        }
        if len == 0 {
            return None;
        }
        rest = &fraction[len..];
    }
    let digits = |a: u8, b: u8| -> Option<i64> {
        let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
        (a <= 9 && b <= 9).then(|| i64::from(a) * 10 + i64::from(b))
    };
    let offset = match *rest {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), a, b] => signed(sign, digits(a, b)? * 60),
        [sign @ (b'+' | b'-'), a, b, b':', c, d] => signed(sign, digits(a, b)? * 60 + digits(c, d)?),
        _ => return None,
    };
    // Days since 1970 by the civil calendar, with years that begin in March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted / 400, shifted % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1_000_000 + micros)
}

const fn signed(sign: u8, minutes: i64) -> i64 {
    if sign == b'-' { -minutes } else { minutes }
}

/// A time without offset in the file's zone; UTC where that is unknown.
fn placed(micros: i64, spelling: &Spelling) -> i64 {
    let Some(zone) = spelling.zone else { return micros };
    let Some(local) = chrono::DateTime::from_timestamp_micros(micros) else { return micros };
    // An hour that a clock change repeats is read as the first of the two; one that it skips, as if it had not.
    zone.from_local_datetime(&local.naive_utc()).earliest().map_or(micros, |t| t.timestamp_micros())
}

/// The other date styles as ISO: `22.11.2026 14:34:43.8 UTC`, `11/22/2026 ...`, `Sun Nov 22 14:34:43.8 2026 UTC`.
fn iso_of(cell: &str, spelling: &Spelling) -> Result<String, Reason> {
    let mut words: Vec<&str> = cell.split_whitespace().collect();
    let Some(first) = words.first().copied() else { return Err(NOT_TIME) };
    if ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&first) && words.len() >= 5 {
        let (a, b) = (words[1], words[2]);
        let (month, day) = if a.starts_with(|c: char| c.is_ascii_digit()) { (b, a) } else { (a, b) };
        let month = MONTHS.iter().position(|m| *m == month).ok_or(NOT_TIME)? + 1;
        let day: u32 = day.parse().map_err(|_| NOT_TIME)?;
        let year = words[4];
        return Ok(format!("{year}-{month:02}-{day:02} {}{}", words[3], zone_of(&words[5..])?));
    }
    let (day, month, year) = if let Some((day, rest)) = first.split_once('.') {
        let (month, year) = rest.split_once('.').ok_or(NOT_TIME)?;
        (day, month, year)
    } else if slashed(first).is_some() {
        let mut parts = first.splitn(3, '/');
        let (a, b, year) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        match spelling.dates {
            Dates::DayFirst => (a, b, year),
            Dates::MonthFirst => (b, a, year),
            Dates::Unknown => return Err(AMBIGUOUS_DATE),
        }
    } else {
        return Err(NOT_TIME);
    };
    if year.len() != 4 || day.len() > 2 || month.len() > 2 {
        return Err(NOT_TIME);
    }
    words.remove(0);
    let clock = if words.is_empty() { "" } else { words.remove(0) };
    let clock = if clock.len() == 4 && clock.as_bytes()[1] == b':' { format!("0{clock}") } else { clock.to_owned() };
    Ok(format!("{year}-{month:0>2}-{day:0>2} {clock}{}", zone_of(&words)?))
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The offset of a zone abbreviation as PostgreSQL's default set reads it, where nothing else is called so.
fn zone_of(words: &[&str]) -> Result<&'static str, Reason> {
    Ok(match words {
        [] => "",
        ["UTC" | "GMT" | "Z" | "WET"] => "+00",
        ["CET" | "MEZ" | "BST" | "WEST"] => "+01",
        ["CEST" | "MESZ" | "EET"] => "+02",
        ["EEST" | "MSK"] => "+03",
        ["JST"] => "+09",
        ["NST"] => "-03:30",
        ["EDT"] => "-04",
        ["EST" | "CDT"] => "-05",
        ["CST" | "MDT"] => "-06",
        ["MST" | "PDT"] => "-07",
        ["PST"] => "-08",
        _ => return Err("has a zone name that does not say its offset"),
    })
}

/// Seconds, milliseconds or microseconds since 1970, told by their number of digits.
fn epoch(cell: &str) -> Option<i64> {
    let n: i64 = cell.trim_end_matches(".0").parse().ok()?;
    match cell.trim_end_matches(".0").len() {
        10 => n.checked_mul(1_000_000),
        13 => n.checked_mul(1000),
        16 => Some(n),
        _ => None,
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
            ("1.23.4", GERMAN, Err(NOT_NUMBER)),
            ("abc", PLAIN, Err(NOT_NUMBER)),
        ] {
            assert_eq!(float(cell, &spelling), want, "{cell}");
        }
    }

    #[test]
    fn reads_times_of_every_date_style() {
        let day = Spelling { dates: Dates::DayFirst, ..PLAIN };
        let month = Spelling { dates: Dates::MonthFirst, ..PLAIN };
        let berlin = Spelling { zone: Some(chrono_tz::Europe::Berlin), ..PLAIN };
        let t = |text: &str| Timestamp::parse(text).unwrap().0.0;
        for (cell, spelling, want) in [
            ("2026-11-22 14:34:43.849564+00", PLAIN, Ok((t("2026-11-22T14:34:43.849564Z"), true))),
            ("2026-11-22 11:04:43.849564-03:30", PLAIN, Ok((t("2026-11-22T14:34:43.849564Z"), true))),
            ("22.11.2026 14:34:43.849564 UTC", PLAIN, Ok((t("2026-11-22T14:34:43.849564Z"), true))),
            ("22/11/2026 14:34:43.849564 UTC", day, Ok((t("2026-11-22T14:34:43.849564Z"), true))),
            ("11/22/2026 14:34:43.849564 UTC", month, Ok((t("2026-11-22T14:34:43.849564Z"), true))),
            ("11/12/2026 14:34:43 UTC", PLAIN, Err(AMBIGUOUS_DATE)),
            ("Sun Nov 22 14:34:43.849564 2026 UTC", PLAIN, Ok((t("2026-11-22T14:34:43.849564Z"), true))),
            ("Sun 22 Nov 14:34:43.849564 2026 CET", PLAIN, Ok((t("2026-11-22T13:34:43.849564Z"), true))),
            ("22.11.2026 14:21", PLAIN, Ok((t("2026-11-22T14:21:00Z"), false))),
            ("22.11.2026 14:21", berlin, Ok((t("2026-11-22T13:21:00Z"), false))),
            ("2026-07-01 12:00:00", berlin, Ok((t("2026-07-01T10:00:00Z"), false))),
            ("1795357265039", PLAIN, Ok((1_795_357_265_039_000, true))),
            ("22.11.2026 14:34:43 IST", PLAIN, Err("has a zone name that does not say its offset")),
            ("soon", PLAIN, Err(NOT_TIME)),
            ("infinity", PLAIN, Err(NOT_TIME)),
            ("2026-02-30 00:00:00+00", PLAIN, Err(NOT_TIME)),
        ] {
            assert_eq!(time(cell, &spelling), want, "{cell}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_long_one(
            days in -30_000_i64..200_000, seconds in 0_i64..86_400, micros in 0_i64..1_000_000, offset in -12_i64..13
        ) {
            let at = Timestamp((days * 86_400 + seconds) * 1_000_000 + micros);
            let text = at.to_string();
            prop_assert_eq!(plain_time(text.as_bytes()), Some(at.0));
            let spelled = format!("{}{}{:02}", text[..26].replace('T', " "), if offset < 0 { '-' } else { '+' }, offset.abs());
            prop_assert_eq!(plain_time(spelled.as_bytes()), Some(at.0 - offset * 3_600_000_000));
        }

        #[test]
        fn nothing_in_a_cell_is_fatal(cell in "\\PC{0,30}") {
            for spelling in [PLAIN, GERMAN, COMMA] {
                let _ = (int(&cell, &spelling), float(&cell, &spelling), time(&cell, &spelling), boolean(&cell));
            }
        }
    }
}
