//! Texts of one column.

use super::packed_text::PackedText;

use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::Arc;

/// Up to so many distinct texts are kept once each from the start.
const FEW: usize = 64;
/// Up to so many are when all rows are known.
const SOME: usize = 4096;
/// The number of NULL.
const NULL: u16 = u16::MAX;

/// Texts of one column. A column of few distinct texts (schemas, users, states) keeps each once and a number per row;
/// others keep all, one after the other. Columns that say the same may be one in memory.
#[derive(Clone, Debug)]
pub struct TextData(Held);

#[derive(Clone, Debug)]
enum Held {
    Own(Form),
    Shared(Arc<Form>),
}

#[derive(Clone, Debug)]
enum Form {
    Few {
        words: Vec<Box<str>>,
        rows: Vec<u16>,
        /// Bytes that texts get room for when they turn out to be mostly distinct.
        room: usize,
    },
    Many(PackedText),
}

impl Held {
    fn form(&self) -> &Form {
        match self {
            Self::Own(form) => form,
            Self::Shared(form) => form,
        }
    }

    /// To be changed: what others have as well is copied before.
    fn own(&mut self) -> &mut Form {
        if let Self::Shared(form) = self {
            *self = Self::Own(Form::clone(form));
        }
        match self {
            Self::Own(form) => form,
            Self::Shared(form) => Arc::make_mut(form),
        }
    }
}

impl Default for TextData {
    fn default() -> Self {
        Self::new()
    }
}

impl TextData {
    /// No rows yet.
    pub const fn new() -> Self {
        Self(Held::Own(Form::Few { words: Vec::new(), rows: Vec::new(), room: 0 }))
    }

    /// No rows yet, and room for so many bytes once texts turn out to be mostly distinct.
    pub(super) const fn with_room(bytes: usize) -> Self {
        Self(Held::Own(Form::Few { words: Vec::new(), rows: Vec::new(), room: bytes }))
    }

    /// Appends a text or NULL. A text longer than [`super::LONGEST_TEXT`] is cut there.
    #[inline]
    pub fn push(&mut self, text: Option<&str>) {
        match self.0.own() {
            Form::Many(packed) => packed.push(text),
            Form::Few { words, rows, room } => {
                let Some(text) = text else { return rows.push(NULL) };
                // Short lists are faster to look through than to hash, and runs of one text are common.
                let last = rows.last().filter(|id| words.get(usize::from(**id)).is_some_and(|w| **w == *text)).copied();
                let known = || words.iter().take(FEW).position(|w| **w == *text).map(|id| id as u16);
                match last.or_else(known) {
                    Some(id) => rows.push(id),
                    None if words.len() < FEW && text.len() <= super::LONGEST_TEXT => {
                        rows.push(words.len() as u16);
                        words.push(text.into());
                    }
                    None => {
                        let mut packed = spread(words, rows, *room);
                        packed.push(Some(text));
                        self.0 = Held::Own(Form::Many(packed));
                    }
                }
            }
        }
    }

