//! From texts to statements: the parser's thread, and the walk from query to query.

use super::model::{Block, Kind, Role, Statement};
use super::names::Names;
use super::prepare::{Refused, prepare};
use crate::advisor::statement::{Family, family};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Stack of the parser's thread: what the longest and deepest text that is let through needs, several times over. Only
/// what is touched is taken from the system.
const STACK: usize = 512 << 20;

/// Why a text is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unread {
    /// Not given to the parser.
    Refused(Refused),
    /// Not in PostgreSQL's grammar as the parser knows it.
    Syntax,
    /// Read, but neither a query nor a change of rows: utility commands.
    Utility,
}

/// A text to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<'t> {
    /// The statement.
    pub sql: &'t str,
    /// Whether it ran inside of a function, whose variables and arguments may stand in it by their names.
    pub nested: bool,
    /// The schemas in which names without one are looked for, first to last; empty where that is not known.
    pub path: &'t [String],
}

/// Reads texts, each on its own.
pub fn read_all(texts: &[Text<'_>], names: &Names) -> Vec<Result<Statement, Unread>> {
    let work = || texts.iter().map(|text| read(*text, names)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let thread =
            std::thread::Builder::new().name("statements".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        thread.ok().and_then(|t| t.join().ok())
    })
    .unwrap_or_else(|| vec![Err(Unread::Refused(Refused::TooLong)); texts.len()])
}

fn read(given: Text<'_>, names: &Names) -> Result<Statement, Unread> {
    let family = family(given.sql);
    if !matches!(family, Family::Query | Family::Write | Family::Unknown) {
        return Err(Unread::Utility);
    }
    let mut text = prepare(given.sql).map_err(Unread::Refused)?;
    if family == Family::Unknown {
        // Expressions in functions are recorded without their SELECT: `a + $2`.
        text.insert_str(0, "SELECT ");
    }
    // The parser asserts what its authors believe; a text that proves them wrong is one that is not understood.
    catch_unwind(AssertUnwindSafe(|| parse(&text, given, names))).unwrap_or(Err(Unread::Syntax))
}

fn parse(text: &str, given: Text<'_>, names: &Names) -> Result<Statement, Unread> {
    let parsed = SourceFile::parse(text);
    let errors = parsed.errors();
    if let Some(last) = errors.iter().map(|e| usize::from(e.range().end())).max() {
        // `$` without its number and half a `::` are errors at the end, too.
        let at_end = last + 1 >= text.trim_end().len();
        return Err(if at_end { Unread::Refused(Refused::CutOff) } else { Unread::Syntax });
    }
    let root = parsed.syntax_node();
    let mut statements = root.children();
    let (Some(statement), None) = (statements.next(), statements.next()) else { return Err(Unread::Syntax) };
    if !is_query(statement.kind()) {
        return Err(Unread::Utility);
    }
    let mut reader = Reader {
        names,
        path: given.path,
        variables: given.nested,
        blocks: Vec::new(),
        with: Vec::new(),
        scopes: Vec::new(),
        nested: HashMap::new(),
    };
    reader.query(&statement, Role::Top);
    Ok(Statement { blocks: reader.blocks })
}

/// What is known while a statement is walked.
pub(super) struct Reader<'n> {
    pub(super) names: &'n Names,
    /// Where tables are looked for that are named without a schema.
    pub(super) path: &'n [String],
    /// Whether a name that is no column may be a variable.
    pub(super) variables: bool,
    pub(super) blocks: Vec<Block>,
    /// WITH queries by name; none while their own text is read.
    pub(super) with: Vec<(String, Option<usize>)>,
    /// Blocks whose columns can be named here, innermost last.
    pub(super) scopes: Vec<usize>,
    /// Blocks by where their text begins.
    pub(super) nested: HashMap<u32, usize>,
}

/// Whether a node is a query or a change of rows.
pub(super) fn is_query(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::SELECT
            | K::COMPOUND_SELECT
            | K::PAREN_SELECT
            | K::VALUES
            | K::TABLE
            | K::INSERT
            | K::UPDATE
            | K::DELETE
            | K::MERGE
    )
}

/// The first child of a kind.
pub(super) fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|c| c.kind() == kind)
}

