//! Pseudonyms: who is called what.

use super::place::{Kind, Place};
use super::{Redact, known, prose, sql};
use crate::ident::visible;
use std::collections::{BTreeMap, HashMap};

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
    /// Known names that are no plain word, longest first, under how they begin.
    odd: HashMap<String, Vec<String>>,
}

impl Pseudonyms {
    /// Nobody has one yet.
    pub(super) fn new(what: Redact) -> Self {
        Self { what, met: HashMap::new(), counts: BTreeMap::new(), odd: HashMap::new() }
    }

    /// Takes in the names of a place that says what they are.
    pub(super) fn learn(&mut self, place: Place, text: &str) {
        match place {
            Place::Name(kind) => self.take(text, kind),
            Place::Likely | Place::Mixed | Place::Statement => {
                for (name, kind) in described(text) {
                    self.take(name, kind);
                }
            }
            Place::Code => {
                for name in key_columns(text).into_iter().flatten().filter(|n| !n.chars().all(prose::in_word)) {
                    self.meet(name, Kind::Column);
                }
            }
            Place::Prose => {
                let server = text.split_once(", node ").filter(|(before, _)| before.starts_with("PostgreSQL "));
                if let Some((_, node)) = server {
                    self.meet(node, Kind::Address);
                }
            }
            Place::Sql | Place::Query | Place::Hash => {}
        }
    }

    /// Takes in names that only show by how they are written, once all the others are known.
    pub(super) fn guess(&mut self, place: Place, text: &str) {
        let pieces: Vec<&str> = match place {
            Place::Likely => vec![text],
            Place::Prose => {
                text.split('`').skip(1).step_by(2).filter(|p| p.contains('.') && !known::phrase(p)).collect()
            }
            _ => return,
        };
        for name in pieces.into_iter().filter(|name| looks_like_a_name(name)) {
            for (unit, kind) in units(name, Kind::Other) {
                if !is_plain(unit, kind) && !self.knows(unit) {
                    self.meet(unit, kind);
                }
            }
        }
    }

    fn take(&mut self, text: &str, kind: Kind) {
        for (unit, kind) in units(text, kind) {
            if !is_plain(unit, kind) {
                self.meet(unit, kind);
            }
        }
    }

    /// All names are in: those that are no plain word can be searched for.
    pub(super) fn learned(&mut self) {
        for name in self.met.keys().filter(|name| !name.chars().all(prose::in_word)) {
            self.odd.entry(beginning(name).to_owned()).or_default().push(name.clone());
        }
        for names in self.odd.values_mut() {
            names.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        }
    }

    fn meet(&mut self, name: &str, kind: Kind) -> Met {
        let key = visible(name);
        let (object, host) = (!kind.is_host(), kind.is_host() || kind == Kind::Value);
        if let Some(met) = self.met.get_mut(key.as_ref()) {
            met.object |= object;
            met.host |= host;
            return *met;
        }
        let count = self.counts.entry(kind.word()).or_default();
        *count = count.saturating_add(1);
        let met = Met { kind, number: *count, object, host };
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

    /// The first known name inside a text that is no plain word, the longest there: where it begins, and itself.
    pub(super) fn odd_in(&self, text: &str) -> Option<(usize, String)> {
        if self.odd.is_empty() {
            return None;
        }
        let mut before = None;
        for (at, c) in text.char_indices() {
            let starts = !prose::in_word(c) || !before.is_some_and(prose::in_word);
            before = Some(c);
            let Some(rest) = text.get(at..).filter(|_| starts) else { continue };
            let ends = |name: &str| {
                let next = rest.get(name.len()..).and_then(|after| after.chars().next());
                !(name.ends_with(prose::in_word) && next.is_some_and(prose::in_word))
            };
            let found = self.odd.get(beginning(rest)).into_iter().flatten().find(|n| rest.starts_with(*n) && ends(n));
            if let Some(name) = found {
                return Some((at, name.clone()));
            }
        }
        None
    }

    /// The kind of a name that was met.
    pub(super) fn is_schema(&self, name: &str) -> bool {
        name == "public" || self.met.get(visible(name).as_ref()).is_some_and(|met| met.kind == Kind::Schema)
    }

    /// A text of the report as it may be shown; `None`: as it is.
    pub(super) fn rewrite(&mut self, place: Place, text: &str) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        match place {
            Place::Name(kind) => Some(self.name(text, kind)),
            Place::Prose => Some(prose::rewrite(self, text, prose::Trust::Words)),
            Place::Code => Some(self.code(text)),
            Place::Sql => Some(sql::rewrite(self, text, sql::From::Program)),
            Place::Query => Some(sql::rewrite(self, text, sql::From::Dump)),
            Place::Hash if text.bytes().all(|b| b.is_ascii_hexdigit()) => None,
            Place::Statement if sql::is_statement(text) => Some(sql::rewrite(self, text, sql::From::Dump)),
            Place::Likely if sql::is_plainly_a_statement(text) => Some(sql::rewrite(self, text, sql::From::Dump)),
            Place::Likely | Place::Mixed | Place::Statement | Place::Hash => Some(self.mixed(text)),
        }
    }

