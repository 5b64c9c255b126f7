//! Splits a row of JSON that is written as PostgreSQL writes it: one object, its members in the order known, nothing
//! escaped, no white space but a blank behind a comma or colon.

use std::ops::Range;

/// A member's value in the bytes of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// Where its text stands, without quotes.
    pub at: Range<usize>,
    /// Whether it is a text; else a number, `true`, `false` or `null`.
    pub quoted: bool,
}

/// Finds the value of each member of the object that `bytes` begin with; how many bytes the object has. `None` where it is
/// written in another way, has other members, or ends behind the bytes: whoever reads all JSON has the say then.
pub(super) fn split<'a>(
    bytes: &[u8],
    names: impl ExactSizeIterator<Item = &'a str>,
    cells: &mut Vec<Cell>,
) -> Option<usize> {
    cells.clear();
    let mut at = expect(bytes, 0, b'{')?;
    let last = names.len().checked_sub(1)?;
    for (number, name) in names.enumerate() {
        at = expect(bytes, at, b'"')?;
        let behind = at.checked_add(name.len())?;
        if bytes.get(at..behind)? != name.as_bytes() {
            return None;
        }
        at = blank(bytes, expect(bytes, expect(bytes, behind, b'"')?, b':')?);
        let cell = value(bytes, at)?;
        at = expect(bytes, cell.at.end + usize::from(cell.quoted), if number == last { b'}' } else { b',' })?;
        if number < last {
            at = blank(bytes, at);
        }
        cells.push(cell);
    }
    Some(at)
}

#[inline]
fn expect(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (*bytes.get(at)? == byte).then_some(at + 1)
}

#[inline]
fn blank(bytes: &[u8], at: usize) -> usize {
    at + usize::from(bytes.get(at) == Some(&b' '))
}

#[inline]
fn value(bytes: &[u8], at: usize) -> Option<Cell> {
    let rest = bytes.get(at..)?;
    let word = |word: &[u8]| rest.starts_with(word).then_some(word.len());
    let len = match rest.first()? {
        b'"' => {
            let rest = rest.get(1..)?;
            let len = memchr::memchr3(b'"', b'\\', b'\n', rest).filter(|end| rest.get(*end) == Some(&b'"'))?;
            return Some(Cell { at: at + 1..at + 1 + len, quoted: true });
        }
        b'n' => word(b"null")?,
        b't' => word(b"true")?,
        b'f' => word(b"false")?,
        b'0'..=b'9' | b'-' => rest.iter().position(|b| !matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))?,
        _ => return None,
    };
    Some(Cell { at: at..at + len, quoted: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(row: &str, names: &[&str]) -> Option<(Vec<(String, bool)>, usize)> {
        let mut cells = Vec::new();
        let len = split(row.as_bytes(), names.iter().copied(), &mut cells)?;
        Some((cells.into_iter().map(|cell| (row[cell.at].to_owned(), cell.quoted)).collect(), len))
    }

    #[test]
    fn only_plain_rows_are_split() {
        let plain = |row: &str| read(row, &["relid", "größe"]);
        let two = |a: (&str, bool), b: (&str, bool)| Some(vec![(a.0.to_owned(), a.1), (b.0.to_owned(), b.1)]);
        for (row, want) in [
            (r#"{"relid":5,"größe":"x y"}, {"#, two(("5", false), ("x y", true))),
            (r#"{"relid": -1.5e+3, "größe": null}"#, two(("-1.5e+3", false), ("null", false))),
            (r#"{"relid":true,"größe":""}"#, two(("true", false), ("", true))),
            (r#"{"relid":5,"größe":"a\"b"}"#, None),
            ("{\"relid\":5,\"größe\":\"a\nb\"}", None),
            (r#"{"größe":5,"relid":5}"#, None),
            (r#"{"relid":5}"#, None),
            (r#"{"relid":5,"größe":1,"more":1}"#, None),
            (r#"{"relid":5,"größe":[1]}"#, None),
            (r#"{"relid":5,"größe":nil}"#, None),
            (r#"{"relid":5,"größe":nullx}"#, None),
            (r#"{"relid":5 ,"größe":1}"#, None),
            (r#"{ "relid":5,"größe":1}"#, None),
            (r#"{"relid":5,"größe":12"#, None),
            (r#"{"relid":5,"größe":"12"#, None),
            ("", None),
        ] {
            let len = row.find('}').map_or(0, |end| end + 1);
            assert_eq!(plain(row), want.map(|cells| (cells, len)), "{row}");
        }
        assert_eq!(read("{}", &[]), None);
    }

    proptest! {
        /// What is split is what a parser of all JSON reads.
        #[test]
        fn agrees_with_serde_json(
            members in prop::collection::vec(("[a-z_\"]{1,6}", prop_oneof![
                any::<i64>().prop_map(serde_json::Value::from),
                any::<bool>().prop_map(serde_json::Value::from),
                "[a-z0-9 ,:{}ü\\\\]{0,9}".prop_map(serde_json::Value::from),
                Just(serde_json::Value::Null),
            ]), 1..8),
            cut in 0_usize..200,
        ) {
            let row: serde_json::Map<String, serde_json::Value> = members.into_iter().collect();
            let json = serde_json::to_string(&row).unwrap();
            let names: Vec<&str> = row.keys().map(String::as_str).collect();
            let escaped = json.contains('\\');
            match read(&json, &names) {
                None => prop_assert!(escaped),
                Some((cells, len)) => {
                    prop_assert_eq!(len, json.len());
                    for ((text, quoted), value) in cells.iter().zip(row.values()) {
                        let want = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                        prop_assert_eq!((text, *quoted), (&want, value.is_string()));
                    }
                }
            }
            let cut = json.floor_char_boundary(cut.min(json.len() - 1));
            prop_assert_eq!(read(&json[..cut], &names), None);
        }
    }
}
