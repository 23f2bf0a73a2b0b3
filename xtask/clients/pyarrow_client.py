"""pyarrow.flight against a served demo: plain Flight RPCs, tickets, and statements meant to hurt.

usage: pyarrow_client.py DEMO.JSON
"""

import os
import threading

import pyarrow as pa
import pyarrow.flight as flight

from common import QUESTION, Checks, assert_no_internals, assert_refused, code_of, demo, root_certificate

TOLD = demo()

COMMAND = "type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"

# Beyond 64 KiB a message is refused before it is read as a statement, hence the last one.
TOO_BIG = {"sql-too-long", "sql-too-many-tokens", "sql-too-many-operators", "bad-request"}


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, payload):
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def command(sql):
    """A CommandStatementQuery in a google.protobuf.Any, encoded by hand."""
    return field(1, COMMAND.encode()) + field(2, field(1, sql.encode()))


class Session:
    """One connection under one token."""

    def __init__(self, token):
        self.client = flight.connect(TOLD["flight_url"], tls_root_certs=root_certificate(TOLD))
        headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
        self.options = flight.FlightCallOptions(headers=headers, timeout=120)

    def info(self, sql):
        return self.client.get_flight_info(flight.FlightDescriptor.for_command(command(sql)), self.options)

    def get(self, ticket):
        return self.client.do_get(ticket, self.options).read_all()

    def ask(self, sql):
        return self.get(self.info(sql).endpoints[0].ticket)

    def close(self):
        self.client.close()


ANALYST = Session(TOLD["tokens"]["analyst"])


def as_bytes(table):
    """The table as an IPC stream, to compare answers bit by bit."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def same_ticket():
    info = ANALYST.info(QUESTION)
    assert len(info.endpoints) == 1
    ticket = info.endpoints[0].ticket
    first, again = ANALYST.get(ticket), ANALYST.get(ticket)
    assert first.num_rows > 1 and first.column_names[:3] == ["coins", "n", "visits"]
    assert as_bytes(first) == as_bytes(again), "one ticket had two answers"
    assert first.schema.equals(info.schema), f"announced {info.schema}, sent {first.schema}"
    return f"{first.num_rows} rows, {len(as_bytes(first))} bytes"


def totals():
    info = ANALYST.info(QUESTION)
    assert info.total_records == -1 and info.total_bytes == -1, (info.total_records, info.total_bytes)


def ticket_is_opaque():
    ticket = ANALYST.info(QUESTION).endpoints[0].ticket.ticket
    assert b"SELECT" not in ticket and b"rand_hie" not in ticket, ticket


def ticket_is_bound():
    ticket = ANALYST.info(QUESTION).endpoints[0].ticket
    other = Session(TOLD["tokens"]["officer"])
    assert_refused({"ticket-unknown", "role-forbidden", "not-found"}, lambda: other.get(ticket))
    other.close()


def made_up_tickets():
    real = ANALYST.info(QUESTION).endpoints[0].ticket.ticket
    for made_up in (b"", b"x", os.urandom(64), real[:-1], real[:-1] + bytes([real[-1] ^ 1]), real * 1000, command(QUESTION)):
        assert_refused({"ticket-unknown", "bad-request", "statement-refused"}, lambda: ANALYST.get(flight.Ticket(made_up)))


def hostile_descriptors():
    for descriptor in (
        flight.FlightDescriptor.for_path("medical", "rand_hie"),
        flight.FlightDescriptor.for_command(b""),
        flight.FlightDescriptor.for_command(os.urandom(200)),
        flight.FlightDescriptor.for_command(field(1, COMMAND.encode()) + field(2, b"\xff" * 50)),
        flight.FlightDescriptor.for_command(field(1, b"type.googleapis.com/nothing") + field(2, b"")),
    ):
        codes = {"bad-request", "statement-refused", "not-found", "sql-syntax"}
        assert_refused(codes, lambda: ANALYST.client.get_flight_info(descriptor, ANALYST.options))


def other_calls():
    """Calls that Flight has and this service does not: an answer or a refusal, never a hint of the inside."""
    calls = {
        "list_flights": lambda: list(ANALYST.client.list_flights(options=ANALYST.options)),
        "list_actions": lambda: list(ANALYST.client.list_actions(options=ANALYST.options)),
        "do_action": lambda: list(ANALYST.client.do_action(flight.Action("Nothing", b"x"), options=ANALYST.options)),
        "do_put": do_put,
    }
    for call in calls.values():
        try:
            call()
        except Exception as error:
            assert_no_internals(error)


def do_put():
    table = pa.table({"x": pa.array(range(1000))})
    writer, _ = ANALYST.client.do_put(flight.FlightDescriptor.for_path("medical", "rand_hie"), table.schema, ANALYST.options)
    writer.write_table(table)
    writer.close()


def unauthenticated(token):
    def act():
        session = Session(token)
        assert_refused({"unauthenticated"}, lambda: session.ask(QUESTION))
        session.close()
    return act


def basic_sign_in():
    """pyarrow's own sign-in: user and password for a bearer that goes with each call."""
    session = Session(None)
    bearer = session.client.authenticate_basic_token("analyst", TOLD["tokens"]["analyst"])
    session.options = flight.FlightCallOptions(headers=[bearer], timeout=120)
    assert as_bytes(session.ask(QUESTION)) == as_bytes(ANALYST.ask(QUESTION))
    session.close()
    wrong = Session(None)
    assert_refused({"unauthenticated"}, lambda: wrong.client.authenticate_basic_token("analyst", "wrong:with:colons"))
    wrong.close()


