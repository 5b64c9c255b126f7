//! What can stand in a string of the report.

use crate::finding::SubjectKind;

/// What can stand in a string of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A sentence of the program, perhaps with names in it.
    Prose,
    /// Names and the words between them: `pid 7, app on shop`.
    Mixed,
    /// One name, perhaps qualified.
    Name(Kind),
    /// Code to read: a column, a setting, a value, a fragment.
    Code,
    /// Statements that the program wrote.
    Sql,
    /// A statement or definition from the dump, perhaps cut.
    Query,
    /// A hash of a file.
    Hash,
}

/// What a name is of; pseudonyms start with its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A table, view or partition.
    Table,
    /// An index.
    Index,
    /// A sequence.
    Sequence,
    /// A function.
    Function,
    /// A constraint.
    Constraint,
    /// A database.
    Database,
    /// A schema.
    Schema,
    /// A replication slot.
    Slot,
    /// A column, or whatever else stands in a statement.
    Column,
    /// Anything else with a name.
    Other,
    /// A word that is not known.
    Word,
    /// A role.
    User,
    /// The name a client or standby gives itself.
    Application,
    /// A network address.
    Address,
    /// A file or folder.
    File,
}

impl Kind {
    /// The start of its pseudonyms.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::Sequence => "sequence",
            Self::Function => "function",
            Self::Constraint => "constraint",
            Self::Database => "database",
            Self::Schema => "schema",
            Self::Slot => "slot",
            Self::Column | Self::Other | Self::Word => "name",
            Self::User => "user",
            Self::Application => "application",
            Self::Address => "address",
            Self::File => "file",
        }
    }

    /// Whether it belongs to users, addresses and files, not to objects.
    pub(super) const fn is_host(self) -> bool {
        matches!(self, Self::User | Self::Application | Self::Address | Self::File)
    }
}

/// What a subject's name is.
pub(super) const fn of_subject(kind: SubjectKind) -> Place {
    match kind {
        SubjectKind::Table => Place::Name(Kind::Table),
        SubjectKind::Index => Place::Name(Kind::Index),
        SubjectKind::Sequence => Place::Name(Kind::Sequence),
        SubjectKind::Function => Place::Name(Kind::Function),
        SubjectKind::Constraint => Place::Name(Kind::Constraint),
        SubjectKind::Slot => Place::Name(Kind::Slot),
        SubjectKind::PreparedTransaction => Place::Name(Kind::Other),
        SubjectKind::Role => Place::Name(Kind::User),
        SubjectKind::Replica => Place::Name(Kind::Application),
        SubjectKind::Database
        | SubjectKind::Server
        | SubjectKind::Statement
        | SubjectKind::Session
        | SubjectKind::Setting
        | SubjectKind::Data => Place::Mixed,
    }
}

/// What names and code are under a label: the head of a table's column, the label of a fact.
pub(super) fn of_label(label: &str) -> (Place, Place) {
    let label = label.to_lowercase();
    let kinds = [
        ("table", Kind::Table),
        ("index", Kind::Index),
        ("sequence", Kind::Sequence),
        ("function", Kind::Function),
        ("constraint", Kind::Constraint),
        ("database", Kind::Database),
        ("slot", Kind::Slot),
        ("file", Kind::File),
        ("read from", Kind::File),
        ("application", Kind::Application),
        ("standby", Kind::Application),
        ("address", Kind::Address),
        ("role", Kind::User),
        ("user", Kind::User),
        ("exported by the role", Kind::User),
    ];
    let name = kinds.iter().find(|(word, _)| *word == label).map_or(Place::Mixed, |(_, kind)| Place::Name(*kind));
    let code = match name {
        Place::Name(Kind::File) => name,
        _ if label.contains("statement") || label.contains("query") || label == "definition" => Place::Query,
        _ if label == "undo" => Place::Sql,
        _ if label == "sha-256" => Place::Hash,
        _ => Place::Code,
    };
    (name, code)
}
