//! Reading a policy. An unknown key, view, rule or sign is an error with file, line, column and hint.

mod setting;
#[cfg(test)]
mod tests;

use super::policy::{ExtensionName, Item, Policy, Role, What};
use crate::advisor::rules::RULES;
use crate::advisor::{fits, seconds};
use crate::catalog::{self, View};
use crate::error::Result;
use crate::finding::Severity;
use crate::suggest;
use crate::toml_file::{Entry, Key, Toml};
use crate::version::PgVersion;
use std::collections::BTreeSet;
use toml::de::DeTable;

/// The tables of a policy.
const TABLES: &[&str] = &["policy", "setting", "version", "view", "rule", "extension"];
/// Keys that every expectation may have.
const COMMON: [&str; 4] = ["id", "role", "severity", "reason"];

impl Policy {
    /// Reads the text of a policy; `file` is its name for messages.
    ///
    /// # Errors
    /// What is wrong, with its place and a hint.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let toml = Toml { text, file, guide: "docs/policy.md" };
        let document = toml.document()?;
        let mut policy = Self { name: file.to_owned(), about: String::new(), strict: false, items: Vec::new() };
        for (key, value) in &document {
            match key.get_ref().as_ref() {
                "policy" => toml.head(value, &mut policy)?,
                table @ ("setting" | "version" | "view" | "rule" | "extension") => {
                    for entry in toml.tables(value, table)? {
                        policy.items.extend(toml.items(table, entry)?);
                    }
                }
                _ => return Err(toml.unknown(key, TABLES)),
            }
        }
        if policy.items.is_empty() {
            return Err(toml.error(
                0,
                "the policy expects nothing",
                "add a `[[setting]]`; docs/policy.md shows an example",
            ));
        }
        // TOML keeps tables of one name together; results follow the file.
        policy.items.sort_by_key(|item| item.place);
        toml.unique(&policy)?;
        Ok(policy)
    }
}

/// What every expectation may say.
struct Common {
    id: Option<String>,
    role: Option<Role>,
    severity: Option<Severity>,
    reason: String,
}

