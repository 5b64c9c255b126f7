//! FORMAT JSON.

use super::Unread;
use super::fields::{self, Value as Field};
use super::model::{Jit, Link, MOST_NODES, Node, Plan, Trigger};
use serde_json::{Map, Value};
use std::fmt::Write;

/// Reads a plan: `[{"Plan": ...}]` as EXPLAIN prints it, `{"Query Text": ..., "Plan": ...}` as auto_explain logs it.
pub(super) fn read(value: &Value) -> Result<Plan, Unread> {
    let object = match value {
        Value::Array(all) => all.first().unwrap_or(&Value::Null),
        other => other,
    };
    let root = object.get("Plan").filter(|plan| plan.is_object()).ok_or("has no member \"Plan\"")?;
    let mut plan = Plan::default();
    tree(root, &mut plan)?;
    for (key, value) in object.as_object().into_iter().flatten() {
        about(key, value, &mut plan);
    }
    fields::settle(&mut plan);
    Ok(plan)
}

/// What stands beside the tree.
fn about(key: &str, value: &Value, plan: &mut Plan) {
    match (key, value) {
        ("Plan", _) => {}
        ("Query Text", Value::String(text)) => plan.query = Some(text.clone()),
        ("Query Parameters", Value::String(text)) => plan.parameters = Some(text.clone()),
        ("Query Identifier", Value::Number(n)) => plan.query_id = n.as_i64(),
        ("Planning Time", Value::Number(n)) => plan.planning_ms = n.as_f64(),
        ("Execution Time", Value::Number(n)) => plan.execution_ms = n.as_f64(),
        ("Triggers", Value::Array(all)) => plan.triggers = all.iter().map(trigger).collect(),
        ("JIT", Value::Object(jit)) => plan.jit = Some(compiled(jit)),
        ("Settings", Value::Object(settings)) => {
            plan.settings = settings.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        }
        ("Planning", Value::Object(members)) => {
            for (key, value) in members {
                let known = value.as_f64().is_some_and(|n| fields::buffers(&mut plan.planning_buffers, key, n));
                let is_zero = value.as_f64() == Some(0.0);
                if !known && !is_zero {
                    plan.other.push((format!("Planning {key}"), text(value)));
                }
            }
        }
        ("Serialization", Value::Object(members)) => {
            for (key, value) in members.iter().filter(|(_, value)| value.as_f64() != Some(0.0)) {
                plan.other.push((format!("Serialization {key}"), text(value)));
            }
        }
        (key, value) => plan.other.push((key.to_owned(), text(value))),
    }
}

fn trigger(value: &Value) -> Trigger {
    let word = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let constraint = word("Constraint Name");
    // The text names the trigger of a constraint only with VERBOSE.
    let name = if constraint.is_some() { None } else { word("Trigger Name") };
    let number = |key| value.get(key).and_then(Value::as_f64);
    Trigger { name, constraint, relation: word("Relation"), ms: number("Time"), calls: number("Calls").unwrap_or(0.0) }
}

fn compiled(jit: &Map<String, Value>) -> Jit {
    let mut out = Jit { functions: jit.get("Functions").and_then(Value::as_f64).unwrap_or(0.0), ..Jit::default() };
    let options = jit.get("Options").and_then(Value::as_object);
    let named = |name: &&str| Some(format!("{name} {}", options?.get(*name)?.as_bool()?));
    let words: Vec<String> =
        ["Inlining", "Optimization", "Expressions", "Deforming"].iter().filter_map(named).collect();
    out.options = words.join(", ");
    let timing = jit.get("Timing").and_then(Value::as_object);
    for step in ["Generation", "Inlining", "Optimization", "Emission"] {
        // From 17 on the generation has parts.
        let value = timing.and_then(|t| t.get(step)).and_then(|v| v.get("Total").unwrap_or(v).as_f64());
        out.steps.extend(value.map(|ms| (step.to_owned(), ms)));
    }
    out.total_ms = timing.and_then(|t| t.get("Total")).and_then(Value::as_f64);
    out
}

