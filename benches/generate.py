#!/usr/bin/env python3
"""Two snapshots of a large database, as COPY writes them: pg_stat_user_tables and pg_stat_user_indexes of PostgreSQL 16.

    generate.py OUT --tables 1000000 --indexes 2 [--seed 1] [--shuffle]

writes OUT/before and OUT/after with meta.csv and the two views, one hour apart. The same arguments give the same bytes
on every machine. Standard library only; about 40 seconds and 1.5 GB of memory for a million tables.

On purpose in it: 55 % of tables idle, 35 % used, 10 % busy; 8 % without an index (NULL in idx_*); 1 in 2,000 reset
between the snapshots; 1 in 5,000 dropped, 1 in 5,000 created, 1 in 5,000 dropped and created again under its name;
names with capitals, commas, quotes, other letters; rows in an order that is nobody's. --shuffle draws another order for
the second snapshot (without it both have the same).
"""
import argparse
import os
import random

TABLE = ("relid schemaname relname seq_scan last_seq_scan seq_tup_read idx_scan last_idx_scan idx_tup_fetch n_tup_ins "
         "n_tup_upd n_tup_del n_tup_hot_upd n_tup_newpage_upd n_live_tup n_dead_tup n_mod_since_analyze "
         "n_ins_since_vacuum last_vacuum last_autovacuum last_analyze last_autoanalyze vacuum_count autovacuum_count "
         "analyze_count autoanalyze_count")
INDEX = "relid indexrelid schemaname relname indexrelname idx_scan last_idx_scan idx_tup_read idx_tup_fetch"
STEMS = ("orders", "order_items", "customers", "invoices", "payments", "events", "sessions", "audit_log", "stock_moves")
ODD = ("Order, Items %d", 'say "hi" %d', "Größe_%d", "CamelCase%d", "with space %d")
META = ("server_version,server_version_num,captured_at,pg_postmaster_start_time,current_database,database_oid,"
        "system_identifier,timezone,is_in_recovery,block_size\n"
        "16.14,160014,2026-01-01 0%d:00:00+00,2025-12-01 00:00:00+00,large,16384,7000000000000000001,UTC,f,8192\n")


