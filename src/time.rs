//! Points in time and lengths of time, in PostgreSQL's spellings. There is no "now" here.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A point in time: microseconds since 1970-01-01 00:00:00 UTC, the resolution PostgreSQL has.
///
/// Serialized as ISO 8601 in UTC (`2026-11-22T14:22:11.592820Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds * 1_000_000)
    }

    /// Seconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        // Microseconds of any real pair fit a f64 exactly (2^53 µs are 285 years).
        self.0.saturating_sub(earlier.0) as f64 / 1e6
    }

    /// The moment `seconds` later.
    pub fn plus_seconds(self, seconds: f64) -> Self {
        Self(self.0.saturating_add((seconds * 1e6) as i64))
    }

    fn civil(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }

    /// For people: `22 Nov 2026 14:22 UTC`.
    pub fn human(self) -> String {
        self.civil().map_or_else(
            || "out of range".to_owned(),
            |t| {
                format!(
                    "{} {} {} {:02}:{:02} UTC",
                    t.day(),
                    MONTHS[t.month0() as usize],
                    t.year(),
                    t.hour(),
                    t.minute()
                )
            },
        )
    }

    /// For people, where seconds matter: `22 Nov 2026 14:22:11 UTC`.
    pub fn human_seconds(self) -> String {
        self.civil().map_or_else(
            || "out of range".to_owned(),
            |t| {
                format!(
                    "{} {} {} {:02}:{:02}:{:02} UTC",
                    t.day(),
                    MONTHS[t.month0() as usize],
                    t.year(),
                    t.hour(),
                    t.minute(),
                    t.second()
                )
            },
        )
    }

    /// For people: `22 Nov 2026`.
    pub fn human_date(self) -> String {
        self.civil().map_or_else(
            || "out of range".to_owned(),
            |t| format!("{} {} {}", t.day(), MONTHS[t.month0() as usize], t.year()),
        )
    }

    /// For people, from this moment to a later one, with nothing said twice: `22 Nov 2026 14:22 → 14:23 UTC`,
    /// `21 Nov 14:22 → 22 Nov 2026 14:22 UTC`. Spans under ten minutes with seconds.
    pub fn human_until(self, later: Self) -> String {
        let (Some(a), Some(b)) = (self.civil(), later.civil()) else {
            return format!("{} → {}", self.human(), later.human());
        };
        let seconds = later.seconds_since(self) < 600.0;
        let time = |t: DateTime<Utc>| {
            let seconds = if seconds { format!(":{:02}", t.second()) } else { String::new() };
            format!("{:02}:{:02}{seconds}", t.hour(), t.minute())
        };
        let (from, to) = (time(a), time(b));
        if a.date_naive() == b.date_naive() {
            return format!("{} {from} → {to} UTC", self.human_date());
        }
        let day = format!("{} {}", a.day(), MONTHS[a.month0() as usize]);
        let year = if a.year() == b.year() { String::new() } else { format!(" {}", a.year()) };
        format!("{day}{year} {from} → {} {to} UTC", later.human_date())
    }

    /// This moment and a later one as the ends of an axis: days, or times with seconds where both are of one day.
    pub fn human_ends(self, later: Self) -> (String, String) {
        let (a, b) = (self.human_date(), later.human_date());
        if a != b {
            return (a, b);
        }
        let time = |t: Self| t.human_seconds().strip_prefix(&a).unwrap_or_default().trim().to_owned();
        (time(self), time(later))
    }

    /// Reads every spelling PostgreSQL and common exporters write, given an offset: `2026-11-22 09:21:53.79075-05`,
    /// `2026-11-22T14:22:11.5+00:00`, `...Z`, `... UTC`, `+0545`. A text without offset is read as UTC and the second
    /// value is `false`. `infinity` and unreadable texts are `None`.
    pub fn parse(text: &str) -> Option<(Self, bool)> {
        let text = text.trim();
        let bytes = text.as_bytes();
        if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(
            i32::try_from(digits(&bytes[0..4])?).ok()?,
            digits(&bytes[5..7])?,
            digits(&bytes[8..10])?,
        )?;
        let mut rest = text.get(10..)?.trim_start_matches(['T', ' ']);
        let (mut hour, mut minute, mut second, mut micros) = (0, 0, 0, 0);
        if rest.len() >= 5 && rest.as_bytes()[2] == b':' {
            hour = digits(&rest.as_bytes()[0..2])?;
            minute = digits(&rest.as_bytes()[3..5])?;
            rest = rest.get(5..)?;
            if rest.starts_with(':') {
                second = digits(rest.as_bytes().get(1..3)?)?;
                rest = rest.get(3..)?;
                if let Some(fraction) = rest.strip_prefix(['.', ',']) {
                    let len = fraction.bytes().take_while(u8::is_ascii_digit).count();
                    let mut scale = 100_000;
                    for b in fraction.bytes().take(len.min(6)) {
                        micros += u32::from(b - b'0') * scale;
                        scale /= 10;
                    }
                    rest = fraction.get(len..)?;
                }
            }
        }
        let naive = date.and_hms_micro_opt(hour, minute, second, micros)?;
        let (offset, known) = parse_offset(rest.trim())?;
        Some((Self(naive.and_utc().timestamp_micros() - i64::from(offset) * 1_000_000), known))
    }

    /// Reads the capture times that folder and file names carry: `20261122T142211Z`, `2026-11-22_14-22-11`, `20261122`.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut after_digit = false;
        name.char_indices().find_map(|(start, c)| {
            let starts_number = c.is_ascii_digit() && !after_digit;
            after_digit = c.is_ascii_digit();
            if starts_number { name.get(start..).and_then(time_in_name) } else { None }
        })
    }
}

