//! The list of input formats: how a file of each is told, and what reads it.

use super::file::Parsed;
use super::gather::Member;
use super::name::Named;
use super::options::Wanted;
use super::source::Stream;
use super::{blocks, bundle, csv, foreign, head, log, plans};
use chrono_tz::Tz;

/// An input format.
pub(super) struct Reader {
    /// Endings of names under which such files are found in a folder, besides those with a view's name in theirs.
    pub endings: &'static [&'static str],
    /// Whether a file is of this format. What an earlier reader claims, no later one is asked about.
    pub claims: fn(&Start<'_>) -> bool,
    /// Whether a file of this format is a moment of its own, whatever stands beside it; else it is one view of several.
    pub is_moment: fn(&Start<'_>) -> bool,
    /// Reads it. What cannot be read is an oddity of the file, never an error.
    pub read: fn(Stream, &Job<'_>, &mut Parsed),
}

/// Every input format, the more special ones first.
pub(super) static READERS: &[Reader] = &[plans::READER, log::READER, blocks::READER, bundle::READER, csv::READER];

/// What is known of a file before it is read.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    /// Its first bytes, unpacked and decoded.
    pub head: &'a [u8],
    /// Whether they are all of it.
    pub whole: bool,
    pub named: &'a Named,
}

/// What is to be read of a file.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub file: &'a Member,
    /// What its name says, or the title of a part of it.
    pub named: &'a Named,
    pub wanted: &'a Wanted,
    /// Zone of times written without an offset.
    pub zone: Option<Tz>,
}

impl Start<'_> {
    /// Its first bytes behind white space.
    pub fn trimmed(&self) -> &[u8] {
        let at = self.head.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(self.head.len());
        &self.head[at..]
    }

    /// Whether the bytes can be text. The first line decides: below it, names may hold any character.
    pub fn is_text(&self) -> bool {
        !self.head.iter().take(4096).take_while(|b| **b != b'\n').any(|b| *b < 9)
    }
}

/// The reader of a file.
///
/// # Errors
/// Where there is none, why; the words complete "the file ...".
pub(super) fn of(start: &Start<'_>) -> Result<&'static Reader, String> {
    if let Some(why) = foreign::refusal(start) {
        return Err(why);
    }
    READERS
        .iter()
        .find(|r| (r.claims)(start))
        .ok_or_else(|| head::refusal(start).unwrap_or_else(|| "is of no format that is read".to_owned()))
}

/// Whether some reader reads files of this ending.
pub(super) fn know_ending(ending: &str) -> bool {
    READERS.iter().any(|r| r.endings.contains(&ending))
}

/// Whether a file is a moment of its own.
pub(super) fn is_moment(member: &Member) -> bool {
    Stream::open(&member.input, member.named.packing).is_ok_and(|stream| {
        let start = Start { head: &stream.head, whole: stream.whole, named: &member.named };
        of(&start).is_ok_and(|reader| (reader.is_moment)(&start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn each_format_is_told_from_the_others() {
        for (name, head, want) in [
            ("pg_stat_wal.csv", "wal_records,wal_fpi\n", Ok(4)),
            ("a.txt", "queryid|calls|rows\n1|2|3\n", Ok(4)),
            ("a.csv", "-- pg_stat_wal\nwal_records,wal_fpi\n", Ok(2)),
            ("a.csv", "-- remarks\nwal_records,wal_fpi\n", Ok(4)),
            ("a.json", " [ {\"wal_fpi\": 1}]", Ok(3)),
            ("a.csv", "{\"wal_fpi\": 1}", Ok(3)),
            ("a.csv", "{a,b}\n", Ok(4)),
            ("a.json", "wal_records\n", Err("is called JSON and does not begin like it")),
            ("a.csv", "PK\u{3}\u{4}", Err("holds no text")),
            ("a.csv", "wal_records,wal_fpi\n\u{7},\u{0}\n", Ok(4)),
            ("a.json", "[{\"Plan\": {\"Node Type\": \"Result\"}}]", Ok(0)),
            ("a.txt", "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n", Ok(0)),
            ("a.csv", "queryid,plan\n1,\"Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\"\n", Ok(4)),
            ("a.log", "2026-11-28 01:36:10.524 UTC [7] LOG:  checkpoint starting: time\n", Ok(1)),
            ("a.json", "{\"timestamp\":\"2026-11-28 01:36:10.524 UTC\",\"error_severity\":\"LOG\"}\n", Ok(1)),
        ] {
            let named = Named::new(Path::new(name));
            let start = Start { head: head.as_bytes(), whole: true, named: &named };
            let got = of(&start).map(|found| READERS.iter().position(|r| std::ptr::eq(r, found)));
            assert_eq!(got, want.map(Some).map_err(str::to_owned), "{name} {head:?}");
        }
    }
}
