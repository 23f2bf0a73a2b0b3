# %% [markdown]
# # Medical: how many people tested positive?
#
# PCR tests of a children's hospital, one row per test, as they came from the hospital's system: with names. Nobody who asks sees a row.
# What can be had are counts with noise, each with an interval, paid for from a budget.
#
# In one terminal: `cargo run -- demo`. Then, with ADBC and pyarrow installed (README, "Your first query from Python"):
# `python examples/notebooks/medical.py glovebox-demo/demo.json`, or cell by cell in an editor.

# %%
from bureau import ask, beside, connect, public, refusal, show

connection = connect()

# %% [markdown]
# What the table has, with its meaning. Names and the number of a subject are direct identifiers: they are not even stored.

# %%
schema = connection.adbc_get_table_schema("covid_testing", db_schema_filter="medical")
for field in schema:
    print(f"  {field.name:<16} {field.metadata[b'glovebox:meaning'].decode()}")
assert not {"person_id", "fake_first_name", "fake_last_name"} & set(schema.names)

# %% [markdown]
# The question: persons by result. A person has up to 30 tests; `contribution_bounds_per_group => (0, 1)` lets each count once per result,
# and `max_groups_contributed = 2` in at most two results, so that one person hardly moves the table.

# %%
PERSONS = "COUNT(*, contribution_bounds_per_group => (0, 1))"
QUESTION = f"""
    SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0.5, delta = 1e-9, max_groups_contributed = 2)
           result, {PERSONS} AS persons, dp_interval_low({PERSONS}) AS persons_low, dp_interval_high({PERSONS}) AS persons_high
    FROM medical.covid_testing GROUP BY result ORDER BY result
"""

# %% [markdown]
# What it costs and how exact it will be is known before, for nothing: it depends on the question and on what is declared.

# %%
show(ask(connection, "EXPLAIN PRIVACY " + QUESTION))

# %% [markdown]
# The answer, beside the truth from the public file. The last row is for results that are not on the public list: there are none.

# %%
results = ask(connection, QUESTION)
truth = {}
for row in public("covid_testing", "person_id", "result"):
    truth.setdefault(row["result"], set()).add(row["person_id"])
beside(results, "result", "persons", {result: len(persons) for result, persons in truth.items()})

# %% [markdown]
# Whatever is computed from a release is free: here the share of persons with a positive test.

# %%
persons = {row["result"]: row["persons"] for row in results}
share = persons["positive"] / (persons["positive"] + persons["negative"])
print(f"  {share:.1%} of the persons with a clear result had a positive one")

# %% [markdown]
# The same question again has the same answer, and costs nothing more.

# %%
assert ask(connection, QUESTION) == results

# %% [markdown]
# Names are of no use to anybody. The refusal says so, and what to do instead.

# %%
for statement in [
    "SELECT fake_last_name, COUNT(*) FROM medical.covid_testing GROUP BY fake_last_name",
    "SELECT COUNT(*) FROM medical.covid_testing WHERE person_id = 1",
]:
    said = refusal(connection, statement)
    print("  " + said.splitlines()[0][:150])
    assert "column-is-identifier" in said, said

# %%
connection.close()
