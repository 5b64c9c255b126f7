//! Two files of about the same rows cut into parts that belong together.
//!
//! A cut is where a row starts whose first cells stand in the other file near the same place. That a row starts there is
//! not certain: a line break may stand inside a quoted name. Whoever reads the part before finds out, since then its last
//! row is not whole.

use super::side::{Buffer, Side};
use memchr::{memchr, memmem};
use std::io;
use std::ops::Range;

/// Bytes of a part: what a core's cache holds of two of them.
const PART: u64 = 512 << 10;
/// Bytes read of the first file to find where a row starts.
const GLANCE: u64 = 16 << 10;
/// How far from where it should be a row is looked for.
const NEAR: [u64; 2] = [48 << 10, 384 << 10];
/// Rows tried for a cut.
const TRIES: usize = 4;
/// Cuts that may fail one after the other before the files have little to do with each other.
const FAILURES: usize = 3;

/// Parts of two files.
pub(super) type Parts = (Range<u64>, Range<u64>);

/// Cuts two files behind their first lines. `None` where the order of their rows is not the same.
pub(super) fn cut(before: &Side, after: &Side, header: u64) -> io::Result<Option<Vec<Parts>>> {
    let mut out = Vec::new();
    let (mut a, mut b) = (header, header);
    let (mut glance, mut near) = (Buffer::default(), Buffer::default());
    let mut aim = a + PART;
    let mut failures = 0;
    while aim + PART / 2 < before.size {
        glance.load(before, aim..aim + GLANCE)?;
        // The other file may have grown by its share.
        let share = (after.size - b.min(after.size)) as f64 / (before.size - a) as f64;
        let expected = b + ((aim - a) as f64 * share) as u64;
        if let Some((at, other)) = find(&glance, aim, after, expected, &mut near)?.filter(|(_, other)| *other > b) {
            out.push((a..at, b..other));
            (a, b) = (at, other);
            failures = 0;
            aim = a + PART;
        } else {
            failures += 1;
            if failures >= FAILURES {
                return Ok(None);
            }
            aim += PART;
        }
    }
    out.push((a..before.size, b..after.size));
    Ok(Some(out))
}

/// A row that starts behind `aim` in the first file, and where it starts in the other.
fn find(glance: &Buffer, aim: u64, after: &Side, expected: u64, near: &mut Buffer) -> io::Result<Option<(u64, u64)>> {
    for reach in NEAR {
        let from = expected.saturating_sub(reach);
        near.load(after, from..expected + reach + GLANCE)?;
        let mut at = 0;
        for _ in 0..TRIES {
            let Some((start, needle)) = start_of_row(glance.loaded(), at) else { break };
            if let Some(found) = memmem::find(near.loaded(), needle) {
                return Ok(Some((aim + start as u64, from + found as u64 + 1)));
            }
            at = start;
        }
    }
    Ok(None)
}

/// Where a line starts behind `at`, and its first cells with the line break before them.
fn start_of_row(bytes: &[u8], at: usize) -> Option<(usize, &[u8])> {
    let start = at + memchr(b'\n', bytes.get(at..)?)? + 1;
    let line = bytes.get(start..)?;
    let mut commas = memchr::memchr_iter(b',', line.get(..memchr(b'\n', line)?)?);
    let end = commas.nth(2)?;
    Some((start, bytes.get(start - 1..=start + end)?))
}
