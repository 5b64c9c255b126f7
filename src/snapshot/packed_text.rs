//! Texts one after the other in one buffer.

/// Rows that share a base position; a power of two.
const GROUP: usize = 64;
const NULL_BIT: u32 = 1 << 31;
/// The longest text kept: [`GROUP`] of them stay below the position's 31 bits.
pub const LONGEST_TEXT: usize = 16 << 20;

/// Texts one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct PackedText {
    bytes: String,
    /// Where each group of rows starts in `bytes`.
    bases: Vec<usize>,
    /// End of each text, counted from its group's base; NULL is marked by the high bit.
    ends: Vec<u32>,
}

impl PackedText {
    /// No rows yet.
    pub const fn new() -> Self {
        Self { bytes: String::new(), bases: Vec::new(), ends: Vec::new() }
    }

    /// Appends a text or NULL. A text longer than [`LONGEST_TEXT`] is cut there.
    pub fn push(&mut self, text: Option<&str>) {
        if self.ends.len().is_multiple_of(GROUP) {
            self.bases.push(self.bytes.len());
        }
        if let Some(text) = text {
            let end = if text.len() > LONGEST_TEXT { text.floor_char_boundary(LONGEST_TEXT) } else { text.len() };
            self.bytes.push_str(&text[..end]);
        }
        let base = self.bases.last().copied().unwrap_or(0);
        let end = (self.bytes.len() - base) as u32;
        self.ends.push(if text.is_some() { end } else { end | NULL_BIT });
    }

    /// The text of a row; `None` is NULL or out of range.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&str> {
        let end = *self.ends.get(row)?;
        if end & NULL_BIT != 0 {
            return None;
        }
        let base = *self.bases.get(row / GROUP)?;
        let start = if row.is_multiple_of(GROUP) { 0 } else { self.ends.get(row - 1)? & !NULL_BIT };
        self.bytes.get(base + start as usize..base + end as usize)
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
        if !self.ends.len().is_multiple_of(GROUP) {
            self.bytes.reserve(other.bytes.len());
            self.ends.reserve(other.ends.len());
            other.iter().for_each(|text| self.push(text));
            return;
        }
        let shift = self.bytes.len();
        self.bytes.push_str(&other.bytes);
        self.bases.extend(other.bases.iter().map(|base| base + shift));
        self.ends.extend_from_slice(&other.ends);
    }

    /// Makes room for rows to come.
    pub fn reserve(&mut self, rows: usize) {
        self.ends.reserve(rows);
    }

    /// Keeps the first `rows` rows.
    pub fn truncate(&mut self, rows: usize) {
        if rows >= self.ends.len() {
            return;
        }
        let end = match rows.checked_sub(1) {
            None => 0,
            Some(last) => {
                let base = self.bases.get(last / GROUP).copied().unwrap_or(0);
                base + (self.ends[last] & !NULL_BIT) as usize
            }
        };
        self.bytes.truncate(end);
        self.ends.truncate(rows);
        self.bases.truncate(rows.div_ceil(GROUP));
    }

    /// Gives back memory that growing reserved.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.bases.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_across_groups() {
        let texts: Vec<Option<String>> = (0..200).map(|i| (i % 7 != 0).then(|| "ß".repeat(i % 5))).collect();
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
}
