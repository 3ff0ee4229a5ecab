"""
9. A network in two kilobytes: rounding, clustering, pruning
============================================================

A small network that reads handwritten digits takes a quarter of a megabyte as a pickle.
:class:`~skinfo.RDCompressor` writes it into a file of about two kilobytes, and its
predictions hardly change. This page compares the methods by the bytes that they really
write, and by what is lost on samples that neither training nor compression has seen.
"""

# %%
# The model
# ---------
# One hidden layer of 100 units, and 7400 weights. Compression needs no labels here: a
# frozen model is not trained again, and the samples only show how its predictions
# change.

import pickle
import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import rel_entr
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skinfo import RDCompressor, load_compressed
from skinfo.inspection import RateDistortionDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.4, stratify=y, random_state=0
)
model = MLPClassifier((100,), max_iter=300, random_state=0)
with warnings.catch_warnings():  # 300 rounds are enough for this page
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(X_train, y_train)

compressor = RDCompressor(FrozenEstimator(model), n_bytes=2000, random_state=0)
compressor.fit(X_train)
restored = load_compressed(compressor.to_bytes())

print(f"pickle:     {len(pickle.dumps(model)):7d} bytes")
print(f"compressed: {len(compressor.to_bytes()):7d} bytes")
print(f"bits for each weight: {compressor.rate_:.2f}")
print(f"accuracy: {model.score(X_test, y_test):.3f} before")
print(f"          {restored.score(X_test, y_test):.3f} after")

# %%
# What is read back is an ordinary `MLPClassifier`, and the file holds neither code nor
# pickle. Some of the factor is cheap: the pickle keeps the state of the optimiser, and
# eight bytes for each weight. The weights alone, as float32, would be 30 040 bytes with
# the biases.
#
# All methods at their real bytes
# -------------------------------
# The same model by each method: rounding with feedback, which is the default; one
# codebook for each layer by k-means, where all weights count the same ("uniform") or by
# their importance for the KL divergence; and pruning, with and without a refit of the
# weights that stay. All write files by the same coder. Lost is the mean KL divergence
# of the predicted probabilities, and accuracy.

probabilities = model.predict_proba(X_test)


def measured(**params):
    """Return the bytes, the KL divergence and the accuracy on the test samples."""
    found = RDCompressor(FrozenEstimator(model), random_state=0, **params).fit(X_train)
    after = np.maximum(found.predict_proba(X_test), np.finfo(float).tiny)
    divergence = rel_entr(probabilities, after).sum(axis=1).mean()
    return found.n_bytes_, divergence, found.score(X_test, y_test)


rates, sparsities = (1.25, 1.5, 2, 2.5, 3, 4), (0.7, 0.8, 0.85, 0.9, 0.95)
settings = {
    "rate_distortion": [{"rate": rate} for rate in rates],
    "kmeans, uniform": [
        {"method": "kmeans", "importance": "uniform", "rate": rate} for rate in rates
    ],
    "kmeans, kl": [{"method": "kmeans", "rate": rate} for rate in rates],
    "prune": [{"method": "prune", "sparsity": share} for share in sparsities],
    "prune_refit": [
        {"method": "prune_refit", "sparsity": share} for share in sparsities
    ],
}
curves = {
    name: np.array([measured(**params) for params in each])
    for name, each in settings.items()
}

figure, axes = plt.subplots(2, 1, figsize=(6.4, 8), sharex=True, layout="constrained")
for (name, curve), marker in zip(curves.items(), "os^vD", strict=True):
    n_bytes, divergence, accuracy = curve.T
    axes[0].plot(n_bytes, divergence, marker=marker, ms=5, label=name)
    axes[1].plot(n_bytes, accuracy, marker=marker, ms=5)
axes[0].set_yscale("log")
axes[0].set_ylabel("KL divergence (nats)")
axes[1].set_ylabel("accuracy")
original = model.score(X_test, y_test)
axes[1].axhline(original, color="0.5", ls=":", zorder=0)
axes[1].annotate("original", (1000, original + 0.002))
axes[1].set_ylim(0.85, 1)  # pruning without refit is mostly below
axes[1].set_xlabel("bytes of the whole file")
for ax in axes:
    ax.spines[["top", "right"]].set_visible(False)
figure.legend(loc="outside upper center", ncols=3, frameon=False)
plt.show()

# %%
# Near two kilobytes:

for name, curve in curves.items():
    n_bytes, divergence, accuracy = curve[np.abs(curve[:, 0] - 2000).argmin()]
    print(
        f"{name:16s} {n_bytes:5.0f} bytes, KL {divergence:.4f}, accuracy {accuracy:.3f}"
    )

# %%
# k-means rounds each weight by itself. Feedback rounding lets the weights that come
# later make up for the errors of those before, so that the errors cancel in the
# outputs. The refit after pruning does the same for the weights that went, which is why
# it matters far more than the choice of what to prune.
#
# The curve of one method
# -----------------------
# :class:`~skinfo.inspection.RateDistortionDisplay` compresses the model of a compressor
# at several rates. The grey line is the rate that weights drawn from a normal law would
# need for the same distortion; one trained network is no such draw, so it is a
# reference and not a bound. Here the test samples calibrate, too: the distortion on
# them is a little lower than on others.

display = RateDistortionDisplay.from_estimator(
    compressor, X_test, y_test, score_name="Accuracy"
)
plt.show()
