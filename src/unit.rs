//! Quantities and how they are printed. The only place that formats a number.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A plain number of things: scans, calls, checkpoints.
    Count,
    /// Table rows (PostgreSQL's column names say tuples).
    Rows,
    /// Blocks of `block_size` bytes.
    Blocks,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Ms,
    /// Seconds.
    Seconds,
    /// A share: 0.895 is 89.5%.
    Share,
    /// A factor without dimension: 3.2×.
    Times,
    /// Things per second.
    PerSecond,
    /// Things per day.
    PerDay,
    /// Bytes per second.
    BytesPerSecond,
    /// Milliseconds of work per second of time, as average concurrency (1.0 = one session busy all the time).
    Sessions,
    /// Transaction ids or multixact ids, as an age.
    Xids,
    /// A position in the write-ahead log.
    Lsn,
    /// Microseconds since 1970 UTC.
    Time,
    /// A setting or identifier that happens to be a number: no grouping, no scaling.
    Plain,
}

/// A number: an exact integer, or a float.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Number {
    /// Exact.
    Int(i64),
    /// IEEE double.
    Float(f64),
}

impl Number {
    /// The value for arithmetic; integers beyond 2^53 lose their last digits here and only here.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(x) => x,
        }
    }
}

/// A number with its unit. Cells of a report are quantities, never strings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Quantity {
    /// The exact value.
    pub value: Number,
    /// Its unit.
    pub unit: Unit,
}

impl Quantity {
    /// An exact integer quantity.
    pub const fn int(value: i64, unit: Unit) -> Self {
        Self { value: Number::Int(value), unit }
    }

    /// A quantity from a float. Not-a-number and infinities become `None`: a report never prints them.
    pub fn float(value: f64, unit: Unit) -> Option<Self> {
        value.is_finite().then_some(Self { value: Number::Float(value), unit })
    }

    /// A count of things.
    pub fn count(n: impl TryInto<i64>) -> Self {
        Self::int(n.try_into().unwrap_or(i64::MAX), Unit::Count)
    }

    /// A point in time.
    pub const fn time(at: Timestamp) -> Self {
        Self::int(at.0, Unit::Time)
    }

    /// `numerator / denominator` as a share; `None` where the denominator is 0.
    pub fn share(numerator: f64, denominator: f64) -> Option<Self> {
        if denominator == 0.0 { None } else { Self::float(numerator / denominator, Unit::Share) }
    }

    /// The value for arithmetic.
    pub fn as_f64(self) -> f64 {
        self.value.as_f64()
    }

    /// The short form for reading: `80 kB`, `6.91 ms`, `89.5%`, `7,915`.
    pub fn human(self) -> String {
        match self.unit {
            Unit::Count | Unit::Rows | Unit::Blocks | Unit::Xids => group_number(self.value),
            Unit::Plain => match self.value {
                Number::Int(n) => n.to_string(),
                Number::Float(x) => trim_float(x, 6),
            },
            Unit::Bytes => human_bytes(self.as_f64()),
            Unit::Ms => human_ms(self.as_f64()),
            Unit::Seconds => human_seconds(self.as_f64()),
            Unit::Share => format!("{}%", significant_percent(self.as_f64() * 100.0)),
            Unit::Times => format!("{}×", significant(self.as_f64())),
            Unit::PerSecond => format!("{}/s", significant(self.as_f64())),
            Unit::PerDay => format!("{}/day", significant(self.as_f64())),
            Unit::BytesPerSecond => format!("{}/s", human_bytes(self.as_f64())),
            Unit::Sessions => significant(self.as_f64()),
            Unit::Lsn => match self.value {
                Number::Int(n) => format_lsn(n as u64),
                Number::Float(x) => trim_float(x, 0),
            },
            Unit::Time => match self.value {
                Number::Int(n) => Timestamp(n).human(),
                Number::Float(x) => Timestamp(x as i64).human(),
            },
        }
    }

