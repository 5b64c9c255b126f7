//! Conditions: what must hold for every row, told apart by whether a B-tree can answer it.

use super::clauses::Site;
use super::expressions::{Side, arguments, bare, callee};
use super::model::{Edge, Operand, Role, Term, Test, Value, Wrapped, Wrapper};
use super::reader::{Reader, child, has_token, is_query};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};
use std::collections::BTreeSet;

/// A comparison, whichever way it is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Below,
    Above,
    Like,
    Prefix,
    In,
    Is,
    IsNot,
    Or,
    And,
    Other,
}

fn comparison(node: &SyntaxNode) -> Comparison {
    use Comparison as C;
    for part in node.children_with_tokens() {
        let found = match part.kind() {
            K::EQ => C::Equal,
            K::L_ANGLE | K::LTEQ => C::Below,
            K::R_ANGLE | K::GTEQ => C::Above,
            K::LIKE_KW => C::Like,
            K::IN_KW => C::In,
            K::IS_KW => C::Is,
            K::IS_NOT => C::IsNot,
            K::OR_KW => C::Or,
            K::AND_KW => C::And,
            K::CUSTOM_OP | K::OPERATOR_CALL => {
                let text: String = part.as_node().map(|n| n.text().to_string()).unwrap_or_default();
                let text = text.rsplit(['.', '(']).next().unwrap_or_default().trim_end_matches(')').trim().to_owned();
                match text.as_str() {
                    "=" => C::Equal,
                    "<" | "<=" => C::Below,
                    ">" | ">=" => C::Above,
                    "~~" => C::Like,
                    "^@" => C::Prefix,
                    _ => C::Other,
                }
            }
            _ => continue,
        };
        return found;
    }
    C::Other
}

/// The two operands of a comparison.
fn operands(node: &SyntaxNode) -> Option<(SyntaxNode, SyntaxNode)> {
    let mut children = node.children().filter(|c| !matches!(c.kind(), K::CUSTOM_OP | K::OPERATOR_CALL | K::IS_NOT));
    Some((children.next()?, children.next()?))
}