# Little loss, for the statements that may be answered.
CHEAP = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0.05) "

# Statements meant to hurt, and the codes that each may be refused with.
HOSTILE = {
    "2,000 chained +": ("SELECT " + " + ".join(["1"] * 2000) + " FROM medical.rand_hie", TOO_BIG),
    "2,000 chained + in an aggregate": ("SELECT SUM(" + " + ".join(["mdvis"] * 2000) + ") FROM medical.rand_hie", TOO_BIG),
    "6,000 OR terms": ("SELECT COUNT(*) FROM medical.rand_hie WHERE " + " OR ".join(f"mdvis={i}" for i in range(6000)), TOO_BIG),
    "4,000 parentheses": ("SELECT COUNT(*) FROM medical.rand_hie WHERE " + "(" * 4000 + "mdvis = 1" + ")" * 4000, TOO_BIG),
    "4,000 NOTs": ("SELECT COUNT(*) FROM medical.rand_hie WHERE " + "NOT " * 4000 + "mdvis = 1", TOO_BIG),
    "a list of 3,000": ("SELECT COUNT(*) FROM medical.rand_hie WHERE mdvis IN (" + ",".join(map(str, range(3000))) + ")", TOO_BIG),
    "a 15 KiB literal": (CHEAP + "COUNT(*) FROM medical.rand_hie WHERE site = '" + "x" * 15_000 + "'", None),
    "a NUL byte": ("SELECT COUNT(*) FROM medical.rand_hie WHERE mdvis = 1 \0", None),
    "an empty statement": ("", None),
    "only a comment": ("-- nothing", None),
    "an open comment": ("SELECT /* COUNT(*) FROM medical.rand_hie", None),
    "read_parquet": ("SELECT COUNT(*) FROM read_parquet('examples/data/rand_hie.parquet')", None),
    "read_csv": ("SELECT COUNT(*) FROM read_csv('/etc/passwd')", None),
    "a file as a table": ("SELECT COUNT(*) FROM '/etc/passwd'", None),
    "CREATE EXTERNAL TABLE": ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", None),
    "CREATE TABLE AS": ("CREATE TABLE t AS SELECT * FROM medical.rand_hie", None),
    "CREATE VIEW": ("CREATE VIEW v AS SELECT * FROM medical.rand_hie", None),
    "DROP TABLE": ("DROP TABLE medical.rand_hie", None),
    "INSERT": ("INSERT INTO medical.rand_hie VALUES (1)", None),
    "COPY": ("COPY (SELECT * FROM medical.rand_hie) TO 'stolen.parquet'", None),
    "SET": ("SET datafusion.explain.show_statistics = true", None),
    "SHOW ALL": ("SHOW ALL", None),
    "EXPLAIN": ("EXPLAIN " + QUESTION, {"explain-refused"}),
    "EXPLAIN ANALYZE": ("EXPLAIN ANALYZE " + QUESTION, {"explain-refused"}),
    "information_schema": ("SELECT COUNT(*) FROM information_schema.tables", None),
    "information_schema settings": ("SELECT * FROM information_schema.df_settings", None),
    "two statements": ("SELECT COUNT(*) FROM medical.rand_hie; DROP TABLE medical.rand_hie", None),
    "rows": ("SELECT * FROM medical.rand_hie", {"not-aggregated"}),
    "the largest value": ("SELECT MAX(mdvis) FROM medical.rand_hie", {"aggregate-refused"}),
    "an array of rows": ("SELECT ARRAY_AGG(mdvis) FROM medical.rand_hie", {"aggregate-refused"}),
    "the stored unit column": ("SELECT __gb_unit, COUNT(*) FROM medical.rand_hie GROUP BY __gb_unit", None),
    "a division by data": (CHEAP + "SUM(1 / (mdvis - 7)) FROM medical.rand_hie", None),
    "a cast that fails on data": (CHEAP + "SUM(CAST(CAST(mdvis AS VARCHAR) AS INT)) FROM medical.rand_hie", None),
    "a join with itself": ("SELECT COUNT(*) FROM medical.rand_hie a CROSS JOIN medical.rand_hie b", None),
    "a recursive CTE": ("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT COUNT(*) FROM t", None),
    "generate_series": ("SELECT COUNT(*) FROM generate_series(1, 100000000000)", None),
    "a subquery over rows": ("SELECT COUNT(*) FROM medical.rand_hie WHERE mdvis > (SELECT AVG(mdvis) FROM medical.rand_hie)", None),
}

