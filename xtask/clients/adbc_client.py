"""The unmodified ADBC Flight SQL driver against a served demo: connect, browse, ask, prepare, be refused.

usage: adbc_client.py DEMO.JSON
"""

import adbc_driver_flightsql.dbapi
from adbc_driver_flightsql import DatabaseOptions

from common import QUESTION, Checks, assert_no_internals, assert_refused, demo, root_certificate

TOLD = demo()


def connect(token):
    options = {DatabaseOptions.TLS_ROOT_CERTS.value: root_certificate(TOLD).decode()}
    if token is not None:
        options[DatabaseOptions.AUTHORIZATION_HEADER.value] = f"Bearer {token}"
    return adbc_driver_flightsql.dbapi.connect(TOLD["flight_url"], db_kwargs=options, autocommit=True)


def sign_in(user, password):
    """User and password instead of a token. The driver keeps the options of its session by a cookie."""
    options = {
        DatabaseOptions.TLS_ROOT_CERTS.value: root_certificate(TOLD).decode(),
        DatabaseOptions.WITH_COOKIE_MIDDLEWARE.value: "true",
        "username": user,
        "password": password,
    }
    return adbc_driver_flightsql.dbapi.connect(TOLD["flight_url"], db_kwargs=options, autocommit=True)


def ask(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetch_arrow_table()


CONNECTION = connect(TOLD["tokens"]["analyst"])


def info():
    told = CONNECTION.adbc_get_info()
    assert told.get("vendor_name"), told
    return f"{told['vendor_name']} {told.get('vendor_version', '')}"


def objects():
    catalogs = CONNECTION.adbc_get_objects(depth="all").read_all().to_pylist()
    tables = {
        (schema["db_schema_name"], table["table_name"]): {column["column_name"] for column in table["table_columns"] or []}
        for catalog in catalogs
        for schema in catalog["catalog_db_schemas"] or []
        for table in schema["db_schema_tables"] or []
    }
    columns = tables.get(("medical", "rand_hie"))
    assert columns, f"medical.rand_hie is not among {sorted(tables)}"
    assert {"coins", "mdvis"} <= columns, columns
    assert "__gb_unit" not in columns, "the unit column of the storage shows"
    return f"{len(tables)} tables, {len(columns)} columns in medical.rand_hie"


def table_schema():
    schema = CONNECTION.adbc_get_table_schema("rand_hie", db_schema_filter="medical")
    assert {"coins", "mdvis"} <= set(schema.names), schema.names
    assert "__gb_unit" not in schema.names
    return f"{len(schema.names)} fields"


def identifiers():
    names = {"person_id", "fake_first_name", "fake_last_name"}
    schema = CONNECTION.adbc_get_table_schema("covid_testing", db_schema_filter="medical")
    assert not names & set(schema.names), schema.names
    for name in names:
        sql = f"SELECT COUNT(*) FROM medical.covid_testing WHERE {name} IS NOT NULL"
        assert_refused({"column-is-identifier"}, lambda: ask(CONNECTION, sql))
    return f"{len(schema.names)} fields, {len(names)} identifiers left out"


def table_types():
    assert CONNECTION.adbc_get_table_types()


def question():
    first, again = ask(CONNECTION, QUESTION), ask(CONNECTION, QUESTION)
    assert first.column_names[:3] == ["coins", "n", "visits"], first.column_names
    assert first.num_rows > 1
    coins = first.column("coins").to_pylist()
    listed = [value for value in coins if value is not None]
    assert listed == sorted(listed), coins
    assert first.equals(again), "the same question had two answers"
    return f"{first.num_rows} rows"


def dp_clause():
    answer = ask(CONNECTION, "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0.05) COUNT(*) AS n FROM medical.rand_hie")
    assert answer.num_rows == 1 and answer.column_names[0] == "n"


def explain_privacy():
    answer = ask(CONNECTION, "EXPLAIN PRIVACY " + QUESTION)
    assert answer.num_rows > 0
    assert answer.equals(ask(CONNECTION, "EXPLAIN PRIVACY " + QUESTION))


def prepared():
    sql = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0.05) COUNT(*) AS n FROM medical.rand_hie WHERE mdvis >= ?"
    first, again = ask(CONNECTION, sql, (10,)), ask(CONNECTION, sql, (10,))
    assert first.num_rows == 1
    assert first.equals(again), "the same parameters had two answers"
    other = ask(CONNECTION, sql, (40,))
    assert other.num_rows == 1


