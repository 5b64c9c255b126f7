"""What `index-missing-predicate` advises, held against a real PostgreSQL.

For each workload in workloads/: builds the schema, runs the statements, exports twice with `pgretro export-sql`, asks
pgretro, creates what it advises, and checks with the server itself

* that the planner uses every index that was advised, in a statement of the workload;
* that each statement the advice is for reads fewer blocks, and that the time of all together falls;
* that what the workload expects is advised, and nothing for what it calls a trap.

    tests/planner/run [--pgretro PROGRAM] [--keep] [WORKLOAD ...]

Needs initdb and friends (Debian: postgresql), found on the PATH, in PG_BINDIR or in /usr/lib/postgresql/*/bin. Where
they are missing it says so and ends well. The server lives in a temporary folder and listens on a socket there only.
"""

import argparse
import glob
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

CONFIG = """
[rules.index-missing-predicate]
min_window_s = 1
good_window_s = 1
min_calls = 10
"""


def bindir():
    places = [os.environ.get("PG_BINDIR", "")]
    found = shutil.which("initdb")
    places += [os.path.dirname(found)] if found else []
    places += sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]) if p.split("/")[4].isdigit() else 0, reverse=True)
    for place in places:
        if place and all(os.access(os.path.join(place, p), os.X_OK) for p in ("initdb", "postgres", "pg_ctl")):
            return place
    return None


class Server:
    """A throw-away cluster; as root it runs as the account `postgres`, which Debian's package makes."""

    def __init__(self, binaries, folder):
        self.binaries, self.folder = binaries, folder
        self.data = os.path.join(folder, "data")
        self.account = None
        if os.geteuid() == 0:
            self.account = pwd.getpwnam("postgres")
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)

    def call(self, *command, **options):
        def drop():
            if self.account:
                os.setgid(self.account.pw_gid)
                os.setuid(self.account.pw_uid)

        path = os.path.join(self.binaries, command[0])
        program = path if os.path.exists(path) else command[0]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        environment.update(PGHOST=self.folder, PGUSER="proof", LC_ALL="C.UTF-8", PGOPTIONS="-c client_min_messages=warning")
        return subprocess.run([program, *command[1:]], check=True, preexec_fn=drop, env=environment, text=True, cwd=self.folder, **options)

    def start(self):
        self.call("initdb", "-D", self.data, "-U", "proof", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8", stdout=subprocess.DEVNULL)
        settings = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self.folder}'",
            "shared_preload_libraries": "'pg_stat_statements'",
            "pg_stat_statements.track": "'all'",
            "shared_buffers": "'256MB'",
            "fsync": "off",
            # Commits that are not yet on disk keep VACUUM from marking pages all-visible, by chance of timing.
            "synchronous_commit": "on",
            "full_page_writes": "off",
            "max_wal_size": "'4GB'",
            "jit": "off",
            "max_parallel_workers_per_gather": "0",
            "autovacuum": "off",
        }
        with open(os.path.join(self.data, "postgresql.auto.conf"), "a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self.call("pg_ctl", "-D", self.data, "-l", os.path.join(self.folder, "log"), "-w", "start", stdout=subprocess.DEVNULL)

    def stop(self):
        if os.path.exists(os.path.join(self.data, "postmaster.pid")):
            self.call("pg_ctl", "-D", self.data, "-m", "immediate", "stop", stdout=subprocess.DEVNULL)

    def psql(self, database, sql, *options):
        done = self.call("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-At", *options, input=sql, stdout=subprocess.PIPE)
        return done.stdout


def parse(path):
    """A workload: sections that begin with `--- name [words]`."""
    sections, current = [], None
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"^--- (\w+)\s*(.*)$", line)
            if match:
                current = (match.group(1), match.group(2).strip(), [])
                sections.append(current)
            elif current:
                current[2].append(line)
    return [(kind, words, "".join(lines)) for kind, words, lines in sections]


def export(server, database, program, folder):
    script = subprocess.run([program, "export-sql"], check=True, capture_output=True, text=True).stdout
    os.makedirs(folder, exist_ok=True)
    if server.account:
        os.chown(folder, server.account.pw_uid, server.account.pw_gid)
    server.psql(database, script, "-v", f"out={folder}")


