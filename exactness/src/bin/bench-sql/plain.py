"""One engine without privacy on one Parquet file: `plain.py ENGINE FILE QUERY ROUNDS CORES`.

Prints one line of JSON: the version, the seconds of each round after one that does not count, the peak memory of this process,
and the rows that the counts of the groups add up to.
"""

import json
import resource
import sys
import time

engine, file, query, rounds, cores = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])

if engine == "duckdb":
    import duckdb as library

    connection = library.connect()
    connection.execute(f"SET threads = {cores}")
    connection.execute(f"CREATE VIEW t AS SELECT * FROM read_parquet('{file}')")
    ask = lambda: [row[1] for row in connection.execute(query).fetchall()]
else:
    import datafusion as library

    session = library.SessionContext(library.SessionConfig().with_target_partitions(cores))
    session.register_parquet("t", file)
    ask = lambda: [count for batch in session.sql(query).collect() for count in batch.column(1).to_pylist()]

ask()
seconds = []
for _ in range(rounds):
    started = time.perf_counter()
    counts = ask()
    seconds.append(time.perf_counter() - started)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({"version": library.__version__, "seconds": seconds, "peak_mib": peak, "rows": sum(counts)}))
