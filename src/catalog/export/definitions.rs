//! Queries of the exports about sequences, functions, triggers, schemas, extensions, publications and roles.

use super::Query;
use super::helpers::BUSY;

/// What objects are and who may use them.
pub(super) const QUERIES: &[Query] = &[
    // The view of that name, but reading last_value locks the sequence: it would wait for an ALTER SEQUENCE of an open
    // transaction.
    Query {
        view: "pg_sequences",
        columns: &[
            ("schemaname", "n.nspname"),
            ("sequencename", "c.relname"),
            ("sequenceowner", "pg_get_userbyid(c.relowner)"),
            ("data_type", "format_type(s.seqtypid, null)"),
            ("start_value", "s.seqstart"),
            ("min_value", "s.seqmin"),
            ("max_value", "s.seqmax"),
            ("increment_by", "s.seqincrement"),
            ("cycle", "s.seqcycle"),
            ("cache_size", "s.seqcache"),
            (
                "last_value",
                "case when b.relation is null and has_sequence_privilege(c.oid, 'select, usage')
         then pg_sequence_last_value(c.oid) end",
            ),
        ],
        locking: &[("last_value", "null::bigint")],
        with: "busy as materialized (
    select distinct relation from pg_locks
    where locktype = 'relation' and pid is distinct from pg_backend_pid()
      and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      and database = (select oid from pg_database where datname = current_database()))",
        from: "from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace",
        locking_joins: "  left join busy b on b.relation = c.oid",
        filter: "where not pg_is_other_temp_schema(n.oid)",
    },
    Query {
        view: "sequence_columns",
        columns: &[
            ("relid", "u.relid"),
            ("schemaname", "u.schemaname"),
            ("sequencename", "u.sequencename"),
            ("table_relid", "u.table_relid"),
            ("table_schemaname", "u.table_schemaname"),
            ("table_relname", "u.table_relname"),
            ("column_name", "u.column_name"),
            ("column_type", "u.column_type"),
            ("ownership", "u.ownership"),
        ],
        locking: &[],
        with: "",
        from: "from (
  select distinct on (s.oid)
         s.oid as relid, n.nspname as schemaname, s.relname as sequencename, t.oid as table_relid,
         tn.nspname as table_schemaname, t.relname as table_relname, a.attname as column_name,
         format_type(a.atttypid, a.atttypmod) as column_type, k.ownership
  from pg_class s join pg_namespace n on n.oid = s.relnamespace
    join (
      select objid as seq, refobjid as tab, refobjsubid::int as num, deptype::text as ownership from pg_depend
      where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and deptype in ('a', 'i')
        and refobjsubid > 0
      union all
      select d.refobjid, f.adrelid, f.adnum::int, 'd' from pg_depend d join pg_attrdef f on f.oid = d.objid
      where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype = 'n') k
      on k.seq = s.oid
    join pg_class t on t.oid = k.tab join pg_namespace tn on tn.oid = t.relnamespace
    join pg_attribute a on a.attrelid = k.tab and a.attnum = k.num
  where s.relkind = 'S'
  order by s.oid, k.ownership = 'd', a.attlen, t.oid, k.num) u",
        locking_joins: "",
        filter: "",
    },
    Query {
        view: "function_definitions",
        columns: &[
            ("funcid", "p.oid"),
            ("schemaname", "n.nspname"),
            ("funcname", "p.proname"),
            ("identity_args", "pg_get_function_identity_arguments(p.oid)"),
            ("argnames", "p.proargnames"),
            ("kind", "p.prokind"),
            ("language", "l.lanname"),
            ("owner", "r.rolname"),
            ("owner_super", "r.rolsuper"),
            ("prosecdef", "p.prosecdef"),
            ("proleakproof", "p.proleakproof"),
            ("provolatile", "p.provolatile"),
            ("proparallel", "p.proparallel"),
            ("proconfig", "p.proconfig"),
            ("source_hash", "md5(p.prosrc)"),
            ("source", "case when l.lanname in ('sql', 'plpgsql') then nullif(p.prosrc, '') end"),
            // Printing such a body locks the tables that it names.
            (
                "sql_body",
                "case when p.prosqlbody is not null and not exists (
             select from pg_depend d join busy b on b.relation = d.refobjid
             where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass)
         then pg_get_function_sqlbody(p.oid) end",
            ),
            ("proacl", "p.proacl::text[]"),
        ],
        locking: &[("sql_body", "null::text")],
        with: BUSY,
        from: "from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
  left join pg_roles r on r.oid = p.proowner",
        locking_joins: "",
        filter: "where n.nspname not in ('pg_catalog', 'information_schema')",
    },
    Query {
        view: "triggers",
        columns: &[
            ("oid", "g.oid"),
            ("relid", "g.tgrelid"),
            ("schemaname", "n.nspname"),
            ("relname", "t.relname"),
            ("tgname", "g.tgname"),
            ("tgenabled", "g.tgenabled"),
            ("tgtype", "g.tgtype"),
            ("funcid", "g.tgfoid"),
            ("funcname", "p.proname"),
            ("definition", "case when b.relation is null then pg_get_triggerdef(g.oid) end"),
        ],
        locking: &[("definition", "null::text")],
        with: BUSY,
        from: "from pg_trigger g join pg_class t on t.oid = g.tgrelid join pg_namespace n on n.oid = t.relnamespace
  join pg_proc p on p.oid = g.tgfoid",
        locking_joins: "  left join busy b on b.relation = t.oid",
        filter: "where not g.tgisinternal",
    },
    Query {
        view: "schemas",
        columns: &[
            ("oid", "n.oid"),
            ("nspname", "n.nspname"),
            ("owner", "pg_get_userbyid(n.nspowner)"),
            ("nspacl", "n.nspacl::text[]"),
            ("public_create", "has_schema_privilege('public', n.oid, 'create')"),
        ],
        locking: &[],
        with: "",
        from: "from pg_namespace n",
        locking_joins: "",
        filter: "where n.nspname !~ '^pg_(toast|temp)'",
    },
    Query {
        view: "extension_members",
        columns: &[("extname", "e.extname"), ("classid", "d.classid::regclass::text"), ("objid", "d.objid")],
        locking: &[],
        with: "",
        from: "from pg_depend d join pg_extension e on e.oid = d.refobjid",
        locking_joins: "",
        filter: "where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'",
    },
    Query {
        view: "publications",
        columns: &[
            ("oid", "p.oid"),
            ("pubname", "p.pubname"),
            ("owner", "pg_get_userbyid(p.pubowner)"),
            ("puballtables", "p.puballtables"),
            ("pubinsert", "p.pubinsert"),
            ("pubupdate", "p.pubupdate"),
            ("pubdelete", "p.pubdelete"),
            ("pubtruncate", "p.pubtruncate"),
        ],
        locking: &[],
        with: "",
        from: "from pg_publication p",
        locking_joins: "",
        filter: "",
    },
    Query {
        view: "publication_tables",
        columns: &[
            ("pubname", "p.pubname"),
            ("relid", "c.oid"),
            ("schemaname", "p.schemaname"),
            ("relname", "p.tablename"),
            ("relreplident", "c.relreplident"),
        ],
        locking: &[],
        with: "",
        from: "from pg_publication_tables p join pg_namespace n on n.nspname = p.schemaname
  join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename",
        locking_joins: "",
        filter: "",
    },
    Query {
        view: "role_settings",
        columns: &[("rolname", "r.rolname"), ("datname", "d.datname"), ("setconfig", "s.setconfig")],
        locking: &[],
        with: "",
        from: "from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole
  left join pg_database d on d.oid = s.setdatabase",
        locking_joins: "",
        filter: "",
    },
    Query {
        view: "role_members",
        columns: &[
            ("rolname", "pg_get_userbyid(m.roleid)"),
            ("member", "pg_get_userbyid(m.member)"),
            ("grantor", "pg_get_userbyid(m.grantor)"),
            ("admin_option", "m.admin_option"),
        ],
        locking: &[],
        with: "",
        from: "from pg_auth_members m",
        locking_joins: "",
        filter: "",
    },
];
