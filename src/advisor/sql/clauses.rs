//! FROM, ORDER BY, LIMIT, SET: the clauses of a block.

use super::expressions::{Side, callee};
use super::model::{Kind, Operand, Otherwise, Relation, Role, RowLock, Sort, Source};
use super::reader::{Reader, child, has_token, is_query};
use squawk_syntax::ast::normalize_name_node;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};
use std::collections::BTreeSet;
use std::ops::Range;

/// Where a condition stands, which decides what it does to a relation.
#[derive(Clone, Debug)]
pub(super) enum Site {
    /// WHERE, or ON of an inner join.
    Where,
    /// ON of an outer join; these relations are the ones that it may leave without a partner.
    Outer(Range<usize>),
}

/// Aggregates that need only the first row of an order.
const EXTREMES: [&str; 2] = ["min", "max"];

/// Aggregates of PostgreSQL that everyday statements use; others are seen by GROUP BY or not at all.
const AGGREGATES: &str = "count sum avg min max array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg \
    bool_and bool_or every bit_and bit_or stddev stddev_pop stddev_samp variance var_pop var_samp \
    percentile_cont percentile_disc mode corr xmlagg range_agg";

impl Reader<'_> {
    /// Reads a SELECT.
    pub(super) fn select(&mut self, node: &SyntaxNode, role: Role) -> usize {
        let at = self.begin(Kind::Select, role);
        self.with_clause(node);
        self.scopes.push(at);
        let mut conditions = Vec::new();
        if let Some(from) = child(node, K::FROM_CLAUSE) {
            for item in from.children() {
                self.item(at, &item, &mut conditions);
            }
        }
        self.touch(at, node);
        self.shape(at, node);
        self.finish(at, node, conditions);
        at
    }

    /// Reads an UPDATE, DELETE or MERGE.
    pub(super) fn change(&mut self, node: &SyntaxNode, kind: Kind, role: Role) -> usize {
        let at = self.begin(kind, role);
        self.with_clause(node);
        self.scopes.push(at);
        let target = node.children().find(|c| matches!(c.kind(), K::RELATION_NAME | K::TABLE_RELATION_NAME));
        let alias = child(node, K::OPTIONAL_AS_ALIAS).and_then(|a| child(&a, K::TABLE_ALIAS));
        if let Some(target) = target {
            self.relation(at, &target, alias.as_ref().map(normalize_name_node));
        }
        let mut conditions = Vec::new();
        for clause in node.children() {
            match clause.kind() {
                K::FROM_CLAUSE | K::USING_CLAUSE => {
                    for item in clause.children() {
                        self.item(at, &item, &mut conditions);
                    }
                }
                K::USING_ON_CLAUSE => {
                    for item in clause.children().filter(|c| c.kind() != K::ON_CLAUSE) {
                        self.item(at, &item, &mut conditions);
                    }
                    let on = child(&clause, K::ON_CLAUSE).and_then(|on| on.first_child());
                    conditions.extend(on.map(|on| (on, Site::Where)));
                }
                _ => {}
            }
        }
        let sets = node.descendants().filter(|n| n.kind() == K::COLUMN_TARGET);
        let assigned: BTreeSet<String> =
            sets.filter_map(|n| child(&n, K::COLUMN_NAME_REF)).map(|n| normalize_name_node(&n)).collect();
        self.block(at).assigned = assigned;
        self.touch(at, node);
        self.finish(at, node, conditions);
        at
    }

    fn finish(&mut self, at: usize, node: &SyntaxNode, conditions: Vec<(SyntaxNode, Site)>) {
        let filter = child(node, K::WHERE_CLAUSE).and_then(|w| w.first_child());
        self.block(at).filtered = filter.is_some() || child(node, K::WHERE_CURRENT_OF).is_some();
        for (condition, site) in conditions.into_iter().chain(filter.map(|c| (c, Site::Where))) {
            let calls = condition.descendants().filter(|n| n.kind() == K::CALL_EXPR);
            let called: Vec<String> = calls.filter_map(|c| callee(&c)).collect();
            self.block(at).called.extend(called);
            self.conjuncts(at, &condition, &site);
        }
        self.scopes.pop();
    }

    /// An item of FROM; the relations that it added. Conditions of joins are kept for when all relations are known.
    fn item(&mut self, at: usize, node: &SyntaxNode, conditions: &mut Vec<(SyntaxNode, Site)>) -> Range<usize> {
        let start = self.block(at).relations.len();
        match node.kind() {
            K::JOIN_EXPR => self.join(at, node, conditions),
            K::RELATION_FROM_ITEM => {
                let alias = child(node, K::FROM_ALIAS).and_then(|a| child(&a, K::TABLE_ALIAS));
                self.relation(at, node, alias.as_ref().map(normalize_name_node));
            }
            K::PAREN_FROM_ITEM | K::PAREN_EXPR => {
                let alias = child(node, K::FROM_ALIAS).and_then(|a| child(&a, K::TABLE_ALIAS));
                let inner = node.children().find(|c| c.kind() != K::FROM_ALIAS);
                match inner {
                    Some(query) if is_query(query.kind()) => {
                        let block = self.query(&query, Role::Derived);
                        let alias = alias.as_ref().map(normalize_name_node).unwrap_or_default();
                        self.add(at, block.map_or(Source::Other, Source::Block), alias);
                    }
                    Some(inner) => {
                        let added = self.item(at, &inner, conditions);
                        if let (Some(alias), [only]) =
                            (alias, self.block(at).relations.get_mut(added).unwrap_or_default())
                        {
                            only.alias = normalize_name_node(&alias);
                        }
                    }
                    None => {}
                }
            }
            K::ON_CLAUSE | K::FROM_ALIAS | K::JOIN_USING_CLAUSE => {}
            _ => {
                let alias = child(node, K::FROM_ALIAS).and_then(|a| child(&a, K::TABLE_ALIAS));
                self.add(at, Source::Other, alias.as_ref().map(normalize_name_node).unwrap_or_default());
            }
        }
        start..self.block(at).relations.len()
    }

    fn join(&mut self, at: usize, node: &SyntaxNode, conditions: &mut Vec<(SyntaxNode, Site)>) {
        let Some(join) = child(node, K::JOIN) else { return };
        let left = node.first_child().filter(|c| c.kind() != K::JOIN).map(|l| self.item(at, &l, conditions));
        let left = left.unwrap_or(0..0);
        let is_type = |c: &SyntaxNode| {
            matches!(c.kind(), K::JOIN_INNER | K::JOIN_LEFT | K::JOIN_RIGHT | K::JOIN_FULL | K::JOIN_CROSS)
        };
        let kind = join.children().find(is_type).map_or(K::JOIN_INNER, |t| t.kind());
        let item = join.children().find(|c| !is_type(c) && !matches!(c.kind(), K::ON_CLAUSE | K::JOIN_USING_CLAUSE));
        let right = item.map_or(0..0, |r| self.item(at, &r, conditions));
        let optional = match kind {
            K::JOIN_LEFT => Some(right.clone()),
            K::JOIN_RIGHT => Some(left.clone()),
            // Both sides stay whole: no condition of it filters anything.
            K::JOIN_FULL => Some(0..0),
            _ => None,
        };
        let nullable = if kind == K::JOIN_FULL { left.start..right.end } else { optional.clone().unwrap_or(0..0) };
        for relation in self.block(at).relations.get_mut(nullable).unwrap_or_default() {
            relation.nullable = true;
        }
        let site = optional.map_or(Site::Where, Site::Outer);
        if let Some(on) = child(&join, K::ON_CLAUSE).and_then(|on| on.first_child()) {
            conditions.push((on, site.clone()));
        }
        if let Some(using) = child(&join, K::JOIN_USING_CLAUSE) {
            let columns = using.descendants().filter(|n| n.kind() == K::COLUMN_NAME_REF);
            for column in columns.map(|n| normalize_name_node(&n)).collect::<Vec<_>>() {
                let sides = (self.having(at, left.clone(), &column), self.having(at, right.clone(), &column));
                if let (Some(l), Some(r)) = sides {
                    self.equal(at, (l, column.clone()), (r, column), &site);
                }
            }
        }
    }

    /// The relation among these that has a column: the only one, or the only table known to have it.
    fn having(&mut self, at: usize, among: Range<usize>, column: &str) -> Option<usize> {
        let names = self.names;
        let relations = &self.block(at).relations;
        let known = |i: &usize| match relations.get(*i).map(|r| r.source) {
            Some(Source::Table(relid)) => names.has(relid, column),
            _ => false,
        };
        let mut with = among.clone().filter(known);
        match (with.next(), with.next()) {
            (Some(only), None) => Some(only),
            (None, _) if among.len() == 1 => Some(among.start),
            _ => None,
        }
    }

    /// A table, or a WITH query that goes by the name.
    fn relation(&mut self, at: usize, node: &SyntaxNode, alias: Option<String>) {
        let segments = node.descendants().filter(|n| n.kind() == K::PATH_SEGMENT_REF);
        let path: Vec<String> = segments.map(|n| normalize_name_node(&n)).collect();
        let (schema, name) = match path.as_slice() {
            [name] => (None, name.as_str()),
            [schema, name] => (Some(schema.as_str()), name.as_str()),
            _ => (None, ""),
        };
        let with = self.with.iter().rev().find(|(n, _)| schema.is_none() && n == name);
        let source = match with {
            Some((_, block)) => block.map_or(Source::Other, Source::Block),
            None => self.names.table(schema, name, self.path).map_or(Source::Unknown, Source::Table),
        };
        let alias = alias.unwrap_or_else(|| name.to_owned());
        self.add(at, source, alias);
    }

    fn add(&mut self, at: usize, source: Source, alias: String) {
        let relation = Relation { source, alias, nullable: false, columns: BTreeSet::new(), star: false, residual: 0 };
        self.block(at).relations.push(relation);
    }

    /// ORDER BY, LIMIT, grouping.
    fn shape(&mut self, at: usize, node: &SyntaxNode) {
        let select = child(node, K::SELECT_CLAUSE);
        let targets: Vec<SyntaxNode> = select
            .iter()
            .filter_map(|s| child(s, K::TARGET_LIST))
            .flat_map(|t| t.children().filter(|c| c.kind() == K::TARGET).collect::<Vec<_>>())
            .collect();
        let called =
            |n: &SyntaxNode| n.first_child().filter(|c| c.kind() == K::NAME_REF).map(|c| normalize_name_node(&c));
        let calls = |n: &SyntaxNode| {
            let inside = n.descendants().filter(|d| d.kind() == K::CALL_EXPR && owner(d).as_ref() == Some(node));
            inside.filter_map(|c| called(&c)).any(|name| AGGREGATES.split(' ').any(|a| a == name))
        };
        let grouped = child(node, K::GROUP_BY_CLAUSE).is_some()
            || child(node, K::HAVING_CLAUSE).is_some()
            || select.as_ref().is_some_and(|s| child(s, K::DISTINCT_CLAUSE).is_some());
        let windows = targets.iter().any(|t| t.descendants().any(|d| d.kind() == K::OVER_CLAUSE));
        let aggregates = targets.iter().any(calls);
        self.block(at).condenses = grouped || windows || aggregates;
        self.block(at).skips = child(node, K::OFFSET_CLAUSE).is_some();
        self.block(at).lock = child(node, K::LOCKING_CLAUSE).as_ref().map(lock);
        let limit = child(node, K::LIMIT_CLAUSE).is_some_and(|l| child(&l, K::ALL).is_none());
        self.block(at).limited = limit || child(node, K::FETCH_CLAUSE).is_some();
        if let (false, [only]) = (grouped || windows, targets.as_slice()) {
            self.extreme(at, only);
        }
        let Some(sorts) = child(node, K::ORDER_BY_CLAUSE).and_then(|o| child(&o, K::SORT_BY_LIST)) else { return };
        self.block(at).ordered = true;
        let random = |key: SyntaxNode| key.first_child().and_then(|c| callee(&c)).is_some_and(|name| name == "random");
        self.block(at).shuffled = sorts.children().any(random);
        let keys: Option<Vec<Sort>> = sorts.children().map(|key| self.sort(at, &key, &targets)).collect();
        self.block(at).order = keys.unwrap_or_default();
    }

    /// `SELECT max(x)` reads one row of an index on x, as if ordered by it with LIMIT 1.
    fn extreme(&mut self, at: usize, target: &SyntaxNode) {
        let Some(call) = child(target, K::CALL_EXPR) else { return };
        let Some(name) = call.first_child().filter(|c| c.kind() == K::NAME_REF).map(|c| normalize_name_node(&c)) else {
            return;
        };
        let plain = call.children().all(|c| matches!(c.kind(), K::NAME_REF | K::ARG_LIST));
        let argument = child(&call, K::ARG_LIST).and_then(|l| child(&l, K::ARG)).and_then(|a| a.first_child());
        if let (true, true, Some(argument)) = (EXTREMES.contains(&name.as_str()), plain, argument)
            && let Side::Column(relation, operand @ Operand::Column(_)) = self.side(at, &argument)
        {
            let descending = name == "max";
            let block = self.block(at);
            block.order = vec![Sort { relation, operand, descending, nulls_first: descending }];
            (block.ordered, block.limited, block.extreme) = (true, true, true);
        }
    }

    fn sort(&mut self, at: usize, key: &SyntaxNode, targets: &[SyntaxNode]) -> Option<Sort> {
        if child(key, K::SORT_USING).is_some() {
            return None;
        }
        let expression = key.first_child()?;
        let expression = output(&expression, targets).unwrap_or(expression);
        let Side::Column(relation, operand) = self.side(at, &expression) else { return None };
        let descending = child(key, K::SORT_DESC).is_some();
        let nulls_first = match (child(key, K::NULLS_FIRST), child(key, K::NULLS_LAST)) {
            (Some(_), _) => true,
            (_, Some(_)) => false,
            _ => descending,
        };
        Some(Sort { relation, operand, descending, nulls_first })
    }
}

