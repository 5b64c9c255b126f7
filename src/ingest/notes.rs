//! Notes with the place they are about.

use crate::ident::visible;
use crate::meta::{Note, Notes};

/// What was odd at one place of one file; the file's name is added when the file has been read.
#[derive(Clone, Debug)]
pub(super) struct Odd {
    pub code: &'static str,
    /// Line in the file, from 1; counted from the start of a part while that part is being read.
    pub line: Option<u64>,
    pub column: Option<String>,
    pub message: String,
}

impl Odd {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, line: None, column: None, message: message.into() }
    }

    pub const fn at(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    pub fn column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }
}

/// Oddities of one file: all counted, the first few of each code kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Oddities {
    kept: Vec<Odd>,
    counts: Vec<(&'static str, u64)>,
}

impl Oddities {
    pub fn push(&mut self, odd: Odd) {
        if self.count(odd.code, 1) <= Notes::KEEP {
            self.kept.push(odd);
        }
    }

    /// Adds one that says something about the whole file; a second of the same code is not repeated.
    pub fn once(&mut self, odd: Odd) {
        if !self.counts.iter().any(|(code, _)| *code == odd.code) {
            self.push(odd);
        }
    }

    /// Takes over those of a later part of the file, whose lines are counted from `line`.
    pub fn append(&mut self, other: Self, lines_before: u64) {
        for mut odd in other.kept {
            odd.line = odd.line.map(|l| l + lines_before);
            let seen = self.counts.iter().find(|(code, _)| *code == odd.code).map_or(0, |(_, n)| *n);
            let kept = self.kept.iter().filter(|k| k.code == odd.code).count() as u64;
            if seen < Notes::KEEP && kept < Notes::KEEP {
                self.kept.push(odd);
            }
        }
        for (code, n) in other.counts {
            self.count(code, n);
        }
    }

    /// Hands them over under the file's name.
    pub fn into_notes(self, file: &str, notes: &mut Notes) {
        for odd in self.kept {
            notes.push(Note {
                code: odd.code.to_owned(),
                file: Some(file.to_owned()),
                line: odd.line,
                column: odd.column,
                message: odd.message,
            });
        }
        for (code, n) in self.counts {
            let key = format!("{code} {file}");
            let kept = n.min(Notes::KEEP);
            if let Some(count) = notes.counts.get_mut(&key) {
                *count += n - kept;
            }
        }
    }

    fn count(&mut self, code: &'static str, n: u64) -> u64 {
        if let Some((_, count)) = self.counts.iter_mut().find(|(c, _)| *c == code) {
            *count += n;
            return *count;
        }
        self.counts.push((code, n));
        n
    }
}

/// A cell's text for a message: control characters visible, cut to a length that fits a line.
pub(super) fn clip(text: &str) -> String {
    const LONGEST: usize = 40;
    let visible = visible(text);
    if visible.chars().count() <= LONGEST {
        return format!("`{visible}`");
    }
    format!("`{}...`", visible.chars().take(LONGEST).collect::<String>())
}
