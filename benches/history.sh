#!/usr/bin/env bash
# A history: `pgretro trend` of two columns beside DuckDB doing similar work, and beside a plain pass over its bytes.
#
#   benches/history.sh [TABLES [SNAPSHOTS [ROUNDS]]]       default: 2000 tables, 1000 snapshots, 5 rounds
#
# PYTHON, PGRETRO, BENCH_DIR: as for pair.sh. HISTORY: a folder of snapshots to take instead of a new one.
set -euo pipefail
cd "$(dirname "$0")/.."
tables=${1:-2000} snapshots=${2:-1000} rounds=${3:-5}
python=${PYTHON:-python3} pgretro=${PGRETRO:-target/release/pgretro} dir=${BENCH_DIR:-target/bench}
export RAYON_NUM_THREADS=2 POLARS_MAX_THREADS=2

if [ ! -x "$pgretro" ]; then
    cargo build --release
fi
data=${HISTORY:-"$dir/history$tables-$snapshots"}
if [ -z "${HISTORY:-}" ] && [ ! -f "$data/done" ]; then
    "$python" benches/history.py "$data" --tables "$tables" --snapshots "$snapshots"
    touch "$data/done"
fi
mkdir -p "$dir"
ours=("$pgretro" trend "$data" --view pg_stat_user_tables --column n_dead_tup --column seq_scan)
theirs=("$python" benches/duckdb_history.py "$data" --threads 2)

# One run each to fill the page cache, and to see that both say the same.
"${ours[@]}" --format csv -o "$dir/history.csv"
"$python" benches/duckdb_history.py --compare "$data" "$dir/history.csv"
cargo bench --quiet --bench limit -- "$PWD/$data" 2

: >"$dir/times"
for round in $(seq "$rounds"); do
    a=$("$python" benches/timed.py "${ours[@]}" -o "$dir/history.txt")
    b=$("$python" benches/timed.py "${theirs[@]}")
    echo "$a $b" >>"$dir/times"
    echo "round $round: pgretro $a | duckdb $b   (wall s, cpu s, peak MiB)"
done
"$python" benches/ratios.py "$dir/times"
