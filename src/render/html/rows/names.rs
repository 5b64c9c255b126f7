//! The names that stand in the long tables of a page, each once, in the order in which the script sorts them.

use super::code::{CHARACTERS, character, string};
use crate::ident::visible;
use crate::render::page::{Page, has_files};
use crate::report::{Cell, Table};
use std::cmp::Ordering;
use std::collections::HashMap;

/// The names and their places.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    places: HashMap<&'a str, i64>,
}

impl<'a> Names<'a> {
    /// The names of these tables, and their list as JSON: a text that begins with what separates them. Each name but the
    /// first says in a character how much of the one before it shares, so that an index costs little beside its table.
    pub(super) fn of(tables: &[&'a Table], page: &Page) -> (Self, String) {
        let mut shown: HashMap<&'a str, &'a str> = HashMap::new();
        for table in tables {
            let files: Vec<bool> = table.columns.iter().map(has_files).collect();
            for (cell, file) in table.rows.iter().flat_map(|row| row.cells.iter().zip(&files)) {
                if let Some(name) = cell.as_name() {
                    shown.insert(name, if *file { page.inside(name) } else { name });
                }
            }
        }
        let mut all: Vec<(&'a str, &'a str, String)> =
            shown.into_iter().map(|(name, shown)| (name, shown, shown.to_lowercase())).collect();
        all.sort_unstable_by(|a, b| as_script(&a.2, &b.2).then_with(|| a.0.cmp(b.0)));
        let mut places: HashMap<&'a str, i64> = HashMap::new();
        // Line breaks are visible escapes in names as they are shown.
        let separator = if all.iter().any(|(_, shown, _)| shown.contains('|')) { '\n' } else { '|' };
        let mut list = String::new();
        let mut before = String::new();
        for (place, (name, shown, _)) in all.iter().enumerate() {
            places.insert(name, i64::try_from(place).unwrap_or(i64::MAX));
            let name = visible(shown).into_owned();
            let shared = name.bytes().zip(before.bytes()).take_while(|(a, b)| a == b && a.is_ascii());
            let shared = shared.take(usize::try_from(CHARACTERS).unwrap_or(0) - 1).count();
            list.push(separator);
            list.push(character(shared as u64));
            list.push_str(name.get(shared..).unwrap_or_default());
            before = name;
        }
        (Self { places }, string(&list))
    }

    /// The place of a cell's name in the list.
    pub(super) fn place(&self, cell: &Cell) -> Option<i64> {
        self.places.get(cell.as_name()?).copied()
    }
}

/// The order that JavaScript gives to texts: by their UTF-16 units.
fn as_script(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}
