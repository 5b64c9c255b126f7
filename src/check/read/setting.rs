//! `[[setting]]`.

use crate::catalog;
use crate::catalog::settings::{Amount, parse};
use crate::check::expect::Expect;
use crate::check::policy::What;
use crate::error::Result;
use crate::toml_file::{Entry, Toml};
use toml::de::{DeTable, DeValue};

impl Toml<'_> {
    pub(super) fn settings(&self, table: &DeTable<'_>, at: usize) -> Result<Vec<What>> {
        let (mut name, mut expects) = (None, Vec::new());
        for (key, value) in self.own(table, &["name", "expect", "contains", "lacks"])? {
            let word = key.get_ref().as_ref();
            let all = |v: &Entry<'_>| -> Result<Vec<String>> {
                Ok(self.list(v, word)?.into_iter().map(|(text, _)| text.to_owned()).collect())
            };
            match word {
                "name" => name = Some(self.setting_name(value)?),
                "expect" => expects.push((self.expectation(value)?, value.span().start)),
                "contains" => expects.push((Expect::Contains(all(value)?), value.span().start)),
                _ => expects.push((Expect::Lacks(all(value)?), value.span().start)),
            }
        }
        let name = name.ok_or_else(|| self.error(at, "a setting without a name", "add `name = \"...\"`"))?;
        if expects.is_empty() {
            let hint = "add `expect = \"...\"`, `contains = \"...\"` or `lacks = \"...\"`";
            return Err(self.error(at, format!("nothing is expected of `{name}`"), hint));
        }
        for (expect, at) in &expects {
            self.same_units(&name, expect, *at)?;
        }
        Ok(vec![What::Setting { name, expect: expects.into_iter().map(|(expect, _)| expect).collect() }])
    }

    fn setting_name(&self, value: &Entry<'_>) -> Result<String> {
        let name = self.words(value, "name")?;
        let is_name = name.split('.').all(|part| {
            let mut letters = part.chars();
            letters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
                && letters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
        });
        if is_name {
            return Ok(name.to_owned());
        }
        let hint = "write it as `SHOW` takes it: `shared_buffers`, `pgaudit.log`";
        Err(self.error(value.span().start, format!("`{name}` is no name of a setting"), hint))
    }

    fn expectation(&self, value: &Entry<'_>) -> Result<Expect> {
        let plain = |value: &Entry<'_>| match value.get_ref() {
            DeValue::String(s) => Some(s.to_string()),
            DeValue::Boolean(on) => Some(if *on { "on" } else { "off" }.to_owned()),
            DeValue::Integer(n) if n.radix() == 10 => Some(n.as_str().to_owned()),
            DeValue::Float(x) => Some(x.as_str().to_owned()),
            _ => None,
        };
        let at = value.span().start;
        if let Some(list) = value.get_ref().as_array() {
            let values: Option<Vec<String>> = list.iter().map(plain).collect();
            let values = values.filter(|v| !v.is_empty()).ok_or_else(|| {
                self.error(
                    at,
                    "`expect` is a list without values, or of something else",
                    "write `[\"a\", \"b\"]`: one of them",
                )
            })?;
            // A list is "one of"; a comparison in it would be read as a text.
            if let Some(bad) = values.iter().find(|v| v.trim_start().starts_with(['<', '>', '=', '!'])) {
                let hint = "a list means one of its values; write comparisons as one text: `\">= 1 and <= 5\"`";
                return Err(self.error(at, format!("`{bad}` in a list"), hint));
            }
            return Ok(Expect::OneOf(values));
        }
        let text = plain(value)
            .ok_or_else(|| self.wrong(value, "expect", "a value, a comparison such as `\">= 2GB\"`, or a list"))?;
        Expect::parse(&text).map_err(|(message, hint)| self.error(at, message, hint))
    }

    /// Values of a setting whose unit is known have to be measured in it.
    fn same_units(&self, name: &str, expect: &Expect, at: usize) -> Result<()> {
        let Some(unit) = catalog::settings::setting(name).map(|s| s.unit).filter(|u| !u.is_empty()) else {
            return Ok(());
        };
        let is_size = |amount: &Amount| amount.bytes().is_some();
        let sized = is_size(&parse("1", Some(unit)));
        for value in expect.values() {
            let amount = parse(value, Some(unit));
            let fits = if sized { is_size(&amount) } else { amount.ms().is_some() };
            if !fits {
                let hint = if sized { "write a size, `2GB`" } else { "write a time, `10min`" };
                let (from, message) = (at, format!("`{name}` is measured in {unit}, not in what `{value}` is"));
                return Err(self.error(from, message, hint));
            }
        }
        Ok(())
    }
}
