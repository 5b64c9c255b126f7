//! The formulas of evidence computed again: what reads as arithmetic gives the value beside it.

use pgretro::finding::Measure;
use pgretro::unit::{Quantity, Unit};

/// A formula's value, in seconds, bytes and ones; `None` where it is more than numbers, `+ − × ÷` and brackets.
pub fn value(formula: &str) -> Option<f64> {
    let mut parser = Parser { rest: formula };
    let value = parser.sum()?;
    parser.skip();
    // What follows in words says more of it.
    (parser.rest.is_empty() || parser.rest.starts_with([',', ';'])).then_some(value)
}

/// The value that a measure shows, in the same units.
pub fn shown(measure: &Measure) -> Option<f64> {
    let quantity = measure.window.or(measure.after).or(measure.before)?;
    Some(match quantity.unit {
        Unit::Ms => quantity.as_f64() / 1e3,
        Unit::PerDay => quantity.as_f64() / 86_400.0,
        _ => quantity.as_f64(),
    })
}

/// Whether they differ by no more than the rounding of what is printed, to three digits on each side.
pub fn agree(computed: f64, shown: f64) -> bool {
    let off = (computed - shown).abs();
    off <= 0.012 * shown.abs() || (off <= 0.51 && shown.abs() >= 1.0) || off <= 1e-3
}

struct Parser<'f> {
    rest: &'f str,
}

impl Parser<'_> {
    /// Past spaces and the words that say what a number counts.
    fn skip(&mut self) {
        const WORDS: [&str; 12] = [
            "calls",
            "rows",
            "scans",
            "numbers",
            "checkpoints",
            "sessions",
            "requested",
            "passes",
            "seen",
            "removed",
            "kept",
            "files",
        ];
        loop {
            self.rest = self.rest.trim_start();
            match WORDS.iter().find_map(|word| self.rest.strip_prefix(word)) {
                Some(rest) => self.rest = rest,
                None => return,
            }
        }
    }

    fn takes(&mut self, sign: char) -> bool {
        self.skip();
        let Some(rest) = self.rest.strip_prefix(sign) else { return false };
        self.rest = rest;
        true
    }

    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product()?;
        loop {
            if self.takes('+') {
                value += self.product()?;
            } else if self.takes('−') {
                value -= self.product()?;
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.term()?;
        loop {
            if self.takes('×') {
                value *= self.term()?;
            } else if self.takes('÷') {
                value /= self.term()?;
            } else {
                return Some(value);
            }
        }
    }

    fn term(&mut self) -> Option<f64> {
        if self.takes('(') {
            let value = self.sum()?;
            return self.takes(')').then_some(value);
        }
        let mut value = self.number()?;
        // `4 min 09 s`: the rest of a duration stands behind its first part.
        while self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            value += self.number()?;
        }
        Some(value)
    }

    /// A number with its unit.
    fn number(&mut self) -> Option<f64> {
        const UNITS: [(&str, f64); 16] = [
            ("bytes", 1.0),
            ("kB", 1024.0),
            ("MB", 1_048_576.0),
            ("GB", 1_073_741_824.0),
            ("TB", 1_099_511_627_776.0),
            ("min", 60.0),
            ("ms", 1e-3),
            ("µs", 1e-6),
            ("/day", 1.0 / 86_400.0),
            ("/s", 1.0),
            ("%", 0.01),
            ("×", 1.0),
            ("d", 86_400.0),
            ("h", 3_600.0),
            ("m", 60.0),
            ("s", 1.0),
        ];
        let end = self.rest.find(|c: char| !(c.is_ascii_digit() || c == ',' || c == '.')).unwrap_or(self.rest.len());
        let digits = self.rest.get(..end)?.trim_end_matches([',', '.']);
        let mut value: f64 = digits.replace(',', "").parse().ok()?;
        self.rest = &self.rest[digits.len()..];
        loop {
            let spaced = self.rest.strip_prefix(' ').unwrap_or(self.rest);
            let is_whole = |rest: &str| !rest.starts_with(|c: char| c.is_alphabetic());
            // A sign with spaces around it is an operation.
            let unit = UNITS.iter().find_map(|(unit, factor)| {
                let rest = if *unit == "×" { self.rest } else { spaced }.strip_prefix(unit)?;
                is_whole(rest).then_some((rest, factor))
            });
            let Some((rest, factor)) = unit else { return Some(value) };
            value *= factor;
            self.rest = rest;
            if !rest.starts_with('/') {
                self.rest =
                    rest.strip_prefix(' ').filter(|r| r.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(rest);
                return Some(value);
            }
        }
    }
}

#[test]
fn formulas_are_read_as_people_read_them() {
    for (formula, wanted) in [
        ("9,001 ÷ 342 calls", Some(9_001.0 / 342.0)),
        ("1.5 MB × 2 ÷ 4 min 09 s", Some(1.5 * 1_048_576.0 * 2.0 / 249.0)),
        ("3,731 ÷ (50 + 0.2 × 5,000)", Some(3_731.0 / 1_050.0)),
        ("(5.05 ms − 0.05 ms) × 1,150 calls ÷ 1 min 02 s", Some(0.005 * 1_150.0 / 62.0)),
        ("137,297 numbers ÷ 11.1/s", Some(137_297.0 / 11.1)),
        ("2 d 03 h ÷ 50%", Some(183_600.0 / 0.5)),
        ("126,963 seen − 692 kept, in 1 execution", Some(126_271.0)),
        ("1 − 800 ÷ 3,200, 12 MB; fillfactor 100", Some(0.75)),
        ("capture time − query_start", None),
        ("setting 50", None),
    ] {
        let got = value(formula);
        assert!(got.zip(wanted).map_or(got == wanted, |(a, b)| (a - b).abs() < 1e-9 * b), "{formula}: {got:?}");
    }
    let days = Quantity::float(2.0, Unit::PerDay);
    let measure = Measure::of_window("", days, pgretro::finding::Evidence::default());
    assert_eq!(shown(&measure), Some(2.0 / 86_400.0));
    assert!(agree(100.9, 100.0) && !agree(103.0, 100.0));
}
