//! What can stand in a string of the report.

use crate::finding::SubjectKind;

/// What can stand in a string of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A sentence of the program, perhaps with names in it.
    Prose,
    /// Names and the words between them: `pid 7, app on shop`.
    Mixed,
    /// Most likely one name, of what is not said; perhaps names and words as above.
    Likely,
    /// One name, perhaps qualified.
    Name(Kind),
    /// Code to read: a column, a setting, a value, a fragment.
    Code,
    /// Statements that the program wrote.
    Sql,
    /// A statement or definition from the dump, perhaps cut.
    Query,
    /// The same, or how a statement is called without its text.
    Statement,
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
    /// What somebody set a setting to.
    Value,
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
            Self::Value => "value",
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
        SubjectKind::Statement => Place::Statement,
        SubjectKind::Database
        | SubjectKind::Server
        | SubjectKind::Session
        | SubjectKind::Setting
        | SubjectKind::Data => Place::Mixed,
    }
}

/// Whether a setting holds names, addresses, paths or commands of its owner: such a value is private as a whole. Every
/// setting with a dot in its name is one of an extension or of the owner's own.
pub(super) fn is_of_its_owner(setting: &str) -> bool {
    const ENDINGS: [&str; 10] = [
        "_command",
        "_file",
        "_directory",
        "_directories",
        "_name",
        "_names",
        "_tablespaces",
        "_conninfo",
        "_prefix",
        "_group",
    ];
    const OTHERS: [&str; 9] = [
        "default_tablespace",
        "listen_addresses",
        "local_preload_libraries",
        "session_preload_libraries",
        "shared_preload_libraries",
        "dynamic_library_path",
        "event_source",
        "role",
        "search_path",
    ];
    setting.contains('.') || OTHERS.contains(&setting) || ENDINGS.iter().any(|end| setting.ends_with(end))
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
    let name = kinds.iter().find(|(word, _)| *word == label).map_or(Place::Likely, |(_, kind)| Place::Name(*kind));
    let statements = label.contains("statement") || label.contains("query");
    let name = if statements && name == Place::Likely { Place::Statement } else { name };
    let code = match name {
        Place::Name(Kind::File) => name,
        _ if statements || label == "definition" => Place::Query,
        _ if label == "undo" => Place::Sql,
        _ if label == "sha-256" => Place::Hash,
        _ => Place::Code,
    };
    (name, code)
}
