"""
5. The skeleton of a causal graph, by tests given other variables
=================================================================

Swimmers need rescue more often on days on which more ice cream is sold. Both depend on
the temperature, and a test of independence finds all that is connected in any way. A
test *given* the temperature shows that the two are unrelated on days of the same
temperature. Such tests are the first steps of the PC algorithm, which finds the
skeleton of a causal graph: which variables act on each other directly.
"""

# %%
# A beach with a known graph
# --------------------------
# Six variables of several kinds: a category, two booleans, a temperature, a count, and
# sales that are zero on many days. Hardly any relation is linear.

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skinfo import independence_test, pairwise_dependence

TRUE_EDGES = {
    ("season", "temperature"),
    ("temperature", "ice cream"),
    ("temperature", "swimmers"),
    ("holiday", "swimmers"),
    ("swimmers", "rescue"),
}
MEAN_TEMPERATURE = {"winter": 0.0, "spring": 9.0, "autumn": 10.0, "summer": 18.0}


def make_beach(n_days: int, seed: int) -> pd.DataFrame:
    """Draw independent days; each variable depends on its causes alone."""
    rng = np.random.default_rng(seed)
    season = rng.choice(list(MEAN_TEMPERATURE), n_days)
    mean = np.array([MEAN_TEMPERATURE[name] for name in season])
    temperature = mean + 3 * rng.normal(size=n_days)
    warmth = np.maximum(temperature - 4, 0)
    holiday = rng.random(n_days) < 0.3
    swimmers = rng.poisson(np.exp(0.13 * temperature - 1.8 + 1.2 * holiday))
    return pd.DataFrame(
        {
            "season": season,
            "temperature": temperature,
            "ice cream": np.maximum(0, 0.12 * warmth**1.3 + rng.normal(size=n_days)),
            "holiday": holiday,
            "swimmers": swimmers,
            "rescue": rng.random(n_days) < 1 - np.exp(-0.12 * swimmers),
        }
    )


X = make_beach(600, seed=0)
print(X.head().round(1).to_string())

# %%
# Which pairs depend on each other
# --------------------------------
# :func:`~skinfo.pairwise_dependence` tests all pairs. `n_neighbors=10` has more power
# than the default, which is chosen to estimate.

ALPHA = 0.01
OPTIONS = {
    "measure_params": {"n_neighbors": 10},
    "n_permutations": 119,
    "random_state": 0,
    "n_jobs": 2,
}
pairs = pairwise_dependence(X, **OPTIONS)
marginal = {
    (X.columns[i], X.columns[j])
    for i, j in combinations(range(X.shape[1]), 2)
    if pairs.pvalues[i, j] <= ALPHA
}
print(f"{len(marginal)} pairs are dependent; the graph has {len(TRUE_EDGES)} edges.")

# %%
# Which still do, given a third
# -----------------------------
# An edge is removed if its ends are independent given one of the variables that either
# of them is still joined to. `stop_early=True` ends a test as soon as its p-value is
# known to be large: those that remove an edge need few permutations.


def best_explanation(
    edge: tuple[str, str], edges: set[tuple[str, str]]
) -> tuple[str, float]:
    """Return the neighbour given which an edge has the largest p-value, and that."""
    x, y = edge
    joined = {end for other in edges if {x, y} & set(other) for end in other} - {x, y}
    pvalues = {
        z: independence_test(X[x], X[y], X[z], stop_early=True, **OPTIONS).pvalue
        for z in sorted(joined)
    }
    return max(pvalues.items(), key=lambda item: item[1])


skeleton = set()
for edge in sorted(marginal):
    given, pvalue = best_explanation(edge, marginal)
    verdict = "stays" if pvalue <= ALPHA else "goes "
    print(f"{verdict}  p = {pvalue:.3f}  {edge[0]} - {edge[1]} given {given}")
    if pvalue <= ALPHA:
        skeleton.add(edge)

# %%
# The graph
# ---------
# Blue edges are true ones, red dashed ones are not in the graph that made the data.

PLACES = {
    "season": (0, 1),
    "temperature": (1, 1),
    "ice cream": (2, 1),
    "holiday": (0, 0),
    "swimmers": (1, 0),
    "rescue": (2, 0),
}


def draw_graph(ax: plt.Axes, edges: set[tuple[str, str]], title: str) -> None:
    """Draw edges, and dotted what is missing of the true ones."""
    for edge in sorted(edges | TRUE_EDGES):
        start, end = (np.array(PLACES[name]) for name in edge)
        is_true, is_found = edge in TRUE_EDGES, edge in edges
        ax.annotate(
            "",
            start,
            end,
            arrowprops={
                "arrowstyle": "-",
                "color": "tab:blue" if is_true else "tab:red",
                "linestyle": ("-" if is_true else "--") if is_found else ":",
                "linewidth": 2.5 if is_true else 1.2,
                # round what lies between the ends
                "connectionstyle": f"arc3,rad={0.25 * (abs(end - start)[0] == 2)}",
            },
        )
    for name, place in PLACES.items():
        box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": "0.3"}
        ax.text(*place, name, ha="center", va="center", bbox=box)
    ax.set(xlim=(-0.4, 2.4), ylim=(-0.3, 1.4), title=title)
    ax.set_axis_off()


figure, axes = plt.subplots(2, 1, figsize=(6, 7), layout="constrained")
draw_graph(axes[0], marginal, f"dependent: {len(marginal)} pairs")
draw_graph(axes[1], skeleton, f"dependent given any other: {len(skeleton)} pairs")
plt.show()

# %%
# What it does not say
# --------------------
# A test that finds nothing is no proof: with fewer days, weak edges go as well. Nor may
# one condition on everything at once. Holidays do not depend on the temperature, but
# both act on the number of swimmers, and among days with equally many swimmers the
# holidays are the cooler ones. This is why the algorithm takes small sets, and only of
# neighbours.

for given in (None, X["swimmers"]):
    test = independence_test(X["temperature"], X["holiday"], given, **OPTIONS)
    name = "nothing" if given is None else given.name
    print(f"temperature - holiday given {name}: p = {test.pvalue:.3f}")

# %%
# The full algorithm goes on with pairs and triples of variables, and then directs those
# edges that the tests decide. It assumes that there is no common cause outside of the
# table.
