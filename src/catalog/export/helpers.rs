//! Queries of the exports about the server, sizes and definitions of tables and indexes.
//!
//! Functions that lock a relation (the sizes, `pg_get_expr`, `pg_get_indexdef`) would wait behind an `ALTER TABLE` that itself waits, so
//! they are not asked about relations on which somebody holds or awaits an exclusive lock.

use super::Query;

/// Relations on which somebody else has or wants an exclusive lock, and the tables of such indexes and TOAST tables.
pub(super) const BUSY: &str = "locked as materialized (
    select distinct relation from pg_locks
    where locktype = 'relation' and mode = 'AccessExclusiveLock' and pid is distinct from pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())),
  busy as materialized (
    select relation from locked
    union select i.indrelid from pg_index i join locked l on l.relation = i.indexrelid
    union select c.oid from pg_class c join locked l on l.relation = c.reltoastrelid)";

/// The columns of an index as far as they can be told without a lock: expressions are only `expr`.
const INDEX_COLUMNS: &str = "(select array_agg(a.attname::text order by a.attnum) from pg_attribute a
         where a.attrelid = i.indexrelid)";

/// The server and the moment, sizes, indexes, constraints, partitions, who waits for whom.
pub(super) const QUERIES: &[Query] = &[
    Query {
        view: "meta",
        columns: &[
            ("server_version", "current_setting('server_version')"),
            ("server_version_num", "current_setting('server_version_num')::int"),
            ("captured_at", "now()"),
            ("pg_postmaster_start_time", "pg_postmaster_start_time()"),
            ("current_database", "current_database()"),
            ("database_oid", "(select oid from pg_database where datname = current_database())"),
            ("system_identifier", "(select system_identifier from pg_control_system())"),
            ("timezone", "current_setting('TimeZone')"),
            ("is_in_recovery", "pg_is_in_recovery()"),
            ("block_size", "current_setting('block_size')::int"),
            ("data_checksums", "current_setting('data_checksums')"),
            ("wal_lsn", "case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end"),
            ("exported_by", "current_user"),
            ("timeline_id", "(select timeline_id from pg_control_checkpoint())"),
            ("server_addr", "host(inet_server_addr())"),
            ("server_port", "inet_server_port()"),
            ("cluster_name", "current_setting('cluster_name')"),
            // Only roles that may read all settings see the directory; for others there is no such row.
            ("data_directory_hash", "(select md5(setting) from pg_settings where name = 'data_directory')"),
            ("wal_segment_size", "(select setting::bigint from pg_settings where name = 'wal_segment_size')"),
            ("next_xid", "txid_snapshot_xmax(txid_current_snapshot())"),
            ("next_multixact_id", "(select next_multixact_id::text::bigint from pg_control_checkpoint())"),
            ("oldest_multixact_id", "(select oldest_multi_xid::text::bigint from pg_control_checkpoint())"),
            ("pgss_version", "(select extversion from pg_extension where extname = 'pg_stat_statements')"),
            ("monitor", "pg_has_role('pg_read_all_stats', 'usage')"),
            ("exporter", ":'exporter'"),
            ("remarks", "nullif(rtrim(:'remarks', '; '), '')"),
        ],
        locking: &[],
        with: "",
        from: "",
        locking_joins: "",
        filter: "",
    },
    Query {
        view: "database_sizes",
        columns: &[
            ("datid", "d.oid"),
            ("datname", "d.datname"),
            ("datallowconn", "d.datallowconn"),
            ("datistemplate", "d.datistemplate"),
            ("datconnlimit", "d.datconnlimit"),
            (
                "size",
                "case when has_database_privilege(d.oid, 'connect') or pg_has_role('pg_read_all_stats', 'usage')
         then pg_database_size(d.oid) end",
            ),
            ("datfrozenxid_age", "age(d.datfrozenxid)"),
            ("datminmxid_age", "mxid_age(d.datminmxid)"),
        ],
        locking: &[("size", "null::bigint")],
        with: "",
        from: "from pg_database d",
        locking_joins: "",
        filter: "",
    },
    Query {
        view: "table_sizes",
        columns: &[
            ("relid", "c.oid"),
            ("schemaname", "n.nspname"),
            ("relname", "c.relname"),
            ("relkind", "c.relkind"),
            ("relpersistence", "c.relpersistence"),
            ("relispartition", "c.relispartition"),
            ("tablespace", "s.spcname"),
            ("reltuples", "c.reltuples"),
            ("relpages", "c.relpages"),
            ("relallvisible", "c.relallvisible"),
            ("relallfrozen", "c.relallfrozen"),
            ("relfrozenxid_age", "case when c.relkind in ('r', 'm', 't') then age(c.relfrozenxid) end"),
            ("relminmxid_age", "case when c.relkind in ('r', 'm', 't') then mxid_age(c.relminmxid) end"),
            ("reloptions", "c.reloptions"),
            ("relhasindex", "c.relhasindex"),
            ("relreplident", "c.relreplident"),
            ("relation_size", "case when b.relation is null then pg_relation_size(c.oid) end"),
            ("table_size", "z.table_size"),
            ("indexes_size", "z.indexes_size"),
            ("total_relation_size", "z.table_size + z.indexes_size"),
            ("reltoastrelid", "c.reltoastrelid"),
            ("toast_size", "case when b.relation is null and t.oid is not null then pg_total_relation_size(t.oid) end"),
            ("relfilenode", "c.relfilenode"),
            ("relowner", "pg_get_userbyid(c.relowner)"),
            ("relam", "m.amname"),
            ("relrowsecurity", "c.relrowsecurity"),
            ("relforcerowsecurity", "c.relforcerowsecurity"),
            ("relnatts", "c.relnatts"),
            ("toast_reltuples", "t.reltuples"),
            ("toast_relpages", "t.relpages"),
            ("toast_relallvisible", "t.relallvisible"),
            ("toast_relallfrozen", "t.relallfrozen"),
            ("toast_reloptions", "t.reloptions"),
            ("toast_relfilenode", "t.relfilenode"),
            ("toast_relfrozenxid_age", "age(t.relfrozenxid)"),
            ("toast_relminmxid_age", "mxid_age(t.relminmxid)"),
        ],
        locking: &[
            ("relation_size", "null::bigint"),
            ("table_size", "null::bigint"),
            ("indexes_size", "null::bigint"),
            ("total_relation_size", "null::bigint"),
            ("toast_size", "null::bigint"),
        ],
        with: BUSY,
        from: "from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join pg_class t on t.oid = c.reltoastrelid
  left join pg_tablespace s on s.oid = c.reltablespace
  left join pg_am m on m.oid = c.relam",
        locking_joins: "  left join busy b on b.relation = c.oid
  cross join lateral (
    select case when b.relation is null then pg_table_size(c.oid) end as table_size,
           case when b.relation is null then pg_indexes_size(c.oid) end as indexes_size
    offset 0) z",
        filter: "where c.relkind in ('r', 'm', 'p', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')",
    },
    Query {
        view: "index_definitions",
        columns: &[
            ("indexrelid", "i.indexrelid"),
            ("relid", "i.indrelid"),
            ("schemaname", "n.nspname"),
            ("relname", "t.relname"),
            ("indexrelname", "c.relname"),
            ("access_method", "m.amname"),
            ("indexdef", "case when b.relation is null then pg_get_indexdef(i.indexrelid) end"),
            ("indisunique", "i.indisunique"),
            ("indisprimary", "i.indisprimary"),
            ("indisexclusion", "i.indisexclusion"),
            ("indisvalid", "i.indisvalid"),
            ("indisready", "i.indisready"),
            ("indislive", "i.indislive"),
            ("indisreplident", "i.indisreplident"),
            ("indnkeyatts", "i.indnkeyatts"),
            ("indnatts", "i.indnatts"),
            ("indkey", "i.indkey::text"),
            (
                "columns",
                "case when b.relation is null
         then (select array_agg(pg_get_indexdef(i.indexrelid, k, true) order by k)
               from generate_series(1, i.indnatts) k)
         else (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
               where a.attrelid = i.indexrelid) end",
            ),
            ("predicate", "case when b.relation is null then pg_get_expr(i.indpred, i.indrelid) end"),
            ("constraint_name", "o.conname"),
            ("constraint_type", "o.contype"),
            ("parent_index", "(select p.inhparent from pg_inherits p where p.inhrelid = i.indexrelid)"),
            ("relpages", "c.relpages"),
            ("reltuples", "c.reltuples"),
            ("index_size", "case when b.relation is null then pg_relation_size(i.indexrelid) end"),
            ("relfilenode", "c.relfilenode"),
            ("relkind", "c.relkind"),
            ("tablespace", "s.spcname"),
            ("reloptions", "c.reloptions"),
            ("indisclustered", "i.indisclustered"),
            ("indimmediate", "i.indimmediate"),
            ("indnullsnotdistinct", "i.indnullsnotdistinct"),
            (
                "opclasses",
                "(select array_agg(p.opcname::text order by k.at)
         from unnest(i.indclass::oid[]) with ordinality k(opc, at) join pg_opclass p on p.oid = k.opc)",
            ),
            (
                "collations",
                "(select array_agg(coalesce(p.collname::text, '-') order by k.at)
         from unnest(i.indcollation::oid[]) with ordinality k(coll, at)
         left join pg_collation p on p.oid = k.coll)",
            ),
            ("indoption", "i.indoption::text"),
        ],
        locking: &[
            ("indexdef", "null::text"),
            ("columns", INDEX_COLUMNS),
            ("predicate", "null::text"),
            ("index_size", "null::bigint"),
        ],
        with: BUSY,
        from: "from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = t.relnamespace join pg_am m on m.oid = c.relam
  left join pg_tablespace s on s.oid = c.reltablespace
  left join pg_constraint o on o.conindid = i.indexrelid and o.conrelid = i.indrelid and o.contype in ('p', 'u', 'x')",
        locking_joins: "  left join busy b on b.relation = t.oid",
        filter: "where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')",
    },
    Query {
        view: "constraints",
        columns: &[
            ("oid", "o.oid"),
            ("schemaname", "n.nspname"),
            ("relname", "t.relname"),
            ("conname", "o.conname"),
            ("contype", "o.contype"),
            ("convalidated", "o.convalidated"),
            (
                "columns",
                "(select array_agg(a.attname::text order by k.at) from unnest(o.conkey) with ordinality k(num, at)
         join pg_attribute a on a.attrelid = o.conrelid and a.attnum = k.num)",
            ),
            ("relid", "o.conrelid"),
            ("foreign_relid", "o.confrelid"),
            ("foreign_schemaname", "fn.nspname"),
            ("foreign_relname", "ft.relname"),
            (
                "foreign_columns",
                "(select array_agg(a.attname::text order by k.at) from unnest(o.confkey) with ordinality k(num, at)
         join pg_attribute a on a.attrelid = o.confrelid and a.attnum = k.num)",
            ),
            ("confdeltype", "o.confdeltype"),
            ("confupdtype", "o.confupdtype"),
            (
                "definition",
                "case when b.relation is null or o.contype not in ('c', 'x') then pg_get_constraintdef(o.oid) end",
            ),
            ("conindid", "o.conindid"),
            ("conparentid", "o.conparentid"),
            ("condeferrable", "o.condeferrable"),
            ("conislocal", "o.conislocal"),
            ("conenforced", "o.conenforced"),
        ],
        locking: &[("definition", "null::text")],
        with: BUSY,
        from: "from pg_constraint o join pg_class t on t.oid = o.conrelid join pg_namespace n on n.oid = t.relnamespace
  left join pg_class ft on ft.oid = o.confrelid left join pg_namespace fn on fn.oid = ft.relnamespace",
        locking_joins: "  left join busy b on b.relation = t.oid",
        filter: "where n.nspname not in ('pg_catalog', 'information_schema') and o.contype <> 'n'",
    },
    Query {
        view: "partitions",
        columns: &[
            ("parent_relid", "i.inhparent"),
            ("parent_schema", "pn.nspname"),
            ("parent", "p.relname"),
            ("child_relid", "i.inhrelid"),
            ("child_schema", "cn.nspname"),
            ("child", "c.relname"),
            ("bound", "case when b.relation is null then pg_get_expr(c.relpartbound, c.oid) end"),
            ("parent_relkind", "p.relkind"),
            ("partition_key", "case when pb.relation is null then pg_get_partkeydef(p.oid) end"),
            ("detach_pending", "i.inhdetachpending"),
        ],
        locking: &[("bound", "null::text"), ("partition_key", "null::text")],
        with: BUSY,
        from: "from pg_inherits i join pg_class p on p.oid = i.inhparent
  join pg_namespace pn on pn.oid = p.relnamespace
  join pg_class c on c.oid = i.inhrelid join pg_namespace cn on cn.oid = c.relnamespace",
        locking_joins: "  left join busy b on b.relation = c.oid left join busy pb on pb.relation = p.oid",
        filter: "where p.relkind in ('r', 'p')",
    },
    Query {
        view: "blocking_pids",
        columns: &[("pid", "w.pid"), ("blocked_by", "w.blocked_by")],
        locking: &[],
        with: "",
        from: "from (select l.pid, pg_blocking_pids(l.pid) as blocked_by
      from (select distinct pid from pg_locks where not granted and pid is not null) l) w",
        locking_joins: "",
        filter: "where cardinality(w.blocked_by) > 0",
    },
];
