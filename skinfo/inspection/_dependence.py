"""Bar plot of the dependence of every feature with the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skinfo._core._checks import check_integer, check_probability
from skinfo.dependence.selection._hypercontractivity_coef import HypercontractivityCoef

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure, SubFigure

_INFORMATION, _POTENTIAL = "Mutual information (nats)", "Potential correlation"
_SELECTED, _OTHER, _NULL = "tab:blue", "lightsteelblue", "0.85"
_LONGEST_NAME = 40  # characters


class DependenceDisplay:
    """Bar plot of the scores of all features, with the scores of independent features.

    It is recommended to use :meth:`from_estimator` to create one.

    Parameters
    ----------
    scores : array-like of shape (n_features,)
        Dependence of each feature with the target.
    feature_names : sequence of str
        Name of each feature.
    null_distribution : array-like of shape (n_features, n_permutations), default=None
        Scores of each feature with the permuted target.
    support : array-like of shape (n_features,), default=None
        Mask of the selected features. None means that all are.
    score_name : str, default="Mutual information (nats)"
        Label of the axis of the scores.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        The figure of the last plot.
    bars_ : matplotlib BarContainer
        The bars of the scores.

    See Also
    --------
    skinfo.MixedMutualInfo : Computes the scores.
    skinfo.HypercontractivityCoef : Computes potential correlations.
    TiltDisplay : The samples that carry one of them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skinfo import MixedMutualInfo
    >>> from skinfo.inspection import DependenceDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> selector = MixedMutualInfo(
    ...     discrete_target=True, n_permutations=99, random_state=0
    ... )
    >>> display = DependenceDisplay.from_estimator(selector.fit(X, y))
    >>> display.ax_.get_xlabel()
    'Mutual information (nats)'
    """

    ax_: Axes
    figure_: Figure | SubFigure
    bars_: BarContainer

    def __init__(
        self,
        scores: ArrayLike,
        *,
        feature_names: Sequence[str],
        null_distribution: ArrayLike | None = None,
        support: ArrayLike | None = None,
        score_name: str = _INFORMATION,
    ) -> None:
        self.scores = scores
        self.feature_names = feature_names
        self.null_distribution = null_distribution
        self.support = support
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        max_features: int | None = 30,
        null_quantile: float = 0.95,
        score_name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the scores of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator with `scores_`, such as
            :class:`~skinfo.MixedMutualInfo` or
            :class:`~skinfo.HypercontractivityCoef`.
        max_features : int, default=30
            Maximum number of features to draw, those with the largest scores. None
            draws all.
        null_quantile : float, default=0.95
            The band reaches from the opposite quantile of the scores under permutation
            to this one, which is above 0.5.
        score_name : str, default=None
            Label of the axis of the scores. None means "Potential correlation" for a
            :class:`~skinfo.HypercontractivityCoef`, else "Mutual information (nats)".
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.

        Returns
        -------
        DependenceDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is a pipeline or a search that holds the selector.
        """
        check_is_selector(estimator)
        check_is_fitted(estimator, "scores_")
        if score_name is None:
            potential = isinstance(estimator, HypercontractivityCoef)
            score_name = _POTENTIAL if potential else _INFORMATION
        default_names = [f"x{j}" for j in range(estimator.n_features_in_)]
        display = cls(
            estimator.scores_,
            feature_names=list(getattr(estimator, "feature_names_in_", default_names)),
            null_distribution=getattr(estimator, "null_distribution_", None),
            support=estimator.get_support(),
            score_name=score_name,
        )
        return display.plot(ax, max_features=max_features, null_quantile=null_quantile)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        max_features: int | None = 30,
        null_quantile: float = 0.95,
    ) -> Self:
        """Draw the scores, the largest at the top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.
        max_features : int, default=30
            Maximum number of features to draw, those with the largest scores. None
            draws all.
        null_quantile : float, default=0.95
            The band reaches from the opposite quantile of the scores under permutation
            to this one, which is above 0.5.

        Returns
        -------
        self : DependenceDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `null_quantile` is not between 0.5 and 1, `max_features` is not positive,
            or there is not one entry for each feature.
        """
        from matplotlib import pyplot as plt

        if check_probability("null_quantile", null_quantile, 0.95) <= 0.5:
            raise ValueError(
                f"null_quantile={null_quantile!r} must be above 0.5: it is the upper "
                "end of the band. Pass, for example, null_quantile=0.95."
            )
        if max_features is not None:
            check_integer("max_features", max_features, minimum=1)
        scores = np.asarray(self.scores, dtype=float)
        self._check_lengths(len(scores))
        shown = np.argsort(-scores, kind="stable")[:max_features]
        places = np.arange(len(shown))
        if ax is None:
            height = 1.8 + 0.27 * len(shown)
            _, ax = plt.subplots(figsize=(6.4, height), layout="constrained")
        legend = {}
        if self.null_distribution is not None:
            null = np.asarray(self.null_distribution)[shown]
            shares = 1 - null_quantile, null_quantile
            low, high = np.quantile(null, shares, axis=1)
            ax.barh(places, high - low, left=low, height=0.9, color=_NULL)
            legend[f"{shares[0]:.0%} to {shares[1]:.0%} of permutations"] = _NULL
        self.bars_ = ax.barh(places, scores[shown], height=0.5, color=_SELECTED)
        if self.support is not None and not np.all(self.support):
            left_out = ~np.asarray(self.support, dtype=bool)[shown]
            for place in np.flatnonzero(left_out):
                self.bars_[place].set_color(_OTHER)
            legend |= {"selected": _SELECTED, "not selected": _OTHER}
        if legend:
            _draw_legend_below(ax, legend)
        ax.use_sticky_edges = False  # a margin on the left of the band
        ax.axvline(0, color="0.3", linewidth=0.8)
        names = [shortened(str(self.feature_names[j]), _LONGEST_NAME) for j in shown]
        ax.set_yticks(places, names, parse_math=False)
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.set_xlabel(self.score_name)
        ax.spines[["top", "right"]].set_visible(False)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _check_lengths(self, n_features: int) -> None:
        """Raise unless all that was passed has one entry for each feature."""
        for name in ("feature_names", "null_distribution", "support"):
            value = getattr(self, name)
            if value is not None and len(value) != n_features:
                raise ValueError(
                    f"{name} has {len(value)} entries, but there are {n_features} "
                    "scores. Pass one for each feature."
                )


