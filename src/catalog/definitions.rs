//! Exports of our own: what objects are and who may use them.

use super::{Epoch, Origin, Shape, View, array, flag, id, id_text, label, number};
use crate::version::Majors;

/// The column each sequence belongs to.
pub const SEQUENCE_COLUMNS: View = View {
    name: "sequence_columns",
    also: &[],
    origin: Origin::Export,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["relid"],
    fallback_key: &["schemaname", "sequencename"],
    telling: "sequencename",
    about: "The column each sequence belongs to",
    columns: &[
        id("relid", "OID of the sequence"),
        label("schemaname", "Schema of the sequence"),
        label("sequencename", "Name of the sequence"),
        number("table_relid", "OID of the table that owns it or uses it as default"),
        label("table_schemaname", "Schema of that table"),
        label("table_relname", "Name of that table"),
        label("column_name", "Column"),
        label("column_type", "Type of the column"),
        label("ownership", "a serial or owned, i identity, d default only"),
    ],
};

/// Functions and procedures outside the system schemas.
pub const FUNCTION_DEFINITIONS: View = View {
    name: "function_definitions",
    also: &[],
    origin: Origin::Export,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["funcid"],
    fallback_key: &["schemaname", "funcname", "identity_args"],
    telling: "funcname",
    about: "Functions and procedures outside the system schemas",
    columns: &[
        id("funcid", "OID of the function"),
        label("schemaname", "Schema"),
        label("funcname", "Name"),
        label("identity_args", "Argument types"),
        array("argnames", "Names of arguments, of results too"),
        label("kind", "f function, p procedure, a aggregate, w window"),
        label("language", "Language"),
        label("owner", "Owner"),
        flag("owner_super", "The owner is a superuser"),
        flag("prosecdef", "Runs with the rights of its owner"),
        flag("proleakproof", "Leaks nothing about its arguments"),
        label("provolatile", "i immutable, s stable, v volatile"),
        label("proparallel", "s safe, r restricted, u unsafe"),
        array("proconfig", "Settings while it runs"),
        label("source_hash", "MD5 of the body"),
        label("source", "Body, of functions in SQL and PL/pgSQL"),
        label("sql_body", "Body, of functions that were created with BEGIN ATOMIC or RETURN").since(14),
        array("proacl", "Privileges"),
    ],
};

/// Triggers of tables, internal ones left out.
pub const TRIGGERS: View = View {
    name: "triggers",
    also: &[],
    origin: Origin::Export,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["oid"],
    fallback_key: &["schemaname", "relname", "tgname"],
    telling: "tgname",
    about: "Triggers of tables, internal ones left out",
    columns: &[
        id("oid", "OID of the trigger"),
        number("relid", "OID of the table"),
        label("schemaname", "Schema of the table"),
        label("relname", "Table name"),
        label("tgname", "Name"),
        label("tgenabled", "O on, D disabled, R replica, A always"),
        number("tgtype", "Bits: row, before, insert, delete, update, truncate, instead"),
        number("funcid", "OID of its function"),
        label("funcname", "Name of its function"),
        label("definition", "Definition"),
    ],
};

/// Schemas and their privileges.
pub const SCHEMAS: View = View {
    name: "schemas",
    also: &[],
    origin: Origin::Export,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["oid"],
    fallback_key: &["nspname"],
    telling: "nspname",
    about: "Schemas and their privileges",
    columns: &[
        id("oid", "OID of the schema"),
        label("nspname", "Name"),
        label("owner", "Owner"),
        array("nspacl", "Privileges, NULL for the default"),
        flag("public_create", "Everybody may create objects in it"),
    ],
};

/// Tables, functions, types that belong to extensions.
pub const EXTENSION_MEMBERS: View = View {
    name: "extension_members",
    also: &[],
    origin: Origin::Export,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["classid", "objid"],
    fallback_key: &[],
    telling: "extname",
    about: "Tables, functions, types that belong to extensions",
    columns: &[
        label("extname", "Extension"),
        id_text("classid", "Catalog of the object"),
        id("objid", "OID of the object"),
    ],
};

/// Publications.
pub const PUBLICATIONS: View = View {
    name: "publications",
    also: &[],
    origin: Origin::Export,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["oid"],
    fallback_key: &["pubname"],
    telling: "pubname",
    about: "Publications",
    columns: &[
        id("oid", "OID of the publication"),
        label("pubname", "Name"),
        label("owner", "Owner"),
        flag("puballtables", "Publishes all tables"),
        flag("pubinsert", "Publishes inserts"),
        flag("pubupdate", "Publishes updates"),
        flag("pubdelete", "Publishes deletes"),
        flag("pubtruncate", "Publishes truncates"),
    ],
};

/// Tables that are published.
pub const PUBLICATION_TABLES: View = View {
    name: "publication_tables",
    also: &[],
    origin: Origin::Export,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["pubname", "relid"],
    fallback_key: &["pubname", "schemaname", "relname"],
    telling: "relname",
    about: "Tables that are published",
    columns: &[
        id_text("pubname", "Publication"),
        id("relid", "OID of the table"),
        label("schemaname", "Schema"),
        label("relname", "Table name"),
        label("relreplident", "Replica identity: d default, n nothing, f full, i index"),
    ],
};

/// Settings of roles and databases.
pub const ROLE_SETTINGS: View = View {
    name: "role_settings",
    also: &[],
    origin: Origin::Export,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["rolname", "datname"],
    fallback_key: &[],
    telling: "rolname",
    about: "Settings of roles and databases",
    columns: &[
        id_text("rolname", "Role, NULL for all"),
        id_text("datname", "Database, NULL for all"),
        array("setconfig", "Settings"),
    ],
};

/// Membership in roles.
pub const ROLE_MEMBERS: View = View {
    name: "role_members",
    also: &[],
    origin: Origin::Export,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["rolname", "member", "grantor"],
    fallback_key: &[],
    telling: "rolname",
    about: "Membership in roles",
    columns: &[
        id_text("rolname", "Role that was granted"),
        id_text("member", "Role that is a member"),
        id_text("grantor", "Role that granted it"),
        flag("admin_option", "May grant it on"),
    ],
};