    /// The text of a row; `None` is NULL or out of range.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&str> {
        match self.0.form() {
            Form::Many(packed) => packed.get(row),
            Form::Few { words, rows, .. } => words.get(usize::from(*rows.get(row)?)).map(AsRef::as_ref),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self.0.form() {
            Form::Many(packed) => packed.len(),
            Form::Few { rows, .. } => rows.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether any row's text is so: distinct texts are looked at once.
    pub fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        match self.0.form() {
            Form::Many(packed) => packed.iter().flatten().any(is),
            // A word may have lost its rows when the column was cut.
            Form::Few { words, rows, .. } => {
                words.iter().enumerate().any(|(id, word)| is(word) && rows.contains(&(id as u16)))
            }
        }
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Appends all rows of another column.
    pub fn append(&mut self, other: &Self) {
        match (self.0.own(), other.0.form()) {
            (Form::Many(to), Form::Many(from)) => to.append(from),
            (Form::Few { words, rows, room }, Form::Many(from)) => {
                let mut packed = spread(words, rows, *room);
                packed.append(from);
                self.0 = Held::Own(Form::Many(packed));
            }
            (Form::Few { words, rows, .. }, Form::Few { words: more, rows: from, .. })
                if words.len() + more.len() <= FEW =>
            {
                // Which number each of the other's texts has here.
                let ids: Vec<u16> = more
                    .iter()
                    .map(|text| {
                        words.iter().position(|w| w == text).unwrap_or_else(|| {
                            words.push(text.clone());
                            words.len() - 1
                        }) as u16
                    })
                    .collect();
                rows.extend(from.iter().map(|id| ids.get(usize::from(*id)).copied().unwrap_or(NULL)));
            }
            _ => other.iter().for_each(|text| self.push(text)),
        }
    }

    /// Another column of the same texts that is one with this in memory.
    pub fn share(&mut self) -> Self {
        let form = match &mut self.0 {
            Held::Shared(form) => Arc::clone(form),
            Held::Own(form) => Arc::new(std::mem::replace(form, Form::Many(PackedText::new()))),
        };
        self.0 = Held::Shared(Arc::clone(&form));
        Self(Held::Shared(form))
    }

    /// Whether two columns are one in memory, so that every row says the same in both. Others may be equal, too.
    pub fn is_one_with(&self, other: &Self) -> bool {
        std::ptr::eq(self.0.form(), other.0.form())
    }

    /// Makes room for rows to come.
    pub fn reserve(&mut self, more: usize) {
        match self.0.own() {
            Form::Many(packed) => packed.reserve(more),
            Form::Few { rows, .. } => rows.reserve(more),
        }
    }

    /// Keeps the first `keep` rows.
    pub fn truncate(&mut self, keep: usize) {
        match self.0.own() {
            Form::Many(packed) => packed.truncate(keep),
            Form::Few { rows, .. } => rows.truncate(keep),
        }
    }

    /// Keeps each text once where that saves memory, now that all rows are known.
    pub fn fold_repeats(&mut self) {
        let Form::Many(packed) = self.0.form() else { return };
        let mut known: HashMap<&str, u16, FixedState> = HashMap::default();
        let (mut words, mut rows) = (Vec::new(), Vec::with_capacity(packed.len()));
        for text in packed.iter() {
            let Some(text) = text else {
                rows.push(NULL);
                continue;
            };
            let next = known.len() as u16;
            let id = *known.entry(text).or_insert(next);
            if id == next {
                if known.len() > SOME || known.len() * 4 > packed.len() {
                    return;
                }
                words.push(text.into());
            }
            rows.push(id);
        }
        self.0 = Held::Own(Form::Few { words, rows, room: 0 });
    }

    /// Gives back memory that growing reserved.
    pub fn shrink(&mut self) {
        match self.0.own() {
            Form::Many(packed) => packed.shrink(),
            Form::Few { words, rows, .. } => {
                words.shrink_to_fit();
                rows.shrink_to_fit();
            }
        }
    }
}

/// Each row with its own text.
fn spread(words: &[Box<str>], rows: &[u16], room: usize) -> PackedText {
    let mut packed = PackedText::with_room(room);
    for id in rows {
        packed.push(words.get(usize::from(*id)).map(AsRef::as_ref));
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn reads_back_what_was_written(
            rows in prop::collection::vec(prop::option::weighted(0.9, 0_u32..400), 0..500),
            (few, cut, keep) in (1_u32..200, 0_usize..500, 0_usize..600),
        ) {
            let texts: Vec<Option<String>> =
                rows.iter().map(|row| row.map(|n| format!("t{}", n % few))).collect();
            let cut = cut.min(texts.len());
            let column = |part: &[Option<String>]| {
                let mut out = TextData::new();
                for text in part {
                    out.push(text.as_deref());
                }
                out
            };
            let mut all = column(&texts[..cut]);
            all.fold_repeats();
            all.append(&column(&texts[cut..]));
            let whole: Vec<Option<&str>> = texts.iter().map(|t| t.as_deref()).collect();
            prop_assert_eq!(all.iter().collect::<Vec<_>>(), whole);
            all.fold_repeats();
            all.truncate(keep);
            let want: Vec<Option<&str>> = texts.iter().take(keep).map(|t| t.as_deref()).collect();
            prop_assert_eq!(all.iter().collect::<Vec<_>>(), want);
            prop_assert_eq!(all.len(), keep.min(texts.len()));
        }
    }

    #[test]
    fn what_is_shared_is_one_until_it_changes() {
        for words in [&["a", "b"][..], &["w"; 3], &[]] {
            let mut first = TextData::new();
            for word in words {
                first.push(Some(word));
            }
            let own = first.clone();
            let (mut second, third) = (first.share(), first.share());
            assert!(first.is_one_with(&second) && second.is_one_with(&third) && !first.is_one_with(&own));
            second.push(Some("new"));
            assert!(!first.is_one_with(&second) && first.is_one_with(&third));
            assert_eq!(first.iter().flatten().collect::<Vec<_>>(), words);
            assert_eq!((second.len(), second.get(words.len())), (words.len() + 1, Some("new")));
        }
    }

    #[test]
    fn few_texts_are_kept_once() {
        let mut schemas = TextData::new();
        (0..1000).for_each(|i| schemas.push((i % 9 != 0).then_some(if i % 2 == 0 { "app" } else { "" })));
        let Form::Few { words, rows, .. } = schemas.0.form() else { panic!("a few") };
        assert_eq!((words.len(), rows.len(), schemas.get(9), schemas.get(1)), (2, 1000, None, Some("")));
    }
}
