//! The names that stand in the long tables of a page, each once, in the order in which the script sorts them.

use super::code::{CHARACTERS, character, string};
use crate::ident::visible;
use crate::report::{Cell, Table};
use crate::text::Span;
use std::cmp::Ordering;
use std::collections::HashMap;

/// The names and their places.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    places: HashMap<&'a str, i64>,
}

/// The name that a cell is.
pub(super) fn of(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => match text.0.as_slice() {
            [Span::Name(name)] => Some(name),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> Names<'a> {
    /// The names of these tables, and their list as JSON: a text that begins with what separates them. Each name but the
    /// first says in a character how much of the one before it shares, so that an index costs little beside its table.
    pub(super) fn of(tables: &[&'a Table]) -> (Self, String) {
        let mut places: HashMap<&'a str, i64> = HashMap::new();
        let cells = tables.iter().flat_map(|t| &t.rows).flat_map(|row| &row.cells);
        places.extend(cells.filter_map(of).map(|name| (name, 0)));
        let mut all: Vec<(&'a str, String)> = places.keys().map(|name| (*name, name.to_lowercase())).collect();
        all.sort_unstable_by(|a, b| as_script(&a.1, &b.1).then_with(|| a.0.cmp(b.0)));
        // Line breaks are visible escapes in names as they are shown.
        let separator = if all.iter().any(|(name, _)| name.contains('|')) { '\n' } else { '|' };
        let mut list = String::new();
        let mut before = String::new();
        for (place, (name, _)) in all.iter().enumerate() {
            places.insert(name, i64::try_from(place).unwrap_or(i64::MAX));
            let name = visible(name).into_owned();
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
        self.places.get(of(cell)?).copied()
    }
}

/// The order that JavaScript gives to texts: by their UTF-16 units.
fn as_script(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}
