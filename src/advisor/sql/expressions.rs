//! Columns, values and what is neither.

use super::model::{Operand, Role, Source, Value};
use super::names::Names;
use super::reader::{Reader, child, has_token, is_query};
use squawk_syntax::ast::normalize_name_node;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// A column of a relation of this block, or an immutable function of one.
    Column(usize, Operand),
    /// The same for all rows of this block.
    Value(Value),
    /// Depends on the row in a way that no plain index answers.
    Opaque,
}

/// Functions of one column whose result may be indexed: immutable for text.
const INDEXABLE: [&str; 2] = ["lower", "upper"];

/// Functions of PostgreSQL that return the same for all rows of a statement: immutable or stable.
const STABLE: &str = "now transaction_timestamp statement_timestamp date_trunc date_part age to_timestamp to_date to_char \
    to_number make_date make_time make_timestamp make_timestamptz make_interval lower upper initcap \
    coalesce nullif greatest least abs round floor ceil ceiling trunc mod power sqrt length char_length \
    md5 sha256 encode decode concat concat_ws format replace left right lpad rpad btrim ltrim rtrim trim \
    substr substring split_part regexp_replace string_to_array array_to_string current_setting \
    current_schema timezone hashtext int4range int8range numrange tsrange tstzrange daterange \
    txid_current pg_backend_pid current_user session_user array_append array_remove cardinality \
    array_length jsonb_build_object json_build_object to_json to_jsonb overlay position strpos \
    starts_with";

/// Columns that every table has and no index is made on.
const SYSTEM: [&str; 6] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// A column that a name means: block, relation, column.
type Found = (usize, usize, String);

