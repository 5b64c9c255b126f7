//! Reading the configuration file. An unknown key is an error with its line, never silently without effect.

use super::value::{in_range, number};
use super::{Config, Ignore, Level, Options, RuleConfig, Storage};
use crate::advisor::Rule;
use crate::advisor::rules::RULES;
use crate::error::{Error, Result};
use crate::finding::Severity;
use crate::suggest;
use crate::time::Timestamp;
use crate::toml_file::{Entry, Key, Toml};
use crate::unit::Unit;
use std::path::Path;
use toml::de::DeValue;

/// Keys of `[options]`.
const OPTIONS: &[&str] = &["standby_reads", "no_standby_reads", "ram", "cpus", "storage", "capacity", "min_bytes"];

impl Config {
    /// Reads a configuration file.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads the text of a configuration file; `file` is its name for messages.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let reader = Toml { text, file, guide: "docs/configuration.md" };
        let document = reader.document()?;
        let mut config = Self::default();
        for (key, value) in &document {
            match key.get_ref().as_ref() {
                "options" => config.options = reader.options(value)?,
                "rules" => {
                    for (id, table) in reader.table(value, "rules")? {
                        let rule = reader.rule(id)?;
                        config.rules.insert(rule.id, reader.rule_config(rule, table)?);
                    }
                }
                "ignore" => config.ignores = reader.ignores(value)?,
                _ => return Err(reader.unknown(key, &["options", "rules", "ignore"])),
            }
        }
        Ok(config)
    }
}

