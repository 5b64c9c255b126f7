//! A view's files of two snapshots, read side by side.
//!
//! Between two snapshots nearly all rows go on: the same object, counters that stayed or rose, names and set times that
//! stayed. Where only the foremost rows are asked for, all the others are compared, added up and forgotten while the two
//! files are read, a part of each at a time. What did not go on, what is asked for, and what decides about these comes
//! out as two small snapshots, to be subtracted and judged like whole ones.
//!
//! A file that is not written the plain way (odd quotes, numbers with marks, times without an offset, a key twice) is not
//! read here at all.
//!
//! * `columns`, `row`: what the cells say; `cuts`, `side`: parts of files; `walk`: two parts side by side
//! * `scattered`: files whose rows are in different orders
//! * `foremost`: the rows asked for; `gathered`: what all parts say together; `fetch`: rows read again
//! * `kept`: what is kept of rows that are to be shown and not to be judged

mod columns;
mod cuts;
mod fetch;
mod foremost;
mod gathered;
mod kept;
mod row;
mod scattered;
mod side;
mod walk;

use super::Opened;
use super::gather::Member;
use super::name::Packing;
use super::options::Wanted;
use super::plain_file::PlainFile;
use super::source::Input;
use super::succession::Watch;
use crate::snapshot::Snapshot;
use columns::Columns;
use foremost::Ask;
use gathered::Gathered;
pub use kept::{Digits, Keep, Kept, Record};
use rayon::prelude::*;
use side::{Buffer, Side};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use walk::Part;

/// What is asked of a view.
#[derive(Clone, Debug)]
pub struct Request {
    /// What of its rows has to stay for them to go on.
    pub watch: Watch,
    /// The column whose change orders the rows, largest first; without one they are ordered by key.
    pub by: Option<usize>,
    /// How many rows.
    pub most: usize,
    /// Only rows of which a number changed.
    pub moved: bool,
    /// What is kept of the rows that go on, where all are to be shown.
    pub keep: Option<Keep>,
}

/// The rows of a view that go on and were not asked for.
#[derive(Clone, Debug, Default)]
pub struct Rest {
    /// How many.
    pub rows: usize,
    /// How many of them have a number that changed.
    pub moved: usize,
    /// The sum of the changes of each column, by position in the view.
    pub sums: Vec<(usize, Amount)>,
    /// What was kept of them, where that was asked for.
    pub kept: Option<Kept>,
    /// Seconds that their changes cover, where known.
    pub covered_s: Option<f64>,
}

/// A sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// Of whole numbers.
    Whole(i128),
    /// Of durations.
    Duration(f64),
}

/// Two snapshots without the rows that go on and were not asked for.
#[derive(Debug)]
pub struct Paired {
    /// The first one.
    pub before: Snapshot,
    /// The other one.
    pub after: Snapshot,
    /// What was left out of each view.
    pub rest: Vec<(&'static str, Rest)>,
}

/// A view's two files.
struct Files {
    request: Request,
    columns: Columns,
    ask: Ask,
    plain: [PlainFile; 2],
    sides: [Side; 2],
    /// Bytes of the header.
    header: u64,
}

/// Reads two snapshots of which only the foremost rows of some views are asked for, and everything else that is wanted.
/// `None` where they have to be read whole: their files are not written the plain way, are small (under `least` bytes
/// together), or one of the snapshots lacks a view.
pub fn read(before: &Opened, after: &Opened, wanted: &Wanted, requests: Vec<Request>, least: u64) -> Option<Paired> {
    let files: Vec<Files> = requests
        .into_iter()
        .filter(|r| [before, after].iter().any(|opened| holds(opened, r.watch.view.name)))
        .map(|request| Files::new(before, after, request))
        .collect::<Option<_>>()?;
    let size: u64 = files.iter().flat_map(|f| &f.sides).map(|side| side.size).sum();
    if files.is_empty() || size < least {
        return None;
    }
    let gathered = gather(&files)?;
    let picked = fetch::pick(&files, gathered)?;
    let given = |opened: &Opened, side: usize| {
        opened.read_given(wanted, &|member| {
            let view = member.named.view?.0.name;
            let (files, picked) = files.iter().zip(&picked).find(|(f, _)| f.request.watch.view.name == view)?;
            let (plain, rows) = (files.plain.get(side)?, picked.rows.get(side)?);
            if let Some(tally) = opened.tally() {
                tally.add(1, files.sides.get(side)?.size);
            }
            Some(plain.parsed(&rows.0, rows.1))
        })
    };
    let (before, after) = (given(before, 0), given(after, 1));
    let rest = files.iter().zip(picked).map(|(f, picked)| (f.request.watch.view.name, picked.rest)).collect();
    Some(Paired { before, after, rest })
}

/// Whether a snapshot may have a view.
fn holds(opened: &Opened, view: &str) -> bool {
    opened.members().is_none_or(|mut files| files.any(|f| f.named.view.is_some_and(|(v, _)| v.name == view)))
}

/// The one plain file of a view.
fn file<'a>(opened: &'a Opened, view: &str) -> Option<(&'a Member, &'a Path)> {
    let mut found = None;
    for member in opened.members()? {
        // A file of a name that says nothing may hold anything.
        let (own, _) = member.named.view?;
        if own.name == view {
            let Input::File(path) = &member.input else { return None };
            if found.is_some() || member.named.packing != Packing::Plain {
                return None;
            }
            found = Some((member, path.as_path()));
        }
    }
    found
}

