//! The first line of a node in FORMAT TEXT: what it is, what it reads, estimates and measurements.

use super::fields::{self, Value};
use super::model::{Actual, Node};

/// Nodes that are called the same in both notations, longer names before those they begin with.
const PLAIN: &[&str] = &[
    "Result Cache",
    "Result",
    "ProjectSet",
    "Merge Append",
    "Append",
    "Recursive Union",
    "BitmapAnd",
    "BitmapOr",
    "Seq Scan",
    "Sample Scan",
    "Gather Merge",
    "Gather",
    "Index Only Scan",
    "Index Scan",
    "Bitmap Index Scan",
    "Bitmap Heap Scan",
    "Tid Range Scan",
    "Tid Scan",
    "Subquery Scan",
    "Function Scan",
    "Table Function Scan",
    "Values Scan",
    "CTE Scan",
    "Named Tuplestore Scan",
    "WorkTable Scan",
    "Foreign Scan",
    "Custom Scan",
    "Materialize",
    "Memoize",
    "Incremental Sort",
    "Sort",
    "Group",
    "WindowAgg",
    "Unique",
    "LockRows",
    "Limit",
    "Nested Loop",
    "Hash Join",
    "Merge Join",
    "Hash",
];

/// Nodes whose name in the text is made of several properties.
const MADE: &[(&str, &str, &str)] = &[
    ("GroupAggregate", "Aggregate", "Sorted"),
    ("HashAggregate", "Aggregate", "Hashed"),
    ("MixedAggregate", "Aggregate", "Mixed"),
    ("Aggregate", "Aggregate", ""),
    ("HashSetOp", "SetOp", "Hashed"),
    ("SetOp", "SetOp", "Sorted"),
    ("Insert", "ModifyTable", "Insert"),
    ("Update", "ModifyTable", "Update"),
    ("Delete", "ModifyTable", "Delete"),
    ("Merge", "ModifyTable", "Merge"),
];

/// Kinds of joins as the text has them between the method and `Join`, longer ones first.
const JOINS: &[&str] = &["Right Semi", "Right Anti", "Left", "Right", "Full", "Semi", "Anti"];

/// Whether a line, its indentation left out, is the first line of a node.
pub fn is_headline(line: &str) -> bool {
    read(line).is_some()
}

/// Reads the first line of a node, arrow and indentation left out; `None` where it is something else.
pub(super) fn read(line: &str) -> Option<Node> {
    let (words, numbers) = split(line);
    let mut node = Node::default();
    let reads = what(words.trim_end(), &mut node)?;
    names(reads, &mut node)?;
    if !measures(numbers, &mut node) {
        return None;
    }
    Some(node)
}

/// The words of a headline and the brackets behind them: those begin with `(cost=`, `(actual ` or `(never executed)`.
fn split(line: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted && at > 0 => {
                let rest = &line[at..];
                if ["(cost=", "(actual ", "(never executed)"].iter().any(|start| rest.starts_with(start)) {
                    return line.split_at(at);
                }
            }
            _ => {}
        }
    }
    (line, "")
}

/// Sets what the node is; what follows its name. `None` where no node is called so.
fn what<'l>(words: &'l str, node: &mut Node) -> Option<&'l str> {
    let mut rest = words;
    for (word, on) in [("Async ", &mut node.async_capable), ("Parallel ", &mut node.parallel_aware)] {
        if let Some(after) = rest.strip_prefix(word) {
            *on = true;
            rest = after;
        }
    }
    for word in ["Partial", "Finalize"] {
        if let Some(after) = rest.strip_prefix(word).and_then(|r| r.strip_prefix(' ')) {
            word.clone_into(&mut node.partial);
            rest = after;
        }
    }
    for method in ["Nested Loop", "Hash", "Merge"] {
        let Some(after) = rest.strip_prefix(method).and_then(|r| r.strip_prefix(' ')) else { continue };
        for join in JOINS {
            if let Some(after) = after.strip_prefix(join).and_then(|r| r.strip_prefix(" Join")).filter(|r| ends(r)) {
                node.kind = if method == "Nested Loop" { method.to_owned() } else { format!("{method} Join") };
                (*join).clone_into(&mut node.join);
                return Some(after);
            }
        }
    }
    if let Some(kind) = PLAIN.iter().find(|kind| rest.strip_prefix(**kind).is_some_and(ends)) {
        (*kind).clone_into(&mut node.kind);
        return rest.strip_prefix(kind);
    }
    let (word, kind, how) = MADE.iter().find(|(word, ..)| rest.strip_prefix(word).is_some_and(ends))?;
    (*kind).clone_into(&mut node.kind);
    let mut after = rest.strip_prefix(word)?;
    match *kind {
        "ModifyTable" => (*how).clone_into(&mut node.operation),
        _ => (*how).clone_into(&mut node.strategy),
    }
    if *kind == "SetOp" {
        node.command = after.trim().to_owned();
        after = "";
    }
    Some(after)
}

/// Whether a node's name can end before this.
fn ends(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(' ')
}

