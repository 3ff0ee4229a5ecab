"""What a compressed model loses, by the bits that it has for each weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skinfo._core._checks import check_same_length
from skinfo._core._typing import FloatArray
from skinfo.compression._curve import RateDistortionCurve, compressors_at, make_curve
from skinfo.compression._rd_compressor import RDCompressor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

_DISTORTION, _REFERENCE, _SCORE = "tab:blue", "0.55", "tab:orange"
_RATES = (1, 1.5, 2, 3, 4, 6)


class RateDistortionDisplay:
    """Distortion of a compressed model by its rate, with a reference and the scores.

    The distortion is relative to that of a model whose weights are all 0, and on a
    logarithmic scale. The reference is the rate that weights drawn from a normal law
    would need for the same distortion; a single model may need less.

    It is recommended to use :meth:`from_estimator` to create one.

    Parameters
    ----------
    curve : RateDistortionCurve
        What :meth:`skinfo.RDCompressor.rate_distortion_curve` returns.
    scores : array-like of shape (n_rates,), default=None
        Score of the compressed model at each rate.
    original_score : float, default=None
        Score of the original model.
    score_name : str, default="Score"
        What the scores are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        The figure of the last plot.
    score_ax_ : matplotlib Axes or None
        The axes of the scores, with the same rates.
    line_ : matplotlib Line2D
        The distortion.

    See Also
    --------
    skinfo.RDCompressor : Compresses a model.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.preprocessing import scale
    >>> from skinfo import RDCompressor
    >>> from skinfo.inspection import RateDistortionDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> X = scale(X)
    >>> compressor = RDCompressor(FrozenEstimator(LogisticRegression().fit(X, y)))
    >>> compressor = compressor.fit(X)
    >>> display = RateDistortionDisplay.from_estimator(compressor, X, y, rates=[2, 4])
    >>> bool(display.curve.distortions[0] > 4 * display.curve.distortions[1])
    True
    """

    ax_: Axes
    figure_: Figure | SubFigure
    score_ax_: Axes | None
    line_: Line2D

    def __init__(
        self,
        curve: RateDistortionCurve,
        *,
        scores: ArrayLike | None = None,
        original_score: float | None = None,
        score_name: str = "Score",
    ) -> None:
        self.curve = curve
        self.scores = scores
        self.original_score = original_score
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        compressor: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        rates: ArrayLike = _RATES,
        score_name: str = "Score",
        ax: Axes | None = None,
    ) -> Self:
        """Compress the model of a fitted compressor at several rates, and draw.

        Parameters
        ----------
        compressor : RDCompressor
            A fitted :class:`~skinfo.RDCompressor`, of any method that a rate sets. Its
            model is compressed at each of the rates, with the same parameters.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples that calibrate, and that distortions and scores are measured on.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets. With them, the scores are drawn, too.
        rates : array-like of shape (n_rates,), default=(1, 1.5, 2, 3, 4, 6)
            Bits for each weight.
        score_name : str, default="Score"
            What the scores are, such as "Accuracy".
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        RateDistortionDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the compressor is not fitted.
        TypeError
            If it is no compressor.
        ValueError
            If a rate is not positive, or the method is not set by a rate.
        """
        _check_is_compressor(compressor)
        fitted = list(compressors_at(compressor, X, rates, y))
        scores = original_score = None
        if y is not None:
            scores = [each.score(X, y) for each in fitted]
            original_score = float(compressor.estimator_.score(X, y))
        display = cls(
            make_curve(fitted),
            scores=scores,
            original_score=original_score,
            score_name=score_name,
        )
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the distortions and, where they are known, the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        self : RateDistortionDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is not one score for each rate.
        """
        from matplotlib import pyplot as plt

        curve = self.curve
        order = np.argsort(curve.rates, kind="stable")
        scores = None if self.scores is None else np.asarray(self.scores, dtype=float)
        if scores is not None:
            check_same_length({"curve.rates": len(order), "scores": len(scores)})
            scores = scores[order]
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, 4.8), layout="constrained")
        distortions = curve.relative_distortions[order]
        lines = _draw_distortions(
            ax, curve.rates[order], curve.gaussian_rates[order], distortions
        )
        self.line_, self.score_ax_ = lines[0], None
        if scores is not None or self.original_score is not None:
            self.score_ax_ = ax.twinx()
            lines += self._draw_scores(self.score_ax_, curve.rates[order], scores)
        _draw_legend_above(ax, lines)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _draw_scores(
        self, ax: Axes, rates: FloatArray, scores: FloatArray | None
    ) -> list[Line2D]:
        """Draw the scores beside the original one."""
        lines = []
        if scores is not None:
            label = f"{self.score_name}, compressed"
            lines += ax.plot(rates, scores, "s-", ms=4, color=_SCORE, label=label)
        if self.original_score is not None:
            label = f"{self.score_name}, original"
            lines.append(
                ax.axhline(self.original_score, ls=":", color=_SCORE, label=label)
            )
        ax.set_ylabel(self.score_name, color=_SCORE)
        ax.spines["top"].set_visible(False)
        return lines


def _check_is_compressor(compressor: Any) -> None:
    if not isinstance(compressor, RDCompressor):
        raise TypeError(
            f"compressor is a {type(compressor).__name__}. Pass a fitted RDCompressor; "
            "where a search holds it, search.best_estimator_."
        )


def _draw_distortions(
    ax: Axes, rates: FloatArray, gaussian_rates: FloatArray, distortions: FloatArray
) -> list[Line2D]:
    """Draw distortions by the rate, and by the rate that normal weights would need."""
    lines = ax.plot(rates, distortions, "o-", color=_DISTORTION, label="distortion")
    order = np.argsort(gaussian_rates, kind="stable")
    lines += ax.plot(
        gaussian_rates[order],
        distortions[order],
        "--",
        color=_REFERENCE,
        label="normal weights",
        zorder=1,
    )
    if np.any(distortions > 0):
        ax.set_yscale("log", nonpositive="mask")
    ax.set_xlabel("Bits for each weight")
    ax.set_ylabel("Relative distortion", color=_DISTORTION)
    ax.spines["top"].set_visible(False)
    return lines


def _draw_legend_above(ax: Axes, lines: list[Line2D]) -> None:
    """Draw a legend of up to four lines above the axes."""
    ax.legend(
        handles=lines,
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        ncols=2,
        frameon=False,
    )