def advice(program, folder, config):
    out = os.path.join(folder, "report.json")
    subprocess.run([program, "report", folder, "--config", config, "--format", "json", "-o", out], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(out, encoding="utf-8") as file:
        return json.load(file)


def findings(report, rule):
    """Findings of a rule, wherever the report keeps them."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            if value.get("rule") == rule and "fixes" in value:
                found.append(value)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(report)
    unique = {f["subject"]["name"]: f for f in found}
    return list(unique.values())


def run_statements(server, database, statements, rounds):
    """Each statement so often; seconds for all."""
    sql = "".join((text.strip().rstrip(";") + ";\n") * (rounds * times) for text, times in statements)
    begun = time.monotonic()
    server.psql(database, sql, "-o", os.devnull)
    return time.monotonic() - begun


def explain(server, database, text):
    plan = server.psql(database, f"begin; explain (analyze, buffers, format json, timing off) {text.strip().rstrip(';')}; rollback;")
    plan = json.loads(plan)[0]["Plan"]
    used = set()

    def walk(node):
        if "Index Name" in node:
            used.add(node["Index Name"])
        for inner in node.get("Plans", []):
            walk(inner)

    walk(plan)
    return used, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def prove(server, program, path, keep):
    name = os.path.splitext(os.path.basename(path))[0]
    failures = []
    sections = parse(path)
    database = f"proof_{name}"
    server.psql("postgres", f"create database {database}")
    schema = "".join(text for kind, _, text in sections if kind == "schema")
    server.psql(database, "create extension pg_stat_statements;\n" + schema + "\ncheckpoint;\nvacuum analyze;\nselect pg_stat_statements_reset();", "-o", os.devnull)
    statements = [(text, int(words or 5)) for kind, words, text in sections if kind == "run"]
    expected = [words for kind, words, _ in sections if kind == "expect"]
    traps = [words for kind, words, _ in sections if kind == "never"]
    dumps = tempfile.mkdtemp(prefix=f"{name}-", dir=server.folder)
    os.chmod(dumps, 0o755)
    if server.account:
        os.chown(dumps, server.account.pw_uid, server.account.pw_gid)
    export(server, database, program, dumps)
    time.sleep(1.2)
    before_s = run_statements(server, database, statements, 1)
    server.psql(database, "select pg_stat_force_next_flush();" if server_major(server) >= 15 else "select pg_sleep(1);", "-o", os.devnull)
    time.sleep(1.2)
    export(server, database, program, dumps)
    config = os.path.join(server.folder, "config.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG)
    report = advice(program, dumps, config)
    found = findings(report, "index-missing-predicate")
    told = sorted(f["subject"]["name"] for f in found)
    for line in told:
        print(f"  advised: {line}")
    for wanted in expected:
        if wanted not in told:
            failures.append(f"{wanted} was not advised")
    for trap in traps:
        failures += [f"{line} was advised, a trap" for line in told if line.startswith(trap)]
    extra = [line for line in told if line not in expected]
    failures += [f"{line} was advised, nobody expected it" for line in extra]

    plans = {text: explain(server, database, text) for text, _ in statements}
    created = {}
    for finding in found:
        for fix in finding["fixes"]:
            if fix["verb"] == "create":
                server.psql(database, fix["sql"], "-o", os.devnull)
                created[fix["object"].split(".")[-1]] = finding["subject"]["name"]
    # Pages are marked visible to all only when the commits of their rows are on disk.
    server.psql(database, "checkpoint;\nvacuum analyze;")
    # Of a partitioned index the plan names the parts.
    members = server.psql(database, "select c.relname, p.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent where c.relkind in ('i', 'I')")
    root = dict(line.split("|") for line in members.splitlines())
    used = set()
    for text, _ in statements:
        before, after = plans[text], explain(server, database, text)
        ours = {root.get(i, i) for i in after[0]} & set(created)
        used |= ours
        if ours:
            first = " ".join(text.split())[:70]
            print(f"  {before[1]:>9} -> {after[1]:>7} blocks: {first}")
            if after[1] * 2 > before[1]:
                failures.append(f"not half of the blocks: {first}")
    after_s = run_statements(server, database, statements, 1)
    # Plans of statements inside of functions are not shown; the server counts their scans.
    time.sleep(1.2)
    scanned = server.psql(database, "select indexrelname from pg_stat_user_indexes where idx_scan > 0").split("\n")
    used |= {root.get(i, i) for i in scanned}
    failures += [f"{created[i]} is not used by any statement" for i in created if i not in used]
    print(f"  {before_s:.2f} s -> {after_s:.2f} s for the workload")
    if created and after_s >= before_s:
        failures.append("the workload did not get faster")
    server.psql("postgres", f"drop database {database}") if not keep else None
    return failures


def server_major(server):
    return int(server.psql("postgres", "show server_version_num")) // 10000


def main():
    arguments = argparse.ArgumentParser(description="Holds index advice against a real PostgreSQL.")
    arguments.add_argument("--pgretro", default=os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "debug", "pgretro"))
    arguments.add_argument("--keep", action="store_true", help="keep the folder with server and dumps")
    arguments.add_argument("workload", nargs="*")
    options = arguments.parse_args()
    binaries = bindir()
    if not binaries:
        print("skipped: no PostgreSQL server on this machine (initdb is not found)")
        return 0
    if not os.access(options.pgretro, os.X_OK):
        print(f"{options.pgretro} is missing: cargo build")
        return 2
    paths = [os.path.join(HERE, "workloads", f"{w}.sql") for w in options.workload] or sorted(glob.glob(os.path.join(HERE, "workloads", "*.sql")))
    folder = tempfile.mkdtemp(prefix="pgretro-")
    os.chmod(folder, 0o755)
    try:
        server = Server(binaries, folder)
    except KeyError:
        print("skipped: a server cannot run as root, and there is no account `postgres`")
        return 0
    failed = False
    try:
        server.start()
        for path in paths:
            print(f"{os.path.basename(path)}, PostgreSQL {server_major(server)}")
            for failure in prove(server, options.pgretro, path, options.keep):
                failed = True
                print(f"  FAILED: {failure}")
    finally:
        server.stop()
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print("failed" if failed else "all advice holds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
