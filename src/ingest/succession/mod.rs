//! One view's files of many snapshots, each compared with the one before while it is read.
//!
//! Between two snapshots of a history nearly all rows go on: the same object, counters that stayed or rose, names and
//! set times that stayed. Of those nothing but the followed numbers is asked. So nothing is made of them but these
//! numbers; the other rows of two snapshots, new, gone, fallen, renamed, are given as small tables, to be judged like
//! whole ones. Half of the rows of a database are the same bytes as an hour before, so the first thing tried is whether
//! the row is that of the last snapshot.
//!
//! A file that is not written the plain way (other header, other order of columns, odd quotes, numbers with marks, times
//! without an offset, a key twice, a look of being cut by a limit) is not read here at all.
//!
//! * `watched`: which cells matter; `cells`: where they end; `buffer`: a file's bytes
//! * `frame`: the last snapshot's rows and the comparison; `run`: snapshots one after the other
//! * `tables`: the same of snapshots that somebody read whole, whatever they were written in
//! * `stretches`: the same of packed histories, whose rows nobody makes tables of

mod buffer;
mod cells;
mod frame;
mod run;
mod stretches;
mod tables;
mod watched;

pub(super) use buffer::room;
pub(super) use cells::{BLOCK, Ends, MOST};
pub use run::{Run, Settle, Slots, Step};
pub use stretches::{Asked, Stretches};
pub use tables::{TableRun, Tables};
pub use watched::{Number, Watch};

use super::Opened;
use super::file::Parsed;
use super::gather::Member;
use super::name::Packing;
use super::notes::Oddities;
use super::options::Wanted;
use super::plain_file::PlainFile;
use super::source::Input;
use super::{conform, header};
use crate::snapshot::Snapshot;
use std::path::Path;
use std::sync::Arc;
use watched::Watched;

/// A view's files of a history.
pub struct Succession {
    wanted: Wanted,
    /// How its files are written.
    plain: PlainFile,
    watched: Watched,
    /// The views that may be exported beside it, read whole for every snapshot.
    beside: Vec<&'static str>,
    /// A snapshot that has nothing but this view.
    alone: Snapshot,
}

impl Succession {
    /// For a history of snapshots like this one; `None` where its files are not written the plain way, or it has more to
    /// read than this view and the small ones beside it. `clocked`: whether times in rows are of interest.
    pub fn new(watch: &Watch, like: &Opened, wanted: &Wanted, clocked: bool) -> Option<Self> {
        let (view, beside) = (watch.view, watch.beside.clone());
        let (plain, line) = PlainFile::of(find(like, view.name, wanted, &beside)?, view)?;
        let watched = Watched::new(watch, &plain.plan.layout.fields, &line, clocked)?;
        let mut out = Self { wanted: wanted.clone(), plain, watched, beside, alone: Snapshot::default() };
        out.alone = like.read_given(wanted, &|member| out.given(member, &[]));
        (out.alone.meta.taken_at, out.alone.meta.time_source) = (None, None);
        Some(out)
    }

    /// The view's file in a snapshot's; `None` where there is none, or where there is more to read than is allowed.
    fn file<'a>(&self, opened: &'a Opened) -> Option<&'a Member> {
        find(opened, self.plain.view.name, &self.wanted, &self.beside)
    }

    /// Its path.
    fn path<'a>(&self, opened: &'a Opened) -> Option<&'a Path> {
        match &self.file(opened)?.input {
            Input::File(path) => Some(path),
            _ => None,
        }
    }

    /// What a snapshot says beside the rows of the view, which are left out.
    fn beside(&self, opened: &Opened) -> Snapshot {
        let else_wanted = |file: &Member| {
            file.named
                .view
                .is_some_and(|(v, _)| v.name != self.plain.view.name && header::wanted(Some(v), &self.wanted))
        };
        if opened.members().is_some_and(|mut files| files.any(else_wanted)) {
            return opened.read_given(&self.wanted, &|member| self.given(member, &[]));
        }
        let mut alone = self.alone.clone();
        opened.label().clone_into(&mut alone.meta.label);
        alone
    }

    /// The view's file as if it held these rows.
    fn given(&self, member: &Member, rows: &[u8]) -> Option<Parsed> {
        let own = member.named.view.is_some_and(|(view, _)| view.name == self.plain.view.name);
        // What is odd about the header was said of the first one.
        own.then(|| Parsed { odd: Oddities::default(), ..self.plain.parsed(rows, 0) })
    }

    /// A snapshot with these rows of the view.
    fn with_rows(&self, beside: &Snapshot, rows: &[u8]) -> Option<Snapshot> {
        let table = self.plain.tables(rows).pop()?;
        let table = conform::conform(table, &mut Oddities::default())?;
        let mut out = beside.clone();
        out.tables.insert(self.plain.view.name, Arc::new(table));
        Some(out)
    }
}

/// The file of a view in a snapshot's, with nothing but what is not wanted and some views beside it.
fn find<'a>(opened: &'a Opened, name: &str, wanted: &Wanted, beside: &[&str]) -> Option<&'a Member> {
    let mut found = None;
    for file in opened.members()? {
        let (view, _) = file.named.view?;
        if view.name == name {
            let plain = matches!(file.input, Input::File(_)) && file.named.packing == Packing::Plain;
            if found.is_some() || !plain {
                return None;
            }
            found = Some(file);
        } else if header::wanted(Some(view), wanted) && !beside.contains(&view.name) {
            return None;
        }
    }
    found
}
