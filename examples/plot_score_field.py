"""
7. The score function of two moons
==================================

The score function of a density is minus the gradient of its logarithm. It points away
from where the density is high. :class:`~skinfo.LocalLikelihoodScore` estimates it from
samples, with one parameter: the bandwidth. Its own `score` is an estimate of the
squared error that needs no truth, so that
:class:`~sklearn.model_selection.GridSearchCV` chooses the bandwidth.
"""

# %%
# Two moons
# ---------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.model_selection import GridSearchCV, KFold

from skinfo import GaussianMixtureScore, GaussianScore, LocalLikelihoodScore

X, _ = make_moons(1500, noise=0.12, random_state=0)
folds = KFold(5, shuffle=True, random_state=0)
factors = np.geomspace(0.4, 8, 12)
search = GridSearchCV(LocalLikelihoodScore(), {"bandwidth_factor": factors}, cv=folds)
search.fit(X)
best = search.best_estimator_
print(f"bandwidth factor {best.bandwidth_factor:.2f}, score {search.best_score_:.2f}")

# %%
# The same score compares it with other estimators: a mixture of normal densities, whose
# number is chosen in the same way, and one normal density. A larger score is a smaller
# squared error.

mixture = GridSearchCV(
    GaussianMixtureScore(random_state=0), {"n_components": [2, 5, 10, 15]}, cv=folds
).fit(X)
gaussian = GridSearchCV(GaussianScore(), {}, cv=folds).fit(X)
for name, fitted in (
    ("local likelihood", search),
    (f"{mixture.best_params_['n_components']} normal densities", mixture),
    ("one normal density", gaussian),
):
    print(f"{name:20s} {fitted.best_score_:6.2f}")

# %%
# Ten normal densities lie well along the moons, and are better here. Local likelihood
# comes near without a family.
#
# Bandwidth and field
# -------------------
# Too small a bandwidth follows single samples; too large a one sees one normal density.
# The arrows are the gradient of the log density: where a sample would have to go to
# reach a denser place. Far from all samples there is nothing to estimate it from, so
# that no arrow is drawn there.

figure, (top, bottom) = plt.subplots(
    2, 1, figsize=(6.4, 7.6), height_ratios=(2, 3), layout="constrained"
)
results = search.cv_results_
top.semilogx(factors, results["mean_test_score"], "o-")
top.axvline(best.bandwidth_factor, color="0.6", linestyle="--")
top.set_xticks([0.5, 1, 2, 5], labels=["0.5", "1", "2", "5"])
top.minorticks_off()
top.set_xlabel("bandwidth factor")
top.set_ylabel("score on held-out samples")

grid_x, grid_y = np.meshgrid(np.linspace(-1.6, 2.6, 34), np.linspace(-1.1, 1.6, 24))
points = np.column_stack([grid_x.ravel(), grid_y.ravel()])
nearest = np.min(np.linalg.norm(points[:, np.newaxis] - X, axis=2), axis=1)
points = points[nearest < 0.15]
gradient = -best.transform(points)
bottom.plot(*X.T, ".", color="0.75", markersize=3)
bottom.quiver(
    *points.T, *gradient.T, np.linalg.norm(gradient, axis=1), cmap="viridis", scale=350
)
bottom.set_aspect("equal")
bottom.set_title("gradient of the log density")
plt.show()