fn lock(clause: &SyntaxNode) -> RowLock {
    let exclusive = child(clause, K::FOR_UPDATE).or_else(|| child(clause, K::FOR_NO_KEY_UPDATE)).is_some();
    let otherwise = match (child(clause, K::SKIP_LOCKED), child(clause, K::NOWAIT)) {
        (Some(_), _) => Otherwise::Skip,
        (None, Some(_)) => Otherwise::Fail,
        (None, None) => Otherwise::Wait,
    };
    RowLock { exclusive, otherwise }
}

/// The query that a node belongs to.
fn owner(node: &SyntaxNode) -> Option<SyntaxNode> {
    node.ancestors().find(|a| is_query(a.kind()))
}

/// What a sort key stands for: `ORDER BY 2` and `ORDER BY alias` name a column of the output.
fn output(key: &SyntaxNode, targets: &[SyntaxNode]) -> Option<SyntaxNode> {
    let target = match key.kind() {
        K::LITERAL if has_token(key, K::INT_NUMBER) => {
            let place: usize = key.text().to_string().trim().parse().ok()?;
            targets.get(place.checked_sub(1)?)?
        }
        K::NAME_REF => {
            let name = normalize_name_node(key);
            let named = |t: &&SyntaxNode| {
                child(t, K::AS_NAME)
                    .and_then(|a| child(&a, K::COLUMN_NAME))
                    .is_some_and(|n| normalize_name_node(&n) == name)
            };
            targets.iter().find(named)?
        }
        _ => return None,
    };
    target.first_child()
}