impl Files {
    fn new(before: &Opened, after: &Opened, request: Request) -> Option<Self> {
        let view = request.watch.view;
        let [(first, a), (second, b)] = [file(before, view.name)?, file(after, view.name)?];
        let (was, line) = PlainFile::of(first, view)?;
        let (is, other) = PlainFile::of(second, view)?;
        if line != other || was.plan.layout.view.is_none_or(|v| v.name != view.name) {
            return None;
        }
        let columns = Columns::new(&request.watch, &was.plan.layout.fields, request.keep.as_ref())?;
        let by = match request.by {
            Some(column) => Some(columns.whole_number(column)?),
            None => None,
        };
        let ask = Ask { by, most: request.most, moved: request.moved };
        let (plain, header) = ([was, is], line.len() as u64);
        let sides = [Side::of(a).ok()?, Side::of(b).ok()?];
        // Places in files are kept in 32 bits.
        if sides.iter().any(|side| side.size > u64::from(u32::MAX) || side.size < header) {
            return None;
        }
        Some(Self { request, columns, ask, plain, sides, header })
    }
}

/// What the rows of all files say.
fn gather(files: &[Files]) -> Option<Vec<Gathered>> {
    // Rows in another order seem to be gone on one side and new on the other.
    let or_scattered = |(files, gathered): (&Files, Option<Gathered>)| match gathered.filter(|g| !g.is_torn()) {
        // A file in memory and what is kept of all rows take more of it than reading both whole.
        None if files.columns.kept.is_some() => None,
        None => Some(Gathered::of(&files.ask, scattered::walk(files)?)),
        gathered => gathered,
    };
    let mut out = files.iter().zip(side_by_side(files)?).map(or_scattered).collect::<Option<Vec<_>>>()?;
    out.par_iter_mut().map(Gathered::settle).collect::<Option<Vec<()>>>()?;
    Some(out)
}

/// Walks through the files whose order of rows is the same, on all cores; `None` stands for the others.
fn side_by_side(files: &[Files]) -> Option<Vec<Option<Gathered>>> {
    let cut = |files: &Files| cuts::cut(&files.sides[0], &files.sides[1], files.header).ok();
    let cuts = files.iter().map(cut).collect::<Option<Vec<_>>>()?;
    let parts: Vec<(usize, &cuts::Parts)> =
        cuts.iter().enumerate().flat_map(|(at, parts)| parts.iter().flatten().map(move |part| (at, part))).collect();
    let one = |(at, (before, after)): &(usize, &cuts::Parts), [a, b]: &mut [Buffer; 2]| -> Option<Part> {
        let files = files.get(*at)?;
        let [was, is] = &files.sides;
        a.load(was, before.clone()).ok()?;
        b.load(is, after.clone()).ok()?;
        let text = [&*a, &*b].iter().all(|buffer| std::str::from_utf8(buffer.loaded()).is_ok());
        let (first, second) = (a.padded(), b.padded());
        let first = (first.0, first.1, before.start);
        let second = (second.0, second.1, after.start);
        text.then(|| walk::walk(&files.columns, &files.ask, first, second)).flatten()
    };
    let walked = each_part(&parts, one)?;
    let mut walked = parts.iter().map(|(at, _)| *at).zip(walked).peekable();
    let of = |(at, (files, cut)): (usize, (&Files, &Option<_>))| {
        let own = std::iter::from_fn(|| walked.next_if(|(own, _)| *own == at)).map(|(_, part)| part);
        cut.is_some().then(|| Gathered::of(&files.ask, own))
    };
    Some(files.iter().zip(&cuts).enumerate().map(of).collect())
}

/// What parts say, read on all cores into buffers that one part leaves to another. `None` where that of any is.
fn each_part<T: Sync, B: Default + Send>(
    parts: &[T],
    read: impl Fn(&T, &mut B) -> Option<Part> + Sync,
) -> Option<Vec<Part>> {
    let (buffers, failed) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let one = |part: &T| -> Option<Part> {
        if failed.load(Ordering::Relaxed) {
            return None;
        }
        let mut own: B = buffers.lock().ok()?.pop().unwrap_or_default();
        let said = read(part, &mut own);
        failed.fetch_or(said.is_none(), Ordering::Relaxed);
        buffers.lock().ok()?.push(own);
        said
    };
    parts.par_iter().map(one).collect()
}