fn time_in_name(text: &str) -> Option<Timestamp> {
    let mut numbers = String::new();
    let mut last_sep = 0;
    for (i, c) in text.char_indices() {
        if c.is_ascii_digit() {
            numbers.push(c);
            last_sep = 0;
        } else if matches!(c, '-' | '_' | 'T' | ':' | ' ' | '.') && last_sep == 0 && i > 0 {
            last_sep = 1;
        } else {
            break;
        }
        if numbers.len() == 14 {
            break;
        }
    }
    let field = |from: usize, to: usize| numbers.get(from..to).and_then(|s| s.parse::<u32>().ok());
    let year = i32::try_from(field(0, 4)?).ok()?;
    if !(1996..=2200).contains(&year) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year, field(4, 6)?, field(6, 8)?)?;
    let time: Option<NaiveDateTime> = match numbers.len() {
        8 => date.and_hms_opt(0, 0, 0),
        12 | 13 => date.and_hms_opt(field(8, 10)?, field(10, 12)?, 0),
        14 => date.and_hms_opt(field(8, 10)?, field(10, 12)?, field(12, 14)?),
        _ => None,
    };
    time.map(|t| Timestamp(t.and_utc().timestamp_micros()))
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

/// Seconds east of UTC, and whether the text said so.
fn parse_offset(text: &str) -> Option<(i32, bool)> {
    match text {
        "" => return Some((0, false)),
        "Z" | "z" | "UTC" | "GMT" => return Some((0, true)),
        _ => {}
    }
    let (sign, body) = match text.as_bytes()[0] {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let clean: String = body.chars().filter(|c| *c != ':').collect();
    if !clean.bytes().all(|b| b.is_ascii_digit()) || !matches!(clean.len(), 2 | 4 | 6) {
        return None;
    }
    let part = |i: usize| clean.get(i..i + 2).map_or(Some(0), |s| s.parse::<i32>().ok());
    Some((sign * (part(0)? * 3600 + part(2)? * 60 + part(4)?), true))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(t) => write!(
                f,
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                t.year(),
                t.month(),
                t.day(),
                t.hour(),
                t.minute(),
                t.second(),
                self.0.rem_euclid(1_000_000)
            ),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time", "description": "A time in UTC, RFC 3339." })
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map(|(t, _)| t).ok_or_else(|| serde::de::Error::custom(format!("not a timestamp: `{text}`")))
    }
}

/// Reads an `interval` as PostgreSQL prints it (`00:00:00.000186`, `1 day 02:03:04`, `-00:00:01`, `P1DT2H3M4.5S`)
/// into microseconds. Months count as 30 days, years as 365.25 days, like `extract(epoch from interval)`.
pub fn parse_interval(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(iso) = text.strip_prefix('P') {
        return parse_iso_interval(iso);
    }
    let mut total = 0.0_f64;
    let mut words = text.split_whitespace();
    let mut any = false;
    while let Some(word) = words.next() {
        any = true;
        if word.contains(':') {
            let (sign, body) = word.strip_prefix('-').map_or((1.0, word.trim_start_matches('+')), |w| (-1.0, w));
            let mut seconds = 0.0;
            for part in body.split(':') {
                seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
            }
            total += sign * seconds;
        } else {
            let n: f64 = word.parse().ok()?;
            let unit = words.next()?;
            let scale = match unit.trim_end_matches('s') {
                "year" | "yr" => 365.25 * 86_400.0,
                "mon" | "month" => 30.0 * 86_400.0,
                "week" => 7.0 * 86_400.0,
                "day" => 86_400.0,
                "hour" => 3_600.0,
                "min" | "minute" => 60.0,
                "sec" | "second" => 1.0,
                _ => return None,
            };
            total += n * scale;
        }
    }
    (any && total.is_finite()).then_some((total * 1e6).round() as i64)
}