impl Toml<'_> {
    /// A number in a unit: an integer, a float or a text with a unit.
    fn number(&self, value: &Entry<'_>, key: &str, unit: Unit) -> Result<f64> {
        let read = match value.get_ref() {
            DeValue::Integer(n) if n.radix() == 10 => number(n.as_str(), Unit::Count),
            DeValue::Float(x) => number(x.as_str(), Unit::Count),
            DeValue::String(s) => number(s, unit),
            _ => return Err(self.wrong(value, key, "a number, or a text with a unit")),
        };
        read.and_then(|n| in_range(n, unit)).map_err(|reason| {
            self.error(value.span().start, format!("`{key}`: {reason}"), "see `pgretro rules` for names and defaults")
        })
    }

    fn options(&self, value: &Entry<'_>) -> Result<Options> {
        let mut options = Options::default();
        for (key, value) in self.table(value, "options")? {
            let name = key.get_ref().as_ref();
            let bytes = |v| self.positive(v, name, Unit::Bytes);
            match name {
                "standby_reads" => options.standby_reads = Some(self.truth(value, name)?),
                // "Not said to be unread" is not "read".
                "no_standby_reads" => {
                    options.standby_reads = self.truth(value, name)?.then_some(false).or(options.standby_reads);
                }
                "ram" => options.ram_bytes = Some(bytes(value)?),
                "cpus" => options.cpus = Some(self.positive(value, name, Unit::Count)?),
                "storage" => options.storage = Some(self.storage(value)?),
                "capacity" => options.capacity_bytes = Some(bytes(value)?),
                "min_bytes" => options.min_bytes = self.number(value, name, Unit::Bytes)? as i64,
                _ => return Err(self.unknown(key, OPTIONS)),
            }
        }
        Ok(options)
    }

    /// A size or a count of something that is there.
    fn positive(&self, value: &Entry<'_>, key: &str, unit: Unit) -> Result<i64> {
        let number = self.number(value, key, unit)?;
        if (1.0..9e18).contains(&number) {
            return Ok(number as i64);
        }
        Err(self.error(value.span().start, format!("`{key}` is {number}"), "write what the machine has, above 0"))
    }

    fn storage(&self, value: &Entry<'_>) -> Result<Storage> {
        let word = self.text(value, "storage")?;
        Storage::named(word).ok_or_else(|| {
            self.error(value.span().start, format!("`{word}` is no kind of storage"), "write `ssd` or `hdd`")
        })
    }

    fn rule(&self, key: &Key<'_>) -> Result<&'static Rule> {
        let typed = key.get_ref().as_ref();
        RULES.iter().copied().find(|r| r.id == typed).ok_or_else(|| {
            let hint = suggest::hint(typed, RULES.iter().map(|r| r.id));
            self.error(key.span().start, format!("there is no rule `{typed}`"), hint)
        })
    }

    fn rule_config(&self, rule: &'static Rule, value: &Entry<'_>) -> Result<RuleConfig> {
        let mut config = RuleConfig::default();
        for (key, value) in self.table(value, rule.id)? {
            let name = key.get_ref().as_ref();
            if name == "severity" {
                config.level = Some(self.level(value)?);
            } else if let Some(threshold) = rule.thresholds.iter().find(|t| t.name == name) {
                config.thresholds.insert(threshold.name, self.number(value, name, threshold.unit)?);
            } else {
                let known: Vec<&str> = rule.thresholds.iter().map(|t| t.name).chain(["severity"]).collect();
                return Err(self.unknown(key, &known));
            }
        }
        Ok(config)
    }

    fn level(&self, value: &Entry<'_>) -> Result<Level> {
        let word = self.text(value, "severity")?;
        if word == "off" {
            return Ok(Level::Off);
        }
        Severity::named(word).map(Level::Fixed).ok_or_else(|| {
            let hint = "write `off`, `info`, `low`, `medium`, `high` or `critical`";
            self.error(value.span().start, format!("`{word}` is no severity"), hint)
        })
    }

    fn ignores(&self, value: &Entry<'_>) -> Result<Vec<Ignore>> {
        let list = self.tables(value, "ignore")?;
        list.iter().map(|entry| self.ignore(entry)).collect()
    }

    fn ignore(&self, entry: &Entry<'_>) -> Result<Ignore> {
        let at = entry.span().start;
        let (mut rule, mut object, mut reason, mut until) = (None, None, None, None);
        for (key, value) in self.table(entry, "ignore")? {
            let name = key.get_ref().as_ref();
            match name {
                "rule" => rule = Some(self.pattern(value)?),
                "object" => object = Some(self.text(value, name)?.to_owned()),
                "reason" => reason = Some(self.text(value, name)?.trim().to_owned()).filter(|r| !r.is_empty()),
                "until" => until = Some(self.time(value)?),
                _ => return Err(self.unknown(key, &["rule", "object", "reason", "until"])),
            }
        }
        let rule = rule.ok_or_else(|| self.error(at, "an exception without a rule", "add `rule = \"...\"`"))?;
        let reason = reason.ok_or_else(|| {
            self.error(at, "an exception without a reason", "add `reason = \"...\"`: who decided, why")
        })?;
        Ok(Ignore { rule, object, reason, until, line: self.place(at).line })
    }

    /// A rule id, or a pattern that fits at least one.
    fn pattern(&self, value: &Entry<'_>) -> Result<String> {
        let typed = self.text(value, "rule")?;
        if RULES.iter().any(|r| super::fits(typed, r.id)) {
            return Ok(typed.to_owned());
        }
        let hint = suggest::hint(typed, RULES.iter().map(|r| r.id));
        Err(self.error(value.span().start, format!("there is no rule `{typed}`"), hint))
    }

    fn time(&self, value: &Entry<'_>) -> Result<Timestamp> {
        let text = match value.get_ref() {
            DeValue::Datetime(t) => t.to_string(),
            DeValue::String(s) => s.to_string(),
            _ => return Err(self.wrong(value, "until", "a date, 2027-01-31")),
        };
        Timestamp::parse(&text)
            .map(|(t, _)| t)
            .ok_or_else(|| self.error(value.span().start, format!("`until`: `{text}` is no date"), "write 2027-01-31"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_everything() {
        let config = Config::parse(
            r#"
            [options]
            no_standby_reads = true
            ram = "64GB"
            cpus = 8
            storage = "SSD"
            min_bytes = 1_000

            [rules.wrap-prepared-xact]
            severity = "low"
            min_age = "10 min"

            [[ignore]]
            rule = "wrap-*"
            object = "xa-*"
            reason = "the billing service recovers them"
            until = 2027-01-31
            "#,
            "pgretro.toml",
        )
        .unwrap();
        assert_eq!(config.options.ram_bytes, Some(64 << 30));
        assert_eq!((config.options.standby_reads, config.options.min_bytes), (Some(false), 1_000));
        assert_eq!(config.level("wrap-prepared-xact"), Some(Level::Fixed(Severity::Low)));
        assert_eq!(config.rules["wrap-prepared-xact"].thresholds["min_age"], 600.0);
        assert_eq!(config.ignores[0].until.map(Timestamp::human_date).as_deref(), Some("31 Jan 2027"));
        assert_eq!((config.options.cpus, config.options.storage), (Some(8), Some(Storage::Ssd)));
        assert_eq!(config.ignores[0].line, 13);
    }

    #[test]
    fn whether_standbys_are_read_is_yes_no_or_not_said() {
        for (text, want) in [
            ("", None),
            ("standby_reads = true", Some(true)),
            ("standby_reads = false", Some(false)),
            ("no_standby_reads = true", Some(false)),
            ("no_standby_reads = false", None),
        ] {
            let config = Config::parse(&format!("[options]\n{text}"), "c.toml").unwrap();
            assert_eq!(config.options.standby_reads, want, "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message, hint) in [
            ("[option]", "line 1: unknown key `option`", "did you mean `options`?"),
            ("[options]\nram = 0", "line 2: `ram` is 0", "above 0"),
            ("[options]\ncpus = -4", "line 2: `cpus` is -4", "above 0"),
            ("[options]\nstorage = 'tape'", "line 2: `tape` is no kind of storage", "write `ssd` or `hdd`"),
            ("[options]\nstandby_reads = 'no'", "line 2: `standby_reads` is of type string", "true or false"),
            ("[options]\nrams = 1", "line 2: unknown key `rams`", "did you mean `ram`?"),
            ("\n[rules.wrap-prepared-xat]", "line 2: there is no rule `wrap-prepared-xat`", "did you mean"),
            ("[rules.wrap-prepared-xact]\nmin_ages = 3", "line 2: unknown key `min_ages`", "did you mean `min_age`?"),
            (
                "[rules.wrap-prepared-xact]\nmin_age = '3 MB'",
                "line 2: `min_age`: `MB` is no unit here",
                "pgretro rules",
            ),
            ("[rules.wrap-prepared-xact]\nmin_age = true", "line 2: `min_age` is of type boolean", "write a number"),
            ("[rules.wrap-prepared-xact]\nseverity = 'bad'", "line 2: `bad` is no severity", "write `off`"),
            ("[[ignore]]\nrule = 'wrap-*'", "line 1: an exception without a reason", "who decided"),
            ("[[ignore]]\nrule = 'wrapped-*'\nreason = 'x'", "line 2: there is no rule", ""),
            ("[[ignore]]\nreason = 'x'", "line 1: an exception without a rule", ""),
            ("[[ignore]]\nrule = '*'\nreason = 'x'\nuntil = 'soon'", "line 4: `until`: `soon` is no date", "2027"),
            ("a = ", "line 1: ", "TOML"),
            ("rules = 3", "line 1: `rules` is of type integer", "[rules]"),
        ] {
            let error = Config::parse(text, "c.toml").unwrap_err();
            let said = error.to_string();
            let (line, rest) = said.split_once(", column ").expect("a place");
            let said = format!("{line}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()));
            assert!(said.contains(message), "{text}: {said}");
            assert!(error.hint().unwrap_or_default().contains(hint), "{text}: {:?}", error.hint());
        }
    }
}