def field(text):
    """One CSV field the way COPY quotes it."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def stamp(hour, n):
    """A time within the hour before `hour` o'clock; n spreads them."""
    return "2026-01-01 %02d:%02d:%02d.%06d+00" % (hour, n // 60 % 60, n % 60, 1 + n % 999_999)


class Entry:
    """Counters of one table; the row is rendered from it."""
    __slots__ = ("relid", "name", "kind", "scans", "reads", "idx", "fetched", "ins", "upd", "dele", "hot", "live", "dead",
                 "since", "vacuums", "indexes")


def entry(i, relid, first_index, indexes, random):
    e = Entry()
    x = random()
    e.relid, e.kind = relid, 0 if x < .55 else 1 if x < .9 else 2
    scale = (3, 200, 20_000)[e.kind]
    rows = int(10 ** (1 + 5 * random()))
    schema = "tenant_%03d" % (i % 499)
    name = ODD[i // 251 % 5] % i if i % 251 == 17 else "%s_%d" % (STEMS[i % 9], i)
    e.name = (schema, name)
    e.scans, e.idx = int(scale * 5 * random()), int(scale * 90 * random())
    e.reads, e.fetched = e.scans * min(rows, 100_000), e.idx * (1 + int(9 * random()))
    e.ins, e.upd, e.dele = rows + int(scale * 20 * random()), int(scale * 40 * random()), int(scale * 9 * random())
    e.hot, e.live, e.dead, e.since = e.upd // 2, rows, int(rows * .1 * random()), int(rows * .05 * random())
    e.vacuums = int(20 * random()) if e.kind else 0
    e.indexes = [] if random() < .08 else [[first_index + k, e.idx // indexes, e.idx // 2] for k in range(indexes)]
    return e


def advance(e, random):
    """An hour of work."""
    if e.kind == 0:
        return
    scale = (0, 20, 3_000)[e.kind]
    grow = lambda most: int(most * random())
    scans, idx = grow(scale), grow(scale * 30)
    e.scans += scans
    e.reads += scans * min(e.live, 100_000)
    if e.indexes:
        e.idx += idx
        e.fetched += idx * 3
        for index in e.indexes:
            index[1] += idx // len(e.indexes)
            index[2] += idx
    ins, upd, dele = grow(scale * 5), grow(scale * 9), grow(scale)
    e.ins, e.upd, e.dele, e.hot = e.ins + ins, e.upd + upd, e.dele + dele, e.hot + upd // 2
    e.live, e.dead, e.since = max(0, e.live + ins - dele), e.dead + upd + dele, e.since + ins + upd + dele
    if random() < .3:
        e.vacuums, e.dead = e.vacuums + 1, grow(50)


def reset(e, random):
    e.scans = e.reads = e.ins = e.upd = e.dele = e.hot = e.live = e.dead = e.since = e.vacuums = 0
    e.scans = int(3 * random())


def write(folder, hour, entries):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "meta.csv"), "w") as meta:
        meta.write(META % hour)
    with open(os.path.join(folder, "pg_stat_user_tables.csv"), "w", encoding="utf-8", newline="") as tables, \
            open(os.path.join(folder, "pg_stat_user_indexes.csv"), "w", encoding="utf-8", newline="") as indexes:
        tables.write(TABLE.replace(" ", ",") + "\n")
        indexes.write(INDEX.replace(" ", ",") + "\n")
        for e in entries:
            names = field(e.name[0]) + "," + field(e.name[1])
            has = bool(e.indexes)
            tables.write("%d,%s,%d,%s,%d,%s,%s,%s,%d,%d,%d,%d,%d,%d,%d,%d,%d,,%s,,%s,0,%d,0,%d\n" % (
                e.relid, names, e.scans, stamp(hour - 1, e.scans) if e.scans else "", e.reads,
                e.idx if has else "", stamp(hour - 1, e.idx) if has and e.idx else "", e.fetched if has else "",
                e.ins, e.upd, e.dele, e.hot, e.hot // 3, e.live, e.dead, e.since, e.since // 2,
                stamp(hour - 1, e.vacuums) if e.vacuums else "", stamp(hour - 1, e.vacuums * 7) if e.vacuums else "",
                e.vacuums, e.vacuums * 2))
            for k, (oid, scans, read) in enumerate(e.indexes):
                indexes.write("%d,%d,%s,%s,%d,%s,%d,%d\n" % (
                    e.relid, oid, names, field(e.name[1] + ("_idx%d" % k if k else "_pkey")), scans,
                    stamp(hour - 1, scans) if scans else "", read, read // 2))


def main():
    options = argparse.ArgumentParser(description="two snapshots of a large database")
    options.add_argument("out")
    options.add_argument("--tables", type=int, default=200_000)
    options.add_argument("--indexes", type=int, default=2)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--shuffle", action="store_true")
    o = options.parse_args()
    rng = random.Random(o.seed)
    index_oids = 16_384 + 8 * o.tables
    entries = [entry(i, 16_384 + 5 * i, index_oids + o.indexes * i, o.indexes, rng.random) for i in range(o.tables)]
    rng.shuffle(entries)
    created = o.tables // 5000
    write(os.path.join(o.out, "before"), 1, entries[created:])
    for n, e in enumerate(entries):
        advance(e, rng.random)
        if n % 2000 == 1000:
            reset(e, rng.random)
        if n % 5000 == 2500:            # dropped and created again: another OID, counters from the beginning
            e.relid += 1
            reset(e, rng.random)
            e.indexes = [[oid + 50_000_000, 0, 0] for oid, _, _ in e.indexes]
    after = entries[:len(entries) - created]
    if o.shuffle:
        rng.shuffle(after)
    write(os.path.join(o.out, "after"), 2, after)


if __name__ == "__main__":
    main()
