//! The places of an evidence entry, those that differ in the snapshot's folder alone said once.

use minijinja::{Value, context};

/// A place in the user's files.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    snapshot: String,
    file: String,
    at: String,
}

/// For templates: from locators to `snapshots`, `file` and `place`, in their order.
pub(super) fn places(locators: &Value, inside: impl Fn(&str) -> String) -> Value {
    let text = |of: &Value, name: &str| of.get_attr(name).ok().and_then(|v| v.as_str().map(str::to_owned));
    let read = |of: Value| Place {
        snapshot: text(&of, "snapshot").unwrap_or_default(),
        file: inside(&text(&of, "file").unwrap_or_default()),
        at: text(&of, "place").unwrap_or_default(),
    };
    let all: Vec<Place> = locators.try_iter().into_iter().flatten().map(read).collect();
    let shown = |p: Place| context! { snapshots => p.snapshot, file => p.file, place => p.at };
    together(&all).into_iter().map(shown).collect()
}

fn together(all: &[Place]) -> Vec<Place> {
    let mut out = Vec::new();
    let mut rest = all;
    while let Some(first) = rest.first() {
        let mut star = None;
        let alike = rest.iter().skip(1).take_while(|next| {
            let differs = differs(first, next);
            let fits = differs.is_some_and(|at| star.is_none_or(|known| known == at));
            star = star.or(differs);
            fits
        });
        let n = 1 + alike.count();
        let (group, later) = rest.split_at(n.min(rest.len()));
        match star {
            Some(at) => {
                let parts = first.file.split('/').enumerate().map(|(i, part)| if i == at { "*" } else { part });
                out.push(Place {
                    snapshot: spoken(group),
                    file: parts.collect::<Vec<_>>().join("/"),
                    at: first.at.clone(),
                });
            }
            None => out.extend_from_slice(group),
        }
        rest = later;
    }
    out
}

/// The only folder in which two places differ; none where they differ in more, or in nothing.
fn differs(a: &Place, b: &Place) -> Option<usize> {
    let (x, y): (Vec<&str>, Vec<&str>) = (a.file.split('/').collect(), b.file.split('/').collect());
    if a.at != b.at || x.len() != y.len() {
        return None;
    }
    let mut at = x.iter().zip(&y).enumerate().filter(|(_, (p, q))| p != q).map(|(i, _)| i);
    let only = at.next().filter(|i| *i + 1 < x.len())?;
    at.next().is_none().then_some(only)
}

/// `A to B` where none is left out, else each.
fn spoken(group: &[Place]) -> String {
    let labels: Vec<&str> = group.iter().map(|p| p.snapshot.as_str()).collect();
    let whole = labels.len() > 2
        && labels.iter().enumerate().all(|(i, label)| match i {
            0 => *label == "A",
            _ if i + 1 == labels.len() => *label == "B",
            _ => label.parse() == Ok(i + 1),
        });
    if whole { "A to B".to_owned() } else { labels.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(of: &[(&str, &str, &str)]) -> Vec<String> {
        let place = |(snapshot, file, at): &(&str, &str, &str)| Place {
            snapshot: (*snapshot).to_owned(),
            file: (*file).to_owned(),
            at: (*at).to_owned(),
        };
        let all: Vec<Place> = of.iter().map(place).collect();
        together(&all).iter().map(|p| format!("{}: {} {}", p.snapshot, p.file, p.at)).collect()
    }

    #[test]
    fn what_differs_in_the_folder_alone_is_said_once() {
        let rows = "all rows";
        assert_eq!(
            told(&[("A", "1/a.csv", rows), ("2", "2/a.csv", rows), ("B", "3/a.csv", rows), ("B", "3/b.csv", rows)]),
            ["A to B: */a.csv all rows", "B: 3/b.csv all rows"]
        );
        assert_eq!(told(&[("A", "1/a.csv", rows), ("B", "2/a.csv", rows)]), ["A, B: */a.csv all rows"]);
        assert_eq!(
            told(&[("2", "x/2/a.csv", rows), ("3", "x/3/a.csv", rows), ("5", "x/5/a.csv", rows)]),
            ["2, 3, 5: x/*/a.csv all rows"]
        );
    }

    #[test]
    fn what_differs_in_more_is_said_apart() {
        for of in [
            [("A", "1/a.csv", "line 3"), ("2", "2/a.csv", "line 4"), ("B", "3/a.csv", "line 3")],
            [("A", "1/a.csv", "r"), ("2", "2/a.csv.gz", "r"), ("B", "3/a.csv", "r")],
            [("A", "a.json", "r"), ("2", "b.json", "r"), ("B", "c.json", "r")],
            [("A", "a.json", "/0"), ("2", "a.json", "/1"), ("B", "a.json", "/2")],
        ] {
            assert_eq!(told(&of).len(), 3, "{of:?}");
        }
        assert!(told(&[]).is_empty());
    }
}
