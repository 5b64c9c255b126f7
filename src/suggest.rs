//! "Did you mean": the nearest known name to one that does not exist.

/// The known names nearest to `typed`, nearest first, at most three; none when nothing is near.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // A typo changes few letters; a longer name may be off by more. Part of a name counts as near.
    let limit = (typed.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let distance = distance(typed, name);
            if distance <= limit {
                Some((distance, name))
            } else {
                (typed.len() >= 3 && name.contains(typed)).then_some((limit + 1, name))
            }
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// A hint that names what is nearest, or everything there is.
pub fn hint<'a>(typed: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let near = nearest(typed, known.clone());
    let quoted = |names: &[&str]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if near.is_empty() {
        let all: Vec<&str> = known.into_iter().collect();
        match all.len() {
            0 => "nothing is known here".to_owned(),
            1..=12 => format!("known are {}", quoted(&all)),
            n => format!("none of the {n} known names is near"),
        }
    } else {
        format!("did you mean {}?", quoted(&near))
    }
}

/// Number of letters to insert, delete or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut current = Vec::with_capacity(previous.len());
        let mut left = i + 1;
        current.push(left);
        for (y, pair) in b.iter().zip(previous.windows(2)) {
            let &[diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            current.push(left);
        }
        previous = current;
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["index-unused", "index-invalid", "table-unused", "wrap-xid-age"];
        assert_eq!(nearest("index-unsed", known), ["index-unused"]);
        assert_eq!(nearest("unused", known), ["index-unused", "table-unused"]);
        assert_eq!(nearest("zzz", known), [""; 0]);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn lists_all_where_they_are_few() {
        assert_eq!(hint("x", ["alpha", "beta"]), "known are `alpha`, `beta`");
        assert_eq!(hint("alpa", ["alpha", "beta"]), "did you mean `alpha`?");
    }
}
