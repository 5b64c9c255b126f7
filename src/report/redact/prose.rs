//! Sentences: a word stays where it is the program's own or PostgreSQL's, everything else becomes a pseudonym.

use super::known;
use super::names::Pseudonyms;
use super::place::Kind;

/// What comes first where a word is a name and one of the program's own too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// A sentence: `rows` is the word, unless it is written like a name.
    Words,
    /// Names with words between them: `rows` is the table.
    Names,
}

/// Whether a character is part of a word; others than ASCII are, except the signs that the program prints.
pub(super) fn in_word(c: char) -> bool {
    const SIGNS: &str = "⅛⅜·→←↳−–—×÷≥≤≠≈…“”‘’½¼¾Σ√±∞✓▲▼◆■●○▁▂▃▄▅▆▇█░╎┆²³°";
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || (!c.is_ascii() && !c.is_whitespace() && !SIGNS.contains(c))
}

/// A text with its private words replaced. What stands between backticks is code.
pub(super) fn rewrite(names: &mut Pseudonyms, text: &str, trust: Trust) -> String {
    if trust == Trust::Words && text.matches('`').count() >= 2 && text.matches('`').count().is_multiple_of(2) {
        let pieces: Vec<String> = text
            .split('`')
            .enumerate()
            .map(|(i, piece)| if i % 2 == 1 { code(names, piece) } else { rewrite(names, piece, Trust::Words) })
            .collect();
        return pieces.join("`");
    }
    let Some((at, odd)) = names.odd_in(text) else { return words(names, text, trust) };
    let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + odd.len()..).unwrap_or_default());
    // What stands before a name with a dot between is its schema.
    let schema = before.strip_suffix('.').map(|b| b.rfind(|c| !in_word(c)).map_or(0, |at| before_end(b, at)));
    let (sentence, schema) = before.split_at(schema.unwrap_or(before.len()));
    let mut out = rewrite(names, sentence, trust);
    if let Some(schema) = schema.strip_suffix('.') {
        out.extend([names.name(schema, Kind::Schema).as_str(), "."]);
    }
    out.push_str(&names.of(&odd, Kind::Other).unwrap_or(odd));
    out.push_str(&rewrite(names, after, trust));
    out
}

/// What stands between backticks: words that the program did not put there together may be one name.
fn code(names: &mut Pseudonyms, piece: &str) -> String {
    let joined = piece.contains(['-', ' ']) && piece.chars().all(|c| in_word(c) || matches!(c, '-' | ' '));
    let shipped = |word: &str| known::system(word) || known::numeric(word);
    if joined && !known::phrase(piece) && !known::rule(piece) && !piece.split(['-', ' ']).all(shipped) {
        return names.of_unknown(piece).unwrap_or_else(|| piece.to_owned());
    }
    rewrite(names, piece, Trust::Names)
}

/// The first byte after the character at a position.
fn before_end(text: &str, at: usize) -> usize {
    at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}

fn words(names: &mut Pseudonyms, text: &str, trust: Trust) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before: Option<char> = None;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = address(rest).filter(|_| !before.is_some_and(in_word)) {
            let (found, after) = rest.split_at(length);
            out.push_str(&names.of(found, Kind::Address).unwrap_or_else(|| found.to_owned()));
            before = found.chars().next_back();
            rest = after;
            continue;
        }
        let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        if end == 0 {
            out.push(first);
            before = Some(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let (word, after) = rest.split_at(end);
        // What stands behind a schema with a dot between is a name up to the next blank, whatever signs are in it.
        if let Some(name) = after.strip_prefix('.').filter(|_| names.is_schema(word) && before != Some('.')) {
            let length = name.find(|c: char| c.is_whitespace() || "\"'`;,:()[]".contains(c)).unwrap_or(name.len());
            let (name, after) = name.split_at(length);
            let (name, dot) = name.strip_suffix('.').map_or((name, ""), |name| (name, "."));
            if !name.chars().all(|c| in_word(c) || c == '.') {
                out.push_str(&names.name(&format!("{word}.{name}"), Kind::Other));
                out.push_str(dot);
                before = out.chars().next_back();
                rest = after;
                continue;
            }
        }
        let mut following = after.chars();
        let dotted = before == Some('.') || (following.next() == Some('.') && following.next().is_some_and(in_word));
        let position = before == Some('/') && is_hex(word);
        match pseudonym(names, word, trust, dotted).filter(|_| !position) {
            Some(new) => out.push_str(&new),
            None => out.push_str(word),
        }
        before = word.chars().next_back();
        rest = after;
    }
    out
}

