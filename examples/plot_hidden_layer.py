"""
8. The hidden layer of a network, read off its outputs
======================================================

A network of one hidden layer made the data: ten units, of which only inputs and outputs
are seen. Training from random weights often predicts well with other units than the
true ones. :class:`~skinfo.ScoreFunctionLoss` looks for the units themselves. It takes
moments of the outputs with the *score functions* of the density of the inputs, of which
the hidden directions are the components.
"""

# %%
# What is minimised
# -----------------
# For two inputs and two units, the designed loss is a function of two angles. Its
# minima are the two hidden directions, in either order. Below, it is drawn twice. On
# the left, the moments are those of the outputs themselves. On the right, a polynomial
# of degree 2 was taken from the outputs before. It changes the expectation of no moment
# of order 4, but takes away what makes their samples differ from it.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from skinfo import GaussianScore, ScoreFunctionLoss
from skinfo.datasets import make_teacher_network


def fitted(data, degree, **options):
    """Recover the directions, with a polynomial of this degree taken from y."""
    options = {"score_estimator": GaussianScore(), "random_state": 0} | options
    return ScoreFunctionLoss(residual_degree=degree, **options).fit(data.X, data.y)


data = make_teacher_network(300, 2, noise=0.1, random_state=0)
degrees = np.linspace(0, 180, 61)
units = np.column_stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
truth = np.degrees(np.arctan2(*data.components.T[::-1])) % 180

figure, axes = plt.subplots(1, 2, figsize=(7, 4), sharey=True, layout="constrained")
for ax, degree in zip(axes, (None, 2), strict=True):
    model = fitted(data, degree, mu=1)
    surface = np.array([[model.designed_loss([a, b]) for a in units] for b in units])
    ax.contourf(degrees, degrees, surface, levels=20, cmap="viridis")
    row, column = np.unravel_index(surface.argmin(), surface.shape)
    lowest = degrees[[column, row]]
    ax.plot(*np.transpose([lowest, lowest[::-1]]), "X", color="tab:red", ms=11)
    ax.plot(*np.transpose([truth, truth[::-1]]), "o", color="white", ms=6)
    ax.set_title("outputs as they are" if degree is None else "residual of degree 2")
    ax.set_xlabel("first direction, degrees")
    ax.set_xticks(np.arange(0, 181, 45))
axes[0].set_ylabel("second direction, degrees")
axes[0].set_yticks(np.arange(0, 181, 45))
plt.show()

# %%
# Circles are the true directions, crosses the smallest values of the loss. This is one
# draw of 300 samples, with a small weight `mu` of the fourth powers: with a large one,
# both directions may fall into the same minimum. (The solver keeps them apart, whatever
# `mu` is.) The error of the worst direction, 1 - cos, in thirty draws:


def cosines(found, data):
    """Return the cosine of each true direction with one of those found."""
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    table = np.abs(data.components @ found.T)
    return np.sort(table[linear_sum_assignment(-table)])


for degree in (None, 2):
    errors = [
        1 - cosines(fitted(draw, degree).init_components_, draw)[0]
        for draw in (
            make_teacher_network(300, 2, noise=0.1, random_state=seed)
            for seed in range(30)
        )
    ]
    print(f"residual_degree={degree}: median error {np.median(errors):.3f}")

# %%
# Ten units
# ---------
# Now ten inputs and ten units, and 8192 samples without noise. A direction is found
# where the cosine to it is near 1. Compared are the directions before the last
# training, after it, and those of an ordinary training of the same network from five
# random starts.

data = make_teacher_network(8192, 10, random_state=1)
model = fitted(data, "auto")
rows = {
    "recovered": (cosines(model.init_components_, data), None),
    "recovered, trained": (
        cosines(model.components_, data),
        model.score(data.X, data.y),
    ),
}
for seed in range(5):
    network = MLPRegressor(
        hidden_layer_sizes=(10,),
        solver="lbfgs",
        max_iter=1000,
        max_fun=1_000_000,
        tol=1e-10,
        random_state=seed,
    ).fit(data.X, data.y)
    score = network.score(data.X, data.y)
    rows[f"random start {seed}"] = (cosines(network.coefs_[0].T, data), score)

for name, (found, score) in rows.items():
    r2 = "" if score is None else f", R^2 = {score:.6f}"
    print(f"{name:20s} smallest cosine {found[0]:.4f}{r2}")

# %%
# Some random starts find all units, and the others miss one. Their R^2 is high, too.
# That a unit is missing shows only beside the starts that reach 1, and without noise.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, (found, _) in rows.items():
    ours = name.startswith("recovered")
    ax.plot(
        np.arange(1, 11),
        found,
        color={"recovered": "tab:blue", "recovered, trained": "navy"}.get(name, "0.6"),
        marker="o" if ours else ".",
        label=name if ours else "random starts" if name.endswith("0") else None,
        zorder=2 if ours else 1,
    )
ax.legend()
ax.set_xlabel("hidden unit, worst first")
ax.set_ylabel("cosine to the true direction")
plt.show()

# %%
# When the labels are shuffled, there is nothing to recover, and the directions are
# random. A method that returns the true ones even then has seen something else than the
# network, such as the coordinate axes. This is why the directions in
# :func:`~skinfo.datasets.make_teacher_network` are always rotated.

shuffled = np.random.default_rng(0).permutation(data.y)
with warnings.catch_warnings():  # the solver finds no directions to settle on
    warnings.simplefilter("ignore", ConvergenceWarning)
    control = ScoreFunctionLoss(
        score_estimator=GaussianScore(), polish=False, random_state=0
    ).fit(data.X, shuffled)
print(f"shuffled labels: smallest cosine {cosines(control.components_, data)[0]:.2f}")
print(f"                 R^2 = {control.score(data.X, shuffled):.3f}")
