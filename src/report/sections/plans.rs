//! Query plans: the trees of the slowest, node by node, with what each took.

use crate::advisor::plans::Explained;
use crate::advisor::secret;
use crate::report::cells::{counted_words, heading, prose};
use crate::report::draft::Draft;
use crate::report::table::table;
use crate::report::{Bar, Block, Bound, Cell};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeSet;

/// The most plans whose trees are shown.
const MOST: usize = 25;
/// The deepest step that is drawn; deeper nodes stand at it.
const DEEPEST: usize = 24;
/// From this share of the execution on a node is marked.
const MARKED: f64 = 0.2;

/// The plans; nothing where none was given.
pub(super) fn blocks(draft: &mut Draft<'_>) -> Vec<Block> {
    if draft.facts.plans.all.is_empty() {
        return Vec::new();
    }
    let (link, links) = sources(draft);
    let plans = &draft.facts.plans;
    let text = Text::new()
        .t("The dump holds ")
        .then(counted_words(plans.given, "query plan", "query plans"))
        .t(", of which ")
        .n(Quantity::count(plans.all.len()))
        .t(" differ in statement or shape; of each the slowest execution is shown. Time and own share are of the clock: a node's \
            executions added up, those of processes side by side counted once. Rows and blocks are of all executions. Nodes that \
            take a fifth of the execution and more are marked \u{25b2}. ")
        .then(link.clone());
    let mut blocks = vec![heading("Query plans"), prose(text)];
    for (nr, (of, link)) in plans.all.iter().zip(links).enumerate() {
        let tree = tree(draft, of, nr + 1, link);
        match nr {
            0 => blocks.extend(tree),
            _ => blocks.push(Block::Details { summary: summary(of), blocks: tree }),
        }
    }
    if plans.all.len() > MOST {
        let more = Text::new().then(counted_words(plans.all.len() - MOST, "faster plan was", "faster plans were"));
        blocks.push(prose(more.t(" judged and not drawn. ").then(link)));
    }
    blocks
}

/// Where all plans were read, and each that is drawn.
fn sources(draft: &mut Draft<'_>) -> (Text, Vec<Text>) {
    let took = |plan: &Explained<'_>| plan.plan.total_ms().and_then(|ms| Quantity::float(ms, Unit::Ms));
    let rows: Vec<_> = draft.facts.plans.all.iter().map(|plan| (plan.row, took(plan))).collect();
    let views: BTreeSet<String> = rows.iter().map(|(row, _)| row.table().name.clone()).collect();
    let views: Vec<&str> = views.iter().map(String::as_str).collect();
    let all = draft.cite("Query plans", &views, &["plan"], None);
    let drawn = rows.into_iter().take(MOST).enumerate();
    let each =
        drawn.map(|(nr, (row, took))| draft.cite_value(&format!("Plan {}", nr + 1), took, &[row], &["plan"], None));
    (all, each.collect())
}

fn summary(of: &Explained<'_>) -> Text {
    let text = Text::new().name(of.name.clone());
    match of.plan.total_ms().and_then(|ms| Quantity::float(ms, Unit::Ms)) {
        Some(total) => text.t(", ").n(total),
        None => text.t(", not executed"),
    }
}

fn tree(draft: &Draft<'_>, of: &Explained<'_>, nr: usize, link: Text) -> Vec<Block> {
    let mut about = Text::new();
    for (label, ms) in [("Execution ", of.plan.total_ms()), ("planning ", of.plan.planning_ms)] {
        if let Some(ms) = ms.and_then(|ms| Quantity::float(ms, Unit::Ms)) {
            about = about.t(label).n(ms).t(", ");
        }
    }
    about = about.then(counted_words(of.plan.nodes.len(), "node", "nodes"));
    if of.executions > 1 {
        about = about.t(", seen ").n(Quantity::count(of.executions)).t(" times");
    }
    if of.plan.cut {
        about = about.t(". The plan breaks off: what it ends with is not known");
    }
    if let Some(links) = draft.links_of(&of.name, &["plan-"]) {
        about = about.t(". ").then(links);
    }
    let mut out = table(&format!("plan-{nr}"), format!("Plan {nr}"))
        .about(summary(of).t(". ").then(about).t(". ").then(link))
        .name("Node")
        .number("Rows expected")
        .number("Rows")
        .number("Executions")
        .number("Time")
        .graphic("Own share")
        .number("Blocks")
        .number("Rows removed");
    for (at, node) in of.plan.nodes.iter().enumerate() {
        let measured = of.measured.get(at).copied().unwrap_or_default();
        let steps = "\u{21b3} ".repeat(node.depth.min(DEEPEST));
        let own = of.own_share(at);
        let what = of.at(at);
        let mut name = Text::new().t(steps);
        if !node.link.label().is_empty() {
            name = name.name(node.link.label()).t(": ");
        }
        if own.is_some_and(|share| share >= MARKED) {
            name = name.t("\u{25b2} ");
        }
        name = name.then(what);
        let share = own.and_then(|share| Quantity::float(share, Unit::Share).map(|value| (share, value)));
        let never = node.actual.is_some() && !node.ran();
        let reason = if never { "never executed" } else { "not measured" };
        let blocks =
            node.buffers.shared_hit + node.buffers.shared_read + node.buffers.local_hit + node.buffers.local_read;
        let removed = (node.removed_by_filter + node.removed_by_join_filter + node.removed_by_recheck) * node.loops();
        let cells = vec![
            Cell::Text(name),
            node.plan_rows.and_then(|n| Quantity::float(n, Unit::Rows)).map_or(Cell::None, |value| Cell::Number {
                value,
                change: None,
                bound: Some(Bound::Estimate),
            }),
            Cell::number_or(measured.rows.filter(|_| !never).and_then(|n| Quantity::float(n, Unit::Rows)), reason),
            Cell::number_or(node.actual.and_then(|a| Quantity::float(a.loops, Unit::Count)), reason),
            Cell::number_or(measured.wall_ms.filter(|_| !never).and_then(|ms| Quantity::float(ms, Unit::Ms)), reason),
            share.map_or(Cell::None, |(fraction, value)| Cell::Bar(Bar { value, fraction, mark: None })),
            if of.plan.nodes.iter().all(|n| n.buffers.is_empty()) {
                Cell::None
            } else {
                Cell::number(Quantity::int(i64::try_from(blocks).unwrap_or(i64::MAX), Unit::Blocks))
            },
            if removed > 0.0 { Cell::number_or(Quantity::float(removed, Unit::Rows), reason) } else { Cell::None },
        ];
        out.push_with(cells, || conditions(node));
    }
    let mut blocks = vec![out.rows_in_all(of.plan.nodes.len()).block()];
    if let Some(query) = of.row.text("query").filter(|q| !q.trim().is_empty()) {
        blocks.push(Block::Code { language: "sql".to_owned(), text: secret::shown(query).to_owned() });
    }
    blocks.push(draft.places(&[Some(of.row)]));
    blocks
}

/// What a node compares, sorts and groups by: SQL of the dump, each under its label.
fn conditions(node: &crate::explain::Node) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (label, text) in node.conditions.iter().chain(node.keys.iter().filter(|(label, _)| label != "Output")) {
        blocks.push(prose(label.as_str()));
        blocks.push(Block::Code { language: "sql".to_owned(), text: text.clone() });
    }
    blocks
}
