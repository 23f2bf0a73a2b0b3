"""Composes in Google's way what `audit compositions` prints: privacy loss distributions, composed by convolution.

Reads lines of JSON, prints one line of JSON last. Each composition is bounded from both sides: an optimistic estimate, below the true
epsilon, and a pessimistic one, above it. Our epsilon must not be below the optimistic one, which would prove it wrong; sums of rho must not
be below the pessimistic one either. A request's own epsilon can be exact, so it may lie between the two.
"""

import json
import statistics
import sys

from dp_accounting.pld import privacy_loss_distribution as pld

# Losses are rounded to multiples of this, coarser where a table would become too long.
FINEST = 1e-4
LONGEST = 2_000_000

# Beyond this scale the discrete Gaussian is the continuous one to more digits than a table of losses has.
DISCRETE_UP_TO = 200


def losses(mechanism, interval, pessimistic):
    scale, moved = mechanism["scale"], mechanism["moved"]
    if mechanism["kind"] == "laplace":
        table = pld.from_discrete_laplace_mechanism(
            1 / scale, sensitivity=int(moved), pessimistic_estimate=pessimistic, value_discretization_interval=interval
        )
    elif scale <= DISCRETE_UP_TO and moved == int(moved):
        table = pld.from_discrete_gaussian_mechanism(
            scale, sensitivity=int(moved), pessimistic_estimate=pessimistic, value_discretization_interval=interval
        )
    else:
        table = pld.from_gaussian_mechanism(
            scale,
            sensitivity=moved,
            pessimistic_estimate=pessimistic,
            value_discretization_interval=interval,
            use_connect_dots=pessimistic,
        )
    return table.self_compose(mechanism["times"])


def composed(line, pessimistic):
    reach = sum(m["times"] * m["moved"] / m["scale"] for m in line["mechanisms"])
    interval = max(FINEST, reach / LONGEST)
    table = None
    for mechanism in line["mechanisms"]:
        one = losses(mechanism, interval, pessimistic)
        table = one if table is None else table.compose(one)
    return table.get_epsilon_for_delta(line["delta"])


def main():
    lines = [json.loads(line) for line in sys.stdin if line.strip()]
    wrong, figures = [], {}
    for line in lines:
        low, high = composed(line, False), composed(line, True)
        ours = line["ours"]
        floor = high if line["rule"] == "sum of rho" else low
        good = ours >= floor * (1 - 1e-9)
        if not good:
            wrong.append(line["name"])
        figures.setdefault(line["rule"], []).append(ours / high)
        print(
            f"{'ok   ' if good else 'WRONG'} {line['name']:<62} delta {line['delta']:g}"
            f"  ours {ours:9.4f}  PLD {low:9.4f} to {high:9.4f}  ratio {ours / high:.3f}"
        )
    ratios = {
        rule: {"compositions": len(all), "least": min(all), "median": statistics.median(all), "most": max(all)}
        for rule, all in figures.items()
    }
    passed = bool(lines) and not wrong
    print(json.dumps({"command": "audit accountant", "pass": passed, "wrong": wrong, "ratios_to_pessimistic_pld": ratios}))
    sys.exit(0 if passed else 1)


main()
