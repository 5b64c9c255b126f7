#!/usr/bin/env bash
# Two snapshots of a large database: `pgretro diff` to CSV beside DuckDB doing the same work.
#
#   benches/pair.sh [TABLES [ROUNDS [options of generate.py]]]       default: 200000 tables, 5 rounds
#
# TOP=100: only the first hundred rows of each view and the sums of all. PYTHON: a Python that has the package `duckdb` (default python3). PGRETRO: the program (default target/release/pgretro,
# built if it is not there). BENCH_DIR: where data and results go (default target/bench).
set -euo pipefail
cd "$(dirname "$0")/.."
tables=${1:-200000} rounds=${2:-5}
shift $(($# < 2 ? $# : 2))
python=${PYTHON:-python3} pgretro=${PGRETRO:-target/release/pgretro} dir=${BENCH_DIR:-target/bench}
export RAYON_NUM_THREADS=2 POLARS_MAX_THREADS=2

if [ ! -x "$pgretro" ]; then
    cargo build --release
fi
"$python" -c 'import duckdb; print("duckdb", duckdb.__version__)'
name="pair$tables$(printf '%s' "$@")"
data="$dir/$name"
if [ ! -f "$data/after/pg_stat_user_indexes.csv" ]; then
    "$python" benches/generate.py "$data" --tables "$tables" "$@"
fi
du -ch "$data"/*/*.csv | tail -1
mkdir -p "$dir/ours" "$dir/theirs"

ours=("$pgretro" diff "$data/before" "$data/after" --view pg_stat_user_tables --view pg_stat_user_indexes
    --format csv -o "$dir/ours")
theirs=("$python" benches/duckdb_diff.py "$data/before" "$data/after" "$dir/theirs" --threads 2)
if [ -n "${TOP:-}" ]; then
    ours+=(--top "$TOP")
    theirs+=(--top "$TOP")
fi

# One run each to fill the page cache, and to see that both do the same.
"${ours[@]}" >/dev/null
"${theirs[@]}" >/dev/null
"$python" benches/duckdb_diff.py --compare "$dir/ours" "$dir/theirs"

: >"$dir/times"
# Into new files: writing over old ones costs the file system as much again.
for round in $(seq "$rounds"); do
    rm -f "$dir"/ours/* "$dir"/theirs/*
    a=$("$python" benches/timed.py "${ours[@]}")
    b=$("$python" benches/timed.py "${theirs[@]}")
    echo "$a $b" >>"$dir/times"
    echo "round $round: pgretro $a | duckdb $b   (wall s, cpu s, peak MiB)"
done
"$python" benches/ratios.py "$dir/times"