fn parse_iso_interval(text: &str) -> Option<i64> {
    let mut total = 0.0;
    let mut in_time = false;
    let mut number = String::new();
    for c in text.chars() {
        match c {
            'T' => in_time = true,
            '0'..='9' | '.' | '-' | '+' => number.push(c),
            unit => {
                let scale = match (unit, in_time) {
                    ('Y', false) => 365.25 * 86_400.0,
                    ('M', false) => 30.0 * 86_400.0,
                    ('W', false) => 7.0 * 86_400.0,
                    ('D', false) => 86_400.0,
                    ('H', true) => 3_600.0,
                    ('M', true) => 60.0,
                    ('S', true) => 1.0,
                    _ => return None,
                };
                total += number.parse::<f64>().ok()? * scale;
                number.clear();
            }
        }
    }
    number.is_empty().then_some((total * 1e6_f64).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_postgres_spellings() {
        for (text, iso, known) in [
            ("2026-11-22 09:21:53.79075-05", "2026-11-22T14:21:53.790750Z", true),
            ("2026-11-22T14:22:11.592820+00:00", "2026-11-22T14:22:11.592820Z", true),
            ("2026-11-22 20:06:53+05:45", "2026-11-22T14:21:53.000000Z", true),
            ("2026-11-22 14:21:53 +0000", "2026-11-22T14:21:53.000000Z", true),
            ("2026-11-22 14:21:53.5 UTC", "2026-11-22T14:21:53.500000Z", true),
            ("2026-11-22T14:21:53Z", "2026-11-22T14:21:53.000000Z", true),
            ("2026-11-22 14:21:53", "2026-11-22T14:21:53.000000Z", false),
            ("2026-11-22", "2026-11-22T00:00:00.000000Z", false),
        ] {
            let (t, k) = Timestamp::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((t.to_string().as_str(), k), (iso, known), "{text}");
        }
        for text in ["", "infinity", "2026-13-01", "2026-11-22 25:00:00", "22.11.2026", "é026-11-22 1", "2026-11-22é"]
        {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_span_says_nothing_twice() {
        let t = |s| Timestamp::parse(s).unwrap().0;
        for (from, to, want) in [
            ("2026-11-22 14:22:11Z", "2026-11-22 15:23:02Z", "22 Nov 2026 14:22 → 15:23 UTC"),
            ("2026-11-22 14:22:11Z", "2026-11-22 14:22:51Z", "22 Nov 2026 14:22:11 → 14:22:51 UTC"),
            ("2026-11-21 14:22:11Z", "2026-11-22 09:00:00Z", "21 Nov 14:22 → 22 Nov 2026 09:00 UTC"),
            ("2026-12-31 23:00:00Z", "2027-01-01 01:00:00Z", "31 Dec 2026 23:00 → 1 Jan 2027 01:00 UTC"),
        ] {
            assert_eq!(t(from).human_until(t(to)), want);
        }
    }

    #[test]
    fn one_day_is_labelled_by_times() {
        let t = |s| Timestamp::parse(s).unwrap().0;
        assert_eq!(
            t("2026-11-22 14:22:11Z").human_ends(t("2026-11-22 14:27:12Z")),
            ("14:22:11 UTC".to_owned(), "14:27:12 UTC".to_owned())
        );
        assert_eq!(t("2026-11-21").human_ends(t("2026-11-22")).0, "21 Nov 2026");
    }

    #[test]
    fn reads_times_in_names() {
        for (name, want) in [
            ("01-20261122T142211Z", Some("2026-11-22T14:22:11.000000Z")),
            ("stats_2026-11-22_14-22-11.csv", Some("2026-11-22T14:22:11.000000Z")),
            ("dump-20261122", Some("2026-11-22T00:00:00.000000Z")),
            ("pg_stat_user_tables", None),
            ("customer-12345678", None),
            ("größe-20261122", Some("2026-11-22T00:00:00.000000Z")),
        ] {
            assert_eq!(Timestamp::from_name(name).map(|t| t.to_string()).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn reads_intervals() {
        for (text, micros) in [
            ("00:00:00.000186", 186),
            ("-00:00:01", -1_000_000),
            ("1 day 02:03:04", 93_784_000_000),
            ("2 days", 172_800_000_000),
            ("P1DT2H3M4S", 93_784_000_000),
        ] {
            assert_eq!(parse_interval(text), Some(micros), "{text}");
        }
        assert_eq!(parse_interval("soon"), None);
    }
}
