#!/usr/bin/env python3
"""Medians of paired runs: each line has wall s, cpu s and peak MiB of pgretro, then those of DuckDB."""
import statistics
import sys

rows = [[float(x) for x in line.split()] for line in open(sys.argv[1])]
median = lambda f: statistics.median(f(r) for r in rows)
ratios = sorted(r[0] / r[3] for r in rows)
for name, at in (("pgretro", 0), ("duckdb", 3)):
    print(f"{name}: wall {median(lambda r: r[at]):.2f} s, cpu {median(lambda r: r[at + 1]):.2f} s, "
          f"peak {median(lambda r: r[at + 2]):.0f} MiB")
print(f"pgretro / duckdb: wall {statistics.median(ratios):.3f} [{ratios[0]:.3f}..{ratios[-1]:.3f}], "
      f"cpu {median(lambda r: r[1] / r[4]):.3f}, memory {median(lambda r: r[2] / r[5]):.2f}")
