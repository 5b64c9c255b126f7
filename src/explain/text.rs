//! FORMAT TEXT: the tree by its indentation.

use super::Unread;
use super::fields;
use super::headline;
use super::model::{Jit, Link, MOST_NODES, Node, Plan, Trigger};
use super::props;

/// The most lines that one literal of a condition may go over.
const MOST_LINES_OF_A_LITERAL: usize = 200;

/// What has children or properties while the text is read.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// Blanks before its arrow or label.
    column: usize,
    /// The node: itself, or the one that a label stands below.
    node: usize,
    /// The line of the label; `None` for a node.
    label: Option<usize>,
}

/// Reads a plan, without psql's framing.
pub(super) fn read(text: &str) -> Result<Plan, Unread> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut plan = Plan::default();
    let root = head(&lines, &mut plan).ok_or("has no first line that names a node")?;
    let mut reader = Reader { lines, at: root, plan, open: Vec::new(), root_column: 0 };
    reader.root();
    reader.rest();
    let mut plan = reader.plan;
    fields::settle(&mut plan);
    Ok(plan)
}

/// Reads what auto_explain writes before the tree; the line of the tree's root.
fn head(lines: &[&str], plan: &mut Plan) -> Option<usize> {
    let first = lines.iter().position(|line| !line.is_empty())?;
    // Of functions in SQL the text often begins in the next line.
    let Some(query) = lines.get(first)?.strip_prefix("Query Text:") else {
        return lines.get(first).filter(|line| node(line.trim_start()).is_some()).map(|_| first);
    };
    // The text of the statement may hold anything; the first line that names a node with its cost ends it.
    let ends = |line: &&&str| !line.starts_with(' ') && line.contains("  (cost=") && node(line).is_some();
    let root = first + 1 + lines.iter().skip(first + 1).position(|line| ends(&line))?;
    let mut words = vec![query.strip_prefix(' ').unwrap_or(query)];
    for line in lines.get(first + 1..root)? {
        match line.strip_prefix("Query Parameters: ") {
            Some(parameters) => plan.parameters = Some(parameters.to_owned()),
            None => words.push(line),
        }
    }
    plan.query = Some(words.join("\n"));
    Some(root)
}

/// A node by its first line. One of an unknown kind is told by its cost or its measurements.
fn node(line: &str) -> Option<Node> {
    headline::read(line).or_else(|| {
        let at = line.find("  (cost=").or_else(|| line.find(" (actual "))?;
        let (words, brackets) = line.split_at(at);
        let kind = words.split(" on ").next().unwrap_or(words).split(" using ").next().unwrap_or(words);
        let node = headline::read(&format!("Result {}", brackets.trim_start()))?;
        (!kind.trim().is_empty()).then(|| Node { kind: kind.trim().to_owned(), ..node })
    })
}

struct Reader<'l> {
    lines: Vec<&'l str>,
    at: usize,
    plan: Plan,
    open: Vec<Open>,
    root_column: usize,
}

fn indent(line: &str) -> usize {
    line.bytes().take_while(|b| *b == b' ').count()
}

