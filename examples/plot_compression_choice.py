"""
10. The rate of a compressed model, by cross-validation
=======================================================

The rate of :class:`~skinfo.RDCompressor` trades bytes for good predictions.
Cross-validation chooses it as it chooses any other parameter: with two metrics, the log
loss and the size of the file, and a rule that takes the smallest file whose log loss is
within one standard error of the best.
"""

# %%
# A trained model, and samples that it did not see
# ------------------------------------------------
# The network is trained and stays as it is, inside a
# :class:`~sklearn.frozen.FrozenEstimator`. The samples that choose the rate must not be
# those it was trained on: there it is surer of itself than elsewhere. Further samples
# measure the result.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier

from skinfo import RDCompressor

X, y = load_digits(return_X_y=True)
X_train, X_rest, y_train, y_rest = train_test_split(
    X / 16, y, test_size=0.6, stratify=y, random_state=0
)
X_choice, X_test, y_choice, y_test = train_test_split(
    X_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=0
)
model = MLPClassifier((40,), max_iter=300, random_state=0)
with warnings.catch_warnings():  # 300 rounds are enough for this page
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(X_train, y_train)

# %%
# Two metrics and a rule
# ----------------------
# `scoring` takes a dictionary, and a metric may look at the fitted estimator alone, as
# `n_bytes` does. With more than one metric, `refit` says which candidate is the best:
# here a function of all results.


def n_bytes(compressor, *_):
    """Return the size of the file."""
    return compressor.n_bytes_


def smallest_within_one_standard_error(results):
    """Return the candidate with the smallest file that is about as good as the best."""
    mean, spread = results["mean_test_score"], results["std_test_score"]
    best = np.argmax(mean)
    least = mean[best] - spread[best] / np.sqrt(folds.get_n_splits())
    size = np.where(mean >= least, results["mean_test_n_bytes"], np.inf)
    return int(np.argmin(size))


folds = StratifiedKFold(5, shuffle=True, random_state=0)
rates = [1, 1.25, 1.5, 2, 3]
search = GridSearchCV(
    RDCompressor(FrozenEstimator(model), random_state=0),
    {"rate": rates},
    scoring={"score": "neg_log_loss", "n_bytes": n_bytes},
    refit=smallest_within_one_standard_error,
    cv=folds,
)
search.fit(X_choice, y_choice)

results = pd.DataFrame(search.cv_results_)
columns = {
    "param_rate": "rate",
    "mean_test_n_bytes": "bytes",
    "mean_test_score": "minus log loss",
    "std_test_score": "spread",
}
print(results[list(columns)].rename(columns=columns).round(3).to_string(index=False))

# %%
# The choice
# ----------
# The bars are one standard error to each side. The shaded band reaches from the best
# mean up by its standard error, and the ring is the smallest file inside.

loss, size = -results["mean_test_score"], results["mean_test_n_bytes"]
error = results["std_test_score"] / np.sqrt(folds.get_n_splits())
best, chosen = int(loss.argmin()), search.best_index_

figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
ax.axhspan(loss[best], loss[best] + error[best], color="0.9", zorder=0)
ax.errorbar(size, loss, yerr=error, marker="o", capsize=3)
ax.plot(size[chosen], loss[chosen], "o", ms=16, mfc="none", mec="tab:red", mew=1.8)
for i, rate in enumerate(rates):
    ax.annotate(
        f"{rate:g}",
        (size[i], loss[i]),
        xytext=(8, 8),
        textcoords="offset points",
    )
ax.set_xlabel("bytes of the whole file (labels: bits for each weight)")
ax.set_ylabel("log loss, mean of five folds")
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# `best_estimator_` was calibrated on all samples of the choice. On the others:

compressor = search.best_estimator_
print(f"rate {compressor.rate:g}, {compressor.n_bytes_} bytes")
print(f"accuracy of the original:   {model.score(X_test, y_test):.3f}")
print(f"accuracy of the compressed: {compressor.score(X_test, y_test):.3f}")

# %%
# Without `FrozenEstimator`, each fold fits the model anew, and parameters of both can
# be searched together, as in `{"estimator__alpha": [...], "rate": [...]}`.
