//! Cells as text for scripts: exact integers, shortest decimals, nothing rounded that is exact.

use crate::catalog::Type;
use crate::diff::Exact;
use crate::snapshot::Value;
use crate::unit::format_lsn;

/// Appends a whole number of any size.
pub(super) fn int(out: &mut Vec<u8>, n: i128) {
    match i64::try_from(n) {
        Ok(n) => whole(out, n),
        Err(_) => out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes()),
    }
}

/// Appends a whole number.
#[inline]
pub(super) fn whole(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    natural(out, n.unsigned_abs());
}

/// Appends a whole number that is not negative.
#[inline]
pub(super) fn natural(out: &mut Vec<u8>, n: u64) {
    // Most counters of most objects have a digit.
    if n < 10 {
        return out.push(b'0' + n as u8);
    }
    match u32::try_from(n) {
        Ok(n) if n < HUNDRED_MILLION => {
            let digits = eight_digits(n);
            let zeros = digits.trailing_zeros() / 8;
            out.extend_from_slice(&((digits | ZEROS) >> (8 * zeros)).to_le_bytes());
            out.truncate(out.len() - zeros as usize);
        }
        _ => out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes()),
    }
}

const HUNDRED_MILLION: u32 = 100_000_000;
/// The character `0` in each byte.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight digits of a number under [`HUNDRED_MILLION`], the first one in the lowest byte. Split into fours, pairs and
/// digits all at once, and written as one word, numbers of this size take a third of the time they take digit by digit
/// with a copy of as many bytes as there are.
#[inline]
const fn eight_digits(n: u32) -> u64 {
    let fours = (n / 10_000) as u64 | ((n % 10_000) as u64) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (pairs - 10 * tens) << 8
}

/// Appends a double in the shortest form that reads back the same, without exponent.
pub(in crate::cli) fn float(out: &mut Vec<u8>, x: f64) {
    if x == x.trunc() && x.abs() < 9e15 {
        int(out, x as i128);
    } else {
        out.extend_from_slice(x.to_string().as_bytes());
    }
}

/// Appends a rate: nine decimals, twelve where it is under a thousandth; that is enough for any that matters. The shortest
/// form of a very small or very large one.
pub(super) fn rate(out: &mut Vec<u8>, x: f64) {
    if x == 0.0 {
        return out.push(b'0');
    }
    // A whole part, the zeros after the point, and nine digits.
    let (whole, mut zeros, scaled) = match x {
        1e-3..1e9 => (x.trunc(), "", (x - x.trunc()) * 1e9),
        1e-6..1e-3 => (0.0, "000", x * 1e12),
        _ => return float(out, x),
    };
    let (mut whole, mut fraction) = (whole as u64, scaled.round() as u32);
    if fraction == 1_000_000_000 {
        (whole, fraction, zeros) = if zeros.is_empty() { (whole + 1, 0, "") } else { (0, 1_000_000, "") };
    }
    natural(out, whole);
    if fraction == 0 {
        return;
    }
    out.push(b'.');
    out.extend_from_slice(zeros.as_bytes());
    let (first, rest) = (fraction / HUNDRED_MILLION, eight_digits(fraction % HUNDRED_MILLION));
    out.push(b'0' + first as u8);
    out.extend_from_slice(&(rest | ZEROS).to_le_bytes());
    // Without the zeros at the end.
    out.truncate(out.len() - rest.leading_zeros() as usize / 8);
}

/// Appends a difference.
pub(in crate::cli) fn exact(out: &mut Vec<u8>, x: Exact) {
    match x {
        Exact::Int(n) => int(out, n),
        Exact::Float(x) => float(out, x),
    }
}

/// A cell that is written as a number; what is left is text.
pub(super) fn number(out: &mut Vec<u8>, value: Value<'_>, ty: Type) -> bool {
    match (value, ty) {
        (Value::Int(_), Type::Lsn) => false,
        (Value::Int(n), _) => {
            int(out, i128::from(n));
            true
        }
        (Value::Numeric(n), _) => {
            int(out, n);
            true
        }
        (Value::Float(x), _) if x.is_finite() => {
            float(out, x);
            true
        }
        // Intervals are written in seconds.
        (Value::Interval(us), _) => {
            float(out, us as f64 / 1e6);
            true
        }
        _ => false,
    }
}

/// A change of a gauge; intervals in seconds, positions in bytes.
pub(super) fn change(out: &mut Vec<u8>, x: Exact, ty: Type) {
    match (x, ty) {
        (Exact::Int(us), Type::Interval) => float(out, us as f64 / 1e6),
        (x, _) => exact(out, x),
    }
}

/// The text of a cell that is no number; `None` is NULL.
pub(super) fn text(value: Value<'_>, ty: Type) -> Option<std::borrow::Cow<'_, str>> {
    match (value, ty) {
        (Value::Text(text), _) => Some(text.into()),
        (Value::Time(t), _) => Some(t.to_string().into()),
        (Value::Int(n), Type::Lsn) => Some(format_lsn(n as u64).into()),
        (Value::Float(x), _) => Some(x.to_string().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_of_digits_are_the_digits(n: u64, shift in 0_u32..64) {
            let n = n >> shift;
            prop_assert_eq!(said(|o| natural(o, n)), n.to_string());
        }

        #[test]
        fn a_rate_is_within_half_of_its_last_decimal(x in 0.0..1e4) {
            let text = said(|o| rate(o, x));
            prop_assert!((text.parse::<f64>().unwrap() - x).abs() < 1e-9, "{} for {}", text, x);
        }
    }

    fn said(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_stay_exact() {
        assert_eq!(said(|o| int(o, i128::from(i64::MAX) * 10)), "92233720368547758070");
        assert_eq!(said(|o| float(o, 7.193_000_000_000_000_5)), "7.1930000000000005");
        assert_eq!(said(|o| float(o, 1e22)), "10000000000000000000000");
        assert_eq!(said(|o| float(o, -3.0)), "-3");
    }

    #[test]
    fn rates_have_nine_decimals_and_never_vanish() {
        for (x, want) in [
            (0.0, "0"),
            (2.0, "2"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.333333333"),
            (1_234.5, "1234.5"),
            (0.000_000_012, "0.000000012"),
            (0.000_001, "0.000001"),
            (1.0 / 3600.0, "0.000277777778"),
            (0.000_999_999_999_999, "0.001"),
            (2.999_999_999_999, "3"),
            (-0.25, "-0.25"),
            (4e9, "4000000000"),
        ] {
            assert_eq!(said(|o| rate(o, x)), want);
        }
    }
}