impl Reader<'_> {
    fn root(&mut self) {
        let line = self.lines.get(self.at).copied().unwrap_or_default();
        self.root_column = indent(line);
        if let Some(node) = node(line.trim_start()) {
            self.plan.nodes.push(node);
            // Below the root everything is further to the right, and the root has no arrow.
            self.open.push(Open { column: self.root_column, node: 0, label: None });
        }
        self.at += 1;
    }

    fn rest(&mut self) {
        let mut ended = false;
        while let Some(line) = self.lines.get(self.at).copied() {
            let (column, words) = (indent(line), line.trim_start());
            self.at += 1;
            if words.is_empty() {
                continue;
            }
            if column <= self.root_column {
                ended |= self.footer(words);
            } else if let Some(rest) = words.strip_prefix("->") {
                if !self.child(column, rest.trim_start()) {
                    return;
                }
            } else if self.is_label(column, words) {
                self.label(column);
            } else {
                self.property(column, words);
            }
        }
        // Nothing of what follows a tree is always there; but a line that breaks off shows.
        let last = self.lines.last().map_or("", |line| line.trim());
        let is_open = last.starts_with("->") && last.contains('(') && !last.ends_with(')');
        self.plan.cut |= !ended && is_open;
    }

    /// Adds a node; whether there is room for more.
    fn child(&mut self, column: usize, words: &str) -> bool {
        if self.plan.nodes.len() >= MOST_NODES {
            self.plan.cut = true;
            return false;
        }
        let Some(mut node) = node(words) else {
            self.plan.cut = true;
            return true;
        };
        while self.open.len() > 1 && self.open.last().is_some_and(|o| o.column >= column) {
            self.open.pop();
        }
        let Some(above) = self.open.last().copied() else { return false };
        node.parent = Some(above.node);
        node.depth = self.plan.nodes.get(above.node).map_or(0, |n| n.depth) + 1;
        node.link = above.label.and_then(|line| self.lines.get(line)).map_or(Link::Input, |line| link(line.trim()));
        let at = self.plan.nodes.len();
        self.plan.nodes.push(node);
        self.open.push(Open { column, node: at, label: None });
        true
    }

    /// Whether a line is a label such as `InitPlan 1`: then a node follows two columns to the right.
    fn is_label(&self, column: usize, words: &str) -> bool {
        let follows = self.lines.get(self.at).copied().unwrap_or_default();
        ["InitPlan ", "SubPlan ", "CTE "].iter().any(|start| words.starts_with(start))
            && follows.trim_start().starts_with("->")
            && indent(follows) == column + 2
    }

    fn label(&mut self, column: usize) {
        while self.open.len() > 1 && self.open.last().is_some_and(|o| o.column >= column) {
            self.open.pop();
        }
        // A label stands below the node that it belongs to, never below another label.
        while self.open.len() > 1 && self.open.last().is_some_and(|o| o.label.is_some()) {
            self.open.pop();
        }
        if let Some(above) = self.open.last().copied() {
            self.open.push(Open { column, node: above.node, label: Some(self.at - 1) });
        }
    }

    /// A line below a headline.
    fn property(&mut self, column: usize, words: &str) {
        if words.starts_with("Worker ") && words.as_bytes().get(7).is_some_and(u8::is_ascii_digit) {
            // Each worker's share of what the node says of all.
            while self.lines.get(self.at).is_some_and(|l| indent(l) > column && !l.trim_start().starts_with("->")) {
                self.at += 1;
            }
            return;
        }
        let value = self.whole(words);
        let Some(node) = self.plan.nodes.last_mut() else { return };
        if let Some((label, text)) = value.split_once(':').filter(|(label, _)| !label.contains(['(', '\''])) {
            props::read(node, label, text.trim_start_matches(' '));
        } else if let Some(target) =
            value.split_once(" on ").filter(|(verb, _)| ["Insert", "Update", "Delete", "Merge"].contains(verb))
        {
            let name = headline::read(&value).and_then(|n| n.relation).unwrap_or_else(|| target.1.to_owned());
            match node.other.iter_mut().find(|(label, _)| label == "Target Tables") {
                Some((_, names)) => {
                    names.push_str(", ");
                    names.push_str(&name);
                }
                None => node.other.push(("Target Tables".to_owned(), name)),
            }
        } else {
            node.other.push((String::new(), value));
        }
    }

    /// A property with the lines that its literals go over.
    fn whole(&mut self, words: &str) -> String {
        let is_open = |text: &str| !text.matches('\'').count().is_multiple_of(2);
        if !is_open(words) {
            return words.to_owned();
        }
        let ahead = self.lines.get(self.at..).unwrap_or_default();
        let Some(last) = ahead.iter().take(MOST_LINES_OF_A_LITERAL).position(|line| is_open(line)) else {
            return words.to_owned();
        };
        let mut whole = words.to_owned();
        for line in ahead.iter().take(last + 1) {
            whole.push('\n');
            // What the root is indented by is not the literal's.
            whole.push_str(line.get(self.root_column.min(indent(line))..).unwrap_or_default());
        }
        self.at += last + 1;
        whole
    }

    /// What stands below the tree; whether it shows that the tree is whole.
    fn footer(&mut self, words: &str) -> bool {
        let milliseconds = |text: &str| text.trim().trim_end_matches(" ms").parse().ok();
        match words.split_once(':') {
            Some(("Planning Time", text)) => self.plan.planning_ms = milliseconds(text),
            Some(("Execution Time", text)) => self.plan.execution_ms = milliseconds(text),
            Some(("Query Identifier", text)) => self.plan.query_id = text.trim().parse().ok(),
            Some(("Settings", text)) => self.plan.settings = settings(text),
            Some(("Planning", "")) => self.planning(),
            Some(("JIT", "")) => self.jit(),
            Some(("Serialization", text)) => {
                for (key, value) in text.split("  ").filter_map(|pair| pair.trim().split_once('=')) {
                    let (name, value) = match key {
                        "time" => ("Time", value.trim_end_matches(" ms")),
                        "output" => ("Output Volume", value.trim_end_matches("kB")),
                        _ => ("Format", value),
                    };
                    if value.parse::<f64>() != Ok(0.0) {
                        self.plan.other.push((format!("Serialization {name}"), value.to_owned()));
                    }
                }
            }
            Some((name, text)) if name.starts_with("Trigger ") => self.plan.triggers.extend(trigger(name, text)),
            _ => {
                if let Some((label, text)) = words.split_once(": ") {
                    self.plan.other.push((label.to_owned(), text.to_owned()));
                }
                return false;
            }
        }
        true
    }

    /// The lines of a block below the tree.
    fn block(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.lines.get(self.at).filter(|line| indent(line) > self.root_column) {
            lines.push(line.trim().to_owned());
            self.at += 1;
        }
        lines
    }

    fn planning(&mut self) {
        for line in self.block() {
            match line.split_once(": ") {
                Some(("Buffers", text)) => props::buffers(text, &mut |key, value| {
                    let n = value.number().unwrap_or(0.0);
                    fields::buffers(&mut self.plan.planning_buffers, key, n);
                }),
                Some(("Memory", text)) => {
                    for (key, value) in text.split_whitespace().filter_map(|pair| pair.split_once('=')) {
                        let name = if key == "used" { "Used" } else { "Allocated" };
                        let value = value.trim_end_matches("kB").to_owned();
                        self.plan.other.push((format!("Planning Memory {name}"), value));
                    }
                }
                Some((label, text)) => self.plan.other.push((format!("Planning {label}"), text.to_owned())),
                None => {}
            }
        }
    }

    fn jit(&mut self) {
        let mut jit = Jit::default();
        for line in self.block() {
            match line.split_once(": ") {
                Some(("Functions", text)) => jit.functions = text.parse().unwrap_or(0.0),
                Some(("Options", text)) => text.clone_into(&mut jit.options),
                Some(("Timing", text)) => {
                    // `Generation 0.5 ms (Deform 0.1 ms), Inlining 0.0 ms, ..., Total 4.3 ms`
                    for step in text.split(", ") {
                        let mut words = step.split_whitespace();
                        let (Some(name), Some(Ok(ms))) = (words.next(), words.next().map(str::parse)) else { continue };
                        if name == "Total" {
                            jit.total_ms = Some(ms);
                        } else {
                            jit.steps.push((name.to_owned(), ms));
                        }
                    }
                }
                _ => {}
            }
        }
        self.plan.jit = Some(jit);
    }
}

