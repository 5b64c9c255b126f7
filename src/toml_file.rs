//! A TOML file being read: values of the wanted type, and errors with file, line, column and hint. An unknown key is an
//! error, never silently without effect.

use crate::error::{Error, Result};
use crate::suggest;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// A key with its place.
pub type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;
/// A value with its place.
pub type Entry<'i> = Spanned<DeValue<'i>>;

/// The text being read, for places in messages.
#[derive(Clone, Copy, Debug)]
pub struct Toml<'t> {
    /// The whole text.
    pub text: &'t str,
    /// Its name for messages.
    pub file: &'t str,
    /// The guide that shows how it is written.
    pub guide: &'t str,
}

/// A place in a text file, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl<'t> Toml<'t> {
    /// Parses the text.
    ///
    /// # Errors
    /// Where it is no TOML: the place and the parser's words.
    pub fn document(&self) -> Result<DeTable<'t>> {
        DeTable::parse(self.text).map(Spanned::into_inner).map_err(|error| {
            let at = error.span().map_or(0, |s| s.start);
            self.error(at, error.message().trim(), format!("the file is TOML; {} shows an example", self.guide))
        })
    }

    /// Line and column of a byte.
    pub fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let column = before.get(line_start..).map_or(0, |s| s.chars().count()) + 1;
        Place { line: before.matches('\n').count() + 1, column }
    }

    /// The byte of a place.
    pub fn byte(&self, place: Place) -> usize {
        let before: usize = self.text.split_inclusive('\n').take(place.line.saturating_sub(1)).map(str::len).sum();
        let line = self.text.get(before..).unwrap_or_default();
        before + line.char_indices().nth(place.column.saturating_sub(1)).map_or(0, |(at, _)| at)
    }

    /// An error at a byte.
    pub fn error(&self, at: usize, message: impl std::fmt::Display, hint: impl Into<String>) -> Error {
        let Place { line, column } = self.place(at);
        Error::usage(format!("read `{}`, line {line}, column {column}: {message}", self.file), hint)
    }

    /// A key that nobody knows; the hint names the nearest that is known.
    pub fn unknown(&self, key: &Key<'_>, known: &[&str]) -> Error {
        let typed = key.get_ref().as_ref();
        self.error(key.span().start, format!("unknown key `{typed}`"), suggest::hint(typed, known.iter().copied()))
    }

    /// A value of the wrong type.
    pub fn wrong(&self, value: &Entry<'_>, key: &str, wanted: impl std::fmt::Display) -> Error {
        let found = value.get_ref().type_str();
        self.error(value.span().start, format!("`{key}` is of type {found}"), format!("write {wanted}"))
    }

    /// A table.
    pub fn table<'a, 'i>(&self, value: &'a Entry<'i>, key: &str) -> Result<&'a DeTable<'i>> {
        value.get_ref().as_table().ok_or_else(|| self.wrong(value, key, format!("a table, `[{key}]`")))
    }

    /// The tables of `[[key]]`.
    pub fn tables<'a, 'i>(&self, value: &'a Entry<'i>, key: &str) -> Result<&'a DeArray<'i>> {
        let list = value.get_ref().as_array().ok_or_else(|| self.wrong(value, key, format!("`[[{key}]]`")))?;
        match list.iter().find(|entry| entry.get_ref().as_table().is_none()) {
            Some(entry) => Err(self.wrong(entry, key, format!("tables, `[[{key}]]`"))),
            None => Ok(list),
        }
    }

    /// A text.
    pub fn text<'a>(&self, value: &'a Entry<'_>, key: &str) -> Result<&'a str> {
        value.get_ref().as_str().ok_or_else(|| self.wrong(value, key, "a text in quotes"))
    }

    /// A text that says something, without the space around it.
    pub fn words<'a>(&self, value: &'a Entry<'_>, key: &str) -> Result<&'a str> {
        let text = self.text(value, key)?.trim();
        if text.is_empty() {
            return Err(self.error(value.span().start, format!("`{key}` is empty"), "say something, or leave it away"));
        }
        Ok(text)
    }

    /// One text, or a list of them, each with its place; never empty.
    pub fn list<'a>(&self, value: &'a Entry<'_>, key: &str) -> Result<Vec<(&'a str, usize)>> {
        let Some(array) = value.get_ref().as_array() else {
            return Ok(vec![(self.words(value, key)?, value.span().start)]);
        };
        if array.is_empty() {
            return Err(self.error(value.span().start, format!("`{key}` is empty"), "name at least one"));
        }
        array.iter().map(|entry| Ok((self.words(entry, key)?, entry.span().start))).collect()
    }

    /// `true` or `false`.
    pub fn truth(&self, value: &Entry<'_>, key: &str) -> Result<bool> {
        value.get_ref().as_bool().ok_or_else(|| self.wrong(value, key, "true or false"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let toml = Toml { text: "a = 1\nä = [\n", file: "c.toml", guide: "docs/x.md" };
        for (at, line, column) in [(0, 1, 1), (4, 1, 5), (6, 2, 1), (8, 2, 2), (99, 3, 1)] {
            assert_eq!(toml.place(at), Place { line, column }, "{at}");
            assert_eq!(toml.byte(Place { line, column }), at.min(toml.text.len()), "{at}");
        }
        let error = toml.document().unwrap_err();
        assert!(error.to_string().starts_with("read `c.toml`, line 2, column "), "{error}");
        assert_eq!(error.hint(), Some("the file is TOML; docs/x.md shows an example"));
    }
}