    /// A fragment: the columns of a key one by one.
    fn code(&mut self, text: &str) -> String {
        let Some(columns) = key_columns(text).filter(|c| c.iter().any(|n| !n.chars().all(prose::in_word))) else {
            return sql::rewrite(self, text, sql::From::Code);
        };
        let mut shown = Vec::new();
        for column in columns {
            let plain = column.chars().all(prose::in_word);
            let new = if plain { None } else { self.of(column, Kind::Column) };
            shown.push(new.unwrap_or_else(|| sql::rewrite(self, column, sql::From::Code)));
        }
        format!("({})", shown.join(", "))
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
        let of_schema = list.len() > 1 && list.first().is_some_and(|(schema, _)| self.is_schema(schema));
        let whole = of_schema && !text.contains(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | ';' | '('));
        if all_known || whole || (qualified && !views && !known::numeric(list.first().map_or("", |l| l.0))) {
            return self.name(text, Kind::Other);
        }
        prose::rewrite(self, text, prose::Trust::Names)
    }
}

/// The columns of a key as the program prints them, `(a, b)`; `None` where it is something else or has an expression.
fn key_columns(text: &str) -> Option<Vec<&str>> {
    let list = text.strip_prefix('(')?.strip_suffix(')').filter(|list| !list.contains(['(', '\'', '=']))?;
    Some(list.split(", ").collect())
}

/// How a text begins: its first word, or the sign it begins with.
fn beginning(text: &str) -> &str {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let word = text.find(|c| !prose::in_word(c)).unwrap_or(text.len());
    text.get(..word.max(first)).unwrap_or_default()
}

/// Whether a text can only be a name: no blank in it, a letter first, and a sign that no word has.
fn looks_like_a_name(text: &str) -> bool {
    let signs = |c: char| !prose::in_word(c) && c != '.';
    text.starts_with(char::is_alphabetic)
        && !text.contains(|c: char| c.is_whitespace() || "=()<>:,;/'\"[]{}*%→".contains(c))
        && (text.contains(signs) || text.contains('.'))
        && !text.split('.').next().is_some_and(known::system_but_public)
}

/// Names in how the program describes what has none: sessions, statements, lines of pg_hba.conf.
fn described(text: &str) -> Vec<(&str, Kind)> {
    if let Some((_, database)) = text.strip_prefix("queryid ").and_then(|t| t.split_once(" on ")) {
        return vec![(database, Kind::Database)];
    }
    if let Some(session) = text.strip_prefix("pid ") {
        let mut parts = session.splitn(3, ", ").skip(1);
        let mut out = Vec::new();
        match parts.next().map(|who| who.split_once(" on ").ok_or(who)) {
            Some(Ok((user, database))) => out.extend([(user, Kind::User), (database, Kind::Database)]),
            Some(Err(who)) => out.push((who, Kind::User)),
            None => {}
        }
        out.extend(parts.next().map(|application| (application, Kind::Application)));
        return out;
    }
    let mut words = text.strip_prefix("pg_hba.conf ").unwrap_or(text).split(' ');
    if words.next().is_some_and(|first| first == "local" || first.starts_with("host")) {
        let mut out = Vec::new();
        for (list, kind) in words.take(2).zip([Kind::Database, Kind::User]) {
            let keyword = |name: &&str| matches!(*name, "all" | "replication" | "sameuser" | "samerole" | "samegroup");
            out.extend(list.split(',').filter(|name| !keyword(name)).map(|name| (name, kind)));
        }
        return out;
    }
    Vec::new()
}

/// The parts of a qualified name with what they are: schema first, the object last.
fn units(text: &str, kind: Kind) -> Vec<(&str, Kind)> {
    if kind.is_host() || kind == Kind::Value {
        return vec![(text, kind)];
    }
    let parts: Vec<&str> = text.split('.').collect();
    let last = parts.len() - 1;
    parts.into_iter().enumerate().map(|(i, p)| (p, if i == 0 && last > 0 { Kind::Schema } else { kind })).collect()
}

/// Whether what a setting is set to names nothing of its owner: words of PostgreSQL with commas between, escapes, numbers.
fn is_plain_value(text: &str) -> bool {
    let escapes = text.split('%').enumerate().all(|(i, part)| {
        let rest: String = part.chars().skip(usize::from(i > 0)).collect();
        !rest.contains(char::is_alphabetic)
    });
    let word = |item: &str| {
        let item = item.trim().trim_matches('"');
        known::system(item) || known::numeric(item) || (item.chars().all(prose::in_word) && known::own(item))
    };
    escapes || text.split(',').all(word)
}

/// Whether a part of a name says nothing: a name that every server has, a remark of the program in its place.
fn is_plain(unit: &str, kind: Kind) -> bool {
    let remark = |text: &str| text.split(|c| !prose::in_word(c)).all(|w| w.is_empty() || known::own(w));
    unit.trim().is_empty()
        || (kind == Kind::Value && is_plain_value(unit))
        || (!kind.is_host() && known::system(unit))
        || (unit.starts_with('(') && unit.ends_with(')') && remark(unit))
        || matches!(unit, "unknown role" | "total" | "all tables")
}