fn link(label: &str) -> Link {
    match label.split(' ').next() {
        Some("InitPlan") => Link::InitPlan(label.to_owned()),
        Some("CTE") => Link::Cte(label.to_owned()),
        _ => Link::SubPlan(label.to_owned()),
    }
}

/// `a = 'b', c = 'd, e'`.
fn settings(text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut rest = text.trim();
    while let Some((name, after)) = rest.split_once(" = '") {
        let mut value = String::new();
        let mut chars = after.char_indices().peekable();
        let mut end = after.len();
        while let Some((at, c)) = chars.next() {
            if c != '\'' {
                value.push(c);
            } else if chars.peek().is_some_and(|(_, next)| *next == '\'') {
                value.push('\'');
                chars.next();
            } else {
                end = at + 1;
                break;
            }
        }
        all.push((name.trim_start_matches(", ").to_owned(), value));
        rest = after.get(end..).unwrap_or_default();
    }
    all
}

/// `Trigger x for constraint y on z: time=1.0 calls=2`.
fn trigger(name: &str, text: &str) -> Option<Trigger> {
    let mut out = Trigger::default();
    for (key, value) in text.split_whitespace().filter_map(|pair| pair.split_once('=')) {
        match key {
            "time" => out.ms = value.parse().ok(),
            "calls" => out.calls = value.parse().ok()?,
            _ => {}
        }
    }
    let rest = name.strip_prefix("Trigger ")?;
    let (rest, relation) = match rest.rsplit_once(" on ") {
        Some((rest, relation)) => (rest, Some(relation.to_owned())),
        None => (rest, None),
    };
    out.relation = relation;
    match rest.strip_prefix("for constraint ").or_else(|| rest.split_once(" for constraint ").map(|(_, c)| c)) {
        Some(constraint) => out.constraint = Some(constraint.to_owned()),
        None => out.name = Some(rest.to_owned()),
    }
    Some(out)
}
