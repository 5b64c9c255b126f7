//! What the text of a setting amounts to: bytes, milliseconds, a number, a switch.

use crate::unit::{Number, Quantity, Unit};

/// The value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Amount {
    /// A size in bytes. Negative and unscaled where the setting uses a negative number as a word (`-1`: off).
    Bytes(i64),
    /// A time in milliseconds. Negative and unscaled where the setting uses a negative number as a word (`-1`: off).
    Ms(f64),
    /// A number without unit.
    Number(Number),
    /// `on` or `off`.
    Switch(bool),
    /// Anything else.
    Text(String),
}

impl Amount {
    /// The size, where it is one.
    pub const fn bytes(&self) -> Option<i64> {
        match self {
            Self::Bytes(n) => Some(*n),
            _ => None,
        }
    }

    /// The time, where it is one.
    pub const fn ms(&self) -> Option<f64> {
        match self {
            Self::Ms(x) => Some(*x),
            _ => None,
        }
    }

    /// The switch, where it is one.
    pub const fn switch(&self) -> Option<bool> {
        match self {
            Self::Switch(on) => Some(*on),
            _ => None,
        }
    }

    /// As a quantity with its unit; a negative number is a word (`-1`: off) and has none. `None` for what is no number.
    pub fn quantity(&self) -> Option<Quantity> {
        let unit = match self {
            Self::Bytes(n) if *n >= 0 => Unit::Bytes,
            Self::Ms(x) if *x >= 0.0 => Unit::Ms,
            _ => Unit::Plain,
        };
        match self {
            Self::Bytes(n) => Some(Quantity::int(*n, unit)),
            Self::Number(value) => Some(Quantity { value: *value, unit }),
            _ => self.number().and_then(|n| Quantity::float(n, unit)),
        }
    }

    /// The bare number: bytes, milliseconds or what has no unit.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Bytes(n) => Some(*n as f64),
            Self::Ms(x) => Some(*x),
            Self::Number(n) => Some(n.as_f64()),
            Self::Switch(_) | Self::Text(_) => None,
        }
    }
}

/// One unit as a size or a time.
#[derive(Clone, Copy)]
enum Scale {
    Bytes(f64),
    Ms(f64),
}

/// Reads a setting: `16384` with unit `8kB`, `128MB`, `1.5 h`, `0.2`, `on`.
///
/// `unit` is that of `pg_settings`; a unit written in the text goes before it. As in PostgreSQL units are spelled
/// exactly (`kB`, `MB`, `min`), sizes come in steps of 1024, and a fraction is rounded to whole bytes.
pub fn parse(text: &str, unit: Option<&str>) -> Amount {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => return Amount::Switch(true),
        "off" | "false" | "no" => return Amount::Switch(false),
        _ => {}
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    // An exponent belongs to the number: `1e-05`.
    let end = match text.get(end..) {
        Some(rest) if rest.starts_with(['e', 'E']) => text
            .get(end + 1..)
            .and_then(|r| r.find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '+'))))
            .map_or(text.len(), |n| end + 1 + n),
        _ => end,
    };
    let (Some(number), Some(written)) = (text.get(..end), text.get(end..)) else {
        return Amount::Text(text.to_owned());
    };
    let Some(value) = number.parse::<f64>().ok().filter(|v| v.is_finite()) else {
        return Amount::Text(text.to_owned());
    };
    let written = written.trim();
    let unit = if written.is_empty() { unit.unwrap_or("").trim() } else { written };
    let exact = number.parse::<i64>().ok();
    if unit.is_empty() {
        return Amount::Number(exact.map_or(Number::Float(value), Number::Int));
    }
    match scale(unit) {
        None => Amount::Text(text.to_owned()),
        Some(Scale::Bytes(_)) if value < 0.0 => Amount::Bytes(value as i64),
        // Both casts saturate, so that a hostile number is only a large one.
        Some(Scale::Bytes(factor)) => {
            Amount::Bytes(exact.and_then(|n| n.checked_mul(factor as i64)).unwrap_or((value * factor).round() as i64))
        }
        Some(Scale::Ms(_)) if value < 0.0 => Amount::Ms(value),
        Some(Scale::Ms(factor)) => Amount::Ms(value * factor),
    }
}

