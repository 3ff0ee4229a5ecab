"""
.. _tour:

1. A tour of the four methods
=============================

Four questions, each on data that ship with scikit-learn: which features matter, is
there a hidden dependence, what is the hidden layer, and how small can a model get?
"""

# %%
# Which features matter?
# ----------------------
# Ten measurements of 442 patients, and the progress of their diabetes a year later.
# Added are an invented dose, made from the progress and zero for those who take no
# medicine, and two columns of noise. :class:`~skinfo.MixedMutualInfo` takes numbers
# and categories as they are: how much each says of the progress (in nats), and whether
# that could be chance (p-values by permutation).

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skinfo import (
    HypercontractivityCoef,
    MixedMutualInfo,
    RDCompressor,
    ScoreFunctionLoss,
    mutual_information,
)
from skinfo.inspection import (
    DependenceDisplay,
    RateDistortionDisplay,
    TiltDisplay,
)

figure = plt.figure(figsize=(12, 9.5), layout="constrained")
parts = figure.subfigures(2, 2).ravel()
axes = [part.subplots() for part in parts]
for part, question in zip(
    parts,
    [
        "Which features matter?",
        "Is there a hidden dependence?",
        "What is the hidden layer?",
        "How small can this model get?",
    ],
    strict=True,
):
    part.suptitle(question, weight="bold")

rng = np.random.default_rng(1)
X, progress = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X["sex"] = X["sex"].map({1: "group 1", 2: "group 2"}).astype("category")
treated = rng.random(len(X)) < 0.4
X["dose"] = np.where(treated, np.round(progress * rng.uniform(0.5, 1.5, len(X))), 0)
X["noise (number)"] = rng.normal(size=len(X))
X["noise (category)"] = rng.choice(["a", "b", "c"], len(X))

selector = MixedMutualInfo(
    n_neighbors=10, n_permutations=999, alpha=0.05, n_jobs=-1, random_state=0
).fit(X, progress)
table = pd.DataFrame(
    {
        "MI (nats)": selector.scores_,
        "p-value": selector.pvalues_,
        "selected": np.where(selector.get_support(), "yes", "no"),
    },
    index=selector.feature_names_in_,
).sort_values("MI (nats)", ascending=False)
print("Which features matter?\n")
print(table.to_string(float_format="%.3f"), "\n")
DependenceDisplay.from_estimator(selector, ax=axes[0])

# %%
# The grey band of the first picture holds 90% of the scores with a permuted target:
# bars that end within it are no more than chance.
#
# Is there a hidden dependence?
# -----------------------------
# In most wines, malic acid has little to do with the non-flavanoid phenols. A
# :class:`~skinfo.HypercontractivityCoef` asks what the dependence would be if the wines
# were reweighted in the way that shows it best, and its tilt tells which wines these
# are. (This pair was chosen after a look at all pairs, on page 4, so that its p-value
# alone is too small.)

wines = load_wine(as_frame=True).data
acid, phenols = wines[["malic_acid"]], wines["nonflavanoid_phenols"]
potential = HypercontractivityCoef(n_permutations=999, n_jobs=-1, random_state=0)
potential.fit(acid, phenols)
print("Is there a hidden dependence?\n")
print(f"mutual information     {mutual_information(acid, phenols):.3f} nats")
print(f"potential correlation  {potential.scores_[0]:.3f}")
print(f"without its witness    {potential.scores_without_witness_[0]:.3f}")
print(f"p-value                {potential.pvalues_[0]:.3f}\n")
TiltDisplay.from_estimator(potential, acid, phenols, ax=axes[1])
axes[1].set_ylabel(phenols.name)

# %%
# What is the hidden layer?
# -------------------------
# A network of four units, of which only inputs and outputs are seen, reads four
# principal components of handwritten digits. :class:`~skinfo.ScoreFunctionLoss` finds
# its units: a cosine of 1 to a true direction is a unit that was found. Training from
# random weights often misses some.

digits, labels = load_digits(return_X_y=True)
inputs = PCA(4, whiten=True, random_state=0).fit_transform(digits)
directions = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
outputs = np.maximum(inputs @ directions.T, 0).sum(axis=1)


def cosines(found: np.ndarray) -> np.ndarray:
    """Return the cosine of each true direction with one of those found."""
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    products = np.abs(directions @ found.T)
    return np.sort(products[linear_sum_assignment(-products)])


recovered = {
    "ScoreFunctionLoss": cosines(
        ScoreFunctionLoss(random_state=0).fit(inputs, outputs).components_
    )
}
for seed in range(5):
    network = MLPRegressor(
        hidden_layer_sizes=(4,),
        solver="lbfgs",
        max_iter=1000,
        max_fun=1_000_000,
        tol=1e-10,
        random_state=seed,
    ).fit(inputs, outputs)
    recovered[f"random start {seed}"] = cosines(network.coefs_[0].T)

print("What is the hidden layer?\n")
ax = axes[2]
for name, found in recovered.items():
    print(f"{name:18s} cosine of the worst unit {found[0]:.3f}")
    ours = name == "ScoreFunctionLoss"
    ax.plot(
        np.arange(1, 5),
        found,
        color="navy" if ours else "0.6",
        marker="o" if ours else ".",
        label=name if ours else "random starts" if name.endswith("0") else None,
        zorder=2 if ours else 1,
    )
ax.legend()
ax.set(
    xlabel="hidden unit, worst first",
    ylabel="cosine to the true direction",
    xticks=np.arange(1, 5),
)

# %%
# How small can this model get?
# -----------------------------
# A network that reads the digits, with 7400 weights, goes into files of some thousand
# bytes. What is lost is measured on digits that neither training nor compression has
# seen.

X_train, X_test, y_train, y_test = train_test_split(
    digits / 16, labels, test_size=0.4, stratify=labels, random_state=0
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    model = MLPClassifier((100,), max_iter=300, random_state=0).fit(X_train, y_train)
compressor = RDCompressor(FrozenEstimator(model), n_bytes=2200, random_state=0)
compressor.fit(X_train)
print("\nHow small can this model get?\n")
print(
    f"weights and biases  {compressor.compression_ratio_ * compressor.n_bytes_:6.0f}"
    f" bytes, accuracy {model.score(X_test, y_test):.3f}"
)
print(
    f"compressed          {compressor.n_bytes_:6d}"
    f" bytes, accuracy {compressor.score(X_test, y_test):.3f}"
)
RateDistortionDisplay.from_estimator(
    compressor,
    X_test,
    y_test,
    rates=[1, 1.5, 2, 3],
    score_name="Accuracy on new digits",
    ax=axes[3],
)
figure.savefig("tour.png", dpi=100)
print("\nThe picture is in tour.png.")