impl Toml<'_> {
    fn head(&self, value: &Entry<'_>, policy: &mut Policy) -> Result<()> {
        for (key, value) in self.table(value, "policy")? {
            let name = key.get_ref().as_ref();
            match name {
                "name" => self.words(value, name)?.clone_into(&mut policy.name),
                "about" => self.words(value, name)?.clone_into(&mut policy.about),
                "strict" => policy.strict = self.truth(value, name)?,
                _ => return Err(self.unknown(key, &["name", "about", "strict"])),
            }
        }
        Ok(())
    }

    /// The expectations of one table: lists make one each.
    fn items(&self, kind: &str, entry: &Entry<'_>) -> Result<Vec<Item>> {
        let at = entry.span().start;
        let table = self.table(entry, kind)?;
        let common = self.common(table)?;
        let whats = match kind {
            "setting" => self.settings(table, at)?,
            "version" => self.versions(table, at)?,
            "view" => self.views(table, at)?,
            "rule" => self.rules(table, at)?,
            _ => self.extensions(table, at)?,
        };
        let several = whats.len() > 1;
        let item = |what: What| Item {
            id: match &common.id {
                Some(id) if several => format!("{id}/{}", what.object()),
                Some(id) => id.clone(),
                None => format!("{}/{}", what.kind(), what.object()),
            },
            what,
            role: common.role,
            severity: common.severity,
            reason: common.reason.clone(),
            place: self.place(at),
        };
        Ok(whats.into_iter().map(item).collect())
    }

    fn common(&self, table: &DeTable<'_>) -> Result<Common> {
        let mut common = Common { id: None, role: None, severity: None, reason: String::new() };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            match name {
                "id" => common.id = Some(self.words(value, name)?.to_owned()),
                "role" => common.role = Some(self.role(value)?),
                "severity" => common.severity = Some(self.severity(value, name)?),
                "reason" => self.words(value, name)?.clone_into(&mut common.reason),
                _ => {}
            }
        }
        Ok(common)
    }

    /// The keys of a table that are its own; one that is neither is an error.
    fn own<'a, 'i>(&self, table: &'a DeTable<'i>, known: &[&str]) -> Result<Vec<(&'a Key<'i>, &'a Entry<'i>)>> {
        let mut own = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                own.push((key, value));
            } else if !COMMON.contains(&name) {
                return Err(self.unknown(key, &[known, &COMMON].concat()));
            }
        }
        Ok(own)
    }

    fn role(&self, value: &Entry<'_>) -> Result<Role> {
        let word = self.words(value, "role")?;
        [Role::Primary, Role::Standby].into_iter().find(|r| r.word() == word).ok_or_else(|| {
            self.error(value.span().start, format!("`{word}` is no role"), "write `primary` or `standby`")
        })
    }

    fn severity(&self, value: &Entry<'_>, key: &str) -> Result<Severity> {
        let word = self.words(value, key)?;
        Severity::named(word).ok_or_else(|| {
            let hint = "write `info`, `low`, `medium`, `high` or `critical`";
            self.error(value.span().start, format!("`{word}` is no severity"), hint)
        })
    }

    fn versions(&self, table: &DeTable<'_>, at: usize) -> Result<Vec<What>> {
        let mut whats = Vec::new();
        for (key, value) in self.own(table, &["at_least", "supported_for"])? {
            let name = key.get_ref().as_ref();
            if name == "at_least" {
                let releases = self.list(value, name)?.into_iter().map(|(text, at)| {
                    let plain = text.chars().all(|c| c.is_ascii_digit() || c == '.');
                    PgVersion::parse(text).filter(|_| plain && text.matches('.').count() <= 1).ok_or_else(|| {
                        self.error(at, format!("`{text}` is no release of PostgreSQL"), "write `16` or `16.9`")
                    })
                });
                whats.push(What::AtLeast(releases.collect::<Result<_>>()?));
            } else {
                let text = self.words(value, name)?;
                let left = seconds(text).filter(|s| (0.0..1e10).contains(s)).ok_or_else(|| {
                    self.error(
                        value.span().start,
                        format!("`{text}` is no length of time"),
                        "write `0 d`, `90 d` or `365 d`",
                    )
                })?;
                whats.push(What::SupportedFor(left));
            }
        }
        if whats.is_empty() {
            return Err(self.error(
                at,
                "nothing is expected of the version",
                "add `at_least = [...]` or `supported_for = \"90 d\"`",
            ));
        }
        Ok(whats)
    }

    fn views(&self, table: &DeTable<'_>, at: usize) -> Result<Vec<What>> {
        let mut whats = Vec::new();
        for (key, value) in self.own(table, &["name"])? {
            for (name, at) in self.list(value, key.get_ref().as_ref())? {
                whats.push(What::View(self.view(name, at)?));
            }
        }
        if whats.is_empty() {
            return Err(self.error(at, "a view without a name", "add `name = \"...\"`"));
        }
        Ok(whats)
    }

    fn view(&self, name: &str, at: usize) -> Result<&'static View> {
        catalog::view(name).ok_or_else(|| {
            let hint = suggest::hint(name, catalog::VIEWS.iter().map(|v| v.name));
            self.error(at, format!("there is no view `{name}` in the catalog"), hint)
        })
    }

    fn rules(&self, table: &DeTable<'_>, at: usize) -> Result<Vec<What>> {
        let (mut patterns, mut at_most) = (Vec::new(), None);
        for (key, value) in self.own(table, &["rule", "at_most"])? {
            let name = key.get_ref().as_ref();
            if name == "rule" {
                patterns = self.list(value, name)?;
            } else {
                at_most = Some(match self.words(value, name)? {
                    "none" => None,
                    _ => Some(self.severity(value, name)?),
                });
            }
        }
        let at_most = at_most.ok_or_else(|| {
            let hint = "add `at_most = \"low\"`, or `\"none\"` for no finding at all";
            self.error(at, "a rule without the worst severity that is accepted", hint)
        })?;
        if patterns.is_empty() {
            return Err(self.error(at, "an expectation of no rule", "add `rule = \"...\"`; `*` stands for any text"));
        }
        let known = |(pattern, at): (&str, usize)| {
            if RULES.iter().any(|r| fits(pattern, r.id)) {
                return Ok(What::Rule { pattern: pattern.to_owned(), at_most });
            }
            let hint = suggest::hint(pattern, RULES.iter().map(|r| r.id));
            Err(self.error(at, format!("there is no rule `{pattern}`"), hint))
        };
        patterns.into_iter().map(known).collect()
    }

    fn extensions(&self, table: &DeTable<'_>, at: usize) -> Result<Vec<What>> {
        let mut whats = Vec::new();
        for (key, value) in self.own(table, &["allowed", "required", "forbidden"])? {
            let name = key.get_ref().as_ref();
            let all: Vec<(ExtensionName, usize)> = self
                .list(value, name)?
                .into_iter()
                .map(|(text, at)| Ok((self.extension(text, at)?, at)))
                .collect::<Result<_>>()?;
            match name {
                "allowed" => whats.push(What::OnlyExtensions(all.into_iter().map(|(e, _)| e).collect())),
                "required" => whats.extend(all.into_iter().map(|(e, _)| What::NeedsExtension(e))),
                _ => {
                    for (extension, at) in all {
                        if extension.at_least.is_some() {
                            return Err(self.error(at, "a forbidden extension with a version", "write its name only"));
                        }
                        whats.push(What::ForbidsExtension(extension.name));
                    }
                }
            }
        }
        if whats.is_empty() {
            let hint = "add `allowed`, `required` or `forbidden`";
            return Err(self.error(at, "nothing is expected of extensions", hint));
        }
        Ok(whats)
    }

    /// `pgaudit`, or `pgaudit >= 16.0`.
    fn extension(&self, text: &str, at: usize) -> Result<ExtensionName> {
        let (name, at_least) = match text.split_once(">=") {
            Some((name, version)) => (name.trim(), Some(version.trim())),
            None => (text, None),
        };
        let bad = name.is_empty() || name.contains(['<', '>', '=', '!']) || at_least.is_some_and(str::is_empty);
        if bad {
            return Err(self.error(at, format!("`{text}` names no extension"), "write `pgaudit` or `pgaudit >= 16.0`"));
        }
        Ok(ExtensionName { name: name.to_owned(), at_least: at_least.map(str::to_owned) })
    }

    /// Ids tell lines apart: two servers' roles may share one, nothing else.
    fn unique(&self, policy: &Policy) -> Result<()> {
        let mut seen: BTreeSet<(&str, Option<Role>)> = BTreeSet::new();
        for item in &policy.items {
            let id = item.id.as_str();
            let taken = match item.role {
                None => [None, Some(Role::Primary), Some(Role::Standby)].iter().any(|r| seen.contains(&(id, *r))),
                role => seen.contains(&(id, None)) || seen.contains(&(id, role)),
            };
            if taken {
                let at = self.byte(item.place);
                let hint = "put both into one expectation, or give one of them an `id` of its own";
                return Err(self.error(at, format!("`{id}` is expected twice"), hint));
            }
            seen.insert((id, item.role));
        }
        Ok(())
    }
}
