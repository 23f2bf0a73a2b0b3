"""What the client programs share: the demo's addresses, a list of named checks, and what a refusal must look like."""

import json
import re
import sys
import traceback

# Words that only the inside of the server knows. No client may ever read one of them.
INTERNALS = (
    "datafusion", "src/", ".rs:", "panicked", "thread '", "sqlite", "backtrace", "physical plan", "logicalplan",
    "arrowerror", "parquet", "opendp", "cedar", "rusqlite", "__gb_unit", "stack overflow",
)

# A refusal starts with its stable code: lower-case words joined by hyphens, then a colon.
CODE = re.compile(r"(?<![\w-])([a-z]+(?:-[a-z]+)*): ")

# Every code that a statement may be refused with. Codes are stable, so this list only grows.
CODES = {
    "unauthenticated", "role-forbidden", "bad-request", "not-found", "sql-too-long", "sql-too-many-tokens",
    "sql-too-many-operators", "sql-syntax", "statement-refused", "explain-refused", "clause-refused", "join-refused", "not-aggregated",
    "aggregate-refused", "function-refused", "expression-refused", "type-refused", "table-unknown", "column-unknown",
    "column-is-identifier", "group-key-not-public", "too-many-groups", "bounds-missing", "bounds-invalid",
    "option-unknown", "option-invalid", "overflow-possible", "parameter-missing", "not-permitted", "contract-unknown",
    "contract-inactive", "epsilon-above-cap", "contribution-above-cap", "contract-budget-spent", "day-budget-spent",
    "domain-budget-spent", "ticket-unknown", "certificate-refused", "too-many-attempts", "session-unknown",
}

QUESTION = "SELECT coins, COUNT(*) AS n, AVG(mdvis) AS visits FROM medical.rand_hie GROUP BY coins ORDER BY coins"


def demo():
    """Reads the demo.json whose path is the first argument."""
    with open(sys.argv[1], encoding="utf-8") as file:
        return json.load(file)


def root_certificate(told):
    """The demo's own certificate authority, as PEM."""
    with open(told["ca_cert"], "rb") as file:
        return file.read()


def code_of(error):
    """The stable code in an exception's text, or None."""
    for code in CODE.findall(str(error)):
        if code in CODES:
            return code
    return None


def assert_no_internals(error):
    """Fails when an exception tells anything about how the server is made."""
    text = str(error).lower()
    # What follows was added by the client's own gRPC library.
    text = text.split("grpc client debug context")[0]
    # The request's own words come back in quotation marks; they are the client's, not the server's.
    text = re.sub(r"`[^`]*`", "``", text)
    for word in INTERNALS:
        assert word not in text, f"an exception tells of the inside ({word!r}): {str(error)[:400]}"


def assert_refused(codes, ask):
    """Calls `ask`, which must raise with one of these stable codes and say nothing about the inside."""
    try:
        ask()
    except Exception as error:  # Each client library has its own tree of exceptions.
        assert_no_internals(error)
        code = code_of(error)
        assert code in codes, f"expected one of {sorted(codes)}, got {code}: {type(error).__name__}: {str(error)[:400]}"
        return error
    raise AssertionError("it was answered")


class Checks:
    """Runs named checks one after another, the next even when one failed, and ends with a line of JSON."""

    def __init__(self, client):
        self.client, self.passed, self.failed = client, 0, []

    def check(self, name, act):
        try:
            said = act()
        except Exception:
            self.failed.append(name)
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)
        else:
            self.passed += 1
            print(f"ok {name}" + (f": {said}" if isinstance(said, str) else ""))

    def close(self):
        closing = {"client": self.client, "passed": self.passed, "failed": len(self.failed), "names": self.failed}
        print(json.dumps(closing))
        sys.exit(1 if self.failed or not self.passed else 0)