    /// The exact form, for the title and the Exact switch: `81,920 bytes`, `6.912345 ms`.
    pub fn exact(self) -> String {
        let number = match self.value {
            Number::Int(n) => group_int(n),
            Number::Float(x) => trim_float(x, 9),
        };
        match self.unit {
            Unit::Count | Unit::Plain => number,
            Unit::Rows => format!("{number} rows"),
            Unit::Blocks => format!("{number} blocks"),
            Unit::Bytes => format!("{number} bytes"),
            Unit::Ms => format!("{number} ms"),
            Unit::Seconds => format!("{number} s"),
            Unit::Share => format!("{}%", trim_float(self.as_f64() * 100.0, 6)),
            Unit::Times => format!("{number} times"),
            Unit::PerSecond => format!("{number} per second"),
            Unit::PerDay => format!("{number} per day"),
            Unit::BytesPerSecond => format!("{number} bytes per second"),
            Unit::Sessions => format!("{number} sessions on average"),
            Unit::Xids => format!("{number} ids"),
            Unit::Lsn => self.human(),
            Unit::Time => match self.value {
                Number::Int(n) => Timestamp(n).to_string(),
                Number::Float(x) => Timestamp(x as i64).to_string(),
            },
        }
    }

    /// A change with its sign, for reading: `+75`, `−8 kB`, `=` where nothing changed.
    pub fn human_signed(self) -> String {
        let value = self.as_f64();
        if value == 0.0 {
            return "=".to_owned();
        }
        let magnitude = match self.value {
            Number::Int(n) => Self { value: Number::Int(n.saturating_abs()), unit: self.unit },
            Number::Float(x) => Self { value: Number::Float(x.abs()), unit: self.unit },
        };
        format!("{}{}", if value < 0.0 { '−' } else { '+' }, magnitude.human())
    }
}

