#!/usr/bin/env python3
"""A history: hourly snapshots of pg_stat_user_tables of PostgreSQL 16, a folder for each, named after its time.

    history.py OUT --tables 2000 --snapshots 1000 [--seed 1] [--format json]

The tables are those of generate.py. In each hour 1 in 2,000 is reset and 1 in 5,000 dropped and created again under its
name. Rows keep their order. The same arguments give the same bytes on every machine; a minute for two million rows.
"""
import argparse
import json
import os
import random
from datetime import datetime, timedelta

from generate import TABLE, advance, entry, field, reset


def times(e, when):
    """When it was scanned, when vacuumed: within the hour that moved it last, else as before."""
    past = lambda n: (when - timedelta(seconds=1 + n % 3500, microseconds=1 + n % 999_999)).isoformat(" ") + "+00"
    return past(e.scans), past(e.vacuums * 7)


def row(e, seen):
    has = bool(e.indexes)
    return [e.relid, e.name[0], e.name[1], e.scans, seen[0] if e.scans else None, e.reads, e.idx if has else None,
            seen[0] if has and e.idx else None, e.fetched if has else None, e.ins, e.upd, e.dele, e.hot, e.hot // 3, e.live,
            e.dead, e.since, e.since // 2, None, seen[1] if e.vacuums else None, None,
            seen[1] if e.vacuums else None, 0, e.vacuums, 0, e.vacuums * 2]


def main():
    options = argparse.ArgumentParser(description="a history")
    options.add_argument("out")
    options.add_argument("--tables", type=int, default=2000)
    options.add_argument("--snapshots", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--format", choices=("csv", "json"), default="csv")
    o = options.parse_args()
    rng = random.Random(o.seed)
    tables = [entry(i, 16_384 + 5 * i, 10**8 + 2 * i, 2, rng.random) for i in range(o.tables)]
    rng.shuffle(tables)
    start, fresh = datetime(2026, 1, 1), 16_384 + 5 * o.tables
    seen = [times(e, start) for e in tables]
    for hour in range(o.snapshots):
        when = start + timedelta(hours=hour)
        for at, e in enumerate(tables):
            if hour == 0:
                break
            before = (e.scans, e.reads, e.ins, e.vacuums)
            advance(e, rng.random)
            luck = rng.random()
            if luck < .0007:
                reset(e, rng.random)
                if luck < .0002:
                    fresh += 1
                    e.relid = fresh
            if before != (e.scans, e.reads, e.ins, e.vacuums):
                seen[at] = times(e, when)
        folder = os.path.join(o.out, when.strftime("%Y%m%dT%H%M%SZ"))
        os.makedirs(folder, exist_ok=True)
        rows = (row(e, s) for e, s in zip(tables, seen))
        with open(os.path.join(folder, "pg_stat_user_tables." + o.format), "w", encoding="utf-8", newline="") as out:
            if o.format == "json":
                out.write(json.dumps([dict(zip(TABLE.split(), r)) for r in rows], ensure_ascii=False))
                continue
            out.write(TABLE.replace(" ", ",") + "\n")
            for r in rows:
                out.write(",".join("" if c is None else field(c) if isinstance(c, str) else str(c) for c in r) + "\n")


if __name__ == "__main__":
    main()
