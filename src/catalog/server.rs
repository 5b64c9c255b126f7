//! The server itself: settings, roles, extensions, memory.

use super::{Epoch, Origin, Shape, Type, View, array, constant, flag, gauge, id, id_text, label, number, time};
use crate::unit::Unit::{Bytes, Count, Plain};
use crate::version::Majors;

/// Settings in force in the exporting session.
pub const PG_SETTINGS: View = View {
    name: "pg_settings",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["name"],
    fallback_key: &[],
    telling: "setting",
    about: "Settings in force in the exporting session",
    columns: &[
        id_text("name", "Name"),
        constant("setting", Plain, "Value in base units").typed(Type::Text),
        label("unit", "Base unit"),
        label("category", "Group"),
        label("short_desc", "What it does"),
        label("extra_desc", "More about it"),
        label("context", "What a change needs: sighup, postmaster, user, ..."),
        label("vartype", "bool, enum, integer, real or string"),
        label("source", "Where the value comes from"),
        label("min_val", "Smallest value"),
        label("max_val", "Largest value"),
        array("enumvals", "Possible values"),
        label("boot_val", "Value at start where nothing else is said"),
        label("reset_val", "Value that RESET gives"),
        label("sourcefile", "File that sets it"),
        number("sourceline", "Line of that file"),
        flag("pending_restart", "Was changed, waits for a restart"),
    ],
};

/// Rules of the file pg_hba.conf, as they stand in it.
pub const PG_HBA_FILE_RULES: View = View {
    name: "pg_hba_file_rules",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["file_name", "line_number"],
    fallback_key: &["line_number"],
    telling: "line_number",
    about: "Rules of pg_hba.conf, as they stand in the file; superusers only",
    columns: &[
        number("rule_number", "Order among the rules, NULL for a line with an error").since(16),
        id_text("file_name", "File, where others are included").since(16),
        id("line_number", "Line of the file"),
        label("type", "local, host, hostssl, hostnossl, hostgssenc or hostnogssenc"),
        array("database", "Names of databases, or all, sameuser, samerole, replication"),
        array("user_name", "Names of roles, or all"),
        label("address", "all, samehost, samenet, a host name, or an address; NULL for local"),
        label("netmask", "Mask of the address"),
        label("auth_method", "trust, reject, scram-sha-256, ..."),
        array("options", "Options of the method; of these only clientcert is exported"),
        label("error", "Why the line cannot be used; then it is not in force"),
    ],
};

/// Roles.
pub const PG_ROLES: View = View {
    name: "pg_roles",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["oid"],
    fallback_key: &["rolname"],
    telling: "rolconnlimit",
    about: "Roles",
    columns: &[
        label("rolname", "Name"),
        flag("rolsuper", "Is a superuser"),
        flag("rolinherit", "Inherits privileges"),
        flag("rolcreaterole", "May create roles"),
        flag("rolcreatedb", "May create databases"),
        flag("rolcanlogin", "May log in"),
        flag("rolreplication", "May start replication"),
        constant("rolconnlimit", Plain, "Limit of connections, -1 for none"),
        label("rolpassword", "Always asterisks"),
        time("rolvaliduntil", "When the password expires"),
        flag("rolbypassrls", "Bypasses row security"),
        array("rolconfig", "Settings of the role"),
        id("oid", "OID of the role"),
    ],
};

/// Extensions of the exporting session's database.
pub const PG_EXTENSION: View = View {
    name: "pg_extension",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["oid"],
    fallback_key: &["extname"],
    telling: "extversion",
    about: "Extensions of the exporting session's database",
    columns: &[
        id("oid", "OID of the extension"),
        label("extname", "Name"),
        number("extowner", "OID of the owner"),
        number("extnamespace", "OID of the schema"),
        flag("extrelocatable", "Can move to another schema"),
        label("extversion", "Version"),
        array("extconfig", "OIDs of its configuration tables"),
        array("extcondition", "Filters of those"),
    ],
};

/// Tablespaces.
pub const PG_TABLESPACE: View = View {
    name: "pg_tablespace",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["oid"],
    fallback_key: &["spcname"],
    telling: "spcname",
    about: "Tablespaces",
    columns: &[
        id("oid", "OID of the tablespace"),
        label("spcname", "Name"),
        number("spcowner", "OID of the owner"),
        array("spcacl", "Privileges"),
        array("spcoptions", "Options"),
    ],
};

/// Shared memory allocations.
pub const PG_SHMEM_ALLOCATIONS: View = View {
    name: "pg_shmem_allocations",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors { since: 13, until: None },
    key: &["name", "off"],
    fallback_key: &[],
    telling: "allocated_size",
    about: "Shared memory allocations",
    columns: &[
        id_text("name", "Name, NULL for unused memory, <anonymous> for unnamed").since(13),
        id("off", "Offset").since(13),
        gauge("size", Bytes, "Size").since(13),
        gauge("allocated_size", Bytes, "Size with padding").since(13),
    ],
};

/// Memory of the exporting session.
pub const PG_BACKEND_MEMORY_CONTEXTS: View = View {
    name: "pg_backend_memory_contexts",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors { since: 14, until: None },
    key: &["name", "ident", "level", "path"],
    fallback_key: &[],
    telling: "total_bytes",
    about: "Memory of the exporting session",
    columns: &[
        id_text("name", "Name of the context").since(14),
        id_text("ident", "What it is for").since(14),
        label("parent", "Name of its parent").since(14).until(17),
        label("type", "Kind of context").since(18),
        id("level", "Distance from the top").since(14),
        id("path", "Numbers of the contexts above it").typed(Type::Array).since(18),
        gauge("total_bytes", Bytes, "Allocated").since(14),
        gauge("total_nblocks", Count, "Blocks allocated").since(14),
        gauge("free_bytes", Bytes, "Free").since(14),
        gauge("free_chunks", Count, "Free chunks").since(14),
        gauge("used_bytes", Bytes, "Used").since(14),
    ],
};

/// Tables of the exporting session's database.
pub const PG_TABLES: View = View {
    name: "pg_tables",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["schemaname", "tablename"],
    fallback_key: &[],
    telling: "tablename",
    about: "Tables of the exporting session's database",
    columns: &[
        id_text("schemaname", "Schema"),
        id_text("tablename", "Table name"),
        label("tableowner", "Owner"),
        label("tablespace", "Tablespace, NULL for the default"),
        flag("hasindexes", "Has or had indexes"),
        flag("hasrules", "Has or had rules"),
        flag("hastriggers", "Has or had triggers"),
        flag("rowsecurity", "Row security is on"),
    ],
};

/// Indexes of the exporting session's database.
pub const PG_INDEXES: View = View {
    name: "pg_indexes",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["schemaname", "tablename", "indexname"],
    fallback_key: &[],
    telling: "indexname",
    about: "Indexes of the exporting session's database",
    columns: &[
        id_text("schemaname", "Schema"),
        id_text("tablename", "Table name"),
        id_text("indexname", "Index name"),
        label("tablespace", "Tablespace, NULL for the default"),
        label("indexdef", "Command that creates it"),
    ],
};
