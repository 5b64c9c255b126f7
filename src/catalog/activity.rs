//! What sessions are doing: activity, locks, encryption.

use super::{Epoch, Shape, Type, View, flag, gauge, id, id_text, label, number, time};
use crate::unit::Unit::Bytes;
use crate::version::Majors;

/// Sessions and server processes at the moment of export.
pub const PG_STAT_ACTIVITY: View = View {
    name: "pg_stat_activity",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["pid", "backend_start"],
    fallback_key: &[],
    telling: "query_start",
    about: "Sessions and server processes at the moment of export",
    columns: &[
        number("datid", "OID of the database"),
        label("datname", "Database name"),
        id("pid", "Process id"),
        number("leader_pid", "Process id of the leader of a parallel group").since(13),
        number("usesysid", "OID of the role"),
        label("usename", "Role name"),
        label("application_name", "Name the client gives itself"),
        label("client_addr", "Address of the client, NULL over a socket"),
        label("client_hostname", "Name of the client's host, with log_hostname"),
        number("client_port", "Port of the client, -1 over a socket"),
        id("backend_start", "When the process started").typed(Type::Time),
        time("xact_start", "When its transaction started"),
        time("query_start", "When its present or last statement started"),
        time("state_change", "When its state last changed"),
        label("wait_event_type", "Kind of event it waits for"),
        label("wait_event", "Event it waits for"),
        label("state", "active, idle, idle in transaction, ..."),
        number("backend_xid", "Its transaction id"),
        number("backend_xmin", "The oldest transaction it may still see"),
        number("query_id", "Fingerprint of its present or last statement").since(14),
        label("query", "Text of its present or last statement"),
        label("backend_type", "Kind of process"),
    ],
};

/// Locks held and awaited at the moment of export.
pub const PG_LOCKS: View = View {
    name: "pg_locks",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &[
        "locktype",
        "database",
        "relation",
        "page",
        "tuple",
        "virtualxid",
        "transactionid",
        "classid",
        "objid",
        "objsubid",
        "virtualtransaction",
        "pid",
        "mode",
    ],
    fallback_key: &[],
    telling: "waitstart",
    about: "Locks held and awaited at the moment of export",
    columns: &[
        id_text("locktype", "Kind of object locked"),
        id("database", "OID of the database, 0 for shared objects"),
        id("relation", "OID of the relation"),
        id("page", "Page of the relation"),
        id("tuple", "Row of the page"),
        id_text("virtualxid", "Virtual transaction locked"),
        id("transactionid", "Transaction locked"),
        id("classid", "OID of the catalog of the object"),
        id("objid", "OID of the object"),
        id("objsubid", "Column of the object"),
        id_text("virtualtransaction", "Virtual transaction that holds or awaits it"),
        id("pid", "Process id, NULL for a prepared transaction"),
        id_text("mode", "Lock mode"),
        flag("granted", "Held; else awaited"),
        flag("fastpath", "Taken on the fast path"),
        time("waitstart", "Since when it is awaited").since(14),
    ],
};

/// Encryption of each connection.
pub const PG_STAT_SSL: View = View {
    name: "pg_stat_ssl",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["pid"],
    fallback_key: &[],
    telling: "bits",
    about: "Encryption of each connection",
    columns: &[
        id("pid", "Process id"),
        flag("ssl", "Uses TLS"),
        label("version", "Version of TLS"),
        label("cipher", "Cipher"),
        number("bits", "Bits of the cipher"),
        flag("compression", "Compression in use").until(13),
        label("client_dn", "Distinguished name of the client's certificate"),
        label("client_serial", "Serial number of the client's certificate").typed(Type::Numeric),
        label("issuer_dn", "Distinguished name of its issuer"),
    ],
};

/// GSSAPI authentication and encryption of each connection.
pub const PG_STAT_GSSAPI: View = View {
    name: "pg_stat_gssapi",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["pid"],
    fallback_key: &[],
    telling: "pid",
    about: "GSSAPI authentication and encryption of each connection",
    columns: &[
        id("pid", "Process id"),
        flag("gss_authenticated", "Authenticated by GSSAPI"),
        label("principal", "Principal"),
        flag("encrypted", "Encrypted by GSSAPI"),
        flag("credentials_delegated", "Credentials were delegated").since(16),
    ],
};

/// Transactions prepared for two-phase commit.
pub const PG_PREPARED_XACTS: View = View {
    name: "pg_prepared_xacts",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["gid"],
    fallback_key: &[],
    telling: "prepared",
    about: "Transactions prepared for two-phase commit",
    columns: &[
        number("transaction", "Transaction id"),
        id_text("gid", "Name given to it"),
        time("prepared", "When it was prepared"),
        label("owner", "Role that prepared it"),
        label("database", "Database name"),
    ],
};

/// Asynchronous input and output under way.
pub const PG_AIOS: View = View {
    name: "pg_aios",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors { since: 18, until: None },
    key: &["pid", "io_id", "io_generation"],
    fallback_key: &[],
    telling: "length",
    about: "Asynchronous input and output under way",
    columns: &[
        id("pid", "Process id").since(18),
        id("io_id", "Handle").since(18),
        id("io_generation", "Generation of the handle").since(18),
        label("state", "State of the operation").since(18),
        label("operation", "Kind of operation").since(18),
        number("off", "Offset").since(18),
        gauge("length", Bytes, "Length").since(18),
        label("target", "Kind of object").since(18),
        number("handle_data_len", "Length of the data kept with the handle").since(18),
        number("raw_result", "Result as a number").since(18),
        label("result", "Result as a word").since(18),
        label("target_desc", "Description of the object").since(18),
        flag("f_sync", "Executed synchronously").since(18),
        flag("f_localmem", "Refers to the process's own memory").since(18),
        flag("f_buffered", "Buffered").since(18),
    ],
};

/// Wait events the server knows.
pub const PG_WAIT_EVENTS: View = View {
    name: "pg_wait_events",
    also: &[],
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors { since: 17, until: None },
    key: &["type", "name"],
    fallback_key: &[],
    telling: "name",
    about: "Wait events the server knows",
    columns: &[
        id_text("type", "Kind of event").since(17),
        id_text("name", "Event").since(17),
        label("description", "What it means").since(17),
    ],
};
