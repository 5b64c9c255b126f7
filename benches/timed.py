#!/usr/bin/env python3
"""Runs a command and prints its wall seconds, processor seconds and peak memory in MiB. Its stdout is thrown away."""
import resource
import subprocess
import sys
import time

start = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
wall = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
if status != 0:
    sys.exit(f"{' '.join(sys.argv[1:])}: exit code {status}")
print(f"{wall:.3f} {used.ru_utime + used.ru_stime:.3f} {used.ru_maxrss / 1024:.0f}")
