//! What a statement asks of its tables, as plain data.

use std::collections::BTreeSet;

/// A statement: its queries, each a block; the first is the outermost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The blocks; those inside others come after them.
    pub blocks: Vec<Block>,
}

/// What a block does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Reads.
    #[default]
    Select,
    /// Changes rows of its first relation.
    Update,
    /// Deletes rows of its first relation.
    Delete,
    /// Either, `MERGE`.
    Merge,
}

/// Where a block stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// The statement itself.
    #[default]
    Top,
    /// A relation of another block: a subquery in FROM, a WITH query.
    Derived,
    /// `EXISTS (…)`, `IN (…)`: PostgreSQL may join it.
    Semi,
    /// A subquery that stands for a value: evaluated for each row where it is correlated.
    Scalar,
    /// One side of UNION and its like.
    Operand,
}

/// One SELECT, UPDATE or DELETE.
#[expect(clippy::struct_excessive_bools, reason = "each is a clause that a block has or has not")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// What it does.
    pub kind: Kind,
    /// Where it stands.
    pub role: Role,
    /// The block it stands in.
    pub parent: Option<usize>,
    /// What it reads from.
    pub relations: Vec<Relation>,
    /// Conditions on one relation each, all of which must hold.
    pub terms: Vec<Term>,
    /// Equalities between two relations.
    pub edges: Vec<Edge>,
    /// The order asked for; empty where none, or where one of the keys is no plain column.
    pub order: Vec<Sort>,
    /// Whether there is an ORDER BY at all.
    pub ordered: bool,
    /// LIMIT or FETCH FIRST, also of MIN and MAX alone, which stop at the first row.
    pub limited: bool,
    /// MIN or MAX alone: the first row of an order is all it needs.
    pub extreme: bool,
    /// OFFSET.
    pub skips: bool,
    /// Aggregates, GROUP BY, DISTINCT, windows, set operations: rows out are not rows found.
    pub condenses: bool,
    /// Whether it refers to a block around it.
    pub correlated: bool,
    /// Columns that an UPDATE sets.
    pub assigned: BTreeSet<String>,
    /// Functions that its conditions call, without schema.
    pub called: BTreeSet<String>,
    /// How a SELECT locks the rows that it reads.
    pub lock: Option<RowLock>,
    /// Whether there is a WHERE.
    pub filtered: bool,
    /// `ORDER BY random()`.
    pub shuffled: bool,
    /// Conditions `NOT IN (SELECT …)`.
    pub not_in: usize,
    /// Columns that conditions compare with values only through a function or a cast.
    pub wrapped: Vec<Wrapped>,
}

/// A column that a condition sees only through something, so that an index on it does not help.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wrapped {
    /// Position of the relation in its block.
    pub relation: usize,
    /// The column.
    pub column: String,
    /// What stands around it.
    pub by: Wrapper,
}

/// What stands around a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrapper {
    /// A function, without its schema.
    Call(String),
    /// A cast to this type.
    Cast(String),
}

/// `FOR UPDATE` and its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLock {
    /// Whether it is FOR UPDATE or FOR NO KEY UPDATE, which only one session can hold.
    pub exclusive: bool,
    /// What it does about rows that another session has locked.
    pub otherwise: Otherwise,
}

/// What a statement does about locked rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// Waits for them.
    Wait,
    /// `NOWAIT`: fails at once.
    Fail,
    /// `SKIP LOCKED`: leaves them out.
    Skip,
}

/// What stands in FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// What it is.
    pub source: Source,
    /// The name its columns are called by.
    pub alias: String,
    /// Whether rows are made up where it has none (the other side of an outer join).
    pub nullable: bool,
    /// Columns that are read.
    pub columns: BTreeSet<String>,
    /// Whether all columns are read.
    pub star: bool,
    /// Conditions on it that no B-tree can answer.
    pub residual: usize,
}

/// Where a relation's rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A table of the dump, by OID.
    Table(i64),
    /// A name that the dump has no table of, or more than one.
    Unknown,
    /// Another block.
    Block(usize),
    /// Functions, VALUES and the like.
    Other,
}

/// What a condition is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operand {
    /// A column.
    Column(String),
    /// An immutable function of one column: `lower`, `upper`.
    Call(&'static str, String),
}

impl Operand {
    /// The column in it.
    pub fn column(&self) -> &str {
        match self {
            Self::Column(c) | Self::Call(_, c) => c,
        }
    }
}

/// A condition on one relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Position of the relation in its block.
    pub relation: usize,
    /// What is tested.
    pub operand: Operand,
    /// How.
    pub test: Test,
}

/// A test that a B-tree can answer, or help to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// `= value`.
    Equal(Value),
    /// `IN (…)` with so many elements, `= ANY (…)` with an unknown number.
    OneOf(Option<usize>),
    /// `IN (SELECT …)`: the block.
    InBlock(usize),
    /// `IS NULL`.
    IsNull,
    /// `IS NOT NULL`.
    IsNotNull,
    /// A boolean column by itself.
    IsTrue,
    /// `NOT` a boolean column.
    IsFalse,
    /// Above, below or between values.
    Range {
        /// Bounded from below.
        low: bool,
        /// Bounded from above.
        high: bool,
        /// Further columns of a comparison of rows: `(a, b) > ($1, $2)`.
        then: Vec<String>,
    },
    /// `LIKE value`: the pattern, where the text shows it.
    Like(Option<String>),
    /// `starts_with`, `^@`.
    Prefix,
}

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A parameter, or an expression that is the same for all rows.
    Given,
    /// A constant that the text shows, as written there.
    Literal(String),
    /// A column of a block around this one.
    Outer,
}

/// An equality between two relations of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// One side: relation, column.
    pub left: (usize, String),
    /// The other side.
    pub right: (usize, String),
    /// The relation that must come first: an outer join looks up only one way.
    pub first: Option<usize>,
}

/// A sort key that is a plain column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Position of the relation.
    pub relation: usize,
    /// What is sorted by.
    pub operand: Operand,
    /// Downwards.
    pub descending: bool,
    /// NULLs first.
    pub nulls_first: bool,
}
