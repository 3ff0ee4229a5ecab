"""
.. _tour:

Which columns of a table matter?
================================

Two tables that ship with scikit-learn, one with a number to predict and one with a
class. Each gets a categorical and a zero-inflated column, as real tables have, and
columns of pure noise. :class:`~skinfo.MixedMutualInfo` tells what carries information
about the target: how much (in nats), how sure (p-values from permutations), and how
much of it holds on samples that were not used.
"""

# %%
# The tables
# ----------
# The diabetes table: ten measurements of 442 patients, and the progress of the disease
# a year later. The dose of a medicine is zero for those who do not take it.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import train_test_split

from skinfo import MixedMutualInfo
from skinfo.inspection import DependenceDisplay

rng = np.random.default_rng(1)


def diabetes() -> tuple[pd.DataFrame, pd.Series]:
    """Return measurements of patients, of several kinds, and their progress."""
    X, progress = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X["sex"] = X["sex"].map({1: "group 1", 2: "group 2"}).astype("category")
    X["weight class"] = pd.cut(
        X["bmi"], [0, 18.5, 25, 30, np.inf], labels=["under", "normal", "over", "obese"]
    )
    treated = rng.random(len(X)) < 0.4
    X["dose"] = np.where(treated, np.round(progress * rng.uniform(0.5, 1.5, len(X))), 0)
    X["noise (number)"] = rng.normal(size=len(X))
    X["noise (category)"] = rng.choice(["a", "b", "c"], len(X))
    return X, progress


def wine() -> tuple[pd.DataFrame, pd.Series]:
    """Return the chemistry of wines, of several kinds, and their cultivar."""
    X, y = load_wine(return_X_y=True, as_frame=True)
    colour = X.pop("color_intensity")
    X["colour"] = pd.cut(colour, [0, 3, 5, np.inf], labels=["pale", "medium", "deep"])
    X["added acid"] = np.where(rng.random(len(X)) < 0.5, 0, X.pop("malic_acid"))
    X["noise (zero-inflated)"] = rng.exponential(size=len(X)) * rng.integers(
        0, 2, len(X)
    )
    X["noise (category)"] = rng.choice(["north", "south"], len(X))
    return X, y.map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})


# %%
# Select
# ------
# A feature is selected if it is significant at a false discovery rate of 5%. The names
# of the cultivars are strings, hence nominal; integer codes of classes would need
# `discrete_target=True`.


def select(name: str, X: pd.DataFrame, y: pd.Series) -> MixedMutualInfo:
    """Fit on two thirds of a table, and print what was found."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=1 / 3, random_state=0
    )
    selector = MixedMutualInfo(
        n_permutations=999, alpha=0.05, n_jobs=-1, random_state=0
    )
    selector.fit(X_train, y_train)
    table = pd.DataFrame(
        {
            "MI (nats)": selector.scores_,
            "p-value": selector.pvalues_,
            "selected": np.where(selector.get_support(), "yes", "no"),
        },
        index=selector.feature_names_in_,
    ).rename_axis("feature")
    print(f"{name}: {len(X_train)} samples for fitting, {len(X_test)} held out\n")
    print(
        table.sort_values("MI (nats)", ascending=False).to_string(float_format="%.3f")
    )
    best = MixedMutualInfo(10, n_features_to_select=2).fit(X_train, y_train)
    names = " and ".join(best.get_feature_names_out())
    print(f"\nHeld-out information of {names}: {best.score(X_test, y_test):.2f} nats\n")
    return selector


selectors = {
    "Diabetes: progress": select("Diabetes", *diabetes()),
    "Wine: cultivar": select("Wine", *wine()),
}

# %%
# The picture
# -----------
# The grey band holds 90% of the scores with a permuted target: bars that end within it
# are no more than chance.

figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for ax, (title, selector) in zip(axes, selectors.items(), strict=True):
    DependenceDisplay.from_estimator(selector, ax=ax)
    ax.set_title(title)
figure.savefig("tour.png", dpi=150)
print("The picture is in tour.png.")
