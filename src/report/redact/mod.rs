//! The report without what is private: names, texts and addresses, before any format sees it.
//!
//! Every format is a function of the report, so one pass over the report is enough for all of them, JSON and embedded
//! data included. The pass is typed: `walk` knows for each string of the model what can stand in it ([`Place`]), and a
//! new field does not compile before somebody has decided. Names, files and SQL are rewritten whole. Sentences are
//! rewritten by denial: a word stays only where it is one of the program's own (`build.rs` collects them from its
//! string literals) or one that PostgreSQL ships; everything else becomes a pseudonym, whoever put it there. So a rule
//! that writes a name into a sentence gives nothing away.
//!
//! Pseudonyms are numbered in the order of the report: the same name is the same pseudonym everywhere in it, and in
//! every format.

mod known;
mod names;
mod place;
mod prose;
mod sql;
mod walk;

use super::Report;
use crate::error::{Error, Result};
use names::Pseudonyms;
use sha2::{Digest, Sha256};

/// What is to be redacted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redact {
    /// Names of objects: databases, schemas, tables, columns, functions, slots.
    pub names: bool,
    /// Texts of statements and definitions: reduced to their shape, without literals and comments.
    pub queries: bool,
    /// Addresses, users, applications, names of files.
    pub hosts: bool,
}

impl Redact {
    /// Reads `names`, `queries`, `hosts`, `all`, or several with commas.
    pub fn parse(words: &str) -> Result<Self> {
        let mut what = Self::default();
        for word in words.split(',').map(str::trim) {
            match word {
                "names" => what.names = true,
                "queries" => what.queries = true,
                "hosts" => what.hosts = true,
                "all" => what = Self { names: true, queries: true, hosts: true },
                _ => {
                    return Err(Error::usage(
                        format!("redact `{word}`: there is no such kind"),
                        "use names, queries, hosts, or all",
                    ));
                }
            }
        }
        Ok(what)
    }

    /// What is redacted, in words.
    fn said(self) -> Vec<String> {
        [
            (self.names, "names of objects"),
            (self.queries, "texts of statements"),
            (self.hosts, "users, addresses and files"),
        ]
        .into_iter()
        .filter(|(on, _)| *on)
        .map(|(_, words)| words.to_owned())
        .collect()
    }
}

/// The report without what is to be redacted.
pub fn redact(report: &Report, what: Redact) -> Report {
    let mut report = report.clone();
    if what == Redact::default() {
        return report;
    }
    let mut names = Pseudonyms::new(what);
    walk::report(&mut report, &mut |place, text| names.learn(place, text));
    walk::report(&mut report, &mut |place, text| names.guess(place, text));
    names.learned();
    walk::report(&mut report, &mut |place, text| {
        if let Some(new) = names.rewrite(place, text) {
            *text = new;
        }
    });
    for f in &mut report.findings {
        // The hash of a guessed name would confirm it.
        f.id = super::build::short(&Sha256::digest(f.finding.key().as_bytes()));
    }
    for past in report.baseline.iter_mut().flat_map(|b| b.fixed.iter_mut().chain(&mut b.unknown)) {
        past.id = super::build::short(&Sha256::digest(format!("{}/{}", past.rule, past.subject.name).as_bytes()));
    }
    report.redacted = what.said();
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_to_redact() {
        assert_eq!(Redact::parse("names").unwrap(), Redact { names: true, ..Redact::default() });
        assert_eq!(Redact::parse("queries, hosts").unwrap(), Redact { names: false, queries: true, hosts: true });
        assert_eq!(Redact::parse("all").unwrap().said().len(), 3);
        assert!(Redact::parse("everything").is_err());
        assert!(Redact::parse("").is_err());
    }
}
