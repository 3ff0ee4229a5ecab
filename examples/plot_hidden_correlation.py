"""
6. A dependence in few samples, found by the tilt
=================================================

One variable may drive another in a small part of the samples and nowhere else. An
average over all samples dilutes such a dependence: correlation, distance correlation
and mutual information are averages. The hypercontractivity coefficient, or *potential
correlation*, asks instead what the dependence would be if the samples were reweighted
in the way that shows it best. The reweighting, the *tilt*, tells which samples carry
it.
"""

# %%
# One sample of twenty
# --------------------
# In 5% of the samples `x` is uniform on [0, 1], and `y` is a sine of it plus noise. In
# the others `x` lies between 1 and 1.1, and `y` is independent of it. Both parts have
# the same distribution of `y`.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skinfo import (
    HypercontractivityCoef,
    hypercontractivity,
    maximal_correlation,
    mutual_information,
)
from skinfo.datasets import make_hidden_correlation
from skinfo.inspection import TiltDisplay

N_SAMPLES, N_PERMUTATIONS = 1000, 199
data = make_hidden_correlation(N_SAMPLES, shape="sine", noise=0.1, random_state=1)
print(f"{data.rare.sum()} of {N_SAMPLES} samples are of the rare kind")

# %%
# Five measures of dependence
# ---------------------------
# Distance correlation takes a few lines where all pairs of samples fit in memory.


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Return the absolute correlation."""
    return abs(np.corrcoef(x, y)[0, 1])


def distance_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the distance correlation of Székely, Rizzo and Bakirov."""
    a, b = (np.abs(values[:, None] - values) for values in (x, y))
    a, b = (d - d.mean(axis=0) - d.mean(axis=1)[:, None] + d.mean() for d in (a, b))
    return np.sqrt((a * b).mean() / np.sqrt((a * a).mean() * (b * b).mean()))


# %%
# The values are on different scales. What can be compared is how often a permuted
# target, which is independent, gives a value as large: the p-value. All measures get
# the same permutations.

rng = np.random.default_rng(0)
permuted_targets = [rng.permutation(data.y) for _ in range(N_PERMUTATIONS)]
rows = {}
for name, measure in {
    "Pearson correlation": pearson,
    "distance correlation": distance_correlation,
    "mutual information (nats)": mutual_information,
    "maximal correlation": maximal_correlation,
    "hypercontractivity": hypercontractivity,
}.items():
    value = measure(data.x, data.y)
    null = np.array([measure(data.x, y) for y in permuted_targets])
    pvalue = (1 + np.sum(null >= value)) / (1 + N_PERMUTATIONS)
    rows[name] = {"value": value, "95% of null": np.quantile(null, 0.95), "p": pvalue}
print(pd.DataFrame(rows).T.round(3).to_string())

# %%
# The three averages see nothing here. (In some other draws of the data, Pearson and
# distance correlation do, where the rare samples happen to lie high or low.) Maximal
# correlation and hypercontractivity look for the functions and the weights of the
# samples that show most, and find the dependence.
#
# Which samples carry it?
# -----------------------
# :class:`~skinfo.HypercontractivityCoef` keeps the tilt. Colour and size in
# :class:`~skinfo.inspection.TiltDisplay` are the tilt of each sample: how much more
# often the reweighting draws it. It may not exceed 20, so that it cannot concentrate on
# less than 5% of the samples (`min_fraction`).

X = data.x.reshape(-1, 1)
selector = HypercontractivityCoef(n_permutations=N_PERMUTATIONS, random_state=0)
selector.fit(X, data.y)
TiltDisplay.from_estimator(selector, X, data.y)
plt.show()

# %%
# The tilt needs no hint that there are two kinds of samples. What it adds to the
# weight of samples lies on the rare ones:

excess = np.maximum(selector.tilt(X)[:, 0] - 1, 0)
share = excess[data.rare].sum() / excess.sum()
print(f"{share:.0%} of the added weight is on {data.rare.mean():.0%} of the samples")

# %%
# New samples
# -----------
# A tilt that was chosen to show a dependence shows one in the samples that it was
# chosen on. `score` asks what the same tilt shows on others: about 0, or less, where
# there is nothing.

new = make_hidden_correlation(N_SAMPLES, shape="sine", noise=0.1, random_state=2)
X_new = new.x.reshape(-1, 1)
independent = [selector.score(X_new, rng.permutation(new.y)) for _ in range(19)]
print(f"Held-out score:              {selector.score(X_new, new.y):.3f}")
print(f"with a permuted new target:  {np.mean(independent):.3f} on average,")
print(f"                             {max(independent):.3f} at most, of 19")

# %%
# What the value does not say
# ---------------------------
# Maximal correlation, one singular value decomposition of the same estimate, is often
# as good a test, and its square is never above the hypercontractivity coefficient. What
# hypercontractivity adds is its direction, from `x` to `y`, and a tilt that is a
# weighting of the samples.
#
# A value alone says little, as it depends on the distributions of `x` and `y`. Below,
# one pair is independent and has heavy tails. Another is independent and normal but for
# one sample, which lies far out in both variables.

rng = np.random.default_rng(1)
heavy_x, heavy_y = rng.standard_cauchy((2, 200))
x, y = rng.normal(size=(2, 200))
x[0] = y[0] = 7

selectors = {}
for name, feature, target in (
    ("hidden sine", data.x, data.y),
    ("heavy tails", heavy_x, heavy_y),
    ("one sample", x, y),
):
    selectors[name] = HypercontractivityCoef(
        n_permutations=N_PERMUTATIONS, random_state=0
    ).fit(feature.reshape(-1, 1), target)
table = {
    name: {
        "value": selector.scores_[0],
        "95% of null": np.quantile(selector.null_distribution_, 0.95),
        "p": selector.pvalues_[0],
        "without witness": selector.scores_without_witness_[0],
    }
    for name, selector in selectors.items()
}
print(pd.DataFrame(table).T.round(3).to_string())

# %%
# With heavy tails, one independent target of twenty scores more than the sine does, and
# the sine is far above chance: compare p-values, never values of different variables.
# The one sample is significant, and rightly so: independent variables hardly ever have
# their outliers in the same row. But it is a discovery about one sample.
# `scores_without_witness_`, with the sample of the largest tilt left out, tells, and
# the picture rings the sample.

TiltDisplay.from_estimator(selectors["one sample"], x.reshape(-1, 1), y)
plt.show()
