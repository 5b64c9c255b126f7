//! Rows read again: what did not go on, what is asked for, and what decides about these.

use super::columns::{Course, Read};
use super::gathered::Gathered;
use super::kept::Kept;
use super::row::Row;
use super::side::{Buffer, Side};
use super::walk::Calm;
use super::{Files, Rest};
use crate::ingest::succession::Ends;
use foldhash::fast::FixedState;
use rayon::prelude::*;
use std::collections::HashSet;
use std::ops::Range;

/// Bytes read for a row; more where it is longer.
const ROW: u64 = 1 << 10;
/// The longest row.
const LONGEST: u64 = 16 << 20;

/// Keys or OIDs.
type Set = HashSet<u32, FixedState>;

/// The rows of a view that are given on.
pub(super) struct Picked {
    /// For each side the bytes of its rows, and how many rows its file has.
    pub rows: [(Vec<u8>, u64); 2],
    /// What is left out.
    pub rest: Rest,
}

/// A row's place on each side that has it.
#[derive(Clone, Copy)]
struct Place {
    key: u32,
    at: [Option<u32>; 2],
    /// Whether it goes on.
    calm: bool,
}

/// Picks the rows of all views.
pub(super) fn pick(files: &[Files], gathered: Vec<Gathered>) -> Option<Vec<Picked>> {
    // What is said of a table depends on its indexes, and the other way round: where a row of one did not go on, all rows
    // of the table and its indexes are looked at.
    let owners: Set = gathered
        .iter()
        .flat_map(|g| {
            let loose = g.only_before.iter().chain(&g.only_after).map(|row| row.owner);
            g.apart.iter().map(|row| row.owner).chain(loose)
        })
        .collect();
    files.par_iter().zip(gathered).map(|(files, gathered)| one(files, gathered, &owners)).collect()
}

fn one(files: &Files, mut gathered: Gathered, owners: &Set) -> Option<Picked> {
    let total = gathered.rows();
    let limits = &files.request.watch.limits;
    // Whether an export looks cut by a limit is decided by all of its rows.
    if total.iter().any(|rows| limits.iter().max().is_some_and(|most| rows <= most)) {
        return None;
    }
    let keys: Set = gathered.foremost.keys().chain(gathered.newest.map(|(_, key)| key)).collect();
    let asked = |row: &&Calm| owners.contains(&row.owner) || keys.contains(&row.key);
    let calm: Vec<Calm> = gathered.calm.par_iter().flat_map_iter(|rows| rows.iter().filter(asked).copied()).collect();
    let mut places: Vec<Place> = Vec::new();
    places.extend(gathered.only_before.iter().map(|r| Place { key: r.key, at: [Some(r.at), None], calm: false }));
    places.extend(gathered.only_after.iter().map(|r| Place { key: r.key, at: [None, Some(r.at)], calm: false }));
    let both = |row: &Calm, calm| Place { key: row.key, at: [Some(row.before), Some(row.after)], calm };
    places.extend(gathered.apart.iter().map(|row| both(row, false)));
    places.extend(calm.iter().map(|row| both(row, true)));
    // Their number must not look like a limit either.
    let mut spare = gathered.calm.iter().flatten().filter(|row| !asked(row));
    while [0, 1].iter().any(|side| limits.contains(&places.iter().filter(|p| p.at[*side].is_some()).count())) {
        places.push(both(spare.next()?, true));
    }
    places.sort_unstable_by_key(|place| place.key);
    let given: Set = places.iter().map(|place| place.key).collect();
    let mut rows: [Vec<u8>; 2] = Default::default();
    let mut buffers: [Buffer; 2] = Default::default();
    let (mut ends, mut reads): ([Ends; 2], [Read; 2]) = Default::default();
    let mut rest = Rest {
        rows: gathered.calm.iter().map(Vec::len).sum(),
        moved: usize::try_from(gathered.moved).ok()?,
        ..Rest::default()
    };
    for place in places {
        let [was_at, is_at] = place.at;
        let [first, second] = &mut buffers;
        let [first_ends, second_ends] = &mut ends;
        let [before, after] = &files.sides;
        let was = load(first, before, was_at, files.columns.count(), first_ends)?;
        let is = load(second, after, is_at, files.columns.count(), second_ends)?;
        for (bytes, row) in rows.iter_mut().zip([&was, &is]) {
            bytes.extend(row.iter().flat_map(Row::whole));
        }
        if let (true, Some(was), Some(is)) = (place.calm, was, is) {
            let [a, b] = &mut reads;
            files.columns.read(&was, a)?;
            files.columns.read(&is, b)?;
            let Course::On { moved } = files.columns.take_back((&was, a), (&is, b), &mut gathered.sums)? else {
                return None;
            };
            rest.rows -= 1;
            rest.moved -= usize::from(moved);
        }
    }
    rest.sums = files.columns.amounts(&gathered.sums);
    if files.columns.kept.is_some() {
        rest.kept = Some(Kept::new(&gathered.calm, gathered.kept, &given));
    }
    let [a, b] = rows;
    let [all_a, all_b] = total;
    Some(Picked { rows: [(a, all_a as u64), (b, all_b as u64)], rest })
}

/// Reads the row at a place; nothing where there is none. `None` outside: it is not there any more.
#[expect(clippy::option_option, reason = "no place is no failure")]
fn load<'a>(
    buffer: &'a mut Buffer,
    side: &Side,
    at: Option<u32>,
    cells: usize,
    ends: &'a mut Ends,
) -> Option<Option<Row<'a>>> {
    let Some(at) = at.map(u64::from) else { return Some(None) };
    let mut size = ROW;
    loop {
        buffer.load(side, at..at + size).ok()?;
        let (bytes, Range { start, end }) = buffer.padded();
        if Row::split(bytes, start, end, cells, ends).is_some() {
            break;
        }
        size *= 8;
        if size > LONGEST {
            return None;
        }
    }
    let (bytes, Range { start, end }) = buffer.padded();
    Row::split(bytes, start, end, cells, ends).map(Some)
}
