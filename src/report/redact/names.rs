//! Pseudonyms: who is called what.

use super::place::{Kind, Place};
use super::{Redact, known, prose, sql};
use crate::ident::visible;
use std::collections::{BTreeMap, HashMap};

/// The most names with blanks or signs in them that sentences are searched for; more are found word by word.
const MOST_ODD: usize = 200;

/// A name that was met.
#[derive(Clone, Copy, Debug)]
struct Met {
    kind: Kind,
    number: u32,
    object: bool,
    host: bool,
}

/// The pseudonyms of a report.
#[derive(Debug)]
pub(super) struct Pseudonyms {
    /// What is redacted.
    pub(super) what: Redact,
    met: HashMap<String, Met>,
    counts: BTreeMap<&'static str, u32>,
    /// Known names that are no plain word, longest first.
    odd: Vec<String>,
}

impl Pseudonyms {
    /// Nobody has one yet.
    pub(super) fn new(what: Redact) -> Self {
        Self { what, met: HashMap::new(), counts: BTreeMap::new(), odd: Vec::new() }
    }

    /// Takes in the names of a place that says what they are.
    pub(super) fn learn(&mut self, place: Place, text: &str) {
        let Place::Name(kind) = place else { return };
        for (unit, kind) in units(text, kind) {
            if !is_plain(unit, kind) {
                self.meet(unit, kind);
            }
        }
    }

    /// All names are in: those that are no plain word can be searched for.
    pub(super) fn learned(&mut self) {
        self.odd = self.met.keys().filter(|name| !name.chars().all(prose::in_word)).cloned().collect();
        self.odd.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.odd.truncate(MOST_ODD);
    }

    fn meet(&mut self, name: &str, kind: Kind) -> Met {
        let key = visible(name);
        if let Some(met) = self.met.get_mut(key.as_ref()) {
            met.object |= !kind.is_host();
            met.host |= kind.is_host();
            return *met;
        }
        let count = self.counts.entry(kind.word()).or_default();
        *count = count.saturating_add(1);
        let met = Met { kind, number: *count, object: !kind.is_host(), host: kind.is_host() };
        self.met.insert(key.into_owned(), met);
        met
    }

    fn shown(&self, met: Met) -> Option<String> {
        let private = (met.object && self.what.names) || (met.host && self.what.hosts);
        private.then(|| format!("{}_{}", met.kind.word(), met.number))
    }

    /// Whether a name was met where it is typed.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.met.contains_key(visible(name).as_ref())
    }

    /// The pseudonym of a name, met before or not; `None`: it may be shown.
    pub(super) fn of(&mut self, name: &str, kind: Kind) -> Option<String> {
        let met = self.meet(name, kind);
        self.shown(met)
    }

    /// The pseudonym of a word that nobody said the kind of: private whatever is redacted.
    pub(super) fn of_unknown(&mut self, word: &str) -> Option<String> {
        if let Some(met) = self.met.get(visible(word).as_ref()).copied() {
            if met.kind != Kind::Word {
                return self.shown(met);
            }
            return Some(format!("{}_{}", met.kind.word(), met.number));
        }
        let met = self.meet(word, Kind::Word);
        Some(format!("{}_{}", met.kind.word(), met.number))
    }

    /// The known names inside a text that are no plain words, longest first.
    pub(super) fn odd_in(&self, text: &str) -> Vec<String> {
        self.odd.iter().filter(|name| text.contains(name.as_str())).cloned().collect()
    }

    /// A text of the report as it may be shown; `None`: as it is.
    pub(super) fn rewrite(&mut self, place: Place, text: &str) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        match place {
            Place::Name(kind) => Some(self.name(text, kind)),
            Place::Prose => Some(prose::rewrite(self, text, prose::Trust::Words)),
            Place::Code => Some(sql::rewrite(self, text, sql::From::Code)),
            Place::Sql => Some(sql::rewrite(self, text, sql::From::Program)),
            Place::Query => Some(sql::rewrite(self, text, sql::From::Dump)),
            Place::Hash if text.bytes().all(|b| b.is_ascii_hexdigit()) => None,
            Place::Mixed | Place::Hash => Some(self.mixed(text)),
        }
    }

    /// A name, all of it.
    pub(super) fn name(&mut self, text: &str, kind: Kind) -> String {
        let list: Vec<(String, Kind)> = units(text, kind).into_iter().map(|(u, k)| (u.to_owned(), k)).collect();
        let parts = list
            .into_iter()
            .map(|(unit, kind)| if is_plain(&unit, kind) { unit } else { self.of(&unit, kind).unwrap_or(unit) })
            .collect::<Vec<_>>();
        parts.join(".")
    }

    /// Names and words: a text whose every part is a known name, else word by word.
    pub(super) fn mixed(&mut self, text: &str) -> String {
        let list = units(text, Kind::Other);
        let all_known = list.iter().all(|(u, _)| self.knows(u) || known::system(u));
        let qualified = list.len() == 2 && list.iter().all(|(u, _)| !u.is_empty() && u.chars().all(prose::in_word));
        let views = text.split('.').next().is_some_and(|first| first.starts_with("pg_") && known::system(first));
        if all_known || (qualified && !views && !known::numeric(list.first().map_or("", |l| l.0))) {
            return self.name(text, Kind::Other);
        }
        prose::rewrite(self, text, prose::Trust::Names)
    }
}

/// The parts of a qualified name with what they are: schema first, the object last.
fn units(text: &str, kind: Kind) -> Vec<(&str, Kind)> {
    if kind.is_host() {
        return vec![(text, kind)];
    }
    let parts: Vec<&str> = text.split('.').collect();
    let last = parts.len() - 1;
    parts.into_iter().enumerate().map(|(i, p)| (p, if i == 0 && last > 0 { Kind::Schema } else { kind })).collect()
}

/// Whether a part of a name says nothing: a name that every server has, a remark of the program in its place.
fn is_plain(unit: &str, kind: Kind) -> bool {
    let remark = |text: &str| text.split(|c| !prose::in_word(c)).all(|w| w.is_empty() || known::own(w));
    unit.trim().is_empty()
        || (!kind.is_host() && known::system(unit))
        || (unit.starts_with('(') && unit.ends_with(')') && remark(unit))
        || matches!(unit, "unknown role" | "total" | "all tables")
}