/// The expression inside of parentheses.
pub(super) fn bare(node: &SyntaxNode) -> SyntaxNode {
    let mut node = node.clone();
    while node.kind() == K::PAREN_EXPR {
        match node.first_child() {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

/// The name that a call calls, without its schema.
pub(super) fn callee(call: &SyntaxNode) -> Option<String> {
    let first = call.first_child()?;
    match first.kind() {
        K::NAME_REF => Some(normalize_name_node(&first)),
        K::FIELD_EXPR => first.children().filter(|c| c.kind() == K::NAME_REF).last().map(|n| normalize_name_node(&n)),
        _ => None,
    }
}

/// The arguments of a call.
pub(super) fn arguments(call: &SyntaxNode) -> Vec<SyntaxNode> {
    let list = child(call, K::ARG_LIST);
    let arguments = list.iter().flat_map(|l| l.children().filter(|c| c.kind() == K::ARG).collect::<Vec<_>>());
    arguments.filter_map(|a| a.first_child()).collect()
}

fn is_stable(names: &Names, call: &SyntaxNode) -> bool {
    callee(call).is_some_and(|name| STABLE.split(' ').any(|s| s == name) || names.is_stable(&name))
}

/// The parts of a column's name, schema and table first; `None` for anything else, `t.*` included.
fn path(node: &SyntaxNode) -> Option<Vec<String>> {
    match node.kind() {
        K::NAME_REF => {
            let name = normalize_name_node(node);
            let quoted = node.text().to_string().trim().starts_with('"');
            let special = name.starts_with("current_")
                || matches!(
                    name.as_str(),
                    "localtime" | "localtimestamp" | "session_user" | "system_user" | "user" | "unknown"
                );
            (quoted || !special).then(|| vec![name])
        }
        K::FIELD_EXPR => {
            let mut children = node.children();
            let mut parts = path(&children.next()?)?;
            let field = children.next().filter(|c| c.kind() == K::NAME_REF)?;
            parts.push(normalize_name_node(&field));
            Some(parts)
        }
        _ => None,
    }
}

impl Reader<'_> {
    /// The column that a name means, innermost scope first.
    fn resolve(&mut self, node: &SyntaxNode) -> Option<Found> {
        let path = path(node)?;
        let (column, table) = path.split_last()?;
        if SYSTEM.contains(&column.as_str()) {
            return None;
        }
        let found = match table.last() {
            Some(alias) => self.scopes.iter().rev().find_map(|at| {
                let relations = &self.blocks.get(*at)?.relations;
                let relation = relations.iter().position(|r| r.alias == *alias)?;
                Some((*at, relation, column.clone()))
            }),
            None => self.resolve_bare(column),
        };
        let (at, relation, column) = found?;
        if let Some(r) = self.block(at).relations.get_mut(relation) {
            r.columns.insert(column.clone());
        }
        let inside: Vec<usize> = self.scopes.iter().rev().copied().take_while(|scope| *scope != at).collect();
        for scope in inside {
            self.block(scope).correlated = true;
        }
        Some((at, relation, column))
    }

    fn resolve_bare(&self, column: &str) -> Option<Found> {
        let known = |source: Source| matches!(source, Source::Table(relid) if self.names.has(relid, column));
        for at in self.scopes.iter().rev() {
            let Some(block) = self.blocks.get(*at) else { continue };
            let mut with = block.relations.iter().enumerate().filter(|(_, r)| known(r.source));
            match (with.next(), with.next()) {
                (Some((relation, _)), None) => return Some((*at, relation, column.to_owned())),
                (Some(_), Some(_)) => return None,
                _ => {}
            }
        }
        if self.variables && self.knows_all() {
            return None;
        }
        // Nobody is known to have it: then it is the only relation's, if there is only one.
        let at = *self.scopes.last()?;
        match self.blocks.get(at)?.relations.as_slice() {
            [_] => Some((at, 0, column.to_owned())),
            _ => None,
        }
    }

    /// Whether the columns of all tables in sight are known, so that another name is none of theirs.
    fn knows_all(&self) -> bool {
        let relations = self.scopes.iter().filter_map(|at| self.blocks.get(*at)).flat_map(|b| &b.relations);
        relations.into_iter().all(|r| matches!(r.source, Source::Table(relid) if self.names.knows(relid)))
    }

    /// Whether a name that is no column in sight is a variable of the function around: `p_id`, `new.id`, `r.id`.
    fn is_variable(&self, node: &SyntaxNode) -> bool {
        let system = |p: &[String]| p.last().is_some_and(|c| SYSTEM.contains(&c.as_str()));
        self.variables && self.knows_all() && path(node).is_some_and(|p| !system(&p))
    }

    /// What one side of a comparison is.
    pub(super) fn side(&mut self, at: usize, node: &SyntaxNode) -> Side {
        let node = bare(node);
        match node.kind() {
            K::NAME_REF | K::FIELD_EXPR => match self.resolve(&node) {
                Some((block, relation, column)) if block == at => Side::Column(relation, Operand::Column(column)),
                Some(_) => Side::Value(Value::Outer),
                None if path(&node).is_none() && node.kind() == K::NAME_REF => Side::Value(Value::Given),
                None if self.is_variable(&node) => Side::Value(Value::Given),
                None => Side::Opaque,
            },
            K::LITERAL => match literal(&node) {
                Some(value) => Side::Value(value),
                None => Side::Opaque,
            },
            K::CALL_EXPR => {
                let name = callee(&node).and_then(|n| INDEXABLE.into_iter().find(|i| *i == n));
                if let (Some(name), [only]) = (name, arguments(&node).as_slice())
                    && let Side::Column(relation, Operand::Column(column)) = self.side(at, only)
                {
                    return Side::Column(relation, Operand::Call(name, column));
                }
                self.constant(at, &node)
            }
            _ => self.constant(at, &node),
        }
    }

    /// Whether an expression is the same for all rows of the block.
    fn constant(&mut self, at: usize, node: &SyntaxNode) -> Side {
        let mut value = Value::Given;
        if self.is_constant(at, node, &mut value) { Side::Value(value) } else { Side::Opaque }
    }

    fn is_constant(&mut self, at: usize, node: &SyntaxNode, value: &mut Value) -> bool {
        match node.kind() {
            kind if is_query(kind) => {
                let block = self.query(node, Role::Scalar);
                return block.is_some_and(|b| !self.block(b).correlated);
            }
            K::FIELD_EXPR | K::NAME_REF if !is_callee(node) => match self.resolve(node) {
                Some((block, ..)) if block == at => return false,
                Some(_) => {
                    *value = Value::Outer;
                    return true;
                }
                None if path(node).is_some() => return self.is_variable(node),
                None => {}
            },
            K::CALL_EXPR if callee(node).is_some() && !is_stable(self.names, node) => return false,
            _ => {}
        }
        node.children().all(|inner| self.is_constant(at, &inner, value))
    }

    /// Marks the columns that a node reads, and reads the queries inside it.
    pub(super) fn touch(&mut self, at: usize, node: &SyntaxNode) {
        for inner in node.children() {
            match inner.kind() {
                K::WITH_CLAUSE | K::PAREN_FROM_ITEM => {}
                kind if is_query(kind) => {
                    self.query(&inner, standing(&inner));
                }
                K::TARGET if has_token(&inner, K::STAR) => {
                    for relation in &mut self.block(at).relations {
                        relation.star = true;
                    }
                }
                K::FIELD_EXPR if has_token(&inner, K::STAR) => {
                    let alias = inner.first_child().and_then(|b| path(&b)).and_then(|p| p.last().cloned());
                    for relation in &mut self.block(at).relations {
                        relation.star |= Some(&relation.alias) == alias.as_ref();
                    }
                }
                K::FIELD_EXPR | K::NAME_REF if !is_callee(&inner) && path(&inner).is_some() => {
                    self.resolve(&inner);
                }
                _ => self.touch(at, &inner),
            }
        }
    }
}

/// Whether a name is that of a function.
fn is_callee(node: &SyntaxNode) -> bool {
    node.parent().is_some_and(|p| p.kind() == K::CALL_EXPR && p.first_child().as_ref() == Some(node))
}

/// What a query inside an expression is used for.
fn standing(query: &SyntaxNode) -> Role {
    let mut above = query.parent();
    while let Some(node) = above {
        match node.kind() {
            K::PAREN_EXPR | K::PAREN_SELECT => above = node.parent(),
            K::EXISTS_FN | K::ANY_FN | K::SOME_FN => return Role::Semi,
            K::BIN_EXPR if has_token(&node, K::IN_KW) || child(&node, K::NOT_IN).is_some() => return Role::Semi,
            K::RELATION_FROM_ITEM | K::FROM_CLAUSE | K::JOIN => return Role::Derived,
            _ => return Role::Scalar,
        }
    }
    Role::Scalar
}

/// A literal's value; `None` for NULL.
fn literal(node: &SyntaxNode) -> Option<Value> {
    let text = node.text().to_string();
    let text = text.trim();
    if has_token(node, K::NULL_KW) || has_token(node, K::DEFAULT_KW) {
        return None;
    }
    // `'$1'` stands for a parameter: see `prepare`.
    let parameter = has_token(node, K::POSITIONAL_PARAM) || text.trim_start_matches('\'').starts_with('$');
    Some(if parameter { Value::Given } else { Value::Literal(text.to_owned()) })
}
