"""Scatter plot of the samples that cause the potential correlation of a feature."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skinfo._core._checks import check_same_length
from skinfo._core._typing import AnyArray, FloatArray
from skinfo.inspection._dependence import check_is_selector, shortened
from skinfo.inspection._samples import (
    LONGEST_LABEL,
    column_of,
    read_samples,
    read_tilt,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure, SubFigure

_MAP, _PALE = "viridis_r", (0.72, 0.72, 0.72, 0.5)
_FLAT = 1 + 1e-9  # tilt up to which a sample is pale: 1, up to rounding
_SHARED = 1 - 1e-9  # share of the largest tilt that equals it up to rounding
_LARGEST_RASTER_FREE = 5000  # samples drawn as vectors; more make large files
# Steps of the two sequences of Roberts, which fill the unit square evenly.
_STEP_X, _STEP_Y = 0.7548776662466927, 0.5698402909980532


class TiltDisplay:
    """Scatter of a target against a feature, where colour and size are the tilt.

    Samples whose tilt is above 1 carry the potential correlation: the larger, the
    darker. The others are pale. The witness, the sample with the largest tilt, is
    ringed, unless several samples have this tilt. Samples with a missing value are left
    out.

    It is recommended to use :meth:`from_estimator` to create one.

    Parameters
    ----------
    x, y : array-like of shape (n_samples,)
        Samples of the feature and of the target: numbers, dates, or categories, which
        are spread a little. Where `x` is a Series of pandas, its index names the
        witness.
    tilt : array-like of shape (n_samples,)
        How much more often the tilt draws each sample.
    feature_name : str, default="x"
        Name of the feature.
    target_name : str, default="y"
        Name of the target.
    score : float, default=None
        The potential correlation, for the title.
    pvalue : float, default=None
        Its p-value, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        The figure of the last plot.
    scatter_ : matplotlib PathCollection
        The samples of the last plot, those with the largest tilt last.

    See Also
    --------
    skinfo.HypercontractivityCoef : Finds the tilt.
    DependenceDisplay : The scores of all features.

    Examples
    --------
    >>> from skinfo import HypercontractivityCoef
    >>> from skinfo.datasets import make_hidden_correlation
    >>> from skinfo.inspection import TiltDisplay
    >>> data = make_hidden_correlation(1000, noise=0.03, random_state=0)
    >>> X = data.x.reshape(-1, 1)
    >>> selector = HypercontractivityCoef(n_permutations=99, random_state=0)
    >>> display = TiltDisplay.from_estimator(selector.fit(X, data.y), X, data.y)
    >>> display.ax_.get_title(loc="left")
    'Potential correlation 0.12, p = 0.01'
    """

    ax_: Axes
    figure_: Figure | SubFigure
    scatter_: PathCollection

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        tilt: ArrayLike,
        feature_name: str = "x",
        target_name: str = "y",
        score: float | None = None,
        pvalue: float | None = None,
    ) -> None:
        self.x = x
        self.y = y
        self.tilt = tilt
        self.feature_name = feature_name
        self.target_name = target_name
        self.score = score
        self.pvalue = pvalue

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        feature: int | str = 0,
        target_name: str = "y",
        ax: Axes | None = None,
    ) -> Self:
        """Draw the tilt of one feature of a fitted estimator.

        Parameters
        ----------
        estimator : HypercontractivityCoef
            A fitted :class:`~skinfo.HypercontractivityCoef`.
        X : array-like or dataframe of shape (n_samples, n_features)
            Samples of all features, new ones or those of `fit`.
        y : array-like of shape (n_samples,)
            Their target.
        feature : int or str, default=0
            Index or name of the feature.
        target_name : str, default="y"
            Name of the target.
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.

        Returns
        -------
        TiltDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no tilt, or is a pipeline or a search that holds one.
        ValueError
            If there is no such feature, or X and y differ in length.
        """
        check_is_selector(estimator)
        if not hasattr(estimator, "tilt"):
            raise TypeError(
                f"estimator is a {type(estimator).__name__}, which has no tilt. "
                "Pass a fitted HypercontractivityCoef."
            )
        check_is_fitted(estimator, "scores_")
        j = _feature_position(estimator, feature)
        tilt = estimator.tilt(X)[:, j]
        names = getattr(estimator, "feature_names_in_", {j: f"x{j}"})
        pvalues = getattr(estimator, "pvalues_", None)
        display = cls(
            column_of(X, j),
            y,
            tilt=tilt,
            feature_name=names[j],
            target_name=target_name,
            score=estimator.scores_[j],
            pvalue=None if pvalues is None else pvalues[j],
        )
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the samples, those with the largest tilt on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.

        Returns
        -------
        self : TiltDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If the tilt does not consist of numbers.
        ValueError
            If `x`, `y` and `tilt` differ in length, one of them has several columns,
            or no sample is complete.
        """
        from matplotlib import pyplot as plt

        x = read_samples(self.x, "x", _STEP_X)
        y = read_samples(self.y, "y", _STEP_Y)
        tilt, unknown = read_tilt(self.tilt)
        check_same_length({"x": len(x.values), "y": len(y.values), "tilt": len(tilt)})
        rows = np.flatnonzero(~(x.missing | y.missing | unknown))
        if len(rows) == 0:
            raise ValueError(
                "There is no sample with values of x, y and tilt. "
                "Pass at least one sample without missing values."
            )
        rows = rows[np.argsort(tilt[rows], kind="stable")]
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, 4.8), layout="constrained")
        self.scatter_ = _draw_samples(ax, x.values[rows], y.values[rows], tilt[rows])
        x.label(ax.xaxis, self.feature_name)
        y.label(ax.yaxis, self.target_name)
        if _has_witness(tilt[rows]):
            name = _name_of_sample(self.x, int(rows[-1]))
            _draw_witness(ax, self.scatter_, f"{name}: tilt {tilt[rows[-1]]:.3g}")
        ax.set_title(self._title(), loc="left", fontsize="medium")
        ax.spines[["top", "right"]].set_visible(False)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _title(self) -> str:
        parts = []
        if self.score is not None:
            parts.append(f"Potential correlation {self.score:.2f}")
        if self.pvalue is not None:
            parts.append(f"p = {self.pvalue:.2g}")
        return ", ".join(parts)