/// The nodes in the order of printing.
fn tree(root: &Value, plan: &mut Plan) -> Result<(), Unread> {
    let mut open: Vec<(&Value, Option<usize>, usize)> = vec![(root, None, 0)];
    while let Some((value, parent, depth)) = open.pop() {
        if plan.nodes.len() >= MOST_NODES {
            plan.cut = true;
            return Ok(());
        }
        let members = value.as_object().ok_or("has a node that is no object")?;
        let at = plan.nodes.len();
        plan.nodes.push(Node { parent, depth, ..node(members)? });
        let inputs = members.get("Plans").and_then(Value::as_array);
        open.extend(inputs.into_iter().flatten().rev().map(|input| (input, Some(at), depth + 1)));
    }
    Ok(())
}

fn node(members: &Map<String, Value>) -> Result<Node, Unread> {
    let word = |key| members.get(key).and_then(Value::as_str);
    let mut node = Node { kind: word("Node Type").ok_or("has a node without a type")?.to_owned(), ..Node::default() };
    let name = word("Subplan Name").unwrap_or_default();
    node.link = match word("Parent Relationship") {
        Some("InitPlan") if name.starts_with("CTE ") => Link::Cte(name.to_owned()),
        Some("InitPlan") => Link::InitPlan(name.to_owned()),
        Some("SubPlan") => Link::SubPlan(name.to_owned()),
        _ => Link::Input,
    };
    for (key, value) in members {
        match (key.as_str(), value) {
            // Each worker's share of what the node says of all.
            ("Plans" | "Workers", _) | (_, Value::Null) => {}
            ("Grouping Sets", Value::Array(sets)) => grouping_sets(sets, &mut node),
            ("Target Tables", Value::Array(tables)) => {
                let name = |table: &Value| table.get("Relation Name").and_then(Value::as_str).map(str::to_owned);
                let names: Vec<String> = tables.iter().filter_map(name).collect();
                node.other.push((key.clone(), names.join(", ")));
            }
            ("Full-sort Groups" | "Pre-sorted Groups", Value::Object(groups)) => {
                node.other.push((key.clone(), sorted_groups(groups)));
            }
            (key, Value::Number(n)) => {
                fields::set(&mut node, key, Field::Number(n.as_f64().unwrap_or(0.0), n.to_string()));
            }
            (key, Value::Bool(yes)) => fields::set(&mut node, key, Field::Bool(*yes)),
            (key, value) => fields::set(&mut node, key, Field::Text(text(value))),
        }
    }
    Ok(node)
}

/// The keys of GROUPING SETS as the text lists them, a line each.
fn grouping_sets(sets: &[Value], node: &mut Node) {
    for (plural, label) in
        sets.iter().flat_map(|set| [(set.get("Hash Keys"), "Hash Key"), (set.get("Group Keys"), "Group Key")])
    {
        for keys in plural.and_then(Value::as_array).into_iter().flatten() {
            let keys = text(keys);
            node.keys.push((label.to_owned(), if keys.is_empty() { "()".to_owned() } else { keys }));
        }
    }
}

/// Groups of an incremental sort in the words of the text.
fn sorted_groups(groups: &Map<String, Value>) -> String {
    let methods = groups.get("Sort Methods Used").and_then(Value::as_array).map_or(0, Vec::len);
    let number = |of: &Value| text(of);
    let mut out = format!(
        "{}  Sort Method{}: {}",
        groups.get("Group Count").map(number).unwrap_or_default(),
        if methods > 1 { "s" } else { "" },
        groups.get("Sort Methods Used").map(text).unwrap_or_default()
    );
    for (member, word) in [("Sort Space Memory", "Memory"), ("Sort Space Disk", "Disk")] {
        if let Some(space) = groups.get(member) {
            let of = |key: &str| space.get(key).map(number).unwrap_or_default();
            let _ = write!(
                out,
                "  Average {word}: {}kB  Peak {word}: {}kB",
                of("Average Sort Space Used"),
                of("Peak Sort Space Used")
            );
        }
    }
    out
}

/// A value as the text prints it: lists with commas.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) if all.iter().all(|v| v.is_string() || v.is_number()) => {
            all.iter().map(text).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
