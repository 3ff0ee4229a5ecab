"""
The hidden layer of a network, read off its outputs
===================================================

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

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.neural_network import MLPRegressor

from skinfo import GaussianScore, ScoreFunctionLoss
from skinfo.datasets import make_teacher_network

N_ANGLES = 60
data = make_teacher_network(1000, 2, noise=0.1, random_state=3)
angles = np.linspace(0, np.pi, N_ANGLES)
units = np.column_stack([np.cos(angles), np.sin(angles)])
true_angles = np.arctan2(data.components[:, 1], data.components[:, 0]) % np.pi

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, degree in zip(axes, (None, 2), strict=True):
    model = ScoreFunctionLoss(
        score_estimator=GaussianScore(), residual_degree=degree, mu=5, random_state=0
    ).fit(data.X, data.y)
    surface = np.array([[model.designed_loss([a, b]) for a in units] for b in units])
    ax.contourf(angles, angles, surface, levels=20, cmap="viridis")
    for pair in (true_angles, true_angles[::-1]):
        ax.plot(*pair, "o", color="white", markeredgecolor="black", ms=9)
    ax.plot(*angles[list(np.unravel_index(surface.argmin(), surface.shape)[::-1])],
            "X", color="tab:red", markeredgecolor="white", ms=11)  # fmt: skip
    ax.set_title("outputs as they are" if degree is None else "residual of degree 2")
    ax.set_xlabel("angle of the first direction")
axes[0].set_ylabel("angle of the second direction")
plt.show()

# %%
# Circles are the true directions, and crosses the smallest value of the loss.
#
# Ten units
# ---------
# Now ten inputs and ten units, and 8192 samples without noise. A direction is found
# where the cosine to it is near 1. Compared are the directions before the last
# training, after it, and those of an ordinary training of the same network from five
# random starts.

data = make_teacher_network(8192, 10, random_state=1)


def cosines(found):
    """Return the cosine of each true direction with one of those found."""
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    table = np.abs(data.components @ found.T)
    return np.sort(table[linear_sum_assignment(-table)])


model = ScoreFunctionLoss(score_estimator=GaussianScore(), random_state=0)
model.fit(data.X, data.y)
rows = {
    "recovered": (cosines(model.init_components_), None),
    "recovered, trained": (cosines(model.components_), model.score(data.X, data.y)),
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
    rows[f"random start {seed}"] = (cosines(network.coefs_[0].T), score)

for name, (found, score) in rows.items():
    r2 = "" if score is None else f", R^2 = {score:.6f}"
    print(f"{name:20s} smallest cosine {found[0]:.4f}{r2}")

# %%
# R^2 of the random starts is high, too: prediction does not tell whether the units are
# the true ones.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, (found, _) in rows.items():
    ours = name.startswith("recovered")
    ax.plot(
        np.arange(1, 11),
        found,
        color={"recovered": "tab:blue", "recovered, trained": "navy"}.get(name, "0.6"),
        marker="o" if ours else ".",
        label=name if ours or name.endswith("0") else None,
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
control = ScoreFunctionLoss(
    score_estimator=GaussianScore(), polish=False, random_state=0
).fit(data.X, shuffled)
print(f"shuffled labels: smallest cosine {cosines(control.components_)[0]:.2f}")
print(f"                 R^2 = {control.score(data.X, shuffled):.3f}")