def _feature_position(estimator: Any, feature: Any) -> int:
    """Return the position of the feature with this index or name."""
    n_features = int(estimator.n_features_in_)
    if isinstance(feature, numbers.Integral) and not isinstance(feature, bool):
        position = int(feature)
        if not -n_features <= position < n_features:
            raise ValueError(
                f"feature={position} is out of range, as there are {n_features} "
                f"features. Pass an index from 0 to {n_features - 1}."
            )
        return position % n_features
    if not isinstance(feature, str):
        raise TypeError(
            f"feature={feature!r} must be an index or a name, not "
            f"{type(feature).__name__}. Pass an integer or a string."
        )
    names = list(getattr(estimator, "feature_names_in_", ()))
    if not names:
        raise ValueError(
            f"feature={feature!r} is a name, but the estimator was fitted without "
            f"names. Pass an index from 0 to {n_features - 1}."
        )
    if feature not in names:
        raise ValueError(
            f"feature={feature!r} names no feature. "
            f"Pass an index, or a name among {names[:10]}."
        )
    return names.index(feature)


def _draw_samples(
    ax: Axes, x: AnyArray, y: AnyArray, tilt: FloatArray
) -> PathCollection:
    """Draw samples that are sorted by their tilt, with a colour bar."""
    from matplotlib import colormaps

    largest = max(tilt[-1], 2.0)
    raised = np.clip((tilt - 1) / (largest - 1), 0, 1)
    smallest = float(np.clip(440 / np.sqrt(len(tilt)), 2, 14))
    scatter = ax.scatter(
        x,
        y,
        c=np.where(tilt > _FLAT, tilt, 0),
        s=smallest * (1 + (tilt > _FLAT) + 2 * raised),
        cmap=colormaps[_MAP].with_extremes(under=_PALE),
        vmin=1,
        vmax=largest,
        linewidths=0,
        rasterized=len(tilt) > _LARGEST_RASTER_FREE,
    )
    ax.figure.colorbar(scatter, ax=ax, extend="min", label="Tilt (pale: 1 or less)")
    return scatter


def _has_witness(tilt: FloatArray) -> bool:
    """Return whether the last of the sorted tilts is larger than all others."""
    if tilt[-1] <= _FLAT:
        return False
    return len(tilt) == 1 or bool(tilt[-2] < tilt[-1] * _SHARED)


def _name_of_sample(x: Any, row: int) -> str:
    """Return the label of a sample in the index of pandas, else its number."""
    label = x.index[row] if hasattr(x, "iloc") else row
    if isinstance(label, numbers.Integral):
        return f"sample {label}"
    return shortened(str(label), LONGEST_LABEL)


def _draw_witness(ax: Axes, scatter: PathCollection, text: str) -> None:
    """Ring the last sample and write beside it, towards the middle of the axes."""
    from matplotlib.patheffects import withStroke

    position = np.asarray(scatter.get_offsets())[-1]
    ax.plot(*position, "o", markersize=13, mfc="none", mec="black", mew=1.2)
    ax.autoscale_view()
    across, _ = ax.transAxes.inverted().transform(ax.transData.transform(position))
    ax.annotate(
        text,
        position,
        xytext=(11 if across < 0.5 else -11, 0),
        textcoords="offset points",
        parse_math=False,  # a label may hold dollars
        ha="left" if across < 0.5 else "right",
        va="center",
        path_effects=[withStroke(linewidth=3, foreground="white")],
    )
