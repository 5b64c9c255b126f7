#!/usr/bin/env python3
"""The work of `pgretro diff BEFORE AFTER --view pg_stat_user_tables --view pg_stat_user_indexes --format csv -o OUT`
in DuckDB: both files with explicit column types, full join, class by the simple rule (a counter fell: reset), every
before, after, delta and rate, a CSV for each view.

    duckdb_diff.py BEFORE AFTER OUT [--threads 2] [--top N]
    duckdb_diff.py --compare OURS THEIRS          same columns, same rows, same values?

With --top the same of `pgretro diff --top N`: the first N rows of each view by its most telling counter, and the sum of every
delta over all rows.

Files that end in .json are read with read_json, explicit types as well.

It is spared what pgretro does besides: looking for evidence of resets and crashes, sums over indexes, notes, the order
of rows.
"""
import argparse
import os
import sys

import duckdb

SECONDS = 3600
TABLES = dict(
    key=["relid"],
    labels=["schemaname", "relname"],
    columns="relid schemaname relname seq_scan last_seq_scan seq_tup_read idx_scan last_idx_scan idx_tup_fetch n_tup_ins "
            "n_tup_upd n_tup_del n_tup_hot_upd n_tup_newpage_upd n_live_tup n_dead_tup n_mod_since_analyze "
            "n_ins_since_vacuum last_vacuum last_autovacuum last_analyze last_autoanalyze vacuum_count autovacuum_count "
            "analyze_count autoanalyze_count".split(),
    gauges=["n_live_tup", "n_dead_tup", "n_mod_since_analyze", "n_ins_since_vacuum"],
    sums=["idx_scan", "idx_tup_fetch"],
    telling="seq_tup_read",
)
INDEXES = dict(
    key=["indexrelid"],
    labels=["relid", "schemaname", "relname", "indexrelname"],
    columns="relid indexrelid schemaname relname indexrelname idx_scan last_idx_scan idx_tup_read idx_tup_fetch".split(),
    gauges=[],
    sums=[],
    telling="idx_scan",
)
VIEWS = {"pg_stat_user_tables": TABLES, "pg_stat_user_indexes": INDEXES}
TEXT = {"schemaname", "relname", "indexrelname"}


def reader(path, view):
    kind = lambda c: "VARCHAR" if c in TEXT else "TIMESTAMPTZ" if c.startswith("last_") else "BIGINT"
    types = ", ".join(f"'{c}': '{kind(c)}'" for c in view["columns"])
    if path.endswith(".json"):
        return f"read_json('{path}', format='array', columns={{{types}}})"
    return (f"read_csv('{path}', header=true, auto_detect=false, delim=',', quote='\"', escape='\"', nullstr='', "
            f"columns={{{types}}})")


def query(view, before, after):
    names = view["key"] + view["labels"]
    counters = [c for c in view["columns"] if c not in names + view["gauges"] and not c.startswith("last_")]
    falls = " or ".join(f"b.{c} < a.{c}" for c in counters if c not in view["sums"])
    key = view["key"][0]
    parts = [f"coalesce(b.{c}, a.{c}) as {c}" for c in names]
    parts += ["class", f"case when class in ('ok', 'new') then {SECONDS} end as covered_s"]
    for c in counters + view["gauges"]:
        if c in counters:
            # B where the row began anew, B - A else; nothing where either side is NULL.
            delta = (f"case class when 'gone' then null when 'new' then b.{c} "
                     f"when 'reset?' then case when a.{c} is not null then b.{c} end else b.{c} - a.{c} end")
            parts += [f"a.{c} as {c}_before", f"b.{c} as {c}_after", f"{delta} as {c}_delta",
                      f"case when class in ('ok', 'new') then ({delta}) / {SECONDS}.0 end as {c}_per_s"]
        else:
            parts += [f"a.{c} as {c}_before", f"b.{c} as {c}_after", f"b.{c} - a.{c} as {c}_change"]
    parts += ["'' as notes"]
    return f"""
        with a as (select *, 1 as here from {reader(before, view)}), b as (select *, 1 as here from {reader(after, view)})
        select {', '.join(parts)} from a full outer join b on a.{key} = b.{key},
        lateral (select case when a.here is null then 'new' when b.here is null then 'gone'
                        when {falls} then 'reset?' else 'ok' end as class)"""


def run(o):
    connection = duckdb.connect(config={"threads": o.threads})
    connection.execute("set preserve_insertion_order = false")
    os.makedirs(o.out, exist_ok=True)
    for name, view in VIEWS.items():
        kind = ".json" if os.path.exists(os.path.join(o.before, name + ".json")) else ".csv"
        files = (os.path.join(folder, name + kind) for folder in (o.before, o.after))
        target = f"'{os.path.join(o.out, name)}.csv' (header)"
        if o.top is None:
            connection.execute(f"copy ({query(view, *files)}) to {target}")
            continue
        connection.execute(f"create or replace temp table deltas as {query(view, *files)}")
        connection.execute(f"copy (select * from deltas order by {view['telling']}_delta desc nulls last, {view['key'][0]} "
                           f"limit {o.top}) to {target}")
        deltas = connection.execute("select columns('_delta$|_change$') from deltas limit 0")
        sums = ", ".join(f"sum({c[0]}) as {c[0]}" for c in deltas.description)
        print(name, connection.execute(f"select count(*), {sums} from deltas").fetchone())


def compare(ours, theirs):
    connection = duckdb.connect()
    for name, view in VIEWS.items():
        read = lambda folder: f"read_csv('{os.path.join(folder, name)}.csv', header=true, all_varchar=true, nullstr='')"
        columns = [[c[0] for c in connection.execute(f"select * from {read(f)} limit 0").description] for f in (ours, theirs)]
        if columns[0] != columns[1]:
            sys.exit(f"{name}: columns differ\n  ours   {columns[0]}\n  theirs {columns[1]}")
        key = view["key"][0]
        for column in columns[0]:
            if column == "notes":
                continue
            same = f"a.{column} is not distinct from b.{column}"
            if column.endswith(("_per_s", "covered_s")):
                same = f"({same} or abs(a.{column}::double - b.{column}::double) <= 1e-9 * (1 + abs(b.{column}::double)))"
            # A table's sums over its indexes start again with those, not with the table: DuckDB is spared that.
            spared = " and a.class <> 'reset?'" if column.startswith(tuple(view["sums"])) and view["sums"] else ""
            wrong, example = connection.execute(
                f"select count(*), min(coalesce(a.{key}, b.{key}) || ': ' || coalesce(a.{column}, 'null') || ' / ' "
                f"|| coalesce(b.{column}, 'null')) from {read(ours)} a full outer join {read(theirs)} b "
                f"on a.{key} = b.{key} where not ({same}){spared}").fetchone()
            if wrong:
                sys.exit(f"{name}.{column}: {wrong} rows differ, such as {example}")
        rows = connection.execute(f"select class, count(*) from {read(ours)} group by 1 order by 1").fetchall()
        print(f"{name}: equal, {', '.join(f'{count} {kind}' for kind, count in rows)}")


def main():
    options = argparse.ArgumentParser(description="pgretro's diff of two views, in DuckDB")
    options.add_argument("before")
    options.add_argument("after")
    options.add_argument("out", nargs="?")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--top", type=int)
    options.add_argument("--compare", action="store_true")
    o = options.parse_args()
    if o.compare:
        compare(o.before, o.after)
    else:
        run(o)


if __name__ == "__main__":
    main()
