# %% [markdown]
# # Traffic: seat belts, and the price of bounding
#
# Two datasets whose unit is a vehicle. In crashes a vehicle has at most two rows; an aircraft has hundreds of flights, and there one must
# say how many of them may count.
#
# In one terminal: `cargo run -- demo`. Then: `python examples/notebooks/traffic.py glovebox-demo/demo.json`.

# %%
from bureau import ask, beside, connect, public, show

connection = connect()

# %% [markdown]
# Occupants of front seats in crashes from which a vehicle was towed, by belt and outcome. Both occupants of a vehicle are protected together.

# %%
rows = ask(connection, """
    SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1, delta = 1e-9, max_groups_contributed = 2)
           seatbelt, dead, COUNT(*) AS occupants, dp_interval_low(COUNT(*)) AS occupants_low,
           dp_interval_high(COUNT(*)) AS occupants_high
    FROM traffic.nass_crash_occupants GROUP BY seatbelt, dead ORDER BY seatbelt, dead
""")
for row in rows:
    row["group"] = (row["seatbelt"], row["dead"])
truth = {}
for row in public("nass_crash_occupants", "seatbelt", "dead"):
    truth[row["seatbelt"], row["dead"]] = truth.get((row["seatbelt"], row["dead"]), 0) + 1
beside(rows, "group", "occupants", truth)

# %% [markdown]
# Of those who wore a belt fewer died. (The survey takes severe crashes more often than others; its weights are left out here.)

# %%
count = {row["group"]: row["occupants"] for row in rows}
for belt in ["belted", "none"]:
    died, lived = count[belt, "dead"], count[belt, "alive"]
    print(f"  {belt:>6}: {died / (died + lived):.1%} died")

# %% [markdown]
# Flights by airport. An aircraft may have 600 of them; if all counted, noise would have to hide 600 flights in each row. With
# `contribution_bounds_per_group => (0, 200)` an aircraft counts for at most 200 at each airport: less noise, and some flights of the busiest
# aircraft are left out. The interval holds the noise; what the bound leaves out is a bias that the analyst chose.

# %%
FLIGHTS = "COUNT(*, contribution_bounds_per_group => (0, 200))"
rows = ask(connection, f"""
    SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1, delta = 1e-9, max_groups_contributed = 3)
           origin, {FLIGHTS} AS flights, dp_interval_low({FLIGHTS}) AS flights_low, dp_interval_high({FLIGHTS}) AS flights_high
    FROM traffic.nyc_flights13 GROUP BY origin ORDER BY origin
""")
by_aircraft = {}
for row in public("nyc_flights13", "vehicle_id", "origin"):
    pair = row["origin"], row["vehicle_id"]
    by_aircraft[pair] = by_aircraft.get(pair, 0) + 1
bounded, whole = {}, {}
for (origin, _), flights in by_aircraft.items():
    bounded[origin] = bounded.get(origin, 0) + min(flights, 200)
    whole[origin] = whole.get(origin, 0) + flights
beside(rows, "origin", "flights", bounded)
for origin, flights in sorted(whole.items()):
    print(f"  {origin}: the bound leaves out {1 - bounded[origin] / flights:.1%} of {flights} flights")

# %% [markdown]
# Where do they fly to? Nobody listed the airports of arrival: the manifest marks the column, so that its keys are found in rows, and those
# appear that enough aircraft have. The threshold costs half of the delta that is asked for. An aircraft counts at five of its airports at
# most, so that the counts are below the true ones.

# %%
rows = ask(connection, """
    SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1, delta = 1e-9, max_groups_contributed = 5)
           dest, COUNT(DISTINCT vehicle_id) AS aircraft, dp_interval_low(COUNT(DISTINCT vehicle_id)) AS low,
           dp_interval_high(COUNT(DISTINCT vehicle_id)) AS high
    FROM traffic.nyc_flights13 GROUP BY dest ORDER BY aircraft DESC
""")
visitors = {}
for row in public("nyc_flights13", "vehicle_id", "dest"):
    visitors.setdefault(row["dest"], set()).add(row["vehicle_id"])
assert rows and all(row["dest"] in visitors for row in rows)
show([{**row, "true aircraft": len(visitors[row["dest"]])} for row in rows[:5]])
print(f"  {len(rows)} airports appear of {len(visitors)}; the fewest aircraft of one that does are {rows[-1]['aircraft']}")

# %% [markdown]
# What no question can say, a job can: `examples/jobs/flights_rotation` finds the longest chain of flights of each aircraft within a day.
# It needs an officer's signature, so it is submitted and approved with the command line (docs/guide/jobs.md), not from here.

# %%
connection.close()