/// Reads ` Backward using index on schema.relation alias`.
fn names(reads: &str, node: &mut Node) -> Option<()> {
    let mut rest = reads.trim();
    if node.kind == "Custom Scan"
        && let Some((provider, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')'))
    {
        node.other.push(("Custom Plan Provider".to_owned(), provider.to_owned()));
        rest = after.trim_start();
    }
    if let Some(after) = rest.strip_prefix("Backward").filter(|r| ends(r)) {
        node.backward = true;
        rest = after.trim_start();
    }
    if let Some(after) = rest.strip_prefix("using ") {
        let (index, after) = identifier(after)?;
        node.index = Some(index);
        rest = after.trim_start();
    }
    if let Some(after) = rest.strip_prefix("on ") {
        let (first, after) = identifier(after)?;
        let (schema, relation, after) = match after.strip_prefix('.') {
            Some(after) => {
                let (relation, after) = identifier(after)?;
                (Some(first), relation, after)
            }
            None => (None, first, after),
        };
        rest = after.trim_start();
        if node.kind == "Bitmap Index Scan" {
            node.index = Some(relation);
        } else {
            node.schema = schema;
            node.relation = Some(relation);
            if !rest.is_empty() {
                let (alias, after) = identifier(rest)?;
                node.alias = Some(alias);
                rest = after.trim_start();
            }
        }
    }
    rest.is_empty().then_some(())
}

/// A name as PostgreSQL quotes it, and what follows.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c.is_whitespace() || c == '.').unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        return (!name.is_empty()).then(|| (name.to_owned(), rest));
    };
    let mut name = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            name.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == '"') {
            name.push('"');
            chars.next();
        } else {
            return Some((name, &quoted[at + 1..]));
        }
    }
    None
}

/// Reads the brackets; whether nothing else stands there.
fn measures(brackets: &str, node: &mut Node) -> bool {
    let mut rest = brackets.trim();
    while let Some(inside) = rest.strip_prefix('(') {
        // A line that breaks off is the last one of a cut plan.
        let (inside, after) = inside.split_once(')').unwrap_or((inside, ""));
        if inside == "never executed" {
            node.actual = Some(Actual::default());
        } else if let Some(actual) = inside.strip_prefix("actual ") {
            node.actual = Some(Actual::default());
            pairs(
                actual,
                node,
                [
                    ("time", "Actual Startup Time", "Actual Total Time"),
                    ("rows", "Actual Rows", ""),
                    ("loops", "Actual Loops", ""),
                ],
            );
        } else {
            pairs(
                inside,
                node,
                [("cost", "Startup Cost", "Total Cost"), ("rows", "Plan Rows", ""), ("width", "Plan Width", "")],
            );
        }
        rest = after.trim_start();
    }
    rest.is_empty()
}

/// Reads `cost=0.00..35.50 rows=2550 width=4`.
fn pairs(text: &str, node: &mut Node, names: [(&str, &str, &str); 3]) {
    for (label, value) in text.split(' ').filter_map(|pair| pair.split_once('=')) {
        let Some((_, first, last)) = names.iter().find(|(name, ..)| *name == label) else { continue };
        match value.split_once("..") {
            Some((a, b)) if !last.is_empty() => {
                fields::set(node, first, Value::of(a));
                fields::set(node, last, Value::of(b));
            }
            _ => fields::set(node, first, Value::of(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_node_is_and_reads() {
        for (line, title, relation, alias, index) in [
            ("Seq Scan on orders o  (cost=0.00..1.00 rows=1 width=4)", "Seq Scan", Some("orders"), Some("o"), None),
            ("Seq Scan on public.orders", "Seq Scan", Some("orders"), None, None),
            (
                "Parallel Index Only Scan Backward using \"I x\" on \"S.q\".\"T \"\"b\" t",
                "Parallel Index Only Scan Backward",
                Some("T \"b"),
                Some("t"),
                Some("I x"),
            ),
            ("Bitmap Index Scan on i", "Bitmap Index Scan", None, None, Some("i")),
            ("Nested Loop Left Join", "Nested Loop Left Join", None, None, None),
            ("Parallel Hash Right Anti Join", "Parallel Hash Right Anti Join", None, None, None),
            ("Hash", "Hash", None, None, None),
            ("Merge Append", "Merge Append", None, None, None),
            ("Merge on t", "Merge", Some("t"), None, None),
            ("Partial HashAggregate", "Partial HashAggregate", None, None, None),
            ("HashSetOp Except All", "HashSetOp Except All", None, None, None),
            ("Subquery Scan on \"*SELECT* 1\"", "Subquery Scan", Some("*SELECT* 1"), None, None),
            ("Seq Scan on \"a (cost=1\"  (never executed)", "Seq Scan", Some("a (cost=1"), None, None),
        ] {
            let node = read(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(node.title(), title, "{line}");
            assert_eq!(
                (node.relation.as_deref(), node.alias.as_deref(), node.index.as_deref()),
                (relation, alias, index)
            );
        }
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "",
            "Filter: (a = 1)",
            "Sort Key: a",
            "Results are in",
            "Hash Cond: (a = b)",
            "CTE x",
            "Limits",
            "Seq Scan on a b c",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn reads_estimates_and_measurements() {
        let node =
            read("Sort  (cost=1.50..2.25 rows=10 width=8) (actual time=0.100..0.200 rows=3.50 loops=2)").unwrap();
        assert_eq!((node.cost, node.plan_rows, node.plan_width), (Some((1.5, 2.25)), Some(10.0), Some(8.0)));
        let actual = Actual { startup_ms: Some(0.1), total_ms: Some(0.2), rows: 3.5, loops: 2.0 };
        assert_eq!(node.actual, Some(actual));
        let never = read("Sort (never executed)").unwrap();
        assert!(!never.ran() && never.actual.is_some());
        let bare = read("Sort (actual rows=3 loops=1)").unwrap().actual.unwrap();
        assert_eq!((bare.total_ms, bare.rows), (None, 3.0));
    }
}