def check_is_selector(estimator: Any) -> None:
    """Raise if the estimator is a pipeline or a search that holds a selector."""
    if hasattr(estimator, "steps") or hasattr(estimator, "best_estimator_"):
        raise TypeError(
            f"estimator is a {type(estimator).__name__}. Pass the selector in it: "
            "pipeline[0], or search.best_estimator_."
        )


def _draw_legend_below(ax: Axes, legend: dict[str, str]) -> None:
    """Draw a legend of names and their colours below the label of the x axis."""
    from matplotlib.patches import Patch
    from matplotlib.transforms import ScaledTranslation

    below = ScaledTranslation(0, -0.45, ax.figure.dpi_scale_trans)
    ax.legend(
        handles=[Patch(color=colour, label=name) for name, colour in legend.items()],
        loc="upper right",
        bbox_to_anchor=(1, 0),
        bbox_transform=ax.transAxes + below,
        ncols=len(legend),
        frameon=False,
    )


def shortened(name: str, longest: int) -> str:
    """Return a name with its middle left out if it is longer than `longest`."""
    if len(name) <= longest:
        return name
    return f"{name[: longest - 16]}\N{HORIZONTAL ELLIPSIS}{name[-15:]}"


def display_names(
    names: Sequence[str] | None, n_features: int, longest: int
) -> list[str]:
    """Return one name for each feature, or raise; without names, x0, x1 and so on."""
    if names is None:
        names = [f"x{j}" for j in range(n_features)]
    if len(names) != n_features:
        raise ValueError(
            f"feature_names has {len(names)} entries, but there are {n_features} "
            "features. Pass one for each feature."
        )
    return [shortened(str(name), longest) for name in names]