# These may be answered or refused; what counts is that a refusal is data-free and the server lives.
EITHER = {"a 15 KiB literal", "a division by data", "a cast that fails on data"}


def hostile(name):
    sql, codes = HOSTILE[name]

    def act():
        try:
            ANALYST.ask(sql)
        except Exception as error:
            assert_no_internals(error)
            code = code_of(error)
            assert code is not None, f"no stable code: {type(error).__name__}: {str(error)[:400]}"
            assert codes is None or code in codes, f"expected one of {sorted(codes)}, got {code}"
            return code
        assert name in EITHER, "it was answered"
        return "answered"
    return act


def huge_literal():
    sql = "SELECT COUNT(*) FROM medical.rand_hie WHERE site = '" + "x" * 5_000_000 + "'"
    return code_of(assert_refused(TOO_BIG, lambda: ANALYST.ask(sql)))


class Neighbour(threading.Thread):
    """Another session that keeps asking while hostile statements run; every answer must be the same."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stop, self.answers, self.error, self.count = threading.Event(), set(), None, 0

    def run(self):
        session = Session(TOLD["tokens"]["analyst"])
        try:
            while not self.stop.is_set():
                self.answers.add(as_bytes(session.ask(QUESTION)))
                self.count += 1
                self.stop.wait(0.05)
        except Exception as error:
            self.error = error

    def verdict(self):
        self.stop.set()
        self.join(120)
        assert self.error is None, f"after {self.count} answers: {self.error}"
        assert self.count > 0 and len(self.answers) == 1, f"{self.count} answers, {len(self.answers)} different"
        return f"{self.count} answers, all the same"


def main():
    checks = Checks("pyarrow")
    checks.check("one ticket, twice the same bytes", same_ticket)
    checks.check("totals are -1", totals)
    checks.check("a ticket tells nothing", ticket_is_opaque)
    checks.check("a ticket is its owner's", ticket_is_bound)
    checks.check("made-up tickets are refused", made_up_tickets)
    checks.check("made-up descriptors are refused", hostile_descriptors)
    checks.check("other Flight calls tell nothing", other_calls)
    checks.check("no token is refused", unauthenticated(None))
    checks.check("a wrong token is refused", unauthenticated("gbx_" + "0" * 64))
    checks.check("user and password sign in", basic_sign_in)
    neighbour = Neighbour()
    neighbour.start()
    for name in HOSTILE:
        checks.check(f"hostile: {name}", hostile(name))
    checks.check("hostile: a 5 MB literal", huge_literal)
    checks.check("another session is unharmed", neighbour.verdict)
    checks.check("the server still answers", same_ticket)
    ANALYST.close()
    checks.close()


if __name__ == "__main__":
    main()
