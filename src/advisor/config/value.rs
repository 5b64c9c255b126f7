//! Numbers with units as people write them: `10MB`, `5 min`, `50%`.

use crate::unit::Unit;

/// A number or a text as the value of something measured in `unit`; the error says what would do.
pub(super) fn number(text: &str, unit: Unit) -> Result<f64, String> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_alphabetic() || c == '%').unwrap_or(text.len());
    let (digits, suffix) = text.split_at(split);
    let suffix = suffix.trim();
    let number: f64 = digits
        .trim()
        .replace('_', "")
        .parse()
        .ok()
        .filter(|x: &f64| x.is_finite())
        .ok_or_else(|| format!("`{text}` is no number"))?;
    let scale = scale(suffix, unit).ok_or_else(|| format!("`{suffix}` is no unit here: {}", wanted(unit)))?;
    in_range(number * scale, unit)
}

/// The same for a bare number.
pub(super) fn in_range(number: f64, unit: Unit) -> Result<f64, String> {
    if unit == Unit::Share && !(0.0..=1.0).contains(&number) {
        return Err(format!("a share is 0 to 1, or a percentage in quotes, not {number}"));
    }
    Ok(number)
}

/// The factor from a written unit to the base unit.
fn scale(suffix: &str, unit: Unit) -> Option<f64> {
    if suffix.is_empty() {
        return Some(1.0);
    }
    let bytes = || {
        Some(match suffix.to_ascii_lowercase().trim_end_matches("/s") {
            "b" | "bytes" => 1.0,
            "kb" | "k" | "kib" => 1024.0,
            "mb" | "m" | "mib" => 1_048_576.0,
            "gb" | "g" | "gib" => 1_073_741_824.0,
            "tb" | "t" | "tib" => 1_099_511_627_776.0,
            _ => return None,
        })
    };
    let seconds = || {
        Some(match suffix {
            "ms" => 0.001,
            "s" | "sec" => 1.0,
            "min" => 60.0,
            "h" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            _ => return None,
        })
    };
    match unit {
        Unit::Bytes | Unit::BytesPerSecond => bytes(),
        Unit::Seconds => seconds(),
        Unit::Ms => seconds().map(|s| s * 1_000.0),
        Unit::Share => (suffix == "%").then_some(0.01),
        _ => None,
    }
}

/// What may be written.
fn wanted(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes | Unit::BytesPerSecond => "write bytes, or `10MB`, `1GB`",
        Unit::Seconds => "write seconds, or `10 min`, `24 h`, `30 d`",
        Unit::Ms => "write milliseconds, or `5 s`, `10 min`",
        Unit::Share => "write 0 to 1, or `50%`",
        _ => "write a plain number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units() {
        for (text, unit, want) in [
            ("10MB", Unit::Bytes, Some(10_485_760.0)),
            ("1 GB", Unit::Bytes, Some(1_073_741_824.0)),
            ("5 min", Unit::Seconds, Some(300.0)),
            ("30 d", Unit::Seconds, Some(2_592_000.0)),
            ("5 s", Unit::Ms, Some(5_000.0)),
            ("50%", Unit::Share, Some(0.5)),
            ("150%", Unit::Share, None),
            ("10 parsecs", Unit::Seconds, None),
            ("5 min", Unit::Count, None),
            ("1_000", Unit::Count, Some(1_000.0)),
            ("many", Unit::Count, None),
            ("", Unit::Count, None),
            ("1e999", Unit::Count, None),
        ] {
            assert_eq!(number(text, unit).ok(), want, "{text}");
        }
    }
}