fn pseudonym(names: &mut Pseudonyms, word: &str, trust: Trust, dotted: bool) -> Option<String> {
    let like_a_name = dotted || word.contains('_') || trust == Trust::Names;
    if known::numeric(word) || known::system(word) || !word.chars().any(char::is_alphabetic) && word.is_ascii() {
        return None;
    }
    if like_a_name && names.knows(word) {
        return names.of_unknown(word);
    }
    if known::own(word) || (word.is_ascii() && word.len() == 1) {
        return None;
    }
    names.of_unknown(word)
}

/// Whether a word is the second half of a position in the WAL, `16/B374D848`.
fn is_hex(word: &str) -> bool {
    word.len() <= 8
        && word.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
        && word.bytes().any(|b| b.is_ascii_digit())
}

/// The length of a network address at the start of a text: four numbers with dots, or groups of hex digits with
/// colons; a mask belongs to it.
fn address(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':'))).unwrap_or(text.len());
    let found = text.get(..end)?.trim_end_matches(['.', ':']);
    let bytes = |s: &str| s.split('.').count() == 4 && s.split('.').all(|n| n.parse::<u8>().is_ok());
    let host = found.split_once(':').map_or(found, |(host, _)| host);
    let six = found.matches(':').count() >= 2
        && (found.contains("::")
            || found.matches(':').count() >= 4
            || found.contains(|c: char| c.is_ascii_alphabetic()))
        && found.split(':').all(|g| g.len() <= 4 || bytes(g));
    let length = if six {
        found.len()
    } else if bytes(host) {
        host.len()
    } else {
        return None;
    };
    let mask = text.get(length..)?.strip_prefix('/').map_or(0, |rest| {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if (1..=3).contains(&digits) { digits + 1 } else { 0 }
    });
    let next = text.get(length + mask..)?.chars().next();
    (!next.is_some_and(in_word)).then_some(length + mask)
}

#[cfg(test)]
mod tests {
    use super::super::Redact;
    use super::super::place::Place;
    use super::*;

    fn all() -> Pseudonyms {
        let mut names = Pseudonyms::new(Redact { names: true, queries: true, hosts: true });
        names.learn(Place::Name(Kind::Table), "public.orders");
        names.learn(Place::Name(Kind::Table), "shop.rows");
        names.learn(Place::Name(Kind::Table), "shop.big table");
        names.learned();
        names
    }

    #[test]
    fn sentences_keep_their_own_words() {
        for (text, want) in [
            ("4 dead rows in orders", "4 dead rows in table_1"),
            ("shop.rows: 12 rows", "schema_1.table_2: 12 rows"),
            ("checked `rows` and orders_pkey", "checked `table_2` and name_1"),
            ("1.5 GB in 2026-11-22T14:22:11Z, 64kB", "1.5 GB in 2026-11-22T14:22:11Z, 64kB"),
            ("shop.big table is large", "schema_1.table_3 is large"),
            ("read pg_stat_user_tables.n_dead_tup", "read pg_stat_user_tables.n_dead_tup"),
            ("from 10.1.2.3/32 or fe80::1 at 14:22:11", "from address_1 or address_2 at 14:22:11"),
            ("größe", "name_1"),
            ("½ × 3 + ⅛ × 3", "½ × 3 + ⅛ × 3"),
            ("was `shop.over-left`; the OID", "was `schema_1.name_1`; the OID"),
            ("database `dead-rows` fell, as `age(datfrozenxid)`", "database `name_1` fell, as `age(datfrozenxid)`"),
            ("size of shop.dead-rows: 7", "size of schema_1.name_1: 7"),
            ("checks that cannot run: `index-unused`, `lock-rows`", "checks that cannot run: `index-unused`, `name_1`"),
        ] {
            assert_eq!(rewrite(&mut all(), text, Trust::Words), want, "{text}");
        }
    }

    #[test]
    fn names_come_first_between_names() {
        assert_eq!(
            rewrite(&mut all(), "pid 7, rows on orders, qxz", Trust::Names),
            "pid 7, table_2 on table_1, name_1"
        );
    }

    #[test]
    fn what_is_not_redacted_stays() {
        let mut hosts = Pseudonyms::new(Redact { hosts: true, ..Redact::default() });
        hosts.learn(Place::Name(Kind::Table), "public.orders");
        hosts.learn(Place::Name(Kind::User), "carol");
        hosts.learned();
        assert_eq!(rewrite(&mut hosts, "carol reads orders and qxz", Trust::Words), "user_1 reads orders and name_1");
    }
}
