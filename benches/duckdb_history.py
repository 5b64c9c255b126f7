#!/usr/bin/env python3
"""The work of `pgretro trend FOLDER --column n_dead_tup --column seq_scan` in DuckDB, as far as it goes: all snapshots with
explicit column types, a window over each table's rows, the sum of seq_scan's gains with its resets, first, last, least and
largest n_dead_tup and its slope by least squares. No events, no robust slope, no confidence.

    duckdb_history.py FOLDER [--threads 2] [--json]       prints tables, the sum of gains, and the sum of slopes per hour
    duckdb_history.py --compare FOLDER OURS.csv           the same rows as `--format csv` of pgretro?

A table is a relid here as there, and begins anew where any of its counters falls.
"""
import argparse
import csv

import duckdb

from generate import TABLE

TEXT = {"schemaname", "relname"}
GAUGES = {"n_live_tup", "n_dead_tup", "n_mod_since_analyze", "n_ins_since_vacuum"}
COUNTERS = [c for c in TABLE.split()[3:] if not c.startswith("last_") and c not in GAUGES]


def query(folder, as_json):
    kind = lambda c: "VARCHAR" if c in TEXT else "TIMESTAMPTZ" if c.startswith("last_") else "BIGINT"
    columns = ", ".join(f"'{c}': '{kind(c)}'" for c in TABLE.split())
    files = f"'{folder}/*/pg_stat_user_tables.{'json' if as_json else 'csv'}', columns={{{columns}}}, filename=true"
    read = (f"read_json({files}, format='array')" if as_json else
            f"read_csv({files}, header=true, auto_detect=false, delim=',', quote='\"', escape='\"', nullstr='')")
    falls = " or ".join(f"{c} < lag({c}) over w" for c in COUNTERS if not c.startswith("idx_"))
    return f"""
      with s as (select relid, seq_scan, n_dead_tup, {", ".join(c for c in COUNTERS if c != "seq_scan")},
          epoch(strptime(regexp_extract(filename, '([0-9]+T[0-9]+)Z', 1), '%Y%m%dT%H%M%S')) as t from {read}),
        l as (select *, lag(seq_scan) over w as was, coalesce({falls}, false) as anew, t = min(t) over () as begins
          from s window w as (partition by relid order by t))
      select relid,
        coalesce(sum(case when begins then null when was is null or anew then seq_scan else seq_scan - was end), 0) as gained,
        count(*) filter (where anew) as resets,
        min(n_dead_tup) as low, max(n_dead_tup) as high, coalesce(regr_slope(n_dead_tup, t), 0) * 3600 as slope
      from l group by relid"""


def main():
    options = argparse.ArgumentParser()
    options.add_argument("folder")
    options.add_argument("ours", nargs="?")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--json", action="store_true")
    options.add_argument("--compare", action="store_true")
    o = options.parse_args()
    con = duckdb.connect(config={"threads": o.threads})
    con.execute("set preserve_insertion_order = false")
    if not o.compare:
        print(*con.execute(f"select count(*), sum(gained), sum(slope) from ({query(o.folder, o.json)})").fetchone())
        return
    theirs = {relid: gained for relid, gained, *_ in con.execute(query(o.folder, o.json)).fetchall()}
    ours = {}
    with open(o.ours, encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            if row["column"] == "seq_scan":
                ours[int(row["key"])] = int(row["total"] or 0)
    differ = [key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key)]
    if differ:
        raise SystemExit(f"{len(differ)} of {len(theirs)} tables differ, such as {differ[0]}: "
                         f"{ours.get(differ[0])} here, {theirs.get(differ[0])} there")
    print(f"the same gains of {len(ours)} tables: {sum(ours.values())}")


if __name__ == "__main__":
    main()
