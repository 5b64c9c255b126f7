//! Texts one after the other in one buffer.

/// Rows that share a base position; a power of two.
const GROUP: usize = 64;
/// The longest text kept: [`GROUP`] of them stay below the position's 30 bits.
pub const LONGEST_TEXT: usize = 15 << 20;

/// Texts one after the other; a run of one text is kept once.
#[derive(Clone, Debug, Default)]
pub(super) struct PackedText {
    bytes: String,
    /// Where each group of rows starts in `bytes`.
    bases: Vec<usize>,
    ends: Ends,
}

/// The end of each text, counted from its group's base, and what kind of row it is.
#[derive(Clone, Debug)]
enum Ends {
    /// Names: a group of the longest that PostgreSQL allows fits.
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

/// What a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Own,
    /// The same text as the row before, of the same group.
    Same,
    Null,
}

impl Row {
    const fn code(self) -> u32 {
        match self {
            Self::Own => 0,
            Self::Same => 1,
            Self::Null => 2,
        }
    }

    const fn of(code: u32) -> Self {
        match code {
            0 => Self::Own,
            1 => Self::Same,
            _ => Self::Null,
        }
    }
}

impl Default for Ends {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl Ends {
    const fn len(&self) -> usize {
        match self {
            Self::Narrow(v) => v.len(),
            Self::Wide(v) => v.len(),
        }
    }

    fn push(&mut self, end: usize, row: Row) {
        if let Self::Narrow(v) = self {
            if end < 1 << 14 {
                return v.push(end as u16 | (row.code() as u16) << 14);
            }
            let wide = |word: &u16| u32::from(*word & 0x3fff) | u32::from(*word >> 14) << 30;
            *self = Self::Wide(v.iter().map(wide).collect());
        }
        if let Self::Wide(v) = self {
            v.push(end as u32 | row.code() << 30);
        }
    }

    #[inline]
    fn get(&self, row: usize) -> Option<(usize, Row)> {
        match self {
            Self::Narrow(v) => v.get(row).map(|w| (usize::from(*w & 0x3fff), Row::of(u32::from(*w >> 14)))),
            Self::Wide(v) => v.get(row).map(|w| ((*w & 0x3fff_ffff) as usize, Row::of(*w >> 30))),
        }
    }
}

impl PackedText {
    /// No rows yet.
    pub const fn new() -> Self {
        Self { bytes: String::new(), bases: Vec::new(), ends: Ends::Narrow(Vec::new()) }
    }

    /// No rows yet, and room for so many bytes.
    pub fn with_room(bytes: usize) -> Self {
        Self { bytes: String::with_capacity(bytes), ..Self::new() }
    }

    /// Appends a text or NULL. A text longer than [`LONGEST_TEXT`] is cut there.
    pub fn push(&mut self, text: Option<&str>) {
        let first = self.len().is_multiple_of(GROUP);
        if first {
            self.bases.push(self.bytes.len());
        }
        let row = match text {
            None => Row::Null,
            Some(text) if !first && self.get(self.len() - 1) == Some(text) => Row::Same,
            Some(text) => {
                let end = if text.len() > LONGEST_TEXT { text.floor_char_boundary(LONGEST_TEXT) } else { text.len() };
                self.bytes.push_str(&text[..end]);
                Row::Own
            }
        };
        let base = self.bases.last().copied().unwrap_or(0);
        self.ends.push(self.bytes.len() - base, row);
    }

    /// The text of a row; `None` is NULL or out of range.
    #[inline]
    pub fn get(&self, mut row: usize) -> Option<&str> {
        let end = loop {
            match self.ends.get(row)? {
                (end, Row::Own) => break end,
                (_, Row::Same) => row = row.checked_sub(1)?,
                (_, Row::Null) => return None,
            }
        };
        let base = *self.bases.get(row / GROUP)?;
        let start = if row.is_multiple_of(GROUP) { 0 } else { self.ends.get(row - 1)?.0 };
        self.bytes.get(base + start..base + end)
    }

    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Appends all rows of another column.
    pub fn append(&mut self, other: &Self) {
        if !self.len().is_multiple_of(GROUP) {
            self.bytes.reserve(other.bytes.len());
            self.reserve(other.len());
            other.iter().for_each(|text| self.push(text));
            return;
        }
        let shift = self.bytes.len();
        self.bytes.push_str(&other.bytes);
        self.bases.extend(other.bases.iter().map(|base| base + shift));
        if let (Ends::Narrow(to), Ends::Narrow(from)) = (&mut self.ends, &other.ends) {
            return to.extend_from_slice(from);
        }
        for row in 0..other.len() {
            if let Some((end, kind)) = other.ends.get(row) {
                self.ends.push(end, kind);
            }
        }
    }

    /// Makes room for rows to come.
    pub fn reserve(&mut self, rows: usize) {
        match &mut self.ends {
            Ends::Narrow(v) => v.reserve(rows),
            Ends::Wide(v) => v.reserve(rows),
        }
    }

    /// Keeps the first `rows` rows.
    pub fn truncate(&mut self, rows: usize) {
        if rows >= self.len() {
            return;
        }
        let last = rows.checked_sub(1).and_then(|last| Some((self.bases.get(last / GROUP)?, self.ends.get(last)?.0)));
        self.bytes.truncate(last.map_or(0, |(base, end)| base + end));
        self.bases.truncate(rows.div_ceil(GROUP));
        match &mut self.ends {
            Ends::Narrow(v) => v.truncate(rows),
            Ends::Wide(v) => v.truncate(rows),
        }
    }

    /// Gives back memory that growing reserved.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.bases.shrink_to_fit();
        match &mut self.ends {
            Ends::Narrow(v) => v.shrink_to_fit(),
            Ends::Wide(v) => v.shrink_to_fit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_across_groups() {
        let texts: Vec<Option<String>> = (0..200).map(|i| (i % 7 != 0).then(|| "ß".repeat(i / 2 % 5))).collect();
        let mut a = PackedText::new();
        let mut b = PackedText::new();
        for (i, text) in texts.iter().enumerate() {
            if i < 70 { a.push(text.as_deref()) } else { b.push(text.as_deref()) }
        }
        let mut whole = PackedText::new();
        (0..64).for_each(|i| whole.push(Some(&i.to_string())));
        whole.append(&a);
        assert_eq!((whole.get(63), whole.get(64 + 65)), (Some("63"), texts[65].as_deref()));
        a.append(&b);
        assert_eq!(a.iter().map(|t| t.map(str::to_owned)).collect::<Vec<_>>(), texts);
        assert_eq!(a.get(200), None);
        a.truncate(130);
        a.push(Some("next"));
        assert_eq!((a.len(), a.get(129).map(str::to_owned), a.get(130)), (131, texts[129].clone(), Some("next")));
        a.truncate(0);
        a.push(Some("x"));
        assert_eq!((a.len(), a.get(0)), (1, Some("x")));
    }

    #[test]
    fn long_texts_and_runs_of_one() {
        let long = "query ".repeat(4000);
        let texts: Vec<Option<&str>> =
            (0..300).map(|i| [Some("app"), Some("app"), None, Some(long.as_str()), Some("")][i / 3 % 5]).collect();
        let mut packed = PackedText::new();
        for text in &texts {
            packed.push(*text);
        }
        assert_eq!(packed.iter().collect::<Vec<_>>(), texts);
        assert!(packed.bytes.len() < 30 * long.len(), "each run once");
        packed.truncate(100);
        packed.push(Some("app"));
        assert_eq!((packed.len(), packed.get(99), packed.get(100)), (101, texts[99], Some("app")));
    }
}