def prepared_schema():
    with CONNECTION.cursor() as cursor:
        schema = cursor.adbc_prepare("SELECT COUNT(*) AS n FROM medical.rand_hie WHERE mdvis >= ?")
    assert schema is None or len(schema) == 1, schema


def refused(sql, *codes):
    return lambda: assert_refused(set(codes), lambda: ask(CONNECTION, sql)) and None


def without_token(token):
    def act():
        def try_it():
            with connect(token) as connection:
                ask(connection, QUESTION)
        assert_refused({"unauthenticated"}, try_it)
    return act


def signed_in():
    with sign_in("analyst", TOLD["tokens"]["analyst"]) as connection:
        assert ask(connection, QUESTION).equals(ask(CONNECTION, QUESTION)), "one person had two answers"


def sign_in_refused(user, password):
    def act():
        def try_it():
            with sign_in(user, password) as connection:
                ask(connection, QUESTION)
        assert_refused({"unauthenticated"}, try_it)
    return act


def previewed(connection):
    return dict(zip(*ask(connection, "EXPLAIN PRIVACY " + QUESTION).to_pydict().values()))


def session_options():
    def option(connection, name, value):
        connection.adbc_connection.set_options(**{"adbc.flight.sql.session.option." + name: value})

    with sign_in("analyst", TOLD["tokens"]["analyst"]) as one, sign_in("analyst", TOLD["tokens"]["analyst"]) as other:
        default = previewed(one)
        option(one, "epsilon", "0.05")
        option(one, "delta", "1e-8")
        told = previewed(one)
        assert (told["epsilon"], told["delta"]) == ("0.05", "1e-8"), told
        assert default["epsilon"] != "0.05" and previewed(other) == default, "a session's options reached another session"
        try:
            option(one, "noise", "off")
        except Exception as error:
            assert_no_internals(error)
        else:
            raise AssertionError("an option that there is not was set")
        assert previewed(one) == told


def writes_are_refused():
    with CONNECTION.cursor() as cursor:
        try:
            cursor.executescript("DELETE FROM medical.rand_hie")
        except Exception as error:
            assert_no_internals(error)
        else:
            raise AssertionError("DELETE was accepted")


def main():
    checks = Checks("adbc")
    checks.check("get_info", info)
    checks.check("get_objects", objects)
    checks.check("get_table_schema", table_schema)
    checks.check("identifiers are not there and cannot be named", identifiers)
    checks.check("get_table_types", table_types)
    checks.check("DP GROUP BY, twice the same", question)
    checks.check("SELECT WITH DIFFERENTIAL_PRIVACY", dp_clause)
    checks.check("EXPLAIN PRIVACY", explain_privacy)
    checks.check("prepared statement with a bound parameter", prepared)
    checks.check("prepared statement tells its parameters", prepared_schema)
    checks.check("rows are refused", refused("SELECT mdvis FROM medical.rand_hie", "not-aggregated"))
    checks.check("an unknown table is refused", refused("SELECT COUNT(*) FROM medical.nobody", "table-unknown"))
    checks.check("an unknown column is refused", refused("SELECT SUM(nothing) FROM medical.rand_hie", "column-unknown"))
    checks.check("broken SQL is refused", refused("SELECT COUNT(* FROM medical.rand_hie", "sql-syntax"))
    checks.check("EXPLAIN is refused", refused("EXPLAIN " + QUESTION, "explain-refused"))
    checks.check("a key that is not public is refused",
                 refused("SELECT xage, COUNT(*) FROM medical.rand_hie GROUP BY xage", "group-key-not-public", "not-permitted"))
    checks.check("an unbound parameter is refused",
                 refused("SELECT COUNT(*) FROM medical.rand_hie WHERE mdvis >= ?", "parameter-missing"))
    checks.check("too large an epsilon is refused",
                 refused("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 99) COUNT(*) FROM medical.rand_hie", "epsilon-above-cap"))
    checks.check("DELETE is refused", writes_are_refused)
    checks.check("no token is refused", without_token(None))
    checks.check("a wrong token is refused", without_token("gbx_0000"))
    checks.check("user and password sign in", signed_in)
    checks.check("a wrong password is refused", sign_in_refused("analyst", "wrong:with:colons"))
    checks.check("a good token of somebody else is refused", sign_in_refused("officer", TOLD["tokens"]["analyst"]))
    checks.check("options of the session", session_options)
    checks.check("the session still answers", question)
    CONNECTION.close()
    checks.close()


if __name__ == "__main__":
    main()