impl Reader<'_> {
    /// Takes a condition apart at its ANDs.
    pub(super) fn conjuncts(&mut self, at: usize, node: &SyntaxNode, site: &Site) {
        let node = bare(node);
        if node.kind() == K::BIN_EXPR && comparison(&node) == Comparison::And {
            for side in node.children() {
                self.conjuncts(at, &side, site);
            }
        } else if !self.condition(at, &node, site) {
            self.residual(at, &node);
        }
    }

    /// A condition; `false` where no B-tree can answer it.
    fn condition(&mut self, at: usize, node: &SyntaxNode, site: &Site) -> bool {
        match node.kind() {
            K::BIN_EXPR => self.binary(at, node, site),
            K::BETWEEN_EXPR if !has_token(node, K::NOT_KW) => {
                let parts: Vec<SyntaxNode> = node.children().collect();
                let [target, low, high] = parts.as_slice() else { return false };
                let Side::Column(relation, operand) = self.side(at, target) else { return false };
                let given = [low, high].into_iter().all(|b| matches!(self.side(at, b), Side::Value(_)));
                given && self.term(at, site, relation, operand, Test::Range { low: true, high: true, then: Vec::new() })
            }
            K::PREFIX_EXPR if has_token(node, K::NOT_KW) => {
                let inner = node.first_child().map(|n| bare(&n));
                match inner.filter(|n| matches!(n.kind(), K::NAME_REF | K::FIELD_EXPR)).map(|n| self.side(at, &n)) {
                    Some(Side::Column(relation, operand)) => self.term(at, site, relation, operand, Test::IsFalse),
                    _ => false,
                }
            }
            K::POSTFIX_EXPR => {
                let null = has_token(node, K::ISNULL_KW);
                let known = null || has_token(node, K::NOTNULL_KW);
                match node.first_child().filter(|_| known).map(|n| self.side(at, &n)) {
                    Some(Side::Column(relation, operand)) => {
                        self.term(at, site, relation, operand, if null { Test::IsNull } else { Test::IsNotNull })
                    }
                    _ => false,
                }
            }
            K::NAME_REF | K::FIELD_EXPR => match self.side(at, node) {
                Side::Column(relation, operand) => self.term(at, site, relation, operand, Test::IsTrue),
                _ => false,
            },
            K::CALL_EXPR => match (callee(node).as_deref(), arguments(node).as_slice()) {
                (Some("starts_with"), [column, prefix]) => match (self.side(at, column), self.side(at, prefix)) {
                    (Side::Column(relation, operand), Side::Value(_)) => {
                        self.term(at, site, relation, operand, Test::Prefix)
                    }
                    _ => false,
                },
                // EXISTS has been read as a block of its own; it is no test of a column here.
                _ => child(node, K::EXISTS_FN).is_some(),
            },
            K::LITERAL => true,
            _ => false,
        }
    }

    fn binary(&mut self, at: usize, node: &SyntaxNode, site: &Site) -> bool {
        let Some((left, right)) = operands(node) else { return false };
        let (left, right) = (bare(&left), bare(&right));
        match comparison(node) {
            Comparison::Equal => self.equality(at, &left, &right, site),
            Comparison::Below => self.range(at, &left, &right, false, site),
            Comparison::Above => self.range(at, &left, &right, true, site),
            Comparison::In => self.one_of(at, &left, &right, site),
            Comparison::Like => match (self.side(at, &left), self.side(at, &right)) {
                (Side::Column(relation, operand), Side::Value(value)) => {
                    let pattern = match value {
                        Value::Literal(text) => Some(text),
                        Value::Given | Value::Outer => None,
                    };
                    self.term(at, site, relation, operand, Test::Like(pattern))
                }
                _ => false,
            },
            Comparison::Prefix => match (self.side(at, &left), self.side(at, &right)) {
                (Side::Column(relation, operand), Side::Value(_)) => {
                    self.term(at, site, relation, operand, Test::Prefix)
                }
                _ => false,
            },
            Comparison::Is | Comparison::IsNot => {
                let not = comparison(node) == Comparison::IsNot;
                let test = match (&right, not) {
                    (r, false) if has_token(r, K::NULL_KW) => Test::IsNull,
                    (r, true) if has_token(r, K::NULL_KW) => Test::IsNotNull,
                    (r, false) if has_token(r, K::TRUE_KW) => Test::IsTrue,
                    (r, false) if has_token(r, K::FALSE_KW) => Test::IsFalse,
                    _ => return false,
                };
                match self.side(at, &left) {
                    Side::Column(relation, operand) => self.term(at, site, relation, operand, test),
                    _ => false,
                }
            }
            Comparison::Or => self.same_column(at, node, site),
            Comparison::And | Comparison::Other => false,
        }
    }

    fn equality(&mut self, at: usize, left: &SyntaxNode, right: &SyntaxNode, site: &Site) -> bool {
        if left.kind() == K::TUPLE_EXPR && right.kind() == K::TUPLE_EXPR {
            let pairs: Vec<_> = left.children().zip(right.children()).collect();
            return pairs.iter().all(|(l, r)| self.equality(at, l, r, site)) && !pairs.is_empty();
        }
        if let Some(any) = child(right, K::ANY_FN).or_else(|| child(right, K::SOME_FN)) {
            let Some(inner) = any.first_child().map(|n| bare(&n)) else { return false };
            if is_query(inner.kind()) {
                return self.one_of(at, left, &inner, site);
            }
            let elements = (inner.kind() == K::ARRAY_EXPR).then(|| inner.children().count());
            return match (self.side(at, left), self.side(at, &inner)) {
                (Side::Column(relation, operand), Side::Value(_)) => {
                    self.term(at, site, relation, operand, Test::OneOf(elements))
                }
                _ => false,
            };
        }
        match (self.side(at, left), self.side(at, right)) {
            (Side::Column(l, Operand::Column(lc)), Side::Column(r, Operand::Column(rc))) if l != r => {
                self.equal(at, (l, lc), (r, rc), site)
            }
            (Side::Column(relation, operand), Side::Value(value))
            | (Side::Value(value), Side::Column(relation, operand)) => {
                let test = match &value {
                    Value::Literal(text) if text.eq_ignore_ascii_case("true") => Test::IsTrue,
                    Value::Literal(text) if text.eq_ignore_ascii_case("false") => Test::IsFalse,
                    _ => Test::Equal(value),
                };
                self.term(at, site, relation, operand, test)
            }
            _ => false,
        }
    }

    fn range(&mut self, at: usize, left: &SyntaxNode, right: &SyntaxNode, above: bool, site: &Site) -> bool {
        if left.kind() == K::TUPLE_EXPR && right.kind() == K::TUPLE_EXPR {
            return self.row_range(at, left, right, above, site);
        }
        let (relation, operand, low) = match (self.side(at, left), self.side(at, right)) {
            (Side::Column(relation, operand), Side::Value(_)) => (relation, operand, above),
            (Side::Value(_), Side::Column(relation, operand)) => (relation, operand, !above),
            _ => return false,
        };
        self.term(at, site, relation, operand, Test::Range { low, high: !low, then: Vec::new() })
    }

    /// `(a, b) > ($1, $2)`: a range of an index on (a, b).
    fn row_range(&mut self, at: usize, left: &SyntaxNode, right: &SyntaxNode, above: bool, site: &Site) -> bool {
        let given = right.children().all(|v| matches!(self.side(at, &v), Side::Value(_)));
        let mut columns = Vec::new();
        let mut of = None;
        for column in left.children() {
            match self.side(at, &column) {
                Side::Column(relation, Operand::Column(column)) if of.is_none_or(|r| r == relation) => {
                    of = Some(relation);
                    columns.push(column);
                }
                _ => return false,
            }
        }
        let (Some(relation), true, false) = (of, given, columns.is_empty()) else { return false };
        let first = columns.remove(0);
        self.term(at, site, relation, Operand::Column(first), Test::Range { low: above, high: !above, then: columns })
    }

    /// `IN` with a list or a query.
    fn one_of(&mut self, at: usize, left: &SyntaxNode, right: &SyntaxNode, site: &Site) -> bool {
        let Side::Column(relation, operand) = self.side(at, left) else { return false };
        if is_query(right.kind()) {
            let Some(block) = self.query(right, Role::Semi) else { return false };
            return self.term(at, site, relation, operand, Test::InBlock(block));
        }
        let elements: Vec<SyntaxNode> =
            if right.kind() == K::TUPLE_EXPR { right.children().collect() } else { vec![right.clone()] };
        let given = elements.iter().all(|e| matches!(self.side(at, e), Side::Value(_)));
        if !given {
            return false;
        }
        let test = match elements.as_slice() {
            [only] => match self.side(at, only) {
                Side::Value(value) => Test::Equal(value),
                _ => return false,
            },
            many => Test::OneOf(Some(many.len())),
        };
        self.term(at, site, relation, operand, test)
    }

    /// `a = $1 OR a = $2` is `a IN ($1, $2)`; over different columns no single index answers an OR.
    fn same_column(&mut self, at: usize, node: &SyntaxNode, site: &Site) -> bool {
        let mut pending = vec![node.clone()];
        let mut found: Option<(usize, Operand)> = None;
        let mut elements = 0;
        while let Some(part) = pending.pop() {
            let part = bare(&part);
            if part.kind() == K::BIN_EXPR && comparison(&part) == Comparison::Or {
                pending.extend(part.children());
                continue;
            }
            let equal = part.kind() == K::BIN_EXPR && comparison(&part) == Comparison::Equal;
            let Some((left, right)) = operands(&part).filter(|_| equal) else { return false };
            let column = match (self.side(at, &left), self.side(at, &right)) {
                (Side::Column(r, o), Side::Value(_)) | (Side::Value(_), Side::Column(r, o)) => (r, o),
                _ => return false,
            };
            if found.as_ref().is_some_and(|f| *f != column) {
                return false;
            }
            found = Some(column);
            elements += 1;
        }
        found.is_some_and(|(relation, operand)| self.term(at, site, relation, operand, Test::OneOf(Some(elements))))
    }

    /// Keeps a test of one relation. A condition in ON of an outer join filters only the side that may stay empty; one in
    /// WHERE that no NULL passes makes the join an inner one.
    fn term(&mut self, at: usize, site: &Site, relation: usize, operand: Operand, test: Test) -> bool {
        let block = self.block(at);
        let nullable = block.relations.get(relation).is_some_and(|r| r.nullable);
        match site {
            Site::Outer(range) if !range.contains(&relation) => return true,
            Site::Where if nullable && test == Test::IsNull => return false,
            Site::Where if nullable => {
                if let Some(r) = block.relations.get_mut(relation) {
                    r.nullable = false;
                }
                for edge in block.edges.iter_mut().filter(|e| e.left.0 == relation || e.right.0 == relation) {
                    edge.first = None;
                }
            }
            _ => {}
        }
        block.terms.push(Term { relation, operand, test });
        true
    }

    /// Keeps an equality of two relations.
    pub(super) fn equal(&mut self, at: usize, left: (usize, String), right: (usize, String), site: &Site) -> bool {
        let first = match site {
            Site::Where => None,
            Site::Outer(range) => match (range.contains(&left.0), range.contains(&right.0)) {
                (true, true) => None,
                (true, false) => Some(right.0),
                (false, true) => Some(left.0),
                (false, false) => return true,
            },
        };
        self.block(at).edges.push(Edge { left, right, first });
        true
    }

    /// What stands around a column on one side of a comparison.
    fn wrapped(&mut self, at: usize, node: &SyntaxNode) -> Option<Wrapped> {
        let node = bare(node);
        let (inside, by) = match node.kind() {
            K::CALL_EXPR => (arguments(&node), Wrapper::Call(callee(&node)?)),
            K::CAST_EXPR => {
                let kind = node.children().last()?.text().to_string();
                (node.first_child().into_iter().collect(), Wrapper::Cast(kind.trim().to_lowercase()))
            }
            _ => return None,
        };
        let mut found = None;
        for part in inside {
            match self.side(at, &part) {
                Side::Column(relation, Operand::Column(column)) if found.is_none() => found = Some((relation, column)),
                Side::Value(_) => {}
                // `lower(email::text)`: the parser was given no deeper text than its stack holds.
                _ if found.is_none() => {
                    let inner = self.wrapped(at, &part)?;
                    found = Some((inner.relation, inner.column));
                }
                _ => return None,
            }
        }
        let (relation, column) = found?;
        Some(Wrapped { relation, column, by })
    }

    /// Notes what makes a condition useless to the indexes that there are.
    fn spoiled(&mut self, at: usize, node: &SyntaxNode) {
        let queries = |n: &SyntaxNode| n.children().any(|c| is_query(bare(&c).kind()));
        let inner = node.first_child().map(|n| bare(&n)).filter(|_| node.kind() == K::PREFIX_EXPR);
        let negated = inner.is_some_and(|n| n.kind() == K::BIN_EXPR && comparison(&n) == Comparison::In && queries(&n));
        if negated || (child(node, K::NOT_IN).is_some() && queries(node)) {
            self.block(at).not_in += 1;
        }
        let compares = matches!(comparison(node), Comparison::Equal | Comparison::Below | Comparison::Above);
        let Some((left, right)) = operands(node).filter(|_| node.kind() == K::BIN_EXPR && compares) else { return };
        for (one, other) in [(&left, &right), (&right, &left)] {
            if matches!(self.side(at, other), Side::Value(_))
                && let Some(wrapped) = self.wrapped(at, one)
            {
                self.block(at).wrapped.push(wrapped);
            }
        }
    }

    /// Counts a condition that no B-tree answers for the relations that it names.
    fn residual(&mut self, at: usize, node: &SyntaxNode) {
        self.spoiled(at, node);
        let mut named: BTreeSet<usize> = BTreeSet::new();
        for inner in node.descendants().filter(|n| matches!(n.kind(), K::NAME_REF | K::FIELD_EXPR)) {
            if let Side::Column(relation, _) = self.side(at, &inner) {
                named.insert(relation);
            }
        }
        for relation in named {
            if let Some(r) = self.block(at).relations.get_mut(relation) {
                r.residual += 1;
            }
        }
    }
}
