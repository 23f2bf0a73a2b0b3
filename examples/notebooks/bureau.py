"""What the notebooks share: a connection to a running Glovebox, and released numbers beside the truth.

The truth is computed from the public files in examples/data. With data that are not public nobody has it; the interval is all there is.
"""

import json
import sys
from pathlib import Path

import adbc_driver_flightsql.dbapi as flightsql
import pyarrow.parquet as parquet

DATA = Path(__file__).resolve().parent.parent / "data"

# How many half-widths of its 95 % interval a number may be off before a notebook stops. Noise alone never is.
FAR = 5


def connect():
    """Connects as the analyst of a demo: the demo.json named on the command line, or that of a demo in this folder."""
    named = [argument for argument in sys.argv[1:] if argument.endswith(".json")]
    told = json.loads(Path(named[0] if named else "glovebox-demo/demo.json").read_text(encoding="utf-8"))
    options = {
        "adbc.flight.sql.client_option.tls_root_certs": Path(told["ca_cert"]).read_text(encoding="utf-8"),
        "adbc.flight.sql.authorization_header": "Bearer " + told["tokens"]["analyst"],
    }
    return flightsql.connect(told["flight_url"], db_kwargs=options, autocommit=True)


def ask(connection, sql):
    """The released table of a statement, as a list of rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetch_arrow_table().to_pylist()


def refusal(connection, sql):
    """The text of the refusal that a statement must meet."""
    try:
        ask(connection, sql)
    except Exception as error:
        return str(error)
    raise AssertionError("it was answered: " + sql)


def show(rows):
    """Prints rows as a table."""
    cells = [[f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row.values()] for row in rows]
    table = [list(rows[0])] + cells
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths)))


def public(name, *columns):
    """Rows of a public file."""
    return parquet.read_table(DATA / f"{name}.parquet", columns=list(columns)).to_pylist()


def beside(rows, key, number, truth):
    """Prints `number` of each released row, with its interval `<number>_low` to `<number>_high`, beside the truth by key."""
    out = []
    for row in rows:
        released, low, high = row[number], row[number + "_low"], row[number + "_high"]
        real = truth.get(row[key], 0)
        out.append({key: row[key], number: released, "low": low, "high": high, "truth": real,
                    "inside": "yes" if low <= real <= high else "no"})
        assert abs(released - real) <= FAR * max(high - released, 1e-9), f"{row[key]}: {released} is far from {real}"
    show(out)