/// The size or time of a unit, also of one with a number before it (`8kB`).
fn scale(unit: &str) -> Option<Scale> {
    let split = unit.find(|c: char| !c.is_ascii_digit())?;
    let (many, name) = (unit.get(..split)?, unit.get(split..)?);
    let many: f64 = if many.is_empty() { 1.0 } else { many.parse().ok()? };
    let kilo = 1024.0_f64;
    Some(match name {
        "B" => Scale::Bytes(many),
        "kB" => Scale::Bytes(many * kilo),
        "MB" => Scale::Bytes(many * kilo.powi(2)),
        "GB" => Scale::Bytes(many * kilo.powi(3)),
        "TB" => Scale::Bytes(many * kilo.powi(4)),
        "us" => Scale::Ms(many / 1e3),
        "ms" => Scale::Ms(many),
        "s" => Scale::Ms(many * 1e3),
        "min" => Scale::Ms(many * 6e4),
        "h" => Scale::Ms(many * 3.6e6),
        "d" => Scale::Ms(many * 8.64e7),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_spelling() {
        for (text, unit, want) in [
            ("16384", Some("8kB"), Amount::Bytes(128 << 20)),
            ("128MB", Some("8kB"), Amount::Bytes(128 << 20)),
            ("128 MB", None, Amount::Bytes(128 << 20)),
            ("1.5GB", None, Amount::Bytes(3 << 29)),
            ("0", Some("kB"), Amount::Bytes(0)),
            ("-1", Some("kB"), Amount::Bytes(-1)),
            ("-1", Some("ms"), Amount::Ms(-1.0)),
            ("300", Some("s"), Amount::Ms(300_000.0)),
            ("5min", Some("s"), Amount::Ms(300_000.0)),
            ("1d", None, Amount::Ms(86_400_000.0)),
            ("0.2", Some(""), Amount::Number(Number::Float(0.2))),
            ("1e-05", None, Amount::Number(Number::Float(1e-5))),
            ("9223372036854775807", None, Amount::Number(Number::Int(i64::MAX))),
            ("200000000", Some(""), Amount::Number(Number::Int(200_000_000))),
            ("on", Some(""), Amount::Switch(true)),
            ("OFF", None, Amount::Switch(false)),
            ("scram-sha-256", None, Amount::Text("scram-sha-256".to_owned())),
            ("", None, Amount::Text(String::new())),
            ("-", Some("kB"), Amount::Text("-".to_owned())),
            ("5 parsecs", None, Amount::Text("5 parsecs".to_owned())),
            ("99999999999999999999", Some("TB"), Amount::Bytes(i64::MAX)),
            ("1e", None, Amount::Text("1e".to_owned())),
            ("1é", None, Amount::Text("1é".to_owned())),
        ] {
            assert_eq!(parse(text, unit), want, "{text} {unit:?}");
        }
    }

    proptest! {
        #[test]
        fn units_do_not_change_an_amount(n in 0_i64..4_000_000) {
            let gb = parse(&format!("{n}GB"), Some("8kB"));
            prop_assert_eq!(&gb, &Amount::Bytes(n << 30));
            for (text, unit) in [
                (format!("{}MB", n << 10), None),
                (format!("{}", n << 10), Some("MB")),
                (format!("{}kB", n << 20), Some("8kB")),
                (format!("{}", n << 17), Some("8kB")),
                (format!("{}", n << 30), Some("B")),
            ] {
                prop_assert_eq!(&parse(&text, unit), &gb, "{} {:?}", text, unit);
            }
            let minutes = parse(&format!("{n}min"), Some("s"));
            prop_assert_eq!(&minutes, &Amount::Ms(n as f64 * 60_000.0));
            for (text, unit) in [
                (format!("{}", n * 60), Some("s")),
                (format!("{}s", n * 60), Some("ms")),
                (format!("{}", n * 60_000), Some("ms")),
                (format!("{n}"), Some("min")),
            ] {
                prop_assert_eq!(&parse(&text, unit), &minutes, "{} {:?}", text, unit);
            }
        }
    }
}
