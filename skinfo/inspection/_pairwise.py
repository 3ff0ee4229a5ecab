"""The dependence of all pairs of columns, as a heat map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skinfo._core._checks import check_probability
from skinfo._core._permutation import significant
from skinfo._core._typing import AnyArray, BoolArray, FloatArray
from skinfo.dependence.inference._pairwise import (
    PairwiseDependence,
    pairwise_dependence,
)
from skinfo.inspection._dependence import display_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.image import AxesImage

_SCORE_NAMES = {
    "mutual_information": "Mutual information (nats)",
    "hypercontractivity": "Potential correlation",
    "maximal_correlation": "Maximal correlation",
}
_COLOURS, _NO_VALUE = "Blues", "0.9"
_LONGEST_NAME = 25  # characters
# Inches: side of the whole matrix, bounds for the side of a cell.
_SIZE, _LARGEST_CELL, _SMALLEST_CELL = 7.0, 0.45, 0.13
# Share of the largest value: negative values down to it are noise of the estimate, and
# get the colour of 0.
_NOISE = 0.1


class PairwiseDependenceDisplay:
    """A heat map of the dependence of all pairs, with the significant ones marked.

    A directed dependence goes from the feature of the row to that of the column. The
    diagonal is grey.

    It is recommended to use :meth:`from_result` or :meth:`from_data` to create one.

    Parameters
    ----------
    values : array-like of shape (n_features, n_features)
        The dependence from the feature of the row to that of the column.
    pvalues : array-like of shape (n_features, n_features), default=None
        Their p-values, after an adjustment for many pairs. None marks no cells.
    feature_names : sequence of str, default=None
        Name of each feature. None means "x0", "x1" and so on.
    alpha : float, default=0.05
        Cells with a p-value of at most this are marked.
    score_name : str, default="Dependence"
        Label of the colour bar.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        The figure of the last plot.
    image_ : matplotlib AxesImage
        The cells.
    colorbar_ : matplotlib Colorbar
        The colours of the values.
    marks_ : matplotlib PathCollection or None
        The marks of the significant cells; None without p-values.

    See Also
    --------
    skinfo.pairwise_dependence : Computes the values.
    DependenceDisplay : The dependence of all features with one target.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skinfo import pairwise_dependence
    >>> from skinfo.inspection import PairwiseDependenceDisplay
    >>> X = load_iris(as_frame=True).data
    >>> result = pairwise_dependence(X, n_permutations=99, random_state=0)
    >>> display = PairwiseDependenceDisplay.from_result(result)
    >>> display.colorbar_.ax.get_ylabel()
    'Mutual information (nats)'
    """

    ax_: Axes
    figure_: Figure | SubFigure
    image_: AxesImage
    colorbar_: Colorbar
    marks_: PathCollection | None

    def __init__(
        self,
        values: ArrayLike,
        *,
        pvalues: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
        alpha: float = 0.05,
        score_name: str = "Dependence",
    ) -> None:
        self.values = values
        self.pvalues = pvalues
        self.feature_names = feature_names
        self.alpha = alpha
        self.score_name = score_name

    @classmethod
    def from_result(
        cls,
        result: PairwiseDependence,
        *,
        alpha: float = 0.05,
        score_name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the result of :func:`~skinfo.pairwise_dependence`.

        Parameters
        ----------
        result : PairwiseDependence
            The values, with p-values or without.
        alpha : float, default=0.05
            Cells whose adjusted p-value is at most this are marked.
        score_name : str, default=None
            Label of the colour bar. None means the name of the measure.
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.

        Returns
        -------
        PairwiseDependenceDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `alpha` is not between 0 and 1.
        TypeError
            If `result` is no PairwiseDependence.
        """
        if not isinstance(result, PairwiseDependence):
            raise TypeError(
                f"result is a {type(result).__name__}. Pass what pairwise_dependence "
                "returned; for a table, call from_data."
            )
        if score_name is None:
            score_name = _SCORE_NAMES.get(result.measure, result.measure)
        display = cls(
            result.values,
            pvalues=result.pvalues_adjusted,
            feature_names=result.feature_names,
            alpha=alpha,
            score_name=score_name,
        )
        return display.plot(ax)

    @classmethod
    def from_data(
        cls,
        X: ArrayLike,
        *,
        measure: str | Callable[[Any, Any], float] = "mutual_information",
        measure_params: Mapping[str, Any] | None = None,
        n_permutations: int = 0,
        nan_policy: str = "raise",
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        alpha: float = 0.05,
        score_name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Estimate the dependence of all pairs of columns, and draw it.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_features)
            The table.
        measure : str or callable, default="mutual_information"
            The measure of dependence, as for :func:`~skinfo.pairwise_dependence`.
        measure_params : dict, default=None
            Parameters of the measure.
        n_permutations : int, default=0
            Number of permutations for the p-values. 0 marks no cells.
        nan_policy : {"raise", "omit"}, default="raise"
            "omit": for each pair, the rows with missing values are left out.
        random_state : int, RandomState instance or None, default=None
            Seeds the permutations.
        n_jobs : int, default=None
            Number of jobs that share the pairs.
        alpha : float, default=0.05
            Cells whose adjusted p-value is at most this are marked.
        score_name : str, default=None
            Label of the colour bar. None means the name of the measure.
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.

        Returns
        -------
        PairwiseDependenceDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            As for :func:`~skinfo.pairwise_dependence`, or if `alpha` is not between 0
            and 1.
        """
        check_probability("alpha", alpha)  # before the work
        result = pairwise_dependence(
            X,
            measure=measure,
            measure_params=measure_params,
            n_permutations=n_permutations,
            nan_policy=nan_policy,
            random_state=random_state,
            n_jobs=n_jobs,
        )
        return cls.from_result(result, alpha=alpha, score_name=score_name, ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.

        Returns
        -------
        self : PairwiseDependenceDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the values are no square matrix, or names or p-values do not fit them.
        """
        from matplotlib import colormaps
        from matplotlib import pyplot as plt

        check_probability("alpha", self.alpha)
        values = np.array(self.values, dtype=float)
        names = self._checked_names(values)
        np.fill_diagonal(values, np.nan)
        cell = float(np.clip(_SIZE / len(values), _SMALLEST_CELL, _LARGEST_CELL))
        if ax is None:
            size = cell * len(values) + 0.07 * max(map(len, names)) + 1.0
            _, ax = plt.subplots(figsize=(size + 1.0, size), layout="constrained")
        low, high = _colour_range(values)
        colours = colormaps[_COLOURS].with_extremes(bad=_NO_VALUE)
        self.image_ = ax.imshow(values, cmap=colours, vmin=low, vmax=high)
        self.colorbar_ = ax.figure.colorbar(
            self.image_, ax=ax, label=self.score_name, shrink=0.8
        )
        self.marks_ = None
        if self.pvalues is not None:
            significant = self._significant(values.shape)
            self.marks_ = _draw_marks(
                ax, significant, dark=values > (low + high) / 2, size=24 * cell
            )
            _draw_legend_above(
                ax, f"adjusted p \N{LESS-THAN OR EQUAL TO} {self.alpha:g}"
            )
        places, font_size = np.arange(len(names)), min(10.0, 0.8 * 72 * cell)
        ax.set_xticks(places, names, rotation=90, fontsize=font_size, parse_math=False)
        ax.set_yticks(places, names, fontsize=font_size, parse_math=False)
        if not np.array_equal(values, values.T, equal_nan=True):
            ax.set_xlabel("to")
            ax.set_ylabel("from")
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _checked_names(self, values: FloatArray) -> list[str]:
        """Return the names of the features, or raise where they do not fit."""
        if values.ndim != 2 or values.shape[0] != values.shape[1] or values.size == 0:
            raise ValueError(
                f"values has the shape {values.shape}. Pass a square matrix."
            )
        return display_names(self.feature_names, len(values), _LONGEST_NAME)

    def _significant(self, shape: tuple[int, ...]) -> BoolArray:
        """Return the mask of the cells to mark, or raise where p-values do not fit."""
        pvalues = np.array(self.pvalues, dtype=float)
        if pvalues.shape != shape:
            raise ValueError(
                f"pvalues has the shape {pvalues.shape}, but values has {shape}. "
                "Pass one for each cell."
            )
        np.fill_diagonal(pvalues, np.nan)
        return significant(pvalues, self.alpha)


def _colour_range(values: FloatArray) -> tuple[float, float]:
    """Return the values of the lightest and the darkest colour.

    The first is 0, unless values are far below it. Without any values, 0 and 1.
    """
    finite = values[np.isfinite(values)]
    low, high = finite.min(initial=0), finite.max(initial=0)
    if low == high:
        return 0.0, 1.0
    return (0.0 if low >= -_NOISE * high else float(low)), float(high)


def _draw_marks(
    ax: Axes, significant: BoolArray, *, dark: BoolArray, size: float
) -> PathCollection:
    """Draw a dot of this size, in points, on each cell that is significant."""
    rows, columns = np.nonzero(significant)
    colours: AnyArray = np.where(dark[rows, columns], "white", "black")
    return ax.scatter(columns, rows, s=size**2, c=colours, marker=".", linewidths=0)


def _draw_legend_above(ax: Axes, label: str) -> None:
    from matplotlib.lines import Line2D

    ax.legend(
        handles=[Line2D([], [], ls="", marker=".", color="black", label=label)],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0.1,
        handletextpad=0.1,
        frameon=False,
    )
