"""Insert rows into an SQLite database, one transaction each, and say how fast as JSON."""

import json
import sqlite3
import sys
import time

path, journal, synchronous, rows = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
db = sqlite3.connect(path, isolation_level=None)
kept = db.execute(f"PRAGMA journal_mode = {journal}").fetchone()[0]
if kept != journal:
    sys.exit(f"SQLite keeps the journal {kept}, and not {journal}")
db.execute(f"PRAGMA synchronous = {synchronous}")
db.execute("CREATE TABLE readings (id INTEGER PRIMARY KEY, sensor TEXT, value REAL)")
begin = time.perf_counter()
for n in range(rows):
    db.execute("INSERT INTO readings (sensor, value) VALUES (?, ?)", (f"s{n % 7}", n / 3))
seconds = time.perf_counter() - begin
found = db.execute("SELECT count(*) FROM readings").fetchone()[0]
print(json.dumps({"per_insert_us": seconds / rows * 1e6, "rows": found,
                  "sqlite": sqlite3.sqlite_version}))  # fmt: skip
