# %% [markdown]
# # Education: do students who sleep more move more?
#
# The CDC's survey of high-school students, one row per student, so that a student counts once in every table.
#
# In one terminal: `cargo run -- demo`. Then: `python examples/notebooks/education.py glovebox-demo/demo.json`.

# %%
from bureau import ask, beside, connect, public, show

connection = connect()

# %% [markdown]
# Hours of sleep on a school night are answers of the questionnaire, so they may be grouped by; days with an hour of exercise lie from 0 to 7
# by definition, so an average needs no further bound.

# %%
ACTIVE = "AVG(physically_active_7d)"
QUESTION = f"""
    SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1, delta = 1e-9, max_groups_contributed = 1)
           school_night_hours_sleep AS sleep, COUNT(*) AS students, dp_interval_low(COUNT(*)) AS students_low,
           dp_interval_high(COUNT(*)) AS students_high, {ACTIVE} AS active, dp_interval_low({ACTIVE}) AS active_low,
           dp_interval_high({ACTIVE}) AS active_high
    FROM education.yrbss_students GROUP BY school_night_hours_sleep
"""
rows = ask(connection, QUESTION)
order = ["<5", "5", "6", "7", "8", "9", "10+", None]
rows.sort(key=lambda row: order.index(row["sleep"]))

# %% [markdown]
# How many students each row is about, beside the truth. The last row is for students who gave no answer.

# %%
students, days = {}, {}
for row in public("yrbss_students", "school_night_hours_sleep", "physically_active_7d"):
    sleep, active = row["school_night_hours_sleep"], row["physically_active_7d"]
    students[sleep] = students.get(sleep, 0) + 1
    if active is not None:
        days.setdefault(sleep, []).append(active)
beside(rows, "sleep", "students", students)

# %% [markdown]
# Days with exercise. Noise is the same for every row, so an average over few students is less exact: look at the intervals.

# %%
beside(rows, "sleep", "active", {sleep: sum(of) / len(of) for sleep, of in days.items()})

# %% [markdown]
# Pictures are post-processing too.

# %%
for row in rows:
    print(f"  {str(row['sleep']):>4} hours  {'#' * round(8 * row['active'])} {row['active']:.1f} days")

# %% [markdown]
# A second question, with two keys at once and its own price.

# %%
show(ask(connection, """
    SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0.5, delta = 1e-9, max_groups_contributed = 1)
           gender, grade, COUNT(*) AS students, AVG(strength_training_7d) AS strength
    FROM education.yrbss_students GROUP BY gender, grade HAVING COUNT(*) > 500 ORDER BY gender, grade
"""))

# %%
connection.close()
