//! The reader of CSV, COPY text and their kin: one view a file.

use super::delimited;
use super::file::Parsed;
use super::head::{self, Kind};
use super::header;
use super::notes::Odd;
use super::readers::{Job, Reader, Start};
use super::source::Stream;

pub(super) const READER: Reader = Reader {
    endings: &["csv", "tsv", "txt", "tab", "dat", "copy"],
    claims: |start| head::refusal(start).is_none(),
    is_moment: |_| false,
    read,
};

fn read(stream: Stream, job: &Job<'_>, parsed: &mut Parsed) {
    let start = Start { head: &stream.head, whole: stream.whole, named: job.named };
    let plan = match head::look(&start, job.zone, &mut parsed.odd) {
        Kind::NotRead(why) => return parsed.odd.push(Odd::new("unreadable-file", format!("the file {why}"))),
        Kind::Empty => return parsed.empty(job.named),
        Kind::Delimited(plan) => plan,
    };
    if !header::wanted(plan.layout.view, job.wanted) {
        return;
    }
    let rows = delimited::read(stream, &plan);
    parsed.add(rows, &plan.layout, None, job);
}
