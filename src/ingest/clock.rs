//! One cell's text to a point in time, in PostgreSQL's date styles.

use super::cell::Reason;
use super::spelling::{Dates, Spelling, slashed};
use crate::time::Timestamp;
use chrono::TimeZone;

const NOT_TIME: Reason = "is not a time";
const AMBIGUOUS_DATE: Reason = "has day and month in an order that nothing in the file decides";

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
            let _ = time(&cell, &PLAIN);
        }
    }
}