/// Groups thousands: `-1,234,567`.
pub fn group_int(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// An LSN as PostgreSQL prints it: `0/C42D3C8`.
pub fn format_lsn(lsn: u64) -> String {
    format!("{:X}/{:X}", lsn >> 32, lsn & 0xffff_ffff)
}

/// Reads an LSN: two hexadecimal halves.
pub fn parse_lsn(text: &str) -> Option<u64> {
    let (high, low) = text.trim().split_once('/')?;
    if high.is_empty() || low.is_empty() || high.starts_with('+') || low.starts_with('+') {
        return None;
    }
    Some((u64::from(u32::from_str_radix(high, 16).ok()?) << 32) | u64::from(u32::from_str_radix(low, 16).ok()?))
}

fn group_number(value: Number) -> String {
    match value {
        Number::Int(n) => group_int(n),
        Number::Float(x) if x.abs() >= 100.0 || x.fract() == 0.0 => group_int(x.round() as i64),
        Number::Float(x) => significant(x),
    }
}

/// Up to `places` decimals, trailing zeros cut.
fn trim_float(x: f64, places: usize) -> String {
    let text = format!("{x:.places$}");
    if !text.contains('.') {
        return text;
    }
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Three significant digits, grouped from a thousand on, never an exponent.
fn significant(x: f64) -> String {
    let magnitude = x.abs();
    if magnitude == 0.0 {
        "0".to_owned()
    } else if magnitude >= 99.95 {
        group_int(x.round() as i64)
    } else if magnitude >= 9.995 {
        format!("{x:.1}")
    } else if magnitude >= 0.01 {
        format!("{x:.2}")
    } else if magnitude >= 0.000_5 {
        format!("{x:.4}")
    } else if x > 0.0 {
        "<0.001".to_owned()
    } else {
        ">-0.001".to_owned()
    }
}

/// A percentage: one decimal, none and grouped from a thousand on, never rounded up to 100 nor down to 0 where it is neither.
fn significant_percent(p: f64) -> String {
    if p == 0.0 || p == 100.0 {
        return format!("{p:.0}");
    }
    if p > 99.95 && p < 100.0 {
        return ">99.9".to_owned();
    }
    if p > 0.0 && p < 0.05 {
        return "<0.1".to_owned();
    }
    if p.abs() >= 999.95 {
        return group_int(p.round() as i64);
    }
    trim_float(p, 1)
}

fn human_bytes(bytes: f64) -> String {
    const NAMES: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let mut scaled = bytes;
    let mut name = 0;
    // PostgreSQL's pg_size_pretty keeps a unit up to 10 of the next one; people read 20 kB sooner than 20480 bytes.
    while scaled.abs() >= 1024.0 && name + 1 < NAMES.len() {
        scaled /= 1024.0;
        name += 1;
    }
    let number = if name == 0 || scaled.abs() >= 99.95 {
        group_int(scaled.round() as i64)
    } else {
        trim_float(scaled, if scaled.abs() < 10.0 { 2 } else { 1 })
    };
    format!("{number} {}", NAMES[name])
}

fn human_ms(ms: f64) -> String {
    let magnitude = ms.abs();
    if magnitude >= 60_000.0 {
        human_seconds(ms / 1e3)
    } else if magnitude >= 1_000.0 {
        format!("{} s", significant(ms / 1e3))
    } else if magnitude == 0.0 || magnitude >= 0.01 {
        format!("{} ms", significant(ms))
    } else {
        format!("{} µs", significant(ms * 1e3))
    }
}

fn human_seconds(seconds: f64) -> String {
    let magnitude = seconds.abs();
    let sign = if seconds < 0.0 { "−" } else { "" };
    if magnitude < 60.0 {
        return format!("{sign}{} s", significant(magnitude));
    }
    let whole = magnitude.round() as i64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    if whole < 3_600 {
        format!("{sign}{minutes} min {rest:02} s")
    } else if whole < 3 * 86_400 {
        format!("{sign}{} h {minutes:02} m", whole / 3_600)
    } else {
        format!("{sign}{} d {hours:02} h", group_int(days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_for_people() {
        let float = |x, unit| Quantity::float(x, unit).map(Quantity::human).unwrap_or_default();
        for (got, want) in [
            (Quantity::int(81_920, Unit::Bytes).human(), "80 kB"),
            (Quantity::int(1_023, Unit::Bytes).human(), "1,023 bytes"),
            (Quantity::int(9_126_805_504, Unit::Bytes).human(), "8.5 GB"),
            (Quantity::int(7_915, Unit::Count).human(), "7,915"),
            (Quantity::int(-7_915, Unit::Count).human(), "-7,915"),
            (float(6.912, Unit::Ms), "6.91 ms"),
            (float(0.0042, Unit::Ms), "4.20 µs"),
            (float(2_500.0, Unit::Ms), "2.50 s"),
            (float(86_400.0, Unit::Seconds), "24 h 00 m"),
            (float(75.0, Unit::Seconds), "1 min 15 s"),
            (float(0.895, Unit::Share), "89.5%"),
            (float(0.999_99, Unit::Share), ">99.9%"),
            (float(1.0, Unit::Share), "100%"),
            (float(9.994, Unit::Share), "999.4%"),
            (float(12.345_6, Unit::Share), "1,235%"),
            (float(0.000_1, Unit::Share), "<0.1%"),
            (float(3.2, Unit::Times), "3.20×"),
            (Quantity::int(0xC42_D3C8, Unit::Lsn).human(), "0/C42D3C8"),
        ] {
            assert_eq!(got, want);
        }
    }

    #[test]
    fn signs_changes() {
        assert_eq!(Quantity::int(75, Unit::Count).human_signed(), "+75");
        assert_eq!(Quantity::int(-8_192, Unit::Bytes).human_signed(), "−8 kB");
        assert_eq!(Quantity::int(0, Unit::Count).human_signed(), "=");
        assert_eq!(Quantity::int(i64::MIN, Unit::Count).human_signed(), "−9,223,372,036,854,775,807");
    }

    #[test]
    fn never_prints_nan() {
        assert_eq!(Quantity::float(f64::NAN, Unit::Ms), None);
        assert_eq!(Quantity::share(1.0, 0.0), None);
    }

    #[test]
    fn reads_lsn() {
        assert_eq!(parse_lsn("0/C42D3C8"), Some(0xC42_D3C8));
        assert_eq!(parse_lsn("1/0"), Some(1 << 32));
        for bad in ["", "/", "1/", "x/1", "1/100000000", "+1/1"] {
            assert_eq!(parse_lsn(bad), None, "{bad}");
        }
    }
}
