//! Whole numbers of digits, eight bytes at a time: no loop whose length changes from cell to cell.

const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight bytes that end at `end`, the last one in the highest place.
#[inline]
fn eight(bytes: &[u8], end: usize) -> Option<u64> {
    let start = end.checked_sub(8)?;
    Some(u64::from_le_bytes(bytes.get(start..end)?.try_into().ok()?))
}

/// The last `n` of eight characters as a number; `None` where one of them is no digit. `n` is 1 to 8.
#[inline]
fn eight_digits(word: u64, n: usize) -> Option<u64> {
    let own = u64::MAX << (64 - 8 * n as u32);
    let word = (word & own) | (ZEROS & !own);
    let above = word.wrapping_add(0x4646_4646_4646_4646);
    let below = word.wrapping_sub(ZEROS);
    if (above | below) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    Some(number(below))
}

/// The number of eight decimal digits, the first one in the lowest byte: neighbours are put together, then pairs, then
/// fours.
#[inline]
pub(super) const fn number(digits: u64) -> u64 {
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

/// The digits from `start` to `end` as a number. `None` where they are no digits, or more than 16 (the general reader has
/// the say then). Eight bytes have to stand before `end`.
#[inline]
pub(super) fn whole(bytes: &[u8], start: usize, end: usize) -> Option<i64> {
    match end.checked_sub(start)? {
        n @ 1..=8 => eight_digits(eight(bytes, end)?, n).map(|x| x as i64),
        n @ 9..=16 => {
            let low = eight_digits(eight(bytes, end)?, 8)?;
            let high = eight_digits(eight(bytes, end - 8)?, n - 8)?;
            Some((high * 100_000_000 + low) as i64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<i64> {
        let bytes = format!("..7,9876{text},");
        whole(bytes.as_bytes(), 8, 8 + text.len())
    }

    #[test]
    fn only_digits_are_a_number() {
        for (text, want) in [("0", Some(0)), ("007", Some(7)), ("12345678", Some(12_345_678)), ("", None)] {
            assert_eq!(read(text), want, "{text}");
        }
        for text in ["-5", "1.5", "1e5", " 7", "7 ", "1/2", "1:2", "x", "123456789x", "x23456789", "12345678901234567"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(whole(b"123", 0, 3), None, "too near to the start");
    }

    proptest! {
        #[test]
        fn reads_what_was_written(n in 0_i64..10_000_000_000_000_000) {
            prop_assert_eq!(read(&n.to_string()), Some(n));
        }
    }
}
