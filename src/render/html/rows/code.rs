//! Whole numbers as printable characters: about half of what digits and commas take.

use std::fmt::Write;

/// How many characters there are: printable ASCII without space, `!`, `"`, `<` and `\`, so that neither JSON nor HTML
/// escapes one.
pub(super) const CHARACTERS: u64 = 90;
/// Digits of a number but its last; the last has this added.
const BASE: u64 = CHARACTERS / 2;
/// The largest whole number that JavaScript keeps exact.
pub(super) const SAFE: u64 = 1 << 53;

/// The character of a number below [`CHARACTERS`].
pub(super) fn character(n: u64) -> char {
    let byte = b'#' + u8::try_from(n.min(CHARACTERS - 1)).unwrap_or(0);
    let byte = if byte >= b'<' { byte + 1 } else { byte };
    char::from(if byte >= b'\\' { byte + 1 } else { byte })
}

/// A number: its digits to the base 45, the last one marked.
pub(super) fn int(out: &mut String, n: u64) {
    let mut high = n / BASE;
    let at = out.len();
    out.push(character(n % BASE + BASE));
    while high > 0 {
        out.insert(at, character(high % BASE));
        high /= BASE;
    }
}

/// A number with a sign, as one without: 0, −1, 1, −2, ...
pub(super) const fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)).cast_unsigned()
}

/// Steps of a height, the last one a gap: three of them fit two characters.
pub(super) const STEPS: u64 = 20;

/// Heights of 0 to 18, gaps as 19: two characters for three.
pub(super) fn heights(out: &mut String, all: &[u64]) {
    for three in all.chunks(3) {
        let digit = |i: usize| three.get(i).copied().unwrap_or(STEPS - 1).min(STEPS - 1);
        let n = (digit(0) * STEPS + digit(1)) * STEPS + digit(2);
        out.extend([character(n / CHARACTERS), character(n % CHARACTERS)]);
    }
}

/// Text as JSON.
pub(super) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A member of a JSON object, behind others.
pub(super) fn member(out: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = write!(out, ",\"{name}\":{value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_need_no_escape() {
        let all: String = (0..CHARACTERS).map(character).collect();
        assert_eq!(all.len(), 90);
        assert_eq!(string(&all).len(), 92);
        assert!(all.is_ascii() && !all.contains(['<', '"', '\\', ' ']));
        assert!(all.as_bytes().is_sorted_by(|a, b| a < b), "each once");
    }

    #[test]
    fn numbers_end_in_a_marked_digit() {
        let coded = |n| {
            let mut out = String::new();
            int(&mut out, n);
            out
        };
        assert_eq!([coded(0), coded(44), coded(45)], ["Q", "~", "$Q"]);
        assert_eq!(coded(SAFE).len(), 10);
        assert_eq!([0, -1, 1, -2, i64::MAX].map(zigzag), [0, 1, 2, 3, u64::MAX - 1]);
    }
}
