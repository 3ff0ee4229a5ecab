"""
4. All pairs of a table, and what the average misses
====================================================

The paper that introduced the hypercontractivity coefficient screens all pairs of
indicators of the World Health Organization for *potential* correlations: those in which
one variable moves another in a small part of the samples. Here is the same with a table
of wines: mutual information finds what holds on average, hypercontractivity what holds
somewhere, and p-values, adjusted for the number of pairs, tell which of both to trust.
"""

# %%
# Six properties of 178 wines
# ---------------------------
# The table has thirteen; these six were picked, to save time, after a look at all of
# them. In a real study that would be a choice to account for, as the p-values are only
# adjusted for the pairs of the six.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_wine

from skinfo import ChowLiuTree, HypercontractivityCoef, pairwise_dependence
from skinfo.inspection import (
    ChowLiuTreeDisplay,
    PairwiseDependenceDisplay,
    TiltDisplay,
)

wines = load_wine(as_frame=True).data
X = wines[
    [
        "alcohol",
        "malic_acid",
        "flavanoids",
        "nonflavanoid_phenols",
        "proanthocyanins",
        "hue",
    ]
]
OPTIONS = {"n_permutations": 99, "random_state": 0, "n_jobs": 2}

# %%
# On average
# ----------
# Dots are pairs that are significant at a false discovery rate of 5%. The map is
# symmetric.

information = pairwise_dependence(X, measure_params={"n_neighbors": 10}, **OPTIONS)
PairwiseDependenceDisplay.from_result(information)
plt.show()

# %%
# Somewhere
# ---------
# Hypercontractivity has a direction: how strongly the property of the row can move that
# of the column.

potential = pairwise_dependence(X, measure="hypercontractivity", **OPTIONS)
PairwiseDependenceDisplay.from_result(potential)
plt.show()

# %%
# What the average misses
# -----------------------
# Pairs whose potential correlation is significant, and whose mutual information is not.
# A discovery can rest on few samples, so the last column has the potential correlation
# without its witness, the wine that the tilt raises most.

missed = (potential.pvalues_adjusted <= 0.05) & (information.pvalues_adjusted > 0.05)
selectors = {
    (X.columns[i], X.columns[j]): HypercontractivityCoef().fit(
        X.iloc[:, [i]], X.iloc[:, j]
    )
    for i, j in np.argwhere(missed)
}
table = pd.DataFrame(
    {
        "adjusted p": potential.pvalues_adjusted[missed],
        "of information": information.pvalues_adjusted[missed],
        "potential": [pair.scores_[0] for pair in selectors.values()],
        "without": [pair.scores_without_witness_[0] for pair in selectors.values()],
    },
    index=[f"{source} to {target}" for source, target in selectors],
)
print(table.round(3).to_string())

# %%
# Which wines carry it
# --------------------
# The pair with the largest value is a discovery about one wine, far out in both
# properties: it may be no chance, but it is no rule either. The other pair hardly
# changes without its witness, and many wines carry it, those with much malic acid.

figure, axes = plt.subplots(2, 1, figsize=(6.4, 8), layout="constrained")
for ax, pair in zip(
    axes, [("hue", "alcohol"), ("malic_acid", "nonflavanoid_phenols")], strict=True
):
    source, target = pair
    TiltDisplay.from_estimator(selectors[pair], X[[source]], X[target], ax=ax)
    ax.set_ylabel(target)
plt.show()

# %%
# The tree of all properties
# --------------------------
# A map of many pairs is hard to read. The Chow-Liu tree keeps those edges that together
# hold the most mutual information: what is next to each other is directly related, what
# is far apart only by what lies between, as far as a tree can tell.

ChowLiuTreeDisplay.from_estimator(ChowLiuTree().fit(wines))
plt.show()