/// Whether a token of a kind stands directly in a node.
pub(super) fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens().any(|c| c.kind() == kind)
}

impl Reader<'_> {
    /// Reads a query where it stands; the block that delivers its rows.
    pub(super) fn query(&mut self, node: &SyntaxNode, role: Role) -> Option<usize> {
        use SyntaxKind as K;
        let start = u32::from(node.text_range().start());
        if let Some(known) = self.nested.get(&start) {
            return Some(*known);
        }
        let block = match node.kind() {
            K::PAREN_SELECT => {
                self.with_clause(node);
                let inner = node.children().find(|c| is_query(c.kind()))?;
                self.query(&inner, role)?
            }
            K::COMPOUND_SELECT => {
                let block = self.begin(Kind::Select, role);
                self.block(block).condenses = true;
                for operand in node.children().filter(|c| is_query(c.kind()) || c.kind() == K::PAREN_EXPR) {
                    let inner = if is_query(operand.kind()) {
                        Some(operand)
                    } else {
                        operand.children().find(|c| is_query(c.kind()))
                    };
                    if let Some(inner) = inner {
                        self.query(&inner, Role::Operand);
                    }
                }
                block
            }
            K::INSERT => {
                self.with_clause(node);
                let source = node.children().find(|c| is_query(c.kind()))?;
                self.query(&source, role)?
            }
            K::SELECT => self.select(node, role),
            K::UPDATE => self.change(node, Kind::Update, role),
            K::DELETE => self.change(node, Kind::Delete, role),
            K::MERGE => self.change(node, Kind::Merge, role),
            _ => self.begin(Kind::Select, role),
        };
        self.nested.insert(start, block);
        Some(block)
    }

    pub(super) fn begin(&mut self, kind: Kind, role: Role) -> usize {
        self.blocks.push(Block { kind, role, parent: self.scopes.last().copied(), ..Block::default() });
        self.blocks.len() - 1
    }

    /// A block by its position, which came from [`Reader::begin`].
    pub(super) fn block(&mut self, at: usize) -> &mut Block {
        if at >= self.blocks.len() {
            self.blocks.push(Block::default());
        }
        let at = at.min(self.blocks.len() - 1);
        &mut self.blocks[at]
    }

    pub(super) fn with_clause(&mut self, node: &SyntaxNode) {
        let Some(clause) = child(node, SyntaxKind::WITH_CLAUSE) else { return };
        for table in clause.children().filter(|c| c.kind() == SyntaxKind::WITH_TABLE) {
            let name = child(&table, SyntaxKind::CTE_NAME).map(|n| squawk_syntax::ast::normalize_name_node(&n));
            let at = self.with.len();
            self.with.push((name.unwrap_or_default(), None));
            let query = table.children().find(|c| is_query(c.kind()));
            let block = query.and_then(|q| self.query(&q, Role::Derived));
            if let Some(with) = self.with.get_mut(at) {
                with.1 = block;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::sql::{Operand, Otherwise, RowLock, Source, Test, Value};
    use proptest::prelude::*;

    fn names() -> Names {
        let mut names = Names::default();
        let columns = |list: &str| list.split(' ').map(str::to_owned).collect::<Vec<_>>();
        names.add("public", "t", 1, columns("id a b c d flag at"));
        names.add("s", "u", 2, columns("id t_id k"));
        names
    }

    fn top(sql: &str) -> Text<'_> {
        Text { sql, nested: false, path: &[] }
    }

    fn one(text: &str) -> Statement {
        read_all(&[top(text)], &names()).remove(0).unwrap_or_else(|e| panic!("{text}: {e:?}"))
    }

    /// The tests of the outermost block: relation, column, test.
    fn tests_of(text: &str) -> Vec<String> {
        let statement = one(text);
        let said = |t: &crate::advisor::sql::Term| {
            let test = match &t.test {
                Test::Equal(Value::Given) => "=".to_owned(),
                Test::Equal(Value::Outer) => "= outer".to_owned(),
                Test::Equal(Value::Literal(l)) => format!("= {l}"),
                Test::OneOf(n) => format!("in {n:?}"),
                Test::InBlock(b) => format!("in block {b}"),
                Test::Range { low, high, then } => format!("range {low} {high} {then:?}"),
                other => format!("{other:?}"),
            };
            let operand = match &t.operand {
                Operand::Column(c) => c.clone(),
                Operand::Call(f, c) => format!("{f}({c})"),
            };
            format!("{}.{operand} {test}", t.relation)
        };
        statement.blocks.first().map(|b| b.terms.iter().map(said).collect()).unwrap_or_default()
    }

    #[test]
    fn reads_conditions() {
        for (condition, want) in [
            ("a = $1 and $2 = b", &["0.a =", "0.b ="][..]),
            ("a in ($1, $2) and b = any($3) and c in ($4)", &["0.a in Some(2)", "0.b in None", "0.c ="]),
            ("a > $1 and a <= $2", &["0.a range true false []", "0.a range false true []"]),
            ("a between $1 and $2 or b = $3", &[]),
            ("a between $1 and $2 and b = $3", &["0.a range true true []", "0.b ="]),
            ("(a, b) > ($1, $2)", &["0.a range true false [\"b\"]"]),
            ("(a, b) = ($1, $2)", &["0.a =", "0.b ="]),
            ("a = $1 or a = $2", &["0.a in Some(2)"]),
            ("a = $1 or b = $2", &[]),
            ("a is null and b is not null and c isnull", &["0.a IsNull", "0.b IsNotNull", "0.c IsNull"]),
            ("flag and not flag and flag is true", &["0.flag IsTrue", "0.flag IsFalse", "0.flag IsTrue"]),
            ("a = 'x' and b = -1", &["0.a = 'x'", "0.b ="]),
            (
                "a like $1 and b like 'ab%' and starts_with(c, $2)",
                &["0.a Like(None)", "0.b Like(Some(\"'ab%'\"))", "0.c Prefix"],
            ),
            ("lower(a) = $1", &["0.lower(a) ="]),
            ("a = now() - interval $1", &["0.a ="]),
            ("a = random() and b = nextval($1)", &[]),
            ("a + 1 = $1 and b::text = $2 and a <> $3 and not a = $4 and a = b", &[]),
            ("$1 OPERATOR(pg_catalog.=) \"a\"", &["0.a ="]),
            ("a = (select max(k) from u)", &["0.a ="]),
            ("a in (select k from u where k > $1)", &["0.a in block 1"]),
        ] {
            assert_eq!(tests_of(&format!("select id from t where {condition}")), want, "{condition}");
        }
    }

    #[test]
    fn variables_of_functions_are_values() {
        const TEXT: &str = "select a from t where b = p_b and c = new.c and d > v_d";
        let terms = |nested| {
            let read = read_all(&[Text { sql: TEXT, nested, path: &[] }], &names()).remove(0).unwrap();
            read.blocks[0].terms.iter().map(|t| t.operand.column().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(terms(true), ["b", "c", "d"]);
        assert_eq!(terms(false), [""; 0]);
    }

    #[test]
    fn reads_joins() {
        let edges = |from: &str| -> Vec<String> {
            let b = one(&format!("select 1 from {from}")).blocks.remove(0);
            b.edges
                .iter()
                .map(|e| format!("{}.{}={}.{} {:?}", e.left.0, e.left.1, e.right.0, e.right.1, e.first))
                .collect()
        };
        assert_eq!(edges("t join u on u.t_id = t.id"), ["1.t_id=0.id None"]);
        assert_eq!(edges("t left join u on u.t_id = t.id"), ["1.t_id=0.id Some(0)"]);
        assert_eq!(edges("u right join t on u.t_id = t.id"), ["0.t_id=1.id Some(1)"]);
        assert_eq!(edges("t full join u on u.t_id = t.id"), [""; 0]);
        assert_eq!(edges("t x, s.u where x.id = t_id"), ["0.id=1.t_id None"]);
        assert_eq!(edges("t join u using (id)"), ["0.id=1.id None"]);
        // A condition on the other side makes it an inner join; IS NULL looks for the missing ones.
        assert_eq!(edges("t left join u on u.t_id = t.id where u.k = $1"), ["1.t_id=0.id None"]);
        assert_eq!(edges("t left join u on u.t_id = t.id where u.k is null"), ["1.t_id=0.id Some(0)"]);
        assert_eq!(tests_of("select 1 from t left join u on u.t_id = t.id and t.a = $1 and u.k = $2"), ["1.k ="]);
    }

    #[test]
    fn reads_blocks() {
        let statement = one(
            "with q as (select id from t where a = $1 order by at desc limit $2 for update skip locked) \
             update t set b = $3, (c, d) = ($4, $5) from q where t.id = q.id and exists (select 1 from u where u.t_id = t.id)",
        );
        let [update, with, exists] = statement.blocks.as_slice() else { panic!("{statement:?}") };
        assert_eq!((update.kind, update.relations[1].source), (Kind::Update, Source::Block(1)));
        assert_eq!(update.assigned.iter().map(String::as_str).collect::<Vec<_>>(), ["b", "c", "d"]);
        assert!(with.limited && with.order[0].descending && with.order[0].nulls_first && with.role == Role::Derived);
        assert!(exists.correlated && exists.role == Role::Semi && exists.terms[0].test == Test::Equal(Value::Outer));
        let counted = one("select count(*), a x from t group by a order by x limit 3").blocks.remove(0);
        assert!(counted.condenses && counted.limited && counted.order[0].operand == Operand::Column("a".to_owned()));
        let all = one("select u.*, t.a from t, u").blocks.remove(0);
        assert!(!all.relations[0].star && all.relations[1].star && all.relations[0].columns.contains("a"));
    }

    #[test]
    fn reads_how_rows_are_locked() {
        let lock = |text: &str| one(&format!("select a from t {text}")).blocks[0].lock;
        let wanted = |exclusive, otherwise| Some(RowLock { exclusive, otherwise });
        for (text, want) in [
            ("", None),
            ("order by a for update skip locked limit 1", wanted(true, Otherwise::Skip)),
            ("limit 1 for no key update nowait", wanted(true, Otherwise::Fail)),
            ("where a = $1 for update of t", wanted(true, Otherwise::Wait)),
            ("for key share", wanted(false, Otherwise::Wait)),
        ] {
            assert_eq!(lock(text), want, "{text}");
        }
    }

    #[test]
    fn says_what_it_does_not_read() {
        let read = |text: &str| read_all(&[top(text)], &names()).remove(0).err();
        assert_eq!(read("create index on t (a)"), Some(Unread::Utility));
        assert_eq!(read("select a from t where b = $1 and"), Some(Unread::Refused(Refused::CutOff)));
        assert_eq!(read("select a from t where 'b"), Some(Unread::Refused(Refused::CutOff)));
        assert_eq!(read("select a b c from t where d = $1"), Some(Unread::Syntax));
        assert!(read("<insufficient privilege>").is_some());
        assert_eq!(read("a + $2"), None);
    }

    #[test]
    fn the_longest_and_deepest_text_that_is_read_ends_well() {
        for (text, want) in [
            (format!("select {}$1", "not ".repeat(200)), true),
            (format!("select {}$1", "- ".repeat(200)), true),
            (format!("select a from t where {}a = $1", "a = $1 or ".repeat(1_500)), true),
            (format!("select a from t where {}a = $1", "a = $1 and ".repeat(1_500)), true),
            (format!("select a from t where a = $1{}", "::int".repeat(100)), true),
            (format!("select {}1{}", "(".repeat(119), ")".repeat(119)), true),
            (format!("{}select 1{}", "select (".repeat(110), ")".repeat(110)), true),
            (format!("select {}1", "(".repeat(100_000)), false),
        ] {
            assert_eq!(read_all(&[top(&text)], &names()).remove(0).is_ok(), want, "{}", &text[..40]);
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(words in proptest::collection::vec("select|from|t|u|a|b|where|=|\\(|\\)|,|\\$1|and|or|not|in|between|is|null|order by|limit|join|on|case|when|then|end|'x'|\\*|group by|with|as|update|set|delete|exists|union|any|\\[|\\]|::int|\\.|;|interval|like|left|using|lateral|values|insert into|returning|over|filter", 0..40)) {
            let texts = [words.join(" "), format!("select a from t where {}", words.join(" "))];
            let texts = texts.each_ref().map(|t| Text { sql: t, nested: t.len() % 2 == 0, path: &[] });
            let _ = read_all(&texts, &names());
        }
    }
}
